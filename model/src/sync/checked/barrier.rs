//! Threads that wait for one another.

use std::fmt;
use std::panic::Location;

use super::place::{Item, Kind, Place, here};
use crate::kernel::Made;
use crate::kernel::object::{self, BarrierAct};

/// `std::sync::Barrier`.
pub struct Barrier {
    model: Place<Threads>,
    std: std::sync::Barrier,
}

/// How many it waits for.
pub(super) struct Threads(usize);

impl Kind for Threads {
    const WHAT: &'static str = "a barrier";
    fn made(&self) -> Made {
        Made::Object(object::Barrier::new(self.0).into())
    }
}

impl Item for Barrier {
    type Kind = Threads;
    fn place(&self) -> &Place<Threads> {
        &self.model
    }
}

/// Which thread was the last to arrive.
pub struct BarrierWaitResult(bool);

impl BarrierWaitResult {
    /// Whether it was this one: exactly one of each round.
    pub fn is_leader(&self) -> bool {
        self.0
    }
}

impl Barrier {
    /// A barrier for `n` threads.
    #[track_caller]
    pub const fn new(n: usize) -> Self {
        let model = Place::new(Threads(n), Location::caller());
        Self { model, std: std::sync::Barrier::new(n) }
    }

    /// Blocks until `n` threads have arrived.
    #[track_caller]
    pub fn wait(&self) -> BarrierWaitResult {
        let site = Location::caller();
        let leader = here(self).model.with(|engine, object| {
            let act = |act: BarrierAct| engine.act(object, act, site);
            let arrived = act(BarrierAct::Arrive);
            let leader = arrived % 2 == 1;
            if !leader {
                act(BarrierAct::Leave { arrival: (arrived / 2) as usize });
            }
            leader
        });
        BarrierWaitResult(leader.unwrap_or_else(|| self.std.wait().is_leader()))
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Barrier").finish_non_exhaustive()
    }
}

impl fmt::Debug for BarrierWaitResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BarrierWaitResult").field("is_leader", &self.0).finish()
    }
}
