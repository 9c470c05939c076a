//! # Is every job done once, and do the statistics say so?
//!
//! **Answer.** Yes, if a channel hands the jobs out, its end is the only order to stop, and every worker
//! owns its statistics: with a [`StatsHandle`] and a [`CounterHandle`] it counts a job without a lock,
//! but for one in 128. What is left is the lock around the receiver that the workers share; with a
//! channel for each worker there is not even that.
//!
//! **Why the racy twins fail.** [`LookThenClaimJobs`] reads which job is next and then writes that it is
//! taken: two workers take the same one. [`StopFlagPool`] stops by a flag beside the channel: what is in
//! the channel then is lost. [`WhileAnyPool`] takes an empty channel for its end: what is sent a moment
//! later is lost. [`UncaughtPool`] loses a worker with each job that panics. [`TwoAtomicTotals`] counts a
//! job and adds up its work in two steps: a report in between has one without the other.
//! [`EmptyIsDonePool`] reports once the channel is empty: the last job has been taken out of it, and is not
//! done. [`GuardedPool`] holds the lock of the receiver while it works: nothing is lost but the point of
//! having two workers.
//!
//! **Why the sound one holds.** A message is received once. A receiver is told that its channel has ended
//! only when all senders are gone and everything they sent has been received: so who stops a [`Pool`]
//! drops the sender, joins the workers, and needs no flag. The lock is given back before the job is
//! begun. A job that panics is caught where it is run, outside all locks, and counted. What a worker
//! counts nobody else writes, and [`Stats`] reads count, sum and extremes as of one moment.
//!
//! **Bounds and what is not modelled.** No bound: every model here is explored completely, for one or two
//! workers, two or three jobs at most, and one or two threads that submit, close or report. A job is a
//! number, which is also how much work it is. Jobs that submit jobs are not modelled, nor are channels
//! with a bound. `Stats` and `Counter` are two objects: a report that reads both while jobs are done may
//! have one of them from before a job and the other from after the next. Once the workers have been
//! joined, both are complete.

use std::panic::{AssertUnwindSafe, catch_unwind};

use selvedge::model::Model;
use selvedge::sync::atomic::{
    AtomicBool, AtomicU64, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};
use selvedge::sync::mpsc::{Receiver, Sender, channel};
use selvedge::sync::{Arc, Mutex, MutexGuard, PoisonError, thread};
use selvedge::{Counter, CounterHandle, Stats, StatsHandle};

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

// ---------------------------------------------------------------------------------------------
// Racy: jobs that are done twice, or never.
// ---------------------------------------------------------------------------------------------

/// Defect: which job is next is read in one step, and that it is taken is written in the next.
struct LookThenClaimJobs {
    jobs: [u64; 2],
    /// Relaxed: the jobs were there before the workers, and no ordering makes one step of two.
    next: AtomicUsize,
}

impl LookThenClaimJobs {
    fn new() -> Self {
        Self { jobs: [1, 2], next: AtomicUsize::new(0) }
    }

    fn take(&self) -> Option<u64> {
        let next = self.next.load(Relaxed);
        let job = self.jobs.get(next).copied();
        self.next.store(next + 1, Relaxed);
        job
    }
}

#[test]
fn a_job_that_is_looked_at_first_is_taken_twice() {
    Model::new(LookThenClaimJobs::new)
        .thread("alice", LookThenClaimJobs::take)
        .thread("bob", LookThenClaimJobs::take)
        .acceptable("alice=Some(1) bob=Some(2)", "alice was first")
        .acceptable("alice=Some(2) bob=Some(1)", "bob was first")
        .interesting("alice=Some(1) bob=Some(1)", "both looked before either had claimed it")
        .check();
}

/// Defect: a flag tells the worker to stop, whatever is in the channel.
struct StopFlagPool {
    jobs: Mutex<Receiver<u64>>,
    sender: Mutex<Option<Sender<u64>>>,
    /// Release, and Acquire where it is read: who sees it could also receive what was sent before.
    stop: AtomicBool,
}

