//! # Is every job done once, and do the statistics say so?
//!
//! **Answer.** Yes, if a channel hands the jobs out, its end is the only order to stop, and every worker
//! owns its statistics: with a `StatsHandle` and a `CounterHandle` it counts a job without a lock,
//! but for one in 128. What is left is the lock around the receiver that the workers share; with a
//! channel for each worker there is not even that.
//!
//! **Why the racy twins fail.** [`LookThenClaimJobs`] reads which job is next and then writes that it is
//! taken: two workers take the same one. [`StopFlagJobs`] stops by a flag beside the channel: what is in
//! the channel then is lost. [`WhileAnyPool`] takes an empty channel for its end: what is sent a moment
//! later is lost. [`UncaughtPool`] loses a worker with each job that panics. [`TwoAtomicTally`] counts a
//! job and adds up its work in two steps: a report in between has one without the other.
//! [`EmptyIsDonePool`] reports once the channel is empty: the last job has been taken out of it, and is not
//! done. [`GuardedPool`] holds the lock of the receiver while it works: nothing is lost but the point of
//! having two workers.
//!
//! **Why the sound one holds.** A message is received once. A receiver is told that its channel has ended
//! only when all senders are gone and everything they sent has been received: so who closes a
//! [`JobChannel`] drops the sender, joins the workers, and needs no flag. The lock is given back before
//! the job is begun. A job that panics is caught where it is run, outside all locks, and counted. What a worker
//! counts nobody else writes, and [`Stats`] reads count and sum as of one moment.
//!
//! **The code** of the sound one, and of the twins that `cargo run --example jobs -- --racy` runs, is
//! `examples/support/jobs.rs`: what is proved here is what the program runs.
//!
//! **Bounds and what is not modelled.** No bound: every model here is explored completely, for one or two
//! workers, two or three jobs at most, and one or two threads that submit, close or report. A job is a
//! number, which is also how much work it is. Jobs that submit jobs are not modelled, nor are channels
//! with a bound. `Stats` and `Counter` are two objects: a report that reads both while jobs are done may
//! have one of them from before a job and the other from after the next. Once the workers have been
//! joined, both are complete.

use std::panic::{AssertUnwindSafe, catch_unwind};

use selvedge::model::Model;
use selvedge::sync::atomic::{AtomicU64, Ordering::Relaxed};
use selvedge::sync::mpsc::{Receiver, Sender, channel};
use selvedge::sync::{Mutex, MutexGuard, PoisonError};
use selvedge::{Counter, Stats};

#[path = "../examples/support/jobs.rs"]
mod jobs;

use jobs::racy::{LookThenClaimJobs, StopFlagJobs, TwoAtomicTally};
use jobs::{Desk, JobChannel, Jobs, OwnedTally, Pool, Tally, Totals, work};

/// The job that panics.
const BROKEN: u64 = 13;

/// Does a job, and returns how much work it was.
fn work_on(job: u64) -> u64 {
    assert_ne!(job, BROKEN, "this job is broken");
    job
}

/// A channel with these jobs in it, and its sending end.
fn filled(jobs: &[u64]) -> (Sender<u64>, Receiver<u64>) {
    let (sender, receiver) = channel();
    for job in jobs {
        sender.send(*job).expect("the receiver is here");
    }
    (sender, receiver)
}

/// No test here leaves anything half done under a lock.
#[track_caller]
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes jobs until there are none any more, and returns them.
fn taken<J>(jobs: &impl Jobs<J>) -> Vec<J> {
    std::iter::from_fn(|| jobs.next()).collect()
}

/// Jobs that went well, their work, and jobs that panicked.
fn ended(totals: Totals) -> (u64, u128, u64) {
    (totals.done, totals.work, totals.panicked)
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
        .thread("worker", |jobs| taken(jobs).len())
        .acceptable("worker=1", "received in time")
        .interesting("worker=0", "told to stop with a job in the channel: nobody will do it")
        .check();
}

/// Defect: the worker ends when it finds nothing to do.
struct WhileAnyPool {
    jobs: Mutex<Receiver<u64>>,
    sender: Mutex<Option<Sender<u64>>>,
}

impl WhileAnyPool {
    fn new() -> Self {
        let (sender, jobs) = channel();
        Self { jobs: Mutex::new(jobs), sender: Mutex::new(Some(sender)) }
    }

    fn send(&self) {
        if let Some(sender) = lock(&self.sender).take() {
            sender.send(1).expect("the receiver is here");
        }
    }

