//! # affinitypool #21: a lost wake-up, by store buffering
//!
//! **Source.** <https://github.com/surrealdb/affinitypool/issues/21>, mended in
//! <https://github.com/surrealdb/affinitypool/pull/22>.
//!
//! **Kind.** Lost wake-up; weak memory (store buffering).
//!
//! **What happened.** A producer pushes a task and then looks for a parked worker. A worker that found no task registers
//! as parked, looks at the queue again, and parks if it is still empty. Queue and register are two objects, and
//! release and acquire order nothing between two objects. So both may read the old state: the producer finds no worker,
//! the worker finds no task, and the task is never run. Miri reported it as a deadlock; x86 hides it.
//!
//! **What the checker says.** Deadlock in execution 3, which takes weak memory: both loads read the initial value. The
//! fixed one is explored completely, in 7 executions.
//!
//! **Assumed.** The queues are reduced to a counter and a flag with the orderings that the report gives them, release and
//! acquire. The orderings inside of crossbeam's queues, some of which are `SeqCst`, are not modelled. Looking for a
//! worker where there is none only loads.

use selvedge_model::sync::atomic::Ordering::{Acquire, Release, SeqCst};
use selvedge_model::sync::atomic::{AtomicBool, AtomicUsize, fence};
use selvedge_model::sync::{Condvar, Mutex};

/// Without fences.
pub type Broken = Pool<false>;
/// With a `SeqCst` fence between the store and the load of each side.
pub type Fixed = Pool<true>;

/// A pool with one worker and one task.
#[derive(Default)]
pub struct Pool<const FIXED: bool> {
    tasks: AtomicUsize,
    is_parked: AtomicBool,
    token: Mutex<bool>,
    unparked: Condvar,
}

impl<const FIXED: bool> Pool<FIXED> {
    /// The producer: pushes a task, and unparks the worker if it is registered.
    pub fn spawn(&self) {
        // Release: pairs with the loads of `work`, and makes the task visible.
        self.tasks.fetch_add(1, Release);
        if FIXED {
            // SeqCst: pairs with the fence of `work`. One of the two loads after them reads the other side's store.
            fence(SeqCst);
        }
        // Acquire: pairs with the Release of `work`.
        if self.is_parked.load(Acquire) {
            *self.token.lock().unwrap() = true;
            self.unparked.notify_one();
        }
    }

    /// The worker, until it has found the task.
    pub fn work(&self) {
        // Acquire, also below: pairs with the Release of `spawn`.
        if self.tasks.load(Acquire) > 0 {
            return;
        }
        // Release: pairs with the Acquire of `spawn`. A read-modify-write, as in a queue: on x86 it hides the defect.
        self.is_parked.swap(true, Release);
        if FIXED {
            // SeqCst: pairs with the fence of `spawn`.
            fence(SeqCst);
        }
        if self.tasks.load(Acquire) == 0 {
            let mut token = self.token.lock().unwrap();
            while !*token {
                token = self.unparked.wait(token).unwrap();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use selvedge_model::{Failure, Model};

    use super::{Broken, Fixed, Pool};
    use crate::expect;

    fn model<const FIXED: bool>() -> Model<Pool<FIXED>> {
        Model::new(Pool::default).thread("producer", Pool::spawn).thread("worker", Pool::work)
    }

    #[test]
    fn without_fences_the_worker_sleeps_beside_a_task() {
        let broken: fn() -> Model<Broken> = model;
        expect::fails(broken, Failure::Deadlock, 3, "worker is blocked");
    }

    #[test]
    fn with_fences_the_task_is_always_found() {
        let model: Model<Fixed> = model();
        let report = model.acceptable("()", "the worker has found the task").check();
        expect::complete(&report, 7);
    }
}
