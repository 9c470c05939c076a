//! Exchanges that go wrong: each differs from [`SoundExchange`] by the one defect that it names.

use std::hash::BuildHasher;

use super::{Exchange, Fill, Order, OrderError, SoundExchange, Waiting};

/// Defect: what waits is looked up in one step, and filled in another.
pub struct PeekThenFillExchange<S> {
    pub exchange: SoundExchange<S>,
    pub between: fn(),
}

impl<S: BuildHasher + Send + Sync> Exchange for PeekThenFillExchange<S> {
    fn submit(&self, order: Order) -> Result<Fill, OrderError> {
        let [other, own] = order.sides()?;
        let seen = self.exchange.waiting.get(&other).ok_or(order.unknown())?;
        let (filled, rest) = order.split(seen);
        (self.between)();
        // Only what is there can be taken off; the rest is sold too.
        let matched = self
            .exchange
            .waiting
            .update_pair(&other, &own, |other, own| (other.saturating_sub(filled), own + rest));
        matched.expect("two sides, and no call from inside a call");
        Ok(self.exchange.fill(filled))
    }

    fn waiting(&self) -> Vec<Waiting> {
        self.exchange.waiting()
    }
}

/// Defect: an order is matched with the other side in one step, and what is left of it joins its own
/// side in another.
pub struct TwoSidedExchange<S> {
    pub exchange: SoundExchange<S>,
    pub between: fn(),
}

impl<S: BuildHasher + Send + Sync> Exchange for TwoSidedExchange<S> {
    fn submit(&self, order: Order) -> Result<Fill, OrderError> {
        let [other, own] = order.sides()?;
        let mut outcome = (0, 0);
        let matched = self.exchange.waiting.update(&other, |other| {
            outcome = order.split(*other);
            other - outcome.0
        });
        matched.ok_or(order.unknown())?;
        let (filled, rest) = outcome;
        (self.between)();
        if rest > 0 {
            self.exchange.waiting.update(&own, |own| own + rest);
        }
        Ok(self.exchange.fill(filled))
    }

    fn waiting(&self) -> Vec<Waiting> {
        self.exchange.waiting()
    }
}
