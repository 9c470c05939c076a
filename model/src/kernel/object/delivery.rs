//! The result of a thread, until another thread takes it.
//!
//! A scope waits until the closures of its threads have returned. It does not wait for the ends of the
//! threads: destructors of thread-local values run after the delivery. And `is_finished` looks whether the closure of
//! a thread has returned.

use super::{Clock, Edges, ThreadId};

/// Whether a thread has delivered its result.
#[derive(Debug, Clone, Default)]
pub struct Delivery(Option<Clock>);

/// An operation on a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryAct {
    /// The result is there.
    Deliver,
    /// Blocks until it is there.
    Await {
        /// The thread that delivers it.
        child: ThreadId,
    },
    /// 1 if it is there. Acquires nothing: `std` promises no synchronisation.
    Look {
        /// The thread that delivers it.
        child: ThreadId,
    },
}

impl Delivery {
    pub(super) fn enabled(&self, act: DeliveryAct, _: ThreadId) -> bool {
        self.0.is_some() || !matches!(act, DeliveryAct::Await { .. })
    }

    pub(super) fn apply(&mut self, act: DeliveryAct, _: ThreadId, edges: &mut Edges<'_>) -> u64 {
        match (act, &self.0) {
            (DeliveryAct::Deliver, _) => self.0 = Some(edges.release()),
            (DeliveryAct::Await { .. }, Some(delivered)) => edges.acquire(delivered),
            (DeliveryAct::Await { .. }, None) => {}
            (DeliveryAct::Look { .. }, delivered) => return u64::from(delivered.is_some()),
        }
        0
    }
}
