//! # dora #3288: the fences of a seqlock stand on the wrong side
//!
//! **Source.** <https://github.com/dora-rs/dora/issues/3288>, mended in <https://github.com/dora-rs/dora/pull/3289>.
//!
//! **Kind.** Torn read; weak memory (seqlock).
//!
//! **What happened.** Frames of a tensor pool lie in shared memory, guarded by a generation: odd while a frame is written,
//! even when it is complete. The writer stored the even generation first and put the release fence behind it, where it
//! orders nothing. The reader loaded the generation for the second time without an acquire fence before it. On processors with
//! weak ordering, such as ARM, a reader can accept a frame of which it has seen one half.
//!
//! **What the checker says.** The reader accepts a frame of which one word is old and one is new, first in execution 2. It takes
//! weak memory: no interleaving reaches it. The fixed one is explored completely, in 11 executions.
//!
//! **Assumed.** The frame is two words with `Relaxed` accesses, the generation `Relaxed` too; the crate has volatile
//! accesses and a copy.

use selvedge_model::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use selvedge_model::sync::atomic::{AtomicU64, fence};

/// The fence of the writer follows the store, and the reader has one fence.
pub type Broken = Frame<false>;
/// The fence of the writer precedes the store, and the reader has two.
pub type Fixed = Frame<true>;

/// A frame of two words, and its generation.
#[derive(Default)]
pub struct Frame<const FIXED: bool> {
    generation: AtomicU64,
    words: [AtomicU64; 2],
}

impl<const FIXED: bool> Frame<FIXED> {
    /// Writes 1 into both words.
    pub fn write(&self) {
        let generation = self.generation.load(Relaxed);
        self.generation.store(generation + 1, Relaxed);
        // Release: a reader that has seen a new word sees the odd generation, or a later one.
        fence(Release);
        for word in &self.words {
            word.store(1, Relaxed);
        }
        if FIXED {
            // Release: pairs with the first fence of `read`. A reader that has seen the even generation sees the words.
            fence(Release);
        }
        self.generation.store(generation + 2, Relaxed);
        if !FIXED {
            fence(Release);
        }
    }

    /// Both words, if they were not written meanwhile.
    pub fn read(&self) -> Option<(u64, u64)> {
        let before = self.generation.load(Relaxed);
        // Acquire: pairs with the second fence of `write`.
        fence(Acquire);
        if before % 2 == 1 {
            return None;
        }
        let words = (self.words[0].load(Relaxed), self.words[1].load(Relaxed));
        if FIXED {
            // Acquire: pairs with the first fence of `write`.
            fence(Acquire);
        }
        (self.generation.load(Relaxed) == before).then_some(words)
    }
}

#[cfg(test)]
mod tests {
    use selvedge_model::Model;

    use super::{Broken, Fixed, Frame};
    use crate::expect;

    const NONE: &str = "reader=None";
    const WHOLE: [&str; 2] = ["reader=Some((0, 0))", "reader=Some((1, 1))"];
    const TORN: [&str; 2] = ["reader=Some((0, 1))", "reader=Some((1, 0))"];

    fn model<const FIXED: bool>() -> Model<Frame<FIXED>> {
        Model::new(Frame::default)
            .thread("writer", Frame::write)
            .thread("reader", Frame::read)
            .acceptable(NONE, "it was written meanwhile")
            .acceptable(WHOLE, "the old frame, or the new one")
    }

    #[test]
    fn with_misplaced_fences_a_torn_frame_is_accepted() {
        let model: Model<Broken> = model();
        let report = model.interesting(TORN, "one word is old").check();
        expect::reached(&report, TORN[0], 3, false);
        expect::reached(&report, TORN[1], 2, false);
    }

    #[test]
    fn with_fences_in_place_the_frame_is_whole() {
        let model: Model<Fixed> = model();
        expect::complete(&model.check(), 11);
    }
}
