//! # Table: one writer and many readers
//!
//! Proved of [`LockedTable`]: under a read-write lock a reader sees whole writes, and a later read sees no older
//! version. Proved of [`PublishedTable`]: a reader keeps the version that it has, while the writer publishes the
//! next one.
//!
//! **Racy variants.** [`UnsyncTable`]: data race, also between different keys, because an insert may move the
//! table. [`KeyByKeyTable`]: torn write, under two guards. [`LookByLookTable`]: torn read, under two guards.
//!
//! **Scope.** Explored completely, for one writer and one or two readers.

use selvedge_model::{Failure, Model};

use specimens::table::racy::{KeyByKeyTable, LookByLookTable, UnsyncTable};
use specimens::table::{HOST, LockedTable, PORT, PublishedTable};

// ---------------------------------------------------------------------------------------------
// Racy variants.
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
fn write_beside_a_read_of_another_key_is_a_data_race() {
    Model::new(UnsyncTable::new)
        .thread("writer", |table| table.set(HOST, 2))
        .thread("reader", |table| {
            table.get(PORT);
        })
        .fails(Failure::DataRace)
        .check();
}

#[test]
fn write_under_two_guards_is_torn() {
    Model::new(|| KeyByKeyTable(LockedTable::new()))
        .thread("writer", |table| table.set_both(2))
        .thread("reader", |table| table.0.both())
        .acceptable("reader=(1, 1)", "read first")
        .acceptable("reader=(2, 2)", "read last")
        .interesting("reader=(2, 1)", "the new host, and the old port")
        .check();
}

#[test]
fn read_under_two_guards_is_torn() {
    Model::new(|| LookByLookTable(LockedTable::new()))
        .thread("writer", |table| table.0.set_both(2))
        .thread("reader", LookByLookTable::both)
        .acceptable("reader=(1, 1)", "read first")
        .acceptable("reader=(2, 2)", "read last")
        .interesting("reader=(1, 2)", "the old host, and the new port")
        .check();
}

// ---------------------------------------------------------------------------------------------
// Sound: a read-write lock.
// ---------------------------------------------------------------------------------------------

#[test]
fn readers_under_the_lock_see_whole_writes() {
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

/// Two reads, each of one version.
#[test]
fn later_read_sees_no_older_version() {
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
// Sound: a new table for each version.
// ---------------------------------------------------------------------------------------------

#[test]
fn published_version_does_not_change() {
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
