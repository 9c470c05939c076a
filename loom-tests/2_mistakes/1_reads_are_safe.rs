//! # Are reads safe?
//!
//! A service moves from host 1, port 1, to host 2, port 2. A thread that only reads wants to connect to it. Both
//! numbers are atomics, with `SeqCst`, the strongest ordering (chapter 4):
//!
//! ```rust
//! host.store(2, SeqCst); port.store(2, SeqCst);           // writer
//! (host.load(SeqCst), port.load(SeqCst))                  // reader
//! ```
//!
//! **Guess:** which addresses can the reader find? It changes nothing, so can anything go wrong?
//!
//! **Output.** Two of the four addresses never existed:
//!
//! ```text
//!   reader=(1, 1)  acceptable          1  the old address
//!   reader=(2, 2)  acceptable          1  the new address
//!   reader=(2, 1)  interesting         1  the new host with the old port
//!   reader=(1, 2)  interesting         1  the old host with the new port
//!   reader=(2, 1) is reached like this:
//!       writer                  reader
//!    1  a1.store 2
//!       ~~ preempted ~~
//!    2                          a1.load = 2
//!    3                          a2.load = 1
//!    4  a2.store 2
//! ```
//!
//! On real threads (2, 1) was read in 50, 126 and 154 of 20,000 rounds, and (1, 2) in none, in three runs of
//! `SELVEDGE_ROUNDS=20000 cargo test --test book -- reads_are_safe:: --nocapture` (two cores, 2026-11-29).
//!
//! **Why.** This is a **torn read**: what belongs together is read in parts, from before and after a change. What is
//! true of "reads are safe" is the last test: one load of one atomic returns a value that was stored. A read of plain
//! memory beside a write is not even that, but a data race.
//!
//! A lock does not help if each read takes it for itself (`address_under_two_guards`): the guard is dropped at the end
//! of the statement, and the writer comes between. One of the two torn addresses is left then. That the lock is taken
//! only for reading is not the reason: a mutex would have the same defect.
//!
//! **Fix.** One guard for all reads of values that belong together. The writer has to do the same: it writes the whole
//! address under one guard. `Map::with` and `Stats::snapshot` of selvedge do both in one call.
//!
//! **Break it yourself.** In `move_to_2` write the two fields under two guards: replace its line by
//! `service.write().unwrap().0 = 2; service.write().unwrap().1 = 2;`. Both tests with a lock fail, with *reached
//! reader=(2, 1), which the table does not declare*. The readers find a half-written address.
//! Exercise: `cargo exercise readers` (see `exercises/README.md`).

use selvedge_model::Model;
use selvedge_model::sync::RwLock;
use selvedge_model::sync::atomic::{AtomicU64, Ordering::SeqCst};

use crate::shown::assert_shown;

/// A host and a port.
type Service = RwLock<(u64, u64)>;

fn service() -> Service {
    RwLock::new((1, 1))
}

fn move_to_2(service: &Service) {
    *service.write().unwrap() = (2, 2);
}

/// Racy: each of the two reads takes the lock and releases it.
fn address_under_two_guards(service: &Service) -> (u64, u64) {
    let host = service.read().unwrap().0;
    let port = service.read().unwrap().1;
    (host, port)
}

/// Sound: both reads under one guard.
fn address_under_one_guard(service: &Service) -> (u64, u64) {
    let address = service.read().unwrap();
    (address.0, address.1)
}

#[test]
fn two_loads_of_two_atomics_are_a_torn_read() {
    let report = Model::new(|| [1, 1].map(AtomicU64::new))
        .thread("writer", |[host, port]| {
            host.store(2, SeqCst);
            port.store(2, SeqCst);
        })
        .thread("reader", |[host, port]| (host.load(SeqCst), port.load(SeqCst)))
        .acceptable("reader=(1, 1)", "the old address")
        .acceptable("reader=(2, 2)", "the new address")
        .interesting("reader=(2, 1)", "the new host with the old port")
        .interesting("reader=(1, 2)", "the old host with the new port")
        .check();
    assert_shown(include_str!("1_reads_are_safe.rs"), &report.to_string());
}

#[test]
fn two_reads_under_two_guards_are_a_torn_read() {
    Model::new(service)
        .thread("writer", move_to_2)
        .thread("reader", address_under_two_guards)
        .acceptable(["reader=(1, 1)", "reader=(2, 2)"], "the old address or the new one")
        .interesting("reader=(1, 2)", "the writer comes between the two reads")
        .check();
}

#[test]
fn two_reads_under_one_guard_belong_together() {
    Model::new(service)
        .thread("writer", move_to_2)
        .thread("reader", address_under_one_guard)
        .acceptable(["reader=(1, 1)", "reader=(2, 2)"], "the old address or the new one")
        .check();
}

#[test]
fn one_load_of_one_atomic_is_safe() {
    Model::new(|| AtomicU64::new(1))
        .thread("writer", |port| port.store(2, SeqCst))
        .thread("reader", |port| port.load(SeqCst))
        .acceptable(["reader=1", "reader=2"], "the old port or the new one")
        .check();
}
