//! A pool of workers that share one lock, the one around the receiver, and count without any: every
//! job is done once, those that panic are counted, and the statistics add up.
//!
//! ```text
//! cargo run --example jobs
//! ```
//!
//! That it is so in every interleaving is shown, for few jobs, in `loom-tests/jobs.rs`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use selvedge::sync::mpsc::{Receiver, Sender, channel};
use selvedge::sync::{Arc, Mutex, PoisonError, thread};
use selvedge::{Counter, Stats};

const WORKERS: usize = 4;
const JOBS: u64 = 20_000;

type Job = Box<dyn FnOnce() -> u64 + Send>;

/// What the workers have in common.
struct Shared {
    jobs: Mutex<Receiver<Job>>,
    /// What the jobs returned that went well.
    work: Stats,
    failed: Counter,
}

impl Shared {
    /// The next job, `None` at the end of the channel. The lock is given back with the return.
    fn next(&self) -> Option<Job> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
    }

    fn worker(&self) {
        let (mut work, mut failed) = (self.work.handle(), self.failed.handle());
        while let Some(job) = self.next() {
            // Unwind safe: a job owns all that it uses, and is not used again.
            match catch_unwind(AssertUnwindSafe(job)) {
                Ok(amount) => work.record(amount),
                Err(_) => failed.increment(),
            }
        }
    }
}

/// Runs jobs until it is shut down.
struct Pool {
    jobs: Sender<Job>,
    workers: Vec<thread::JoinHandle<()>>,
    shared: Arc<Shared>,
}

impl Pool {
    fn start(workers: usize) -> Self {
        let (jobs, receiver) = channel();
        let shared =
            Shared { jobs: Mutex::new(receiver), work: Stats::new(), failed: Counter::new() };
        let shared = Arc::new(shared);
        let start = |_| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.worker())
        };
        Self { jobs, workers: (0..workers).map(start).collect(), shared }
    }

    fn submit(&self, job: impl FnOnce() -> u64 + Send + 'static) {
        self.jobs.send(Box::new(job)).expect("the receiver lives as long as the pool");
    }

    /// Accepts no more jobs, does those that were accepted, and returns the statistics.
    fn shut_down(self) -> (Stats, Counter) {
        drop(self.jobs);
        for worker in self.workers {
            worker.join().expect("a job's panic ends in its worker");
        }
        let shared = Arc::into_inner(self.shared).expect("the workers have ended");
        (shared.work, shared.failed)
    }
}

fn main() -> ExitCode {
    // A thousandth of the jobs panics: without a word, for the statistics tell.
    std::panic::set_hook(Box::new(|_| ()));
    let pool = Pool::start(WORKERS);
    for job in 0..JOBS {
        pool.submit(move || {
            assert_ne!(job % 1_000, 13, "a broken job");
            (1..=job % 100).sum()
        });
    }
    let (work, failed) = pool.shut_down();
    let _ = std::panic::take_hook();

    let (work, failed) = (work.take(), failed.take());
    println!("went well: {}", work.count());
    println!("panicked:  {failed}");
    println!("work:      {}, at most {:?} a job", work.sum(), work.max());
    println!("every job was counted once: {} of {JOBS}", work.count() + failed);
    let expected: u128 = (0..JOBS)
        .filter(|job| job % 1_000 != 13)
        .map(|job| (1..=u128::from(job % 100)).sum::<u128>())
        .sum();
    if work.count() + failed == JOBS && failed == JOBS / 1_000 && work.sum() == expected {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