impl StopFlagPool {
    fn new() -> Self {
        let (sender, jobs) = channel();
        let sender = Mutex::new(Some(sender));
        Self { jobs: Mutex::new(jobs), sender, stop: AtomicBool::new(false) }
    }

    fn send_and_stop(&self) {
        if let Some(sender) = lock(&self.sender).take() {
            sender.send(1).expect("the receiver is here");
            self.stop.store(true, Release);
        }
    }

    /// How many jobs were done.
    fn worker(&self) -> u64 {
        let mut done = 0;
        while !self.stop.load(Acquire) {
            let Ok(_) = lock(&self.jobs).recv() else { break };
            done += 1;
        }
        done
    }
}

#[test]
fn a_flag_that_stops_the_worker_loses_what_is_in_the_channel() {
    Model::new(StopFlagPool::new)
        .thread("client", StopFlagPool::send_and_stop)
        .thread("worker", StopFlagPool::worker)
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

/// Defect: the number of jobs and the sum of their work are two atomics.
struct TwoAtomicTotals {
    /// Relaxed, both: no ordering makes one of two.
    jobs: AtomicU64,
    work: AtomicU64,
}

impl TwoAtomicTotals {
    fn new() -> Self {
        Self { jobs: AtomicU64::new(0), work: AtomicU64::new(0) }
    }

    fn done(&self, work: u64) {
        self.jobs.fetch_add(1, Relaxed);
        self.work.fetch_add(work, Relaxed);
    }

    fn report(&self) -> (u64, u64) {
        (self.jobs.load(Relaxed), self.work.load(Relaxed))
    }
}

#[test]
fn a_job_is_counted_without_its_work() {
    Model::new(TwoAtomicTotals::new)
        .thread("worker", |totals| totals.done(5))
        .thread("reporter", TwoAtomicTotals::report)
        .acceptable("reporter=(0, 0)", "reported first")
        .acceptable("reporter=(1, 5)", "reported last")
        .interesting("reporter=(1, 0)", "a job that was no work")
        .interesting("reporter=(0, 5)", "work that was no job")
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

/// Workers share a receiver; the end of the channel is the end of the work.
struct Pool {
    jobs: Mutex<Receiver<u64>>,
    /// `None` once the pool is closed.
    sender: Mutex<Option<Sender<u64>>>,
    /// How much work the jobs were that went well.
    work: Stats,
    /// How many jobs panicked.
    failed: Counter,
    /// For each worker what it counts with, until it is there.
    desks: [Mutex<Option<Desk>>; 2],
    at_work: AtWork,
}

/// What belongs to one worker: to count takes no lock.
struct Desk {
    work: StatsHandle,
    failed: CounterHandle,
}

impl Desk {
    /// Does a job and counts it. A panic ends here.
    fn work_on(&mut self, job: u64) {
        // Unwind safe: a job is a number, and shares nothing.
        match catch_unwind(AssertUnwindSafe(|| work_on(job))) {
            Ok(work) => self.work.record(work),
            Err(_) => self.failed.increment(),
        }
    }
}

impl Pool {
    /// A pool that is open, with these jobs in its channel.
    fn with(jobs: &[u64]) -> Self {
        let (sender, jobs) = filled(jobs);
        let work = Stats::with_stripes_and_precision(1, 0).expect("1 stripe of precision 0");
        let failed = Counter::with_stripes(1).expect("1 stripe is accepted");
        let desks = [(); 2]
            .map(|()| Mutex::new(Some(Desk { work: work.handle(), failed: failed.handle() })));
        let (jobs, sender) = (Mutex::new(jobs), Mutex::new(Some(sender)));
        Self { jobs, sender, work, failed, desks, at_work: AtWork::new() }
    }

    /// A pool that is closed, with these jobs still in its channel.
    fn closed_with(jobs: &[u64]) -> Self {
        let pool = Self::with(jobs);
        pool.close();
        pool
    }

    /// Whether the job was accepted. Then it will be done.
    fn submit(&self, job: u64) -> bool {
        lock(&self.sender).as_ref().is_some_and(|sender| sender.send(job).is_ok())
    }

    /// No more jobs are accepted. Those that were are done first.
    fn close(&self) {
        lock(&self.sender).take();
    }

    /// The next job, `None` at the end of the channel. The lock is given back with the return.
    fn next(&self) -> Option<u64> {
        lock(&self.jobs).recv().ok()
    }

    /// Takes jobs until the channel ends, and returns them.
    fn taker(&self) -> Vec<u64> {
        std::iter::from_fn(|| self.next()).collect()
    }

    /// Does jobs at a desk until the channel ends.
    fn worker(&self, desk: usize) {
        let desk = lock(&self.desks[desk]).take();
        let mut desk = desk.expect("a desk is taken once");
        while let Some(job) = self.next() {
            desk.work_on(job);
        }
    }

    /// The same, and notes how many are at work.
    fn watched_worker(&self) {
        while let Some(job) = self.next() {
            self.at_work.work_on(job);
        }
    }

    /// Jobs that went well, their work, and jobs that failed.
    fn report(&self) -> (u64, u128, u64) {
        let work = self.work.snapshot();
        (work.count(), work.sum(), self.failed.get())
    }
}

#[test]
fn two_workers_take_each_job_once() {
    Model::new(|| Pool::closed_with(&[1, 2]))
        .thread("alice", Pool::taker)
        .thread("bob", Pool::taker)
        .acceptable("alice=[1, 2] bob=[]", "alice took both")
        .acceptable("alice=[1] bob=[2]", "one each")
        .acceptable("alice=[2] bob=[1]", "one each")
        .acceptable("alice=[] bob=[1, 2]", "bob took both")
        .check();
}

#[test]
fn closing_the_channel_loses_no_job() {
    Model::new(|| Pool::with(&[]))
        .thread("client", |pool| {
            let accepted = (pool.submit(1), pool.submit(2));
            pool.close();
            accepted
        })
        .thread("worker", |pool| pool.worker(0))
        .finally("report", Pool::report)
        .acceptable("client=(true, true) report=(2, 3, 0)", "both were accepted: both are done")
        .check();
}

/// What is submitted while somebody closes the pool is done or refused, and the client knows which.
#[test]
fn a_job_beside_a_shutdown_is_done_or_refused() {
    Model::new(|| Pool::with(&[]))
        .thread("client", |pool| pool.submit(1))
        .thread("closer", Pool::close)
        .thread("worker", |pool| pool.worker(0))
        .finally("report", Pool::report)
        .acceptable("client=true report=(1, 1, 0)", "accepted, and done")
        .acceptable("client=false report=(0, 0, 0)", "refused")
        .check();
}

/// Whoever gets it goes on, and so does the other one.
#[test]
fn a_job_that_panics_is_counted_and_harms_nobody() {
    Model::new(|| Pool::closed_with(&[BROKEN, 5]))
        .thread("alice", |pool| pool.worker(0))
        .thread("bob", |pool| pool.worker(1))
        .finally("report", Pool::report)
        .acceptable("report=(1, 5, 1)", "one went well, one failed, none is missing")
        .check();
}

#[test]
fn two_workers_work_at_the_same_time() {
    Model::new(|| Pool::closed_with(&[1, 2]))
        .thread("alice", Pool::watched_worker)
        .thread("bob", Pool::watched_worker)
        .finally("most", |pool| pool.at_work.most())
        .acceptable("most=1", "one after the other, as it happened")
        .acceptable("most=2", "nobody waits while another one works")
        .check();
}

/// A report while jobs are done has all of a job or nothing.
#[test]
fn a_job_is_counted_with_its_work() {
    Model::new(|| Pool::closed_with(&[5]))
        .thread("worker", |pool| pool.worker(0))
        .thread("reporter", |pool| {
            let work = pool.work.snapshot();
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
            let pool = Arc::new(Pool::with(&[]));
            let worker = {
                let pool = Arc::clone(&pool);
                thread::spawn(move || pool.worker(0))
            };
            let accepted = (pool.submit(BROKEN), pool.submit(5));
            pool.close();
            worker.join().expect("a worker does not panic");
            (accepted, pool.report())
        })
        .acceptable("main=((true, true), (1, 5, 1))", "one went well, one failed, none is missing")
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
