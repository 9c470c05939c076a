//! # 12. A seqlock (hard)
//!
//! A writer makes the sequence number odd, writes, and makes it even again. A reader that finds the same even
//! number before and after has read both words of one write, in every interleaving. Under weak memory it has
//! not. Make it right.
//!
//! | call | promise |
//! |---|---|
//! | `write(value)` | replaces both numbers; called by one thread; does not wait |
//! | `read()` | both numbers of one write (no torn read), and not of an older one than the last read |
//!
//! The words are atomics, and their accesses can stay `Relaxed`. A loop that waits calls `hint::spin_loop`.
//!
//! Run: `cargo exercise seqlock`. Hints: `cargo exercise hint seqlock`.
//! Lesson: 4.5 `loom-tests/4_orderings/5_seqlock.rs`.

use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};
use selvedge_model::sync::hint;

use crate::checks::seqlock::Seqlock;

/// Two words, and how often they were written: odd while they are being written.
#[derive(Debug, Default)]
pub struct Words {
    sequence: AtomicU64,
    words: [AtomicU64; 2],
}

impl Seqlock for Words {
    fn write(&self, [first, second]: [u64; 2]) {
        let sequence = self.sequence.load(Relaxed);
        self.sequence.store(sequence + 1, Relaxed);
        self.words[0].store(first, Relaxed);
        self.words[1].store(second, Relaxed);
        self.sequence.store(sequence + 2, Relaxed);
    }

    fn read(&self) -> [u64; 2] {
        loop {
            let before = self.sequence.load(Relaxed);
            let value = [self.words[0].load(Relaxed), self.words[1].load(Relaxed)];
            let after = self.sequence.load(Relaxed);
            if before == after && before.is_multiple_of(2) {
                return value;
            }
            hint::spin_loop();
        }
    }
}
