//! # Do readers see all of a write, or some of it?
//!
//! **Answer.** All or nothing, if both sides take one lock once: the writer around all that belongs
//! together, and the reader around all that it looks at. A [`Map`] does that in one call: `update` and
//! `with` for one key, `update_pair` and `snapshot` for more. "There is only one writer" is no reason
//! not to lock, and "I only read" is none either.
//!
//! **Why the racy twins fail.** [`UnsyncTable`] is a hash map without a lock: a reader meets a table that the
//! writer is just changing, which is a data race, also if they look at different keys.
//! [`KeyByKeyTable`] locks for each write: a reader that comes between two of them finds a new host
//! and an old port. [`LookByLookTable`] is written in one step, and read in two, with the same
//! result.
//!
//! **Why the sound ones hold.** A read-write lock keeps readers out while the writer is in, and lets them in
//! together otherwise; so what is written in one go is seen as one, and readers do not wait for each
//! other. [`PublishedTable`] goes further: the lock is held only to exchange a pointer or to copy it. Whoever
//! has the pointer reads a table that nobody writes any more.
//!
//! **The code** of the tables is in `specimens/src/table.rs`, of the twins in `specimens/src/table/racy.rs`.
//! What matters of a [`LockedTable`] is that a guard outlives the whole of a step, and of a [`PublishedTable`] that it does not:
//!
//! ```text
//! let table = self.read();                            // LockedTable::both
//! (table[&HOST], table[&PORT])
//!
//! Arc::clone(&self.0.read().unwrap_or_else(…))        // PublishedTable::current
//! ```
//!
//! **Bounds and what is not modelled.** No bound: every model here is explored completely, for one writer
//! and one or two readers with one or two looks each. A host and a port are each only the number of the version
//! they belong to. How long a writer waits for readers that keep coming is not modelled: that is for the lock
//! to decide.

use selvedge::Map;
use selvedge_model::{Failure, Model};

use crate::support::by_parity::{Busy, ByParity, by_parity};
use specimens::table::racy::{KeyByKeyTable, LookByLookTable, UnsyncTable};
use specimens::table::{HOST, LockedTable, PORT, PublishedTable};

// ---------------------------------------------------------------------------------------------
// Racy: what goes wrong.
// ---------------------------------------------------------------------------------------------

#[test]
fn one_writer_beside_two_readers_is_a_data_race() {
    Model::new(UnsyncTable::new)
        .thread("writer", |table| table.set(HOST, 2))
        .thread("reader", |table| {
            table.get(HOST);
        })
        .thread("other", |table| {
            table.get(HOST);
        })
        .fails(Failure::DataRace)
        .check();
}

/// An insert may move the whole table.
#[test]
fn a_reader_of_another_key_is_in_the_race_too() {
    Model::new(UnsyncTable::new)
        .thread("writer", |table| table.set(HOST, 2))
        .thread("reader", |table| {
            table.get(PORT);
        })
        .fails(Failure::DataRace)
        .check();
}

/// Readers alone are none: what they need the lock for is the writer.
#[test]
fn readers_without_a_writer_are_no_data_race() {
    Model::new(UnsyncTable::new)
        .thread("reader", |table| table.get(HOST))
        .thread("other", |table| table.get(HOST))
        .acceptable("reader=1 other=1", "nobody writes")
        .check();
}

#[test]
fn a_write_key_by_key_is_seen_half_done() {
    Model::new(|| KeyByKeyTable(LockedTable::new()))
        .thread("writer", |table| table.set_both(2))
        .thread("reader", |table| table.0.both())
        .acceptable("reader=(1, 1)", "read first")
        .acceptable("reader=(2, 2)", "read last")
        .interesting("reader=(2, 1)", "the new host, and the old port")
        .check();
}

#[test]
fn a_read_key_by_key_sees_half_of_a_write() {
    Model::new(|| LookByLookTable(LockedTable::new()))
        .thread("writer", |table| table.0.set_both(2))
        .thread("reader", LookByLookTable::both)
        .acceptable("reader=(1, 1)", "read first")
        .acceptable("reader=(2, 2)", "read last")
        .interesting("reader=(1, 2)", "the old host, and the new port")
        .check();
}

// ---------------------------------------------------------------------------------------------
// Sound: a lock around what belongs together.
// ---------------------------------------------------------------------------------------------

#[test]
fn readers_under_a_lock_see_all_of_a_write_or_nothing() {
    Model::new(LockedTable::new)
        .thread("writer", |table| table.set_both(2))
        .thread("reader", LockedTable::both)
        .thread("other", LockedTable::both)
        .acceptable("reader=(1, 1) other=(1, 1)", "both read first")
        .acceptable("reader=(1, 1) other=(2, 2)", "written in between")
        .acceptable("reader=(2, 2) other=(1, 1)", "written in between")
        .acceptable("reader=(2, 2) other=(2, 2)", "both read last")
        .check();
}

