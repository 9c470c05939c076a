//! # rayon #992: a worker looks at one of its two queues before it sleeps
//!
//! **Source.** <https://github.com/rayon-rs/rayon/pull/992>.
//!
//! **Kind.** Lost wake-up.
//!
//! **What happened.** A worker that finds no job takes the lock of its sleep state, looks for injected jobs a last time, and
//! sleeps. `broadcast` brought a second way to inject jobs: a queue for each worker. The last look did not include it. A broadcast
//! that comes after the worker's search and before it is marked as sleeping wakes nothing, and the job waits until something
//! else wakes the worker.
//!
//! **What the checker says.** Deadlock in execution 2, an interleaving. The fixed one is explored completely, in 9 executions.
//!
//! **Assumed.** The report does not show the broadcast: in the sources it pushes into the queue and then wakes the worker if that
//! is marked as sleeping. One worker; the counters that protect the common queue are left out, and so is work stealing.

use selvedge_model::sync::{Condvar, Mutex};

/// The last look is at the common queue.
pub type Broken = Worker<false>;
/// The last look is at both queues.
pub type Fixed = Worker<true>;

/// A worker with two queues: the common one, and its own one for broadcasts.
#[derive(Default)]
pub struct Worker<const FIXED: bool> {
    injected: Mutex<u64>,
    broadcast: Mutex<u64>,
    is_sleeping: Mutex<bool>,
    woken: Condvar,
}

fn is_there(queue: &Mutex<u64>) -> bool {
    *queue.lock().unwrap() > 0
}

impl<const FIXED: bool> Worker<FIXED> {
    /// The worker, until it finds a job.
    pub fn run(&self) {
        while !is_there(&self.injected) && !is_there(&self.broadcast) {
            let mut is_sleeping = self.is_sleeping.lock().unwrap();
            let has_job = is_there(&self.injected) || FIXED && is_there(&self.broadcast);
            if !has_job {
                *is_sleeping = true;
                while *is_sleeping {
                    is_sleeping = self.woken.wait(is_sleeping).unwrap();
                }
            }
        }
    }

    /// Injects a job for this worker, and wakes it if it sleeps.
    pub fn broadcast(&self) {
        *self.broadcast.lock().unwrap() += 1;
        let mut is_sleeping = self.is_sleeping.lock().unwrap();
        if *is_sleeping {
            *is_sleeping = false;
            self.woken.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use selvedge_model::{Failure, Model};

    use super::{Broken, Fixed, Worker};
    use crate::expect;

    fn model<const FIXED: bool>() -> Model<Worker<FIXED>> {
        Model::new(Worker::default)
            .thread("worker", Worker::run)
            .thread("caller", Worker::broadcast)
    }

    #[test]
    fn a_look_at_one_queue_loses_a_broadcast() {
        let broken: fn() -> Model<Broken> = model;
        expect::fails(broken, Failure::Deadlock, 2, "worker is blocked");
    }

    #[test]
    fn a_look_at_both_queues_finds_every_job() {
        let model: Model<Fixed> = model();
        let report = model.acceptable("()", "the worker has found the job").check();
        expect::complete(&report, 9);
    }
}
