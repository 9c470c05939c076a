//! Threads at work, and somebody who watches: a progress bar on a terminal, and an end where they wait
//! for each other for ever.

use std::panic;
use std::sync::{Arc, Barrier};
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
    "{} of {} steps were done, and none in the last {PATIENCE:?}: stuck",
    HumanCount(*.done),
    HumanCount(*.steps)
)]
pub(crate) struct Stuck {
    done: u64,
    steps: u64,
}

/// The threads of a program, which start together. Those that are stuck are left behind: the end of `main`
/// ends them.
pub(crate) struct Crew {
    start: Arc<Barrier>,
    done: Arc<Counter>,
    threads: Vec<JoinHandle<()>>,
}

impl Crew {
    /// A crew that starts once it has so many threads.
    pub(crate) fn of(threads: u32) -> Self {
        let threads = usize::try_from(threads).expect("a few threads");
        let (start, done) = (Arc::new(Barrier::new(threads)), Arc::default());
        Self { start, done, threads: Vec::new() }
    }

    /// Adds a thread that counts each of its steps.
    pub(crate) fn work(&mut self, work: impl FnOnce(&mut CounterHandle) + Send + 'static) {
        let (start, mut done) = (Arc::clone(&self.start), self.done.handle());
        self.threads.push(thread::spawn(move || {
            start.wait();
            work(&mut done);
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
        while !self.threads.iter().all(JoinHandle::is_finished) {
            thread::sleep(LOOK);
            let now = self.done.get();
            if now > done {
                (done, since) = (now, Instant::now());
                bar.set_position(done);
            } else if since.elapsed() > PATIENCE {
                bar.finish_and_clear();
                return Err(Stuck { done, steps });
            }
        }
        bar.finish_and_clear();
        for thread in self.threads {
            thread.join().unwrap_or_else(|why| panic::resume_unwind(why));
        }
        Ok(())
    }
}
