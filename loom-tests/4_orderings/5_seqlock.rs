//! # Can a reader without a lock detect a torn read?
//!
//! (Hard; may be skipped at first reading.) A position has two numbers that belong together. A seqlock lets readers
//! read them without a lock. The writer makes a sequence number odd, writes both, and makes it even again. A reader
//! compares the number before and after, and retries if it is odd or has changed:
//!
//! ```rust
//! sequence.store(1, Release); x.store(5, Relaxed); y.store(5, Relaxed); sequence.store(2, Release);
//!
//! let before = sequence.load(Acquire);
//! let position = (x.load(Relaxed), y.load(Relaxed));
//! let valid = before % 2 == 0 && sequence.load(Acquire) == before;
//! ```
//!
//! **Guess:** can a valid position be `(0, 5)` or `(5, 0)`?
//!
//! **Output.** Yes, though no interleaving reaches it:
//!
//! ```text
//!       writer                      reader
//!    1  a1.load rlx = 0
//!    2  a1.store rel 1
//!    3  a2.store rlx 5
//!    4  a3.store rlx 5
//!    5  a1.store rel 2
//!    6                              a1.load acq
//!                                     reads 0, newest is 2
//!    7                              a2.load rlx = 5
//!    8                              a3.load rlx
//!                                     reads 0, newest is 5
//!    9                              a1.load acq
//!                                     reads 0, newest is 2
//! ```
//!
//! `a1` is the sequence, `a2` and `a3` are the numbers. Real threads returned a torn read in 0 of 20,000 rounds
//! (`SELVEDGE_ROUNDS=20000 cargo test --test book -- seqlock:: --nocapture`, 2026-11-29, two cores, x86-64, which does
//! not reorder two stores or two loads).
//!
//! **Why.** This is a **torn read** in a **seqlock**. `Release` orders what comes *before* the store. It does not keep
//! the stores of `x` and `y` after the store of the odd number. `Acquire` orders what comes *after* the load. It does
//! not keep the loads of `x` and `y` before the second load of the number.
//!
//! **Fix.** Two fences. `fence(Release)` after the odd number: a reader that loads a new `x` or `y` and then executes
//! `fence(Acquire)` also sees the odd number. So `fence(Acquire)` stands before the second load. Each fence needs the
//! other one (`fence_in_…_alone_is_not_enough`).
//!
//! **Break it yourself.** In `try_read` move the fence below the second load of the sequence.
//! `seqlock_with_both_fences_returns_no_torn_read` fails: *reached reader=Some((5, 0)), which the table forbids*.
//! Exercise: `cargo exercise seqlock` (see `exercises/README.md`).

use selvedge_model::Model;
use selvedge_model::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use selvedge_model::sync::atomic::{AtomicU64, fence};

use crate::shown::assert_shown;

/// Two numbers, and how often they were written, twice: odd during a write. There is one writer.
#[derive(Default)]
struct Position {
    sequence: AtomicU64,
    x: AtomicU64,
    y: AtomicU64,
}

impl Position {
    fn write(&self, value: u64, with_fence: bool) {
        let sequence = self.sequence.load(Relaxed);
        self.sequence.store(sequence + 1, Release);
        if with_fence {
            fence(Release);
        }
        self.x.store(value, Relaxed);
        self.y.store(value, Relaxed);
        self.sequence.store(sequence + 2, Release);
    }

    /// The position, or `None` if a write was under way: the caller retries.
    fn try_read(&self, with_fence: bool) -> Option<(u64, u64)> {
        let before = self.sequence.load(Acquire);
        let position = (self.x.load(Relaxed), self.y.load(Relaxed));
        if with_fence {
            fence(Acquire);
        }
        let after = self.sequence.load(Acquire);
        (before == after && before.is_multiple_of(2)).then_some(position)
    }
}

/// One write beside one read, each with or without its fence.
fn model(writer: bool, reader: bool) -> Model<Position> {
    Model::new(Position::default)
        .thread("writer", move |position| position.write(5, writer))
        .thread("reader", move |position| position.try_read(reader))
        .acceptable("reader=None", "a write was under way")
        .acceptable("reader=Some((0, 0))", "read before the write")
        .acceptable("reader=Some((5, 5))", "read after the write")
}

const TORN: [&str; 2] = ["reader=Some((0, 5))", "reader=Some((5, 0))"];

#[test]
fn seqlock_without_fences_returns_a_torn_read() {
    let report = model(false, false).interesting(TORN, "one number is old").check();
    assert_shown(include_str!("5_seqlock.rs"), &report.to_string());
}

#[test]
fn fence_in_the_writer_alone_is_not_enough() {
    model(true, false).interesting(TORN, "one number is old").check();
}

#[test]
fn fence_in_the_reader_alone_is_not_enough() {
    model(false, true).interesting(TORN, "one number is old").check();
}

#[test]
fn seqlock_with_both_fences_returns_no_torn_read() {
    model(true, true).forbidden(TORN, "both numbers are of one write").check();
}