/// Two looks, each at one version, and the later one never at an older one.
#[test]
fn a_later_look_never_sees_an_older_version() {
    Model::new(LockedTable::new)
        .thread("writer", |table| {
            table.set_both(2);
            table.set_both(3);
        })
        .thread("reader", |table| (table.both(), table.both()))
        .acceptable("reader=((1, 1), (1, 1))", "both looks came first")
        .acceptable("reader=((1, 1), (2, 2))", "one write in between")
        .acceptable("reader=((1, 1), (3, 3))", "both writes in between")
        .acceptable("reader=((2, 2), (2, 2))", "both looks between the writes")
        .acceptable("reader=((2, 2), (3, 3))", "one write before each look")
        .acceptable("reader=((3, 3), (3, 3))", "both looks came last")
        .check();
}

// ---------------------------------------------------------------------------------------------
// Sound: a map.
// ---------------------------------------------------------------------------------------------

type Versions = Busy<Map<u64, u64, ByParity>>;

/// Two keys in two shards.
fn versions() -> Versions {
    Busy::new(by_parity([(HOST, 1), (PORT, 1)]))
}

fn set_both(versions: &Versions, version: u64) {
    let before = versions.map.update_pair(&HOST, &PORT, |_, _| {
        versions.step();
        (version, version)
    });
    before.expect("two keys, outside the map");
}

/// Host and port of one moment.
fn both(versions: &Versions) -> Vec<(u64, u64)> {
    let mut entries = versions.map.snapshot();
    entries.sort_unstable();
    entries
}

#[test]
fn readers_of_a_map_see_all_of_a_write_or_nothing() {
    Model::new(versions)
        .thread("writer", |versions| set_both(versions, 2))
        .thread("reader", both)
        .thread("other", both)
        .acceptable("reader=[(1, 1), (2, 1)] other=[(1, 1), (2, 1)]", "both read first")
        .acceptable("reader=[(1, 1), (2, 1)] other=[(1, 2), (2, 2)]", "written in between")
        .acceptable("reader=[(1, 2), (2, 2)] other=[(1, 1), (2, 1)]", "written in between")
        .acceptable("reader=[(1, 2), (2, 2)] other=[(1, 2), (2, 2)]", "both read last")
        .check();
}

/// Simpler still: what belongs together is one value.
#[test]
fn a_value_with_two_fields_is_seen_whole() {
    /// Of one server, by its number.
    type Servers = Busy<Map<u64, (u64, u64), ByParity>>;
    let look = |servers: &Servers| {
        servers.map.with(&7, |(host, port)| {
            servers.step();
            (*host, *port)
        })
    };
    Model::new(|| Busy::new(by_parity([(7, (1, 1))])))
        .thread("writer", |servers: &Servers| {
            servers.map.update(&7, |(host, port)| {
                servers.step();
                (host + 1, port + 1)
            });
        })
        .thread("reader", look)
        .thread("other", look)
        .acceptable("reader=Some((1, 1)) other=Some((1, 1))", "both read first")
        .acceptable("reader=Some((1, 1)) other=Some((2, 2))", "written in between")
        .acceptable("reader=Some((2, 2)) other=Some((1, 1))", "written in between")
        .acceptable("reader=Some((2, 2)) other=Some((2, 2))", "both read last")
        .check();
}

/// Readers meet: the last four rows are reached by two that are in at the same time.
#[test]
fn readers_do_not_wait_for_each_other() {
    let meet = |versions: &Versions| {
        versions.map.with(&HOST, |_| {
            let first = versions.step();
            let second = versions.step();
            (first, second)
        })
    };
    Model::new(versions)
        .thread("reader", meet)
        .thread("other", meet)
        .acceptable("reader=Some((1, 2)) other=Some((3, 4))", "one after the other")
        .acceptable("reader=Some((3, 4)) other=Some((1, 2))", "one after the other")
        .acceptable("reader=Some((1, 3)) other=Some((2, 4))", "both were in at the same time")
        .acceptable("reader=Some((2, 4)) other=Some((1, 3))", "both were in at the same time")
        .acceptable("reader=Some((1, 4)) other=Some((2, 3))", "both were in at the same time")
        .acceptable("reader=Some((2, 3)) other=Some((1, 4))", "both were in at the same time")
        .check();
}

// ---------------------------------------------------------------------------------------------
// Sound: a new table for each version.
// ---------------------------------------------------------------------------------------------

#[test]
fn who_has_a_version_reads_that_one_to_the_end() {
    Model::new(PublishedTable::new)
        .thread("writer", |table| {
            table.publish(|table| {
                table.insert(HOST, 2);
                table.insert(PORT, 2);
            });
        })
        .thread("reader", |table| {
            let table = table.current();
            (table[&HOST], table[&PORT])
        })
        .finally("newest", |table| table.current()[&HOST])
        .acceptable("reader=(1, 1) newest=2", "took the old version, and may keep it")
        .acceptable("reader=(2, 2) newest=2", "took the new version")
        .check();
}
