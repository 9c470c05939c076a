//! # `JobChannel`: each job is done once
//!
//! Proved of [`JobChannel`]: each job is received once, closing loses no accepted job, a job submitted during the
//! shutdown is done or refused, a panic ends its job and not the worker, and workers run in parallel. `cargo run -p
//! examples --bin jobs` runs it.
//!
//! **Racy variants.** [`LookThenClaimJobs`]: check-then-act, a job is done twice. [`StopFlagJobs`]: a stop flag
//! beside the channel, queued jobs are lost. [`WhileAnyPool`]: an empty channel is taken for a closed one.
//! [`UncaughtPool`]: a panic ends the worker. [`GuardedPool`]: the lock of the receiver is held during the work, so
//! workers run one at a time.
//!
//! **Why it holds.** `recv` fails only when all senders are dropped and all messages are received: closing drops
//! the sender, and needs no flag. The lock of the receiver is released before the job starts.
//!
//! **Scope.** Explored completely, for one or two workers, up to three jobs, and one or two threads that submit or
//! close. Jobs that submit jobs are not modelled. The statistics of jobs are in `job_statistics.rs`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use selvedge_model::Model;
use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};
use selvedge_model::sync::mpsc::{Receiver, Sender, channel};
use selvedge_model::sync::{Mutex, MutexGuard, PoisonError};

use crate::support::few_jobs::{BROKEN, closed_with, work_on};
use specimens::jobs::racy::{LookThenClaimJobs, StopFlagJobs};
use specimens::jobs::racy::{UncaughtPool, WhileAnyPool};
use specimens::jobs::{Desk, JobChannel, Jobs, work};

/// No model panics while it holds a lock.
#[track_caller]
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The jobs that a worker has run: `None` is one that panicked.
#[derive(Default)]
struct Diary(Vec<Option<u64>>);

impl Desk for Diary {
    fn done(&mut self, work: u64) {
        self.0.push(Some(work));
    }

    fn panicked(&mut self) {
        self.0.push(None);
    }
}

/// Runs jobs until the channel ends, and returns them.
fn worked(jobs: &impl Jobs<u64>) -> Vec<Option<u64>> {
    let mut diary = Diary::default();
    work(jobs, &mut diary, work_on);
    diary.0
}

// ---------------------------------------------------------------------------------------------
// Racy variants.
// ---------------------------------------------------------------------------------------------

#[test]
fn look_then_claim_takes_a_job_twice() {
    Model::new(|| LookThenClaimJobs::new(vec![1, 2], || ()))
        .thread("alice", Jobs::next)
        .thread("bob", Jobs::next)
        .acceptable("alice=Some(1) bob=Some(2)", "alice was first")
        .acceptable("alice=Some(2) bob=Some(1)", "bob was first")
        .interesting("alice=Some(1) bob=Some(1)", "both looked before either had claimed it")
        .check();
}

#[test]
fn stop_flag_loses_a_queued_job() {
    Model::new(StopFlagJobs::new)
        .thread("client", |jobs| {
            jobs.submit(1).expect("it is open");
            jobs.close();
        })
        .thread("worker", |jobs| worked(jobs).len())
        .acceptable("worker=1", "received in time")
        .interesting("worker=0", "told to stop with a job in the channel")
        .check();
}

#[test]
fn empty_channel_taken_for_a_closed_one_loses_a_job() {
    Model::new(WhileAnyPool::new)
        .thread("client", WhileAnyPool::send)
        .thread("worker", WhileAnyPool::worker)
        .acceptable("worker=1", "sent before the worker looked")
        .interesting("worker=0", "the worker looked, found nothing, and went home")
        .check();
}

/// Defect: the lock is held while a job runs, because `while let` keeps the guard until the end of the loop's body.
/// No job is lost; the workers run one at a time.
struct GuardedPool {
    jobs: Mutex<Receiver<u64>>,
    at_work: AtWork,
}

/// The number of workers at work, and its maximum.
struct AtWork {
    /// Relaxed, both: read-modify-writes, which see the newest value.
    now: AtomicU64,
    most: AtomicU64,
}

impl AtWork {
    fn new() -> Self {
        Self { now: AtomicU64::new(0), most: AtomicU64::new(0) }
    }

    fn work_on(&self, job: u64) {
        let now = self.now.fetch_add(1, Relaxed) + 1;
        self.most.fetch_max(now, Relaxed);
        work_on(job);
        self.now.fetch_sub(1, Relaxed);
    }

    fn most(&self) -> u64 {
        self.most.load(Relaxed)
    }
}

impl GuardedPool {
    fn new() -> Self {
        let (sender, jobs) = channel();
        for job in [1, 2] {
            sender.send(job).expect("the receiver is here");
        }
        Self { jobs: Mutex::new(jobs), at_work: AtWork::new() }
    }

    fn worker(&self) {
        while let Ok(job) = lock(&self.jobs).recv() {
            self.at_work.work_on(job);
        }
    }
}

