//! What can be done with a map.

use selvedge::Map;
use selvedge::model::{Linearizable, linearizable};

#[path = "../by_parity/mod.rs"]
#[expect(dead_code, reason = "closures with steps of their own are for other pages")]
mod by_parity;

pub(crate) use by_parity::{ByParity, by_parity};

pub(crate) type Entries = Map<u64, u64, ByParity>;

/// Each method that promises to be one step, once: those of one key and, on two keys in two shards,
/// those of several. `with`, `contains_key`, `keys`, `values` and `get_or_try_insert_with` are `get`,
/// `snapshot` and `get_or_insert_with` but for what they return.
pub(crate) fn map() -> Linearizable<Entries> {
    linearizable(|| by_parity([]))
        .operation("get 1", |map| map.get(&1))
        .operation("insert 1", |map| map.insert(1, 10))
        .operation("try_insert 1", |map| map.try_insert(1, 11).is_ok())
        .operation("update 1", |map| map.update(&1, |value| value + 1))
        .operation("remove 1", |map| map.remove(&1))
        .operation("toggle 2", |map| map.compute(2, |value| value.is_none().then_some(20)))
        .operation("get_or_insert 2", |map| map.get_or_insert_with(2, || 21))
        .operation("move", |map| map.update_pair(&1, &2, |from, to| (from - 1, to + 1)))
        .operation("snapshot", entries)
        .operation("clear", Entries::clear)
        .finally("left", entries)
}

/// All entries at one moment, in order.
pub(crate) fn entries(map: &Entries) -> Vec<(u64, u64)> {
    let mut entries = map.snapshot();
    entries.sort_unstable();
    entries
}
