//! # 13. A job system with statistics (hard)
//!
//! Workers do jobs and count them. All is under locks, and jobs are lost, workers wait for each other, and a
//! report does not add up. Make it right, with few locks.
//!
//! | call | promise |
//! |---|---|
//! | `submit(job)` | accepts the job, unless the system is closed, and returns whether it did |
//! | `close()` | no job is accepted afterwards |
//! | `work()` | does jobs until the system is closed and all accepted ones are taken; each is done once |
//! | | workers do not wait for each other's jobs; a job that panics does not end the worker |
//! | `stats()` | how many jobs have ended without a panic, and the sum of their work, at one moment |
//!
//! Run: `cargo exercise jobs`. Hints: `cargo exercise hint jobs`.
//! Lessons: 7.2 `loom-tests/7_jobs/2_shutdown.rs`, 7.3 `loom-tests/7_jobs/3_job_statistics.rs`.

use std::collections::VecDeque;
use std::fmt;

use selvedge_model::sync::Mutex;
use selvedge_model::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use crate::checks::jobs::{Job, Jobs};

/// Jobs that wait, and what was done.
#[derive(Default)]
pub struct Pool {
    waiting: Mutex<VecDeque<Job>>,
    closed: AtomicBool,
    count: AtomicU64,
    work: AtomicU64,
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").finish_non_exhaustive()
    }
}

impl Jobs for Pool {
    fn submit(&self, job: Job) -> bool {
        if self.closed.load(Relaxed) {
            return false;
        }
        self.waiting.lock().unwrap().push_back(job);
        true
    }

    fn close(&self) {
        self.closed.store(true, Relaxed);
    }

    fn work(&self) {
        while let Some(job) = self.waiting.lock().unwrap().pop_front() {
            self.count.fetch_add(1, Relaxed);
            self.work.fetch_add(job(), Relaxed);
        }
    }

    fn stats(&self) -> (u64, u64) {
        (self.count.load(Relaxed), self.work.load(Relaxed))
    }
}
