//! # turso #4509: a read lock is acquired twice by one thread, and a writer waits in between
//!
//! **Source.** <https://github.com/tursodatabase/turso/pull/4509>.
//!
//! **Kind.** Deadlock: recursive read lock.
//!
//! **What happened.** A function held a read lock on the shared write-ahead log and called the constructor of a log file,
//! which acquired the same read lock again. The locks of `std` and `parking_lot` let no new reader in while a writer
//! waits. If a writer comes between the two acquisitions, it waits for the first, and the second waits for the writer.
//! The fix passes what is needed to the constructor as a parameter.
//!
//! **What the checker says.** `broken`: a deadlock, found in execution 3: both threads are blocked in the lock. `fixed`
//! is explored completely, in 2 executions.

use selvedge_model::sync::RwLock;

/// The shared state of the log: the number of its last frame.
pub type Log = RwLock<u64>;

/// Begins a frame.
pub fn write(log: &Log) {
    *log.write().unwrap() += 1;
}

/// Opens a file while it holds the read lock.
pub fn broken(log: &Log) {
    let shared = log.read().unwrap();
    let open_file = || *log.read().unwrap();
    assert_eq!(open_file(), *shared);
}

/// Tells the last frame to the constructor.
pub fn fixed(log: &Log) {
    let shared = log.read().unwrap();
    let open_file = |last: u64| last;
    assert_eq!(open_file(*shared), *shared);
}

#[cfg(test)]
mod tests {
    use super::{Log, broken, fixed, write};
    use crate::expect;
    use selvedge_model::{Failure, Model};

    #[test]
    fn a_writer_between_two_reads_is_a_deadlock() {
        expect::fails(
            || Model::new(Log::default).thread("reader", broken).thread("writer", write),
            Failure::Deadlock,
            3,
            "reader is blocked in w1.read",
        );
    }

    #[test]
    fn one_read_lock_is_sound() {
        let model = Model::new(Log::default).thread("reader", fixed).thread("writer", write);
        let report = model.acceptable("()", "either order").check();
        expect::complete(&report, 2);
    }
}