    /// How many jobs were done.
    fn worker(&self) -> usize {
        lock(&self.jobs).try_iter().count()
    }
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
        let (_, jobs) = filled(&[1, 2]);
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

/// Defect: a job that panics ends the worker that runs it, and nobody takes its place.
struct UncaughtPool {
    jobs: Mutex<Receiver<u64>>,
    sender: Mutex<Option<Sender<u64>>>,
}

impl UncaughtPool {
    fn new() -> Self {
        let (sender, jobs) = channel();
        Self { jobs: Mutex::new(jobs), sender: Mutex::new(Some(sender)) }
    }

    fn send(&self) {
        if let Some(sender) = lock(&self.sender).take() {
            for job in [BROKEN, 5] {
                sender.send(job).expect("the receiver is here");
            }
        }
    }

    fn worker(&self) {
        loop {
            let Ok(job) = lock(&self.jobs).recv() else { break };
            work_on(job);
        }
    }

    fn left(&self) -> usize {
        lock(&self.jobs).try_iter().count()
    }
}

/// The end of a worker is what `join` would report, if anybody asked.
#[test]
fn a_panic_that_is_not_caught_ends_the_worker() {
    Model::new(UncaughtPool::new)
        .thread("client", UncaughtPool::send)
        .thread("worker", |pool| catch_unwind(AssertUnwindSafe(|| pool.worker())).is_ok())
        .finally("left", UncaughtPool::left)
        .interesting("worker=false left=1", "the next job is sent, and nobody is there to do it")
        .check();
}

// ---------------------------------------------------------------------------------------------
// Racy: statistics that do not add up.
// ---------------------------------------------------------------------------------------------

#[test]
fn a_job_is_counted_without_its_work() {
    Model::new(|| TwoAtomicTally::new(|| ()))
        .thread("worker", |tally| tally.desk().done(5))
        .thread("reporter", |tally| ended(tally.totals()))
        .acceptable("reporter=(0, 0, 0)", "reported first")
        .acceptable("reporter=(1, 5, 0)", "reported last")
        .interesting("reporter=(1, 0, 0)", "a job that was no work")
        .interesting("reporter=(0, 5, 0)", "work that was no job")
        .check();
}

/// Defect: reports when the channel is empty. Its last job is then on a worker's desk.
struct EmptyIsDonePool {
    jobs: Mutex<Receiver<u64>>,
    done: Counter,
}

impl EmptyIsDonePool {
    fn new() -> Self {
        let (_, jobs) = filled(&[1]);
        let done = Counter::with_stripes(1).expect("1 stripe is accepted");
        Self { jobs: Mutex::new(jobs), done }
    }

    fn worker(&self) {
        let job = lock(&self.jobs).recv();
        if job.is_ok() {
            self.done.increment();
        }
    }

    /// What was done, once there is nothing left to do. Takes a job that is left as its own.
    fn report(&self) -> u64 {
        if lock(&self.jobs).try_recv().is_ok() {
            self.done.increment();
        }
        self.done.get()
    }
}

#[test]
fn a_report_when_the_channel_is_empty_comes_too_early() {
    Model::new(EmptyIsDonePool::new)
        .thread("worker", EmptyIsDonePool::worker)
        .thread("reporter", EmptyIsDonePool::report)
        .acceptable("reporter=1", "the job was done")
        .interesting("reporter=0", "taken by the worker, and not done yet")
        .check();
}

// ---------------------------------------------------------------------------------------------
// Sound: a channel, and statistics that their worker owns.
// ---------------------------------------------------------------------------------------------

/// A channel, a tally, and two desks that are to be taken.
struct Office {
    jobs: JobChannel<u64>,
    tally: OwnedTally,
    desks: [Mutex<Option<Box<dyn Desk + Send>>>; 2],
    at_work: AtWork,
}

fn tally() -> OwnedTally {
    OwnedTally {
        work: Stats::with_stripes_and_precision(1, 0).expect("1 stripe of precision 0"),
        panicked: Counter::with_stripes(1).expect("1 stripe is accepted"),
    }
}

impl Office {
    /// Open, with these jobs in its channel.
    fn with(submitted: &[u64]) -> Self {
        let (jobs, tally) = (JobChannel::new(), tally());
        for job in submitted {
            jobs.submit(*job).expect("it is open");
        }
        let desks = [(); 2].map(|()| Mutex::new(Some(tally.desk())));
        Self { jobs, tally, desks, at_work: AtWork::new() }
    }

    /// Closed, with these jobs still in its channel.
    fn closed_with(submitted: &[u64]) -> Self {
        let office = Self::with(submitted);
        office.jobs.close();
        office
    }

    /// Does jobs at a desk until the channel ends.
    fn worker(&self, desk: usize) {
        let desk = lock(&self.desks[desk]).take();
        let mut desk = desk.expect("a desk is taken once");
        work(&self.jobs, &mut *desk, work_on);
    }

