//! # bb8 #122: a connection comes back unnoticed between the look into the pool and the wait
//!
//! **Source.** <https://github.com/djc/bb8/issues/122>; the explanation is in a comment.
//!
//! **Kind.** Lost wake-up: two critical sections where one is needed.
//!
//! **What happened.** A benchmark hung; a comment explains it, and calls that a guess. `get` acquired the lock, found no
//! idle connection, and released the lock. Then it acquired the lock again to join the queue of waiters. A connection
//! that was returned in between found no waiter and became idle, and the caller waited until its time was up
//! (`RunError::TimedOut`) or another one was returned. Today the pool uses tokio's `Notify`, which keeps a permit.
//!
//! **What the checker says.** `broken`: a deadlock, found in execution 4: `get` is blocked in `recv`. `fixed` is explored
//! completely, in 3 executions.
//!
//! **Assumed.** The wait has no time limit here; in the crate it has one, and the deadlock is a timeout. The repair is one
//! critical section.

use selvedge_model::sync::mpsc::{Receiver, Sender, channel};
use selvedge_model::sync::{Mutex, MutexGuard};

/// A pool of which all connections are in use.
#[derive(Default)]
pub struct Pool(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    idle: usize,
    waiters: Vec<Sender<()>>,
}

impl Inner {
    fn take(&mut self) -> bool {
        let found = self.idle > 0;
        self.idle -= usize::from(found);
        found
    }

    fn wait(&mut self) -> Receiver<()> {
        let (sender, receiver) = channel();
        self.waiters.push(sender);
        receiver
    }
}

impl Pool {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    /// Returns a connection.
    pub fn put(&self) {
        let mut inner = self.lock();
        match inner.waiters.pop() {
            Some(waiter) => waiter.send(()).unwrap(),
            None => inner.idle += 1,
        }
    }
}

/// Waits for a connection: looks, and then registers.
pub fn broken(pool: &Pool) {
    if pool.lock().take() {
        return;
    }
    let connection = pool.lock().wait();
    connection.recv().unwrap();
}

/// Waits for a connection: looks and registers at once.
pub fn fixed(pool: &Pool) {
    let mut inner = pool.lock();
    if inner.take() {
        return;
    }
    let connection = inner.wait();
    drop(inner);
    connection.recv().unwrap();
}

#[cfg(test)]
mod tests {
    use super::{Pool, broken, fixed};
    use crate::expect;
    use selvedge_model::{Failure, Model};

    #[test]
    fn a_returned_connection_is_not_noticed() {
        expect::fails(
            || Model::new(Pool::default).thread("get", broken).thread("put", Pool::put),
            Failure::Deadlock,
            4,
            "get is blocked in q1.recv",
        );
    }

    #[test]
    fn one_critical_section_loses_no_connection() {
        let report = Model::new(Pool::default)
            .thread("get", fixed)
            .thread("put", Pool::put)
            .acceptable("()", "the connection is found idle, or received")
            .check();
        expect::complete(&report, 3);
    }
}