#[test]
fn guard_held_during_the_work_serialises_workers() {
    Model::new(GuardedPool::new)
        .thread("alice", GuardedPool::worker)
        .thread("bob", GuardedPool::worker)
        .finally("most", |pool| pool.at_work.most())
        .interesting("most=1", "never two at the same time: the other one waits for the lock")
        .check();
}

/// The panic ends the worker's thread, and no thread joins it.
#[test]
fn uncaught_panic_ends_the_worker() {
    Model::new(UncaughtPool::new)
        .thread("client", |pool| pool.send(&[BROKEN, 5]))
        .thread("worker", |pool| {
            let run = |job| {
                work_on(job);
            };
            catch_unwind(AssertUnwindSafe(|| pool.worker(run))).is_ok()
        })
        .finally("left", UncaughtPool::left)
        .interesting("worker=false left=1", "the next job is sent, and there is no worker")
        .check();
}

// ---------------------------------------------------------------------------------------------
// Sound: a channel.
// ---------------------------------------------------------------------------------------------

#[test]
fn two_workers_do_each_job_once() {
    Model::new(|| closed_with(&[1, 2]))
        .thread("alice", worked)
        .thread("bob", worked)
        .acceptable("alice=[Some(1), Some(2)] bob=[]", "alice did both")
        .acceptable("alice=[Some(1)] bob=[Some(2)]", "one each")
        .acceptable("alice=[Some(2)] bob=[Some(1)]", "one each")
        .acceptable("alice=[] bob=[Some(1), Some(2)]", "bob did both")
        .check();
}

#[test]
fn close_loses_no_job() {
    Model::new(JobChannel::new)
        .thread("client", |jobs| {
            let accepted = (jobs.submit(1).is_ok(), jobs.submit(2).is_ok());
            jobs.close();
            accepted
        })
        .thread("worker", worked)
        .acceptable("client=(true, true) worker=[Some(1), Some(2)]", "accepted, and done")
        .check();
}

/// A job that is submitted during the shutdown: the client gets to know whether it was accepted.
#[test]
fn job_submitted_during_the_shutdown_is_done_or_refused() {
    Model::new(JobChannel::new)
        .thread("client", |jobs| jobs.submit(1))
        .thread("closer", JobChannel::close)
        .thread("worker", worked)
        .acceptable("client=Ok(()) worker=[Some(1)]", "accepted, and done")
        .acceptable("client=Err(Closed) worker=[]", "refused")
        .check();
}

/// As `uncaught_panic_ends_the_worker`, on the sound type.
#[test]
fn caught_panic_does_not_end_the_worker() {
    Model::new(JobChannel::new)
        .thread("client", |jobs| {
            for job in [BROKEN, 5] {
                jobs.submit(job).expect("it is open");
            }
            jobs.close();
        })
        .thread("worker", worked)
        .acceptable("worker=[None, Some(5)]", "the next job is done by the same worker")
        .check();
}

/// As `guard_held_during_the_work_serialises_workers`, on the sound type.
#[test]
fn two_workers_run_in_parallel() {
    let worker = |(jobs, at_work): &(JobChannel<u64>, AtWork)| {
        work(jobs, &mut Diary::default(), |job| {
            at_work.work_on(job);
            job
        });
    };
    Model::new(|| (closed_with(&[1, 2]), AtWork::new()))
        .thread("alice", worker)
        .thread("bob", worker)
        .finally("most", |(_, at_work)| at_work.most())
        .acceptable("most=1", "one after the other, as it happened")
        .acceptable("most=2", "both work at the same time")
        .check();
}

/// A channel for each worker needs no lock. A slow worker is sent as many jobs as the others.
#[test]
fn one_channel_for_each_worker_loses_no_job() {
    /// The ends of two channels.
    struct Dealt {
        senders: Mutex<Option<[Sender<u64>; 2]>>,
        receivers: [Mutex<Option<Receiver<u64>>>; 2],
    }
    impl Dealt {
        fn new() -> Self {
            let ((first, one), (second, other)) = (channel(), channel());
            let senders = Mutex::new(Some([first, second]));
            Self { senders, receivers: [one, other].map(|end| Mutex::new(Some(end))) }
        }

        fn deal(&self) {
            let senders = lock(&self.senders).take().expect("there is one client");
            for job in 0..3 {
                let sent = senders[job % 2].send(job as u64);
                sent.expect("the worker is there");
            }
        }

        fn taker(&self, which: usize) -> Vec<u64> {
            let jobs = lock(&self.receivers[which]).take();
            jobs.expect("each worker takes its own").into_iter().collect()
        }
    }
    Model::new(Dealt::new)
        .thread("client", Dealt::deal)
        .thread("alice", |dealt| dealt.taker(0))
        .thread("bob", |dealt| dealt.taker(1))
        .acceptable("alice=[0, 2] bob=[1]", "dealt in turn")
        .check();
}