    /// The same, and notes how many are at work.
    fn watched_worker(&self) {
        work(&self.jobs, &mut NoDesk, |job| {
            self.at_work.work_on(job);
            job
        });
    }

    fn report(&self) -> (u64, u128, u64) {
        ended(self.tally.totals())
    }
}

/// Counts nothing.
struct NoDesk;

impl Desk for NoDesk {
    fn done(&mut self, _: u64) {}

    fn panicked(&mut self) {}
}

#[test]
fn two_workers_take_each_job_once() {
    Model::new(|| Office::closed_with(&[1, 2]))
        .thread("alice", |office| taken(&office.jobs))
        .thread("bob", |office| taken(&office.jobs))
        .acceptable("alice=[1, 2] bob=[]", "alice took both")
        .acceptable("alice=[1] bob=[2]", "one each")
        .acceptable("alice=[2] bob=[1]", "one each")
        .acceptable("alice=[] bob=[1, 2]", "bob took both")
        .check();
}

#[test]
fn closing_the_channel_loses_no_job() {
    Model::new(|| Office::with(&[]))
        .thread("client", |office| {
            let accepted = (office.jobs.submit(1).is_ok(), office.jobs.submit(2).is_ok());
            office.jobs.close();
            accepted
        })
        .thread("worker", |office| office.worker(0))
        .finally("report", Office::report)
        .acceptable("client=(true, true) report=(2, 3, 0)", "both were accepted: both are done")
        .check();
}

/// What is submitted while somebody closes the channel is done or refused, and the client knows which.
#[test]
fn a_job_beside_a_shutdown_is_done_or_refused() {
    Model::new(|| Office::with(&[]))
        .thread("client", |office| office.jobs.submit(1))
        .thread("closer", |office| office.jobs.close())
        .thread("worker", |office| office.worker(0))
        .finally("report", Office::report)
        .acceptable("client=Ok(()) report=(1, 1, 0)", "accepted, and done")
        .acceptable("client=Err(Closed) report=(0, 0, 0)", "refused")
        .check();
}

/// Whoever gets it goes on, and so does the other one.
#[test]
fn a_job_that_panics_is_counted_and_harms_nobody() {
    Model::new(|| Office::closed_with(&[BROKEN, 5]))
        .thread("alice", |office| office.worker(0))
        .thread("bob", |office| office.worker(1))
        .finally("report", Office::report)
        .acceptable("report=(1, 5, 1)", "one went well, one failed, none is missing")
        .check();
}

#[test]
fn two_workers_work_at_the_same_time() {
    Model::new(|| Office::closed_with(&[1, 2]))
        .thread("alice", Office::watched_worker)
        .thread("bob", Office::watched_worker)
        .finally("most", |office| office.at_work.most())
        .acceptable("most=1", "one after the other, as it happened")
        .acceptable("most=2", "nobody waits while another one works")
        .check();
}

/// A report while jobs are done has all of a job or nothing.
#[test]
fn a_job_is_counted_with_its_work() {
    Model::new(|| Office::closed_with(&[5]))
        .thread("worker", |office| office.worker(0))
        .thread("reporter", |office| {
            let work = office.tally.work.snapshot();
            (work.count(), work.sum(), work.max())
        })
        .acceptable("reporter=(0, 0, None)", "reported first")
        .acceptable("reporter=(1, 5, Some(5))", "reported last")
        .check();
}

/// The whole of it, with a thread of its own: start, submit, close, wait, report.
#[test]
fn a_report_after_the_workers_have_been_joined_is_complete() {
    Model::new(|| ())
        .thread("main", |()| {
            let pool = Pool::start(1, JobChannel::new(), tally(), work_on);
            let accepted = (pool.jobs().submit(BROKEN), pool.jobs().submit(5));
            pool.jobs().close();
            (accepted, ended(pool.join()))
        })
        .acceptable(
            "main=((Ok(()), Ok(())), (1, 5, 1))",
            "one went well, one failed, none is missing",
        )
        .check();
}

/// Before that it is behind, and never wrong.
#[test]
fn a_report_while_the_pool_works_has_whole_jobs() {
    Model::new(|| ())
        .thread("main", |()| {
            let jobs = JobChannel::new();
            for job in [5, BROKEN] {
                jobs.submit(job).expect("it is open");
            }
            jobs.close();
            let pool = Pool::start(1, jobs, tally(), work_on);
            let so_far = ended(pool.reporter()());
            pool.join();
            so_far
        })
        .acceptable("main=(0, 0, 0)", "nothing done yet")
        .acceptable("main=(1, 5, 0)", "the first one is done")
        .acceptable("main=(1, 5, 1)", "both are done")
        .acceptable("main=(0, 0, 1)", "the second one ended between the two looks")
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
