//! The check of `05_readers.rs`.

use std::collections::BTreeMap;

use selvedge_model::sync::Barrier;
use selvedge_model::{CheckError, Model, Report};

use super::Question;

/// What is in the map.
pub type Entries = BTreeMap<&'static str, u64>;

/// A map with one writer and many readers.
pub trait Readers: Send + Sync + 'static {
    /// A map with these entries.
    fn new(entries: Entries) -> Self;

    /// Changes the entries. Readers see all that `change` does, or nothing of it. Called by one thread only.
    fn write(&self, change: impl FnOnce(&mut Entries));

    /// Reads the entries, at one moment. Readers do not wait for each other.
    fn read<R>(&self, look: impl FnOnce(&Entries) -> R) -> R;
}

/// What such a map must keep.
pub fn check<M: Readers>() -> Vec<Question> {
    vec![
        ("a reader sees all of a write or nothing", all_or_nothing::<M>),
        ("two readers can read at the same time", together::<M>),
        ("a later read sees no older version", later::<M>),
        ("two readers beside a writer", two_readers::<M>),
    ]
}

fn model<M: Readers>() -> Model<M> {
    Model::new(|| M::new(Entries::from([("host", 1), ("port", 1)])))
}

fn write<M: Readers>(map: &M) {
    map.write(|entries| {
        entries.insert("host", 2);
        entries.insert("port", 2);
    });
}

fn read<M: Readers>(map: &M) -> (u64, u64) {
    map.read(|entries| (entries["host"], entries["port"]))
}

fn all_or_nothing<M: Readers>() -> Result<Report, CheckError> {
    model::<M>()
        .thread("writer", write)
        .thread("reader", read)
        .acceptable("reader=(1, 1)", "read before the write")
        .acceptable("reader=(2, 2)", "read after the write")
        .try_check()
}

/// Each is inside until the other one is.
fn together<M: Readers>() -> Result<Report, CheckError> {
    let meet = |(map, inside): &(M, Barrier)| {
        map.read(|entries| {
            inside.wait();
            entries["host"]
        })
    };
    Model::new(|| (M::new(Entries::from([("host", 1)])), Barrier::new(2)))
        .thread("alice", meet)
        .thread("bob", meet)
        .acceptable("alice=1 bob=1", "both were inside")
        .try_check()
}

fn later<M: Readers>() -> Result<Report, CheckError> {
    model::<M>()
        .thread("writer", write)
        .thread("reader", |map| [read(map), read(map)])
        .acceptable("reader=[(1, 1), (1, 1)]", "read before the write")
        .acceptable("reader=[(1, 1), (2, 2)]", "written between the looks")
        .acceptable("reader=[(2, 2), (2, 2)]", "read after the write")
        .try_check()
}

fn two_readers<M: Readers>() -> Result<Report, CheckError> {
    model::<M>()
        .thread("writer", write)
        .thread("alice", read)
        .thread("bob", read)
        .acceptable("alice=(1, 1) bob=(1, 1)", "both read before the write")
        .acceptable(["alice=(1, 1) bob=(2, 2)", "alice=(2, 2) bob=(1, 1)"], "one before, one after")
        .acceptable("alice=(2, 2) bob=(2, 2)", "both read after the write")
        .try_check()
}
