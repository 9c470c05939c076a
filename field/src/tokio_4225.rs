//! # tokio #4225: sender and receiver of a closed oneshot take the value
//!
//! **Source.** <https://github.com/tokio-rs/tokio/issues/4225>, mended in
//! <https://github.com/tokio-rs/tokio/pull/4226>, RUSTSEC-2021-0124.
//!
//! **Kind.** Data race (check-then-act).
//!
//! **What happened.** A sender writes the value, sets the bit `VALUE_SENT`, and takes the value back if the channel turns out
//! to be closed. A receiver that has closed the channel still looks whether the bit is set, and takes the value if so. The
//! bit was set whether or not the channel was closed: both sides could take the value at the same time. A program
//! that did this in a loop panicked every few seconds.
//!
//! **What the checker says.** Data race in execution 2: sender and receiver write the value, and nothing orders the two. The
//! fixed one is explored completely, in 2 executions.
//!
//! **Assumed.** Tasks and wakers are left out: the race is between two polls of the state.

use selvedge_model::sync::atomic::AtomicUsize;
use selvedge_model::sync::atomic::Ordering::{AcqRel, Acquire};
use selvedge_model::sync::cell::UnsafeCell;

/// The bit is set in any case.
pub type Broken = Oneshot<false>;
/// The bit is not set if the channel is closed.
pub type Fixed = Oneshot<true>;

const VALUE_SENT: usize = 1;
const CLOSED: usize = 2;

/// A channel for one value.
#[derive(Default)]
pub struct Oneshot<const FIXED: bool> {
    state: AtomicUsize,
    value: UnsafeCell<Option<u64>>,
}

// SAFETY: the state is to say which side uses the value; that it does not is what the page is about.
unsafe impl<const FIXED: bool> Sync for Oneshot<FIXED> {}

impl<const FIXED: bool> Oneshot<FIXED> {
    /// The sender. Returns the value if the channel is closed.
    pub fn send(&self) -> Option<u64> {
        // SAFETY: the receiver does not use the value before the bit is set.
        self.value.with_mut(|value| unsafe { *value = Some(7) });
        // AcqRel: publishes the value, and acquires from `close`.
        let mut before = if FIXED { 0 } else { self.state.fetch_or(VALUE_SENT, AcqRel) };
        if FIXED && let Err(found) = self.state.compare_exchange(0, VALUE_SENT, AcqRel, Acquire) {
            before = found;
        }
        if before & CLOSED == 0 { None } else { self.take() }
    }

    /// The receiver closes the channel, and looks whether there is a value.
    pub fn close_then_receive(&self) -> Option<u64> {
        self.state.fetch_or(CLOSED, AcqRel);
        // Acquire: pairs with the AcqRel of `send`.
        if self.state.load(Acquire) & VALUE_SENT == 0 { None } else { self.take() }
    }

    fn take(&self) -> Option<u64> {
        // SAFETY: see `Sync`.
        self.value.with_mut(|value| unsafe { (*value).take() })
    }
}

#[cfg(test)]
mod tests {
    use selvedge_model::{Failure, Model};

    use super::{Broken, Fixed, Oneshot};
    use crate::expect;

    fn model<const FIXED: bool>() -> Model<Oneshot<FIXED>> {
        Model::new(Oneshot::default)
            .thread("sender", Oneshot::send)
            .thread("receiver", Oneshot::close_then_receive)
    }

    #[test]
    fn both_sides_take_the_value_of_a_closed_channel() {
        let broken: fn() -> Model<Broken> = model;
        expect::fails(broken, Failure::DataRace, 2, "sender writes");
    }

    #[test]
    fn one_side_takes_it_if_closing_decides() {
        let model: Model<Fixed> = model();
        let outcomes = ["sender=None receiver=Some(7)", "sender=Some(7) receiver=None"];
        expect::complete(&model.acceptable(outcomes, "one of them").check(), 2);
    }
}
