//! # spin #65: a write lock is released with a relaxed store; a reader is refused beside a reader
//!
//! **Source.** <https://github.com/zesterer/spin-rs/issues/65>, RUSTSEC-2019-0013.
//!
//! **Kind.** Data race (release without `Release`); and check-then-act.
//!
//! **What happened.** The guard of `RwLock::write` released the lock by a `Relaxed` store of 0. So the writes under the
//! lock were not ordered before the accesses of the next holder, and two threads could use the data at once. In the same
//! report: `try_read` loaded the lock word and called `compare_and_swap` once, which fails if another reader comes or
//! goes in between. Version 0.5.2 has a new lock, with `Release`, and with readers that are counted by `fetch_add`.
//!
//! **What the checker says.** `write_broken`: a data race with a reader, in execution 1; the message names the store that
//! must release. `read_broken`: of two readers one is refused, in execution 2, an interleaving. The fixed ones are explored
//! completely, in 11 executions (writer and reader) and 30 (two readers).
//!
//! **Assumed.** The repair of `try_read` is a loop here.

use selvedge_model::sync::atomic::AtomicUsize;
use selvedge_model::sync::atomic::Ordering::{self, Relaxed, Release, SeqCst};
use selvedge_model::sync::cell::UnsafeCell;

const WRITER: usize = 1 << (usize::BITS - 1);

/// A lock word (`WRITER`, or the number of readers), and what it protects.
#[derive(Default)]
pub struct Lock {
    word: AtomicUsize,
    data: UnsafeCell<u64>,
}

// SAFETY: the data is written only by the thread that set `WRITER`, and read only by those that are counted. With
// `write_broken` it is unsound: that is the bug.
unsafe impl Sync for Lock {}

impl Lock {
    fn try_write(&self, release: Ordering) {
        if self.word.compare_exchange(0, WRITER, SeqCst, SeqCst).is_ok() {
            // SAFETY: this thread set `WRITER`.
            self.data.with_mut(|data| unsafe { *data = 1 });
            self.word.store(0, release);
        }
    }

    fn try_count(&self) -> bool {
        let readers = self.word.load(Relaxed) & !WRITER;
        self.word.compare_exchange(readers, readers + 1, SeqCst, SeqCst).is_ok()
    }

    fn read_counted(&self) -> u64 {
        // SAFETY: this thread is counted.
        let data = self.data.with(|data| unsafe { *data });
        self.word.fetch_sub(1, SeqCst);
        data
    }
}

/// Writes, unless the lock is held. Undefined behaviour beside another thread.
pub fn write_broken(lock: &Lock) {
    lock.try_write(Relaxed);
}

/// Writes, unless the lock is held. Release: pairs with the exchange of the next holder.
pub fn write_fixed(lock: &Lock) {
    lock.try_write(Release);
}

/// Reads, unless the lock is held by a writer, or a reader comes or goes.
pub fn read_broken(lock: &Lock) -> Option<u64> {
    lock.try_count().then(|| lock.read_counted())
}

/// Reads, unless the lock is held by a writer.
pub fn read_fixed(lock: &Lock) -> Option<u64> {
    while lock.word.load(Relaxed) & WRITER == 0 {
        if lock.try_count() {
            return Some(lock.read_counted());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{Lock, read_broken, read_fixed, write_broken, write_fixed};
    use crate::expect;
    use selvedge_model::{Failure, Model};

    #[test]
    fn a_relaxed_release_is_a_data_race() {
        expect::fails(
            || {
                Model::new(Lock::default)
                    .thread("writer", write_broken)
                    .thread("reader", read_fixed)
            },
            Failure::DataRace,
            1,
            "store must release and the load must acquire",
        );
    }

    #[test]
    fn a_reader_is_refused_beside_a_reader() {
        let report = Model::new(Lock::default)
            .thread("a", read_broken)
            .thread("b", read_broken)
            .interesting(["a=Some(0) b=None", "a=None b=Some(0)"], "one is refused")
            .acceptable("a=Some(0) b=Some(0)", "both read")
            .check();
        expect::reached(&report, "a=Some(0) b=None", 2, true);
    }

    #[test]
    fn a_released_write_is_read_or_refuses_the_reader() {
        let model = Model::new(Lock::default).thread("writer", write_fixed);
        let model = model.thread("reader", read_fixed);
        let outcomes = ["reader=Some(0)", "reader=None", "reader=Some(1)"];
        expect::complete(&model.acceptable(outcomes, "before, beside, after").check(), 11);
    }

    #[test]
    fn two_readers_read() {
        let model = Model::new(Lock::default).thread("a", read_fixed).thread("b", read_fixed);
        expect::complete(&model.acceptable("a=Some(0) b=Some(0)", "both read").check(), 30);
    }
}
