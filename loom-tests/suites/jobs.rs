//! # Is every job done once?
//!
//! **Answer.** Yes, if a channel hands the jobs out, its end is the only order to stop, and a job that
//! panics ends nothing but itself. Workers share one thing, the receiver, and the lock around it; with a
//! channel for each worker there is not even that.
//!
//! **Why the racy twins fail.** [`LookThenClaimJobs`] reads which job is next and then writes that it is
//! taken: two workers take the same one. [`StopFlagJobs`] stops by a flag beside the channel: what is in
//! the channel then is lost. [`WhileAnyPool`] takes an empty channel for its end: what is sent a moment
//! later is lost. [`UncaughtPool`] loses a worker with each job that panics. [`GuardedPool`] holds the lock
//! of the receiver while it works: nothing is lost but the point of having two workers.
//!
//! **Why the sound one holds.** A message is received once. A receiver is told that its channel has ended
//! only when all senders are gone and everything they sent has been received: so who closes a
//! [`JobChannel`] drops the sender, joins the workers, and needs no flag. The lock is given back before
//! the job is begun. A job that panics is caught where it is run, outside all locks.
//!
//! **The code** of the sound one, and of the twins that `cargo run -p examples --bin jobs -- --racy` runs, is
//! `specimens/src/jobs.rs`: what is proved here is what the program runs. The other twins are in
//! `specimens/src/jobs/racy.rs`, but for [`GuardedPool`], which is below.
//!
//! **Bounds and what is not modelled.** No bound: every model here is explored completely, for one or two
//! workers, two or three jobs at most, and one or two threads that submit or close. A job is a number.
//! Jobs that submit jobs are not modelled, nor are channels with a bound. What is counted of the jobs has a
//! page of its own, `job_reports.rs`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use selvedge_model::Model;
use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};
use selvedge_model::sync::mpsc::{Receiver, Sender, channel};
use selvedge_model::sync::{Mutex, MutexGuard, PoisonError};

use crate::support::few_jobs::{BROKEN, closed_with, work_on};
use specimens::jobs::racy::{LookThenClaimJobs, StopFlagJobs};
use specimens::jobs::racy::{UncaughtPool, WhileAnyPool};
use specimens::jobs::{Desk, JobChannel, Jobs, work};

/// No test here leaves anything half done under a lock.
#[track_caller]
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a worker has done: a job, or `None` for one that panicked.
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

/// Does jobs until there are none any more, and returns what it has done.
fn worked(jobs: &impl Jobs<u64>) -> Vec<Option<u64>> {
    let mut diary = Diary::default();
    work(jobs, &mut diary, work_on);
    diary.0
}

// ---------------------------------------------------------------------------------------------
// Racy: jobs that are done twice, or never.
// ---------------------------------------------------------------------------------------------

#[test]
fn a_job_that_is_looked_at_first_is_taken_twice() {
    Model::new(|| LookThenClaimJobs::new(vec![1, 2], || ()))
        .thread("alice", Jobs::next)
        .thread("bob", Jobs::next)
        .acceptable("alice=Some(1) bob=Some(2)", "alice was first")
        .acceptable("alice=Some(2) bob=Some(1)", "bob was first")
        .interesting("alice=Some(1) bob=Some(1)", "both looked before either had claimed it")
        .check();
}

#[test]
fn a_flag_that_stops_the_worker_loses_what_is_in_the_channel() {
    Model::new(StopFlagJobs::new)
        .thread("client", |jobs| {
            jobs.submit(1).expect("it is open");
            jobs.close();
        })
        .thread("worker", |jobs| worked(jobs).len())
        .acceptable("worker=1", "received in time")
        .interesting("worker=0", "told to stop with a job in the channel: nobody will do it")
        .check();
}

#[test]
fn a_worker_that_takes_empty_for_ended_loses_a_job() {
    Model::new(WhileAnyPool::new)
        .thread("client", WhileAnyPool::send)
        .thread("worker", WhileAnyPool::worker)
        .acceptable("worker=1", "sent before the worker looked")
        .interesting("worker=0", "the worker looked, found nothing, and went home")
        .check();
}

/// Defect: the lock is held while a job is done, for `while let` keeps the guard until the end of the
/// loop's body. Nothing is lost but time.
struct GuardedPool {
    jobs: Mutex<Receiver<u64>>,
    at_work: AtWork,
}

/// Who is at work, and the most that were at the same time.
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
fn a_guard_that_lives_too_long_makes_two_workers_one() {
    Model::new(GuardedPool::new)
        .thread("alice", GuardedPool::worker)
        .thread("bob", GuardedPool::worker)
        .finally("most", |pool| pool.at_work.most())
        .interesting("most=1", "never two at the same time: the other one waits for the lock")
        .check();
}

/// The end of a worker is what `join` would report, if anybody asked.
#[test]
fn a_panic_that_is_not_caught_ends_the_worker() {
    Model::new(UncaughtPool::new)
        .thread("client", |pool| pool.send(&[BROKEN, 5]))
        .thread("worker", |pool| {
            let run = |job| {
                work_on(job);
            };
            catch_unwind(AssertUnwindSafe(|| pool.worker(run))).is_ok()
        })
        .finally("left", UncaughtPool::left)
        .interesting("worker=false left=1", "the next job is sent, and nobody is there to do it")
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
fn closing_the_channel_loses_no_job() {
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

/// What is submitted while somebody closes the channel is done or refused, and the client knows which.
#[test]
fn a_job_beside_a_shutdown_is_done_or_refused() {
    Model::new(JobChannel::new)
        .thread("client", |jobs| jobs.submit(1))
        .thread("closer", JobChannel::close)
        .thread("worker", worked)
        .acceptable("client=Ok(()) worker=[Some(1)]", "accepted, and done")
        .acceptable("client=Err(Closed) worker=[]", "refused")
        .check();
}

/// What [`UncaughtPool`] gets wrong.
#[test]
fn a_panic_that_is_caught_ends_the_job_and_not_its_worker() {
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

/// What [`GuardedPool`] gets wrong.
#[test]
fn two_workers_work_at_the_same_time() {
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
        .acceptable("most=2", "nobody waits while another one works")
        .check();
}

/// A channel for each worker: nothing is shared, and no lock is left. But who is slow is sent as many
/// jobs as the others.
#[test]
fn a_channel_for_each_worker_loses_no_job() {
    /// The ends of two channels, to be given away.
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
