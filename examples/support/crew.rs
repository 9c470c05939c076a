//! Threads at work, and somebody who watches: a progress bar on a terminal, and an end where they wait
//! for each other for ever.

use std::panic;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use selvedge::{Counter, CounterHandle};
use thiserror::Error;

/// How long nobody may do a step before all of them count as stuck.
const PATIENCE: Duration = Duration::from_secs(3);

/// How often the watcher looks.
const LOOK: Duration = Duration::from_millis(20);

/// The threads wait for each other.
#[derive(Debug, Error)]
#[error(
    "{} of {} steps were done, and none in the last {PATIENCE:?}: a deadlock",
    HumanCount(*.done),
    HumanCount(*.steps)
)]
pub(crate) struct Stuck {
    done: u64,
    steps: u64,
}

/// How many threads keep all cores busy: one each, and four at least, so that there is always somebody
/// to come in between.
pub(crate) fn all_cores() -> u32 {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    u32::try_from(cores).unwrap_or(64).clamp(4, 64)
}

/// The threads of a program. Those that are stuck are left behind: the end of `main` ends them.
#[derive(Default)]
pub(crate) struct Crew {
    done: Arc<Counter>,
    workers: Vec<JoinHandle<()>>,
    /// Whether the workers have ended.
    over: Arc<AtomicBool>,
    onlookers: Vec<JoinHandle<()>>,
}

impl Crew {
    /// Starts a thread that counts each of its steps.
    pub(crate) fn work(&mut self, work: impl FnOnce(&mut CounterHandle) + Send + 'static) {
        let mut done = self.done.handle();
        self.workers.push(thread::spawn(move || work(&mut done)));
    }

    /// Starts a thread that calls `look` again and again, for the last time once all workers have
    /// ended.
    pub(crate) fn meanwhile(&mut self, mut look: impl FnMut() + Send + 'static) {
        let over = Arc::clone(&self.over);
        self.onlookers.push(thread::spawn(move || {
            loop {
                // Relaxed: `look` finds out by itself what there is to see.
                let last = over.load(Relaxed);
                look();
                if last {
                    break;
                }
            }
        }));
    }

    /// Waits until all threads have ended, and shows how many of `steps` are done.
    ///
    /// # Errors
    ///
    /// [`Stuck`] if nobody has done a step for a while.
    ///
    /// # Panics
    ///
    /// If one of the threads has.
    pub(crate) fn watch(self, steps: u64) -> Result<(), Stuck> {
        let bar = ProgressBar::new(steps).with_style(
            ProgressStyle::with_template("{bar:40} {human_pos} of {human_len}, {eta} left")
                .expect("the template is well-formed"),
        );
        let (mut done, mut since) = (0, Instant::now());
        while self.workers.iter().chain(&self.onlookers).any(|thread| !thread.is_finished()) {
            thread::sleep(LOOK);
            let now = self.done.get();
            if now > done {
                (done, since) = (now, Instant::now());
                bar.set_position(done);
            } else if since.elapsed() > PATIENCE {
                bar.finish_and_clear();
                return Err(Stuck { done, steps });
            }
            self.over.store(self.workers.iter().all(JoinHandle::is_finished), Relaxed);
        }
        bar.finish_and_clear();
        for thread in self.workers.into_iter().chain(self.onlookers) {
            thread.join().unwrap_or_else(|why| panic::resume_unwind(why));
        }
        Ok(())
    }
}
