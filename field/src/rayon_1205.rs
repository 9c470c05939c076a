//! # rayon #1205: a worker that waits under a read lock runs another task, which takes that lock
//!
//! **Source.** <https://github.com/rayon-rs/rayon/issues/1205>.
//!
//! **Kind.** Deadlock: a reader waits for a reader, with a writer in between.
//!
//! **What happened.** A task held a read lock of `parking_lot` during a parallel iteration. Other tasks of the same pool
//! waited for the read lock, and one for the write lock. The program hung, although other threads of the pool
//! should have been free.
//!
//! **What the checker says.** `broken`: a deadlock, found in execution 3: both threads are blocked in the lock. `fixed`
//! is explored completely, in 3 executions.
//!
//! **Assumed.** The report has the program, not the cause. A thread of rayon that waits for its parts runs other tasks
//! meanwhile, on the same stack (rayon #592). So the task that holds the read lock can start one that acquires it again,
//! and is blocked behind the writer. In the model the pool has one worker, and such a task is queued before the part.

use selvedge_model::sync::atomic::{AtomicBool, Ordering::Relaxed};
use selvedge_model::sync::{Mutex, RwLock};

/// A task.
type Task = fn(&Pool);

/// What the tasks share, and those that are queued.
pub struct Pool {
    engine: RwLock<u64>,
    queue: Mutex<Vec<Task>>,
    part_done: AtomicBool,
}

impl Default for Pool {
    fn default() -> Self {
        let read: Task = |pool| drop(pool.engine.read().unwrap());
        let part: Task = |pool| pool.part_done.store(true, Relaxed);
        let queue = Mutex::new(vec![part, read]);
        Self { engine: RwLock::default(), queue, part_done: AtomicBool::new(false) }
    }
}

impl Pool {
    /// Runs queued tasks until the part is done.
    fn join(&self) {
        while !self.part_done.load(Relaxed) {
            let task = self.queue.lock().unwrap().pop();
            task.expect("the part is queued")(self);
        }
    }

    /// The writer.
    pub fn write(&self) {
        *self.engine.write().unwrap() += 1;
    }
}

/// Joins while it holds the read lock.
pub fn broken(pool: &Pool) -> u64 {
    let engine = pool.engine.read().unwrap();
    pool.join();
    *engine
}

/// Joins without the lock.
pub fn fixed(pool: &Pool) -> u64 {
    let engine = *pool.engine.read().unwrap();
    pool.join();
    engine
}

#[cfg(test)]
mod tests {
    use super::{Pool, broken, fixed};
    use crate::expect;
    use selvedge_model::{Failure, Model};

    #[test]
    fn a_join_under_a_read_lock_is_a_deadlock() {
        expect::fails(
            || Model::new(Pool::default).thread("worker", broken).thread("writer", Pool::write),
            Failure::Deadlock,
            3,
            "worker is blocked in w1.read",
        );
    }

    #[test]
    fn a_join_without_the_lock_is_sound() {
        let model = Model::new(Pool::default).thread("worker", fixed).thread("writer", Pool::write);
        let report = model.acceptable(["worker=0", "worker=1"], "either order").check();
        expect::complete(&report, 3);
    }
}
