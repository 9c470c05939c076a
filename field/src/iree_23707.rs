//! # iree #23707: a ring takes more entries than it has slots, because two loads are reordered
//!
//! **Source.** <https://github.com/iree-org/iree/pull/23707> (C).
//!
//! **Kind.** Weak memory: load-load reordering, then unsigned underflow.
//!
//! **What happened.** Producers of a queue reserve space with `compare_exchange`. Each first loads the reserved
//! position (relaxed), then the read position (acquire), and subtracts. On ARM64 the first load can take effect after
//! the second, and find what another producer reserved in space that was freed in between. Then more is in use than
//! fits, the difference wraps to a huge number of free slots, and an unread entry is overwritten. The fix counts such
//! a snapshot as full, and swaps the two loads.
//!
//! **What the checker says.** `broken`: two entries in one slot, in execution 2, only under weak memory. With the loads
//! swapped and without the guard, the same in execution 5, and it is an interleaving: now the program order does what
//! the reordering did. `fixed` is explored completely, in 9 executions.
//!
//! **Assumed.** One slot, and one entry that is freed. The entries themselves are left out.

use selvedge_model::sync::atomic::AtomicU64;
use selvedge_model::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

const SLOTS: u64 = 1;

/// The positions of a ring.
pub struct Ring {
    reserved: AtomicU64,
    read: AtomicU64,
}

impl Ring {
    /// A ring in which all slots are in use.
    pub fn full() -> Self {
        Self { reserved: AtomicU64::new(SLOTS), read: AtomicU64::new(0) }
    }

    /// The consumer frees a slot. Release: pairs with the load (acquire) of a producer.
    pub fn consume(&self) {
        self.read.store(1, Release);
    }

    /// How many slots are in use; to be called at the end.
    pub fn used(&self) -> u64 {
        self.reserved.load(Relaxed) - self.read.load(Relaxed)
    }

    /// Reserves a slot, unless `free` finds none after a look at the two positions.
    fn reserve(&self, look: fn(&Self) -> (u64, u64), free: fn(u64, u64) -> u64) -> bool {
        loop {
            let (reserved, read) = look(self);
            if free(reserved, read) == 0 {
                return false;
            }
            if self.reserved.compare_exchange(reserved, reserved + 1, AcqRel, Relaxed).is_ok() {
                return true;
            }
        }
    }
}

/// Arithmetic as in C: wraps if more is in use than fits.
fn wrapping(reserved: u64, read: u64) -> u64 {
    SLOTS.wrapping_sub(reserved.wrapping_sub(read))
}

fn read_first(ring: &Ring) -> (u64, u64) {
    let read = ring.read.load(Acquire);
    (ring.reserved.load(Relaxed), read)
}

/// Reserves a slot, unless the ring is full.
pub fn broken(ring: &Ring) -> bool {
    ring.reserve(|ring| (ring.reserved.load(Relaxed), ring.read.load(Acquire)), wrapping)
}

/// The loads are swapped, and nothing else.
pub fn swapped(ring: &Ring) -> bool {
    ring.reserve(read_first, wrapping)
}

/// The loads are swapped, and an inconsistent snapshot counts as full.
pub fn fixed(ring: &Ring) -> bool {
    ring.reserve(read_first, |reserved, read| SLOTS.saturating_sub(reserved.wrapping_sub(read)))
}

#[cfg(test)]
mod tests {
    use super::{Ring, broken, fixed, swapped};
    use crate::expect;
    use selvedge_model::{Model, Report};

    fn oversubscribed(reserve: fn(&Ring) -> bool) -> Report {
        let model = Model::new(Ring::full).thread("consumer", Ring::consume);
        model
            .thread("a", reserve)
            .thread("b", reserve)
            .finally("used", Ring::used)
            .interesting("a=true b=true used=2", "two entries in one slot")
            .acceptable(["a=true b=false used=1", "a=false b=true used=1"], "one found the slot")
            .acceptable("a=false b=false used=0", "both found the ring full")
            .check()
    }

    #[test]
    fn reordered_loads_oversubscribe_the_ring() {
        expect::reached(&oversubscribed(broken), "a=true b=true used=2", 2, false);
    }

    #[test]
    fn swapped_loads_oversubscribe_it_without_weak_memory() {
        expect::reached(&oversubscribed(swapped), "a=true b=true used=2", 5, true);
    }

    #[test]
    fn an_inconsistent_snapshot_counts_as_full() {
        let model = Model::new(Ring::full).thread("consumer", Ring::consume);
        let model = model.thread("a", fixed).thread("b", fixed).finally("used", Ring::used);
        let report = model.always("it fits", |it| it.get::<u64>("used") <= 1).check();
        expect::complete(&report, 9);
    }
}
