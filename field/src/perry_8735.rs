//! # perry #8735: a seqlock is checked again without an acquire fence
//!
//! **Source.** <https://github.com/PerryTS/perry/pull/8735>; seen first in the review of
//! <https://github.com/PerryTS/perry/pull/8668>.
//!
//! **Kind.** Torn read; weak memory (seqlock).
//!
//! **What happened.** A cache keeps the layout of a class in two words, guarded by a sequence. Two classes may share an
//! entry. A reader loads both words `Relaxed` and then the sequence again, with an `Acquire` load. That load orders what
//! follows it, and not the loads before it: they may be performed after the check. The reader can combine a word of one class
//! with a word of the other, and reads a wrong element.
//!
//! **What the checker says.** The reader accepts words of two layouts, first in execution 8. It takes weak memory: no
//! interleaving reaches it. The fixed one is explored completely, in 11 executions.
//!
//! **Assumed.** The publisher is right: a release fence follows the odd sequence, and the even one is stored with
//! `Release`. The key of the entry, which the crate compares too, is left out.

use selvedge_model::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use selvedge_model::sync::atomic::{AtomicU64, fence};

/// The second check is an `Acquire` load.
pub type Broken = Entry<false>;
/// An acquire fence precedes the second check.
pub type Fixed = Entry<true>;

/// An entry of the cache: two words that belong together.
#[derive(Default)]
pub struct Entry<const FIXED: bool> {
    sequence: AtomicU64,
    slots: AtomicU64,
    bounds: AtomicU64,
}

impl<const FIXED: bool> Entry<FIXED> {
    /// Publishes the other layout: 1 in both words.
    pub fn publish(&self) {
        if self.sequence.compare_exchange(0, 1, AcqRel, Relaxed).is_err() {
            return;
        }
        // Release: pairs with the fence of `read`. A reader that has seen a new word sees the odd sequence.
        fence(Release);
        self.slots.store(1, Relaxed);
        self.bounds.store(1, Relaxed);
        // Release: pairs with the first load of `read`.
        self.sequence.store(2, Release);
    }

    /// Both words, unless a publisher is at work.
    pub fn read(&self) -> Option<(u64, u64)> {
        // Acquire: pairs with the last store of `publish`.
        let sequence = self.sequence.load(Acquire);
        if sequence % 2 == 1 {
            return None;
        }
        let layout = (self.slots.load(Relaxed), self.bounds.load(Relaxed));
        if FIXED {
            // Acquire: pairs with the fence of `publish`.
            fence(Acquire);
        }
        (self.sequence.load(Acquire) == sequence).then_some(layout)
    }
}

#[cfg(test)]
mod tests {
    use selvedge_model::Model;

    use super::{Broken, Entry, Fixed};
    use crate::expect;

    const NONE: &str = "reader=None";
    const WHOLE: [&str; 2] = ["reader=Some((0, 0))", "reader=Some((1, 1))"];
    const TORN: [&str; 2] = ["reader=Some((0, 1))", "reader=Some((1, 0))"];

    fn model<const FIXED: bool>() -> Model<Entry<FIXED>> {
        Model::new(Entry::default)
            .thread("publisher", Entry::publish)
            .thread("reader", Entry::read)
            .acceptable(NONE, "a publisher was at work")
            .acceptable(WHOLE, "one layout or the other")
    }

    #[test]
    fn without_a_fence_two_layouts_are_combined() {
        let model: Model<Broken> = model();
        let report = model.interesting(TORN, "a word of each layout").check();
        expect::reached(&report, TORN[0], 11, false);
        expect::reached(&report, TORN[1], 8, false);
    }

    #[test]
    fn with_a_fence_the_layout_is_whole() {
        let model: Model<Fixed> = model();
        expect::complete(&model.check(), 11);
    }
}
