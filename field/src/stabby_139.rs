//! # stabby #139: a reference count is decremented without release
//!
//! **Source.** <https://github.com/ZettaScaleLabs/stabby/pull/139>.
//!
//! **Kind.** Data race with the deallocation; weak memory.
//!
//! **What happened.** `Arc` and `Weak` of the crate decremented their counts with `Relaxed`. The thread that brings the count to
//! zero frees the memory. What the other threads did before with the object, and be it only their own decrement, does not
//! happen before that. Miri reported a data race between the decrement of one thread and the deallocation by the other.
//!
//! **What the checker says.** Data race in execution 1: one thread decrements, the other one drops the counter. The fixed one is
//! explored completely, in 2 executions.
//!
//! **Assumed.** One count in place of two.

use selvedge_model::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use selvedge_model::sync::atomic::{AtomicUsize, fence};

/// `Relaxed`, without a fence.
pub type Broken = Shared<false>;
/// `Release`, and an acquire fence before the memory is freed.
pub type Fixed = Shared<true>;

/// An allocation with two owners.
pub struct Shared<const FIXED: bool>(*mut AtomicUsize);

// SAFETY: two threads call `release`, and the second one frees; that it may is what the page is about.
unsafe impl<const FIXED: bool> Sync for Shared<FIXED> {}
// SAFETY: as above.
unsafe impl<const FIXED: bool> Send for Shared<FIXED> {}

impl<const FIXED: bool> Default for Shared<FIXED> {
    fn default() -> Self {
        Self(Box::into_raw(Box::new(AtomicUsize::new(2))))
    }
}

impl<const FIXED: bool> Shared<FIXED> {
    /// Releases a reference. Two threads call it, once each.
    pub fn release(&self) {
        // Release: what this thread did with the object happens before it is freed.
        let order = if FIXED { Release } else { Relaxed };
        // SAFETY: this reference has not been released, so the object is there.
        if unsafe { (*self.0).fetch_sub(1, order) } == 1 {
            if FIXED {
                // Acquire: pairs with the Release of the other decrement.
                fence(Acquire);
            }
            // SAFETY: it was the last reference.
            drop(unsafe { Box::from_raw(self.0) });
        }
    }
}

#[cfg(test)]
mod tests {
    use selvedge_model::{Failure, Model};

    use super::{Broken, Fixed, Shared};
    use crate::expect;

    fn model<const FIXED: bool>() -> Model<Shared<FIXED>> {
        Model::new(Shared::default).thread("alice", Shared::release).thread("bob", Shared::release)
    }

    #[test]
    fn a_relaxed_decrement_races_with_the_deallocation() {
        let broken: fn() -> Model<Broken> = model;
        expect::fails(broken, Failure::DataRace, 1, "bob drops it");
    }

    #[test]
    fn a_release_decrement_happens_before_it() {
        let model: Model<Fixed> = model();
        let report = model.acceptable("()", "the last one frees").check();
        expect::complete(&report, 2);
    }
}
