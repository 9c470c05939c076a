//! # Are reads safe?
//!
//! ```text
//! ```

use selvedge_model::Model;
use selvedge_model::sync::RwLock;
use selvedge_model::sync::atomic::{AtomicU64, Ordering::SeqCst};

use crate::shown::assert_shown;

/// Racy: host and port belong together, and are two atomics.
struct TwoAtomics {
    host: AtomicU64,
    port: AtomicU64,
}

impl TwoAtomics {
    fn new() -> Self {
        Self { host: AtomicU64::new(1), port: AtomicU64::new(1) }
    }

    fn move_to(&self, host: u64, port: u64) {
        self.host.store(host, SeqCst);
        self.port.store(port, SeqCst);
    }

    fn address(&self) -> (u64, u64) {
        (self.host.load(SeqCst), self.port.load(SeqCst))
    }
}

#[derive(Clone, Copy)]
struct Address {
    host: u64,
    port: u64,
}

fn service() -> RwLock<Address> {
    RwLock::new(Address { host: 1, port: 1 })
}

fn move_to_2(service: &RwLock<Address>) {
    *service.write().unwrap() = Address { host: 2, port: 2 };
}

/// Racy: each of the two reads takes the lock and releases it.
fn address_under_two_guards(service: &RwLock<Address>) -> (u64, u64) {
    let host = service.read().unwrap().host;
    let port = service.read().unwrap().port;
    (host, port)
}

/// Sound: both reads under one guard.
fn address_under_one_guard(service: &RwLock<Address>) -> (u64, u64) {
    let address = service.read().unwrap();
    (address.host, address.port)
}

#[test]
fn two_loads_of_two_atomics_are_a_torn_read() {
    let report = Model::new(TwoAtomics::new)
        .thread("writer", |service| service.move_to(2, 2))
        .thread("reader", TwoAtomics::address)
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
        .acceptable("reader=(1, 1)", "the old address")
        .acceptable("reader=(2, 2)", "the new address")
        .interesting("reader=(1, 2)", "the writer comes between the two reads")
        .check();
}

#[test]
fn two_reads_under_one_guard_belong_together() {
    Model::new(service)
        .thread("writer", move_to_2)
        .thread("reader", address_under_one_guard)
        .acceptable("reader=(1, 1)", "the old address")
        .acceptable("reader=(2, 2)", "the new address")
        .check();
}

#[test]
fn one_load_of_one_atomic_is_safe() {
    Model::new(|| AtomicU64::new(1))
        .thread("writer", |port| port.store(2, SeqCst))
        .thread("reader", |port| port.load(SeqCst))
        .acceptable("reader=1", "the old port")
        .acceptable("reader=2", "the new port")
        .check();
}
