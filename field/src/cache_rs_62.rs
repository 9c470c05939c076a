//! # cache-rs #62: a key that was never removed is found to be absent
//!
//! **Source.** <https://github.com/pelikan-io/cache-rs/issues/62>; the fix is #60.
//!
//! **Kind.** Check-then-act on a location that is reused (ABA of memory).
//!
//! **What happened.** A reader loads from a slot of the hash table where an entry is, and compares the key that is
//! stored there. In between a compaction may move the entry, publish its new location in the slot, and recycle the old
//! memory for another key. The reader then sees another key and reports that its own is absent. A stress test showed it
//! once in 2,400 runs. The fix loads the slot again after a mismatch, and retries if it has changed.
//!
//! **What the checker says.** `broken`: the key is absent, in execution 2, an interleaving. With the second look, and the
//! comparison relaxed, it still is in execution 3, under weak memory: the second look may be carried out before the
//! comparison, as in a seqlock. `fixed`, whose comparison is an acquire load, is explored completely, in 3 executions.
//!
//! **Assumed.** The bytes of a key are one atomic; the crate compares plain memory. Two locations, one slot, one move.
//! Whether something else in the crate orders the second look after the comparison is left out.

use selvedge_model::sync::atomic::AtomicUsize;
use selvedge_model::sync::atomic::Ordering::{Acquire, Relaxed, Release};

const KEY: usize = 7;
const OTHER: usize = 8;

/// A slot of the table, and the keys at two locations.
pub struct Table {
    slot: AtomicUsize,
    keys: [AtomicUsize; 2],
}

impl Default for Table {
    fn default() -> Self {
        Self { slot: AtomicUsize::new(0), keys: [AtomicUsize::new(KEY), AtomicUsize::new(0)] }
    }
}

impl Table {
    /// Moves the entry to the other location, and recycles the first one.
    pub fn compact(&self) {
        self.keys[1].store(KEY, Relaxed);
        // Release: a reader of the new location finds the key there.
        self.slot.store(1, Release);
        // Release: a comparison (acquire) that finds the other key is followed by a look that finds the new location.
        self.keys[0].store(OTHER, Release);
    }
}

/// Whether the key is there. A mismatch counts as absent.
pub fn broken(table: &Table) -> bool {
    let location = table.slot.load(Acquire);
    table.keys[location].load(Relaxed) == KEY
}

/// Loads the slot again after a mismatch. This load can be reordered before the comparison.
pub fn rechecked(table: &Table) -> bool {
    loop {
        let location = table.slot.load(Acquire);
        if table.keys[location].load(Relaxed) == KEY {
            return true;
        }
        if table.slot.load(Acquire) == location {
            return false;
        }
    }
}

/// Loads the slot again after a mismatch. The comparison is an acquire load, so this load comes after it.
pub fn fixed(table: &Table) -> bool {
    loop {
        let location = table.slot.load(Acquire);
        if table.keys[location].load(Acquire) == KEY {
            return true;
        }
        if table.slot.load(Acquire) == location {
            return false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Table, broken, fixed, rechecked};
    use crate::expect;
    use selvedge_model::{Model, Report};

    fn false_absent(contains: fn(&Table) -> bool) -> Report {
        Model::new(Table::default)
            .thread("reader", contains)
            .thread("compaction", Table::compact)
            .interesting("reader=false", "it is reported as absent")
            .acceptable("reader=true", "it is there all the time")
            .check()
    }

    #[test]
    fn a_key_is_falsely_absent() {
        expect::reached(&false_absent(broken), "reader=false", 2, true);
    }

    #[test]
    fn a_second_look_can_come_before_the_comparison() {
        expect::reached(&false_absent(rechecked), "reader=false", 3, false);
    }

    #[test]
    fn a_second_look_after_the_comparison_finds_the_key() {
        let report = Model::new(Table::default)
            .thread("reader", fixed)
            .thread("compaction", Table::compact)
            .acceptable("reader=true", "it is there all the time")
            .check();
        expect::complete(&report, 3);
    }
}
