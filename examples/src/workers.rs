//! Worker threads with a progress bar on a terminal, and a timeout for when they deadlock.

use std::panic;
use std::sync::{Arc, Barrier};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use selvedge::{Counter, CounterHandle};
use thiserror::Error;

/// How long the workers may go without a step before they count as deadlocked.
const PATIENCE: Duration = Duration::from_secs(3);

/// How often progress is read.
const POLL: Duration = Duration::from_millis(20);

/// The workers made no progress: they wait for each other.
#[derive(Debug, Error)]
#[error(
    "timeout after {} of {} steps: none was done in the last {PATIENCE:?}",
    HumanCount(*.done),
    HumanCount(*.steps)
)]
pub struct Timeout {
    done: u64,
    steps: u64,
}

/// The worker threads of a program, which start together. After a timeout they are not joined: they end
/// with `main`.
pub struct Workers {
    start: Arc<Barrier>,
    done: Arc<Counter>,
    threads: Vec<JoinHandle<()>>,
}

impl Workers {
    /// Workers that start once [`work`](Self::work) has been called `threads` times.
    ///
    /// # Panics
    ///
    /// If `threads` does not fit in a `usize`.
    pub fn of(threads: u32) -> Self {
        let threads = usize::try_from(threads).expect("a few threads");
        let (start, done) = (Arc::new(Barrier::new(threads)), Arc::default());
        Self { start, done, threads: Vec::new() }
    }

    /// Adds a thread that counts each of its steps.
    pub fn work(&mut self, work: impl FnOnce(&mut CounterHandle) + Send + 'static) {
        let (start, mut done) = (Arc::clone(&self.start), self.done.handle());
        self.threads.push(thread::spawn(move || {
            start.wait();
            work(&mut done);
        }));
    }

    /// Blocks until all threads have ended, and shows how many of `steps` are done.
    ///
    /// # Errors
    ///
    /// [`Timeout`] if no step was done for three seconds.
    ///
    /// # Panics
    ///
    /// If one of the threads panicked.
    pub fn watch(self, steps: u64) -> Result<(), Timeout> {
        let bar = ProgressBar::new(steps).with_style(
            ProgressStyle::with_template("{bar:40} {human_pos} of {human_len}, {eta} left")
                .expect("the template is well-formed"),
        );
        let (mut done, mut since) = (0, Instant::now());
        while !self.threads.iter().all(JoinHandle::is_finished) {
            thread::sleep(POLL);
            let now = self.done.get();
            if now > done {
                (done, since) = (now, Instant::now());
                bar.set_position(done);
            } else if since.elapsed() > PATIENCE {
                bar.finish_and_clear();
                return Err(Timeout { done, steps });
            }
        }
        bar.finish_and_clear();
        for thread in self.threads {
            thread.join().unwrap_or_else(|why| panic::resume_unwind(why));
        }
        Ok(())
    }
}
