//! # Is a retried payment charged once?
//!
//! A client sends a payment, gets no answer, and sends it again. Both requests carry the same *idempotency key*. The
//! server keeps the receipt of each key in a map. Each call of the map is one step:
//!
//! ```rust
//! if let Some(receipt) = receipts.get(&key) { return receipt; }
//! let receipt = charge();
//! receipts.insert(key, receipt);
//! ```
//!
//! The first request is still running when the second one arrives. **Guess:** how often is the card charged?
//!
//! **Output.** Once or twice:
//!
//! ```text
//!       request                  retry
//!    1                           w1.read
//!    2                           w1.end read
//!                                ~~ preempted ~~
//!    3  w1.read
//!    4  w1.end read
//!    5  a1.fetch_add(1): 0 -> 1
//!    6  w1.write
//!    7  a2.store 1
//!    8  w1.end write
//!    9                           a1.fetch_add(1): 1 -> 2
//!   10                           w1.write
//!   11                           a2.store 1
//!   12                           w1.end write
//! ```
//!
//! `w1` is the lock of the map, `a2` its length, `a1` counts charges. On real threads: 3,166 to 13,119 of 20,000 rounds
//! (`SELVEDGE_ROUNDS=20000 cargo test --test book -- payment_retry:: --nocapture`, 2026-11-29, two cores).
//!
//! **Why.** The key protects against a retry *after* the first request. Both requests look before either has inserted:
//! **check-then-act**, the defect of lesson 2.2. New is a slow act outside of the program. Each call of the map is one
//! step; three calls are three.
//!
//! **Fix.** Look, charge and insert in one step: `get_or_insert_with` holds a lock, and the second request waits. Or,
//! if a charge is slow, insert *pending* first, in one step. The request that inserts it charges. A request that finds
//! it answers "in progress".
//!
//! **Break it yourself.** In `claim_then_charge` write `self.receipts.get(&KEY).is_some()` for the `try_insert`.
//! `claimed_key_charges_once` fails: *reached request=Some(1) retry=Some(2) charges=2, which the table does not
//! declare*.

use selvedge::Map;
use selvedge_model::Model;
use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::shown::assert_shown;

const KEY: u64 = 1;

/// The receipt of each key, and how often the card was charged. `None` is a payment that is pending.
struct Desk {
    receipts: Map<u64, Option<u64>>,
    charges: AtomicU64,
}

impl Desk {
    fn new() -> Self {
        Self { receipts: Map::with_shards(1).unwrap(), charges: AtomicU64::new(0) }
    }

    fn charge(&self) -> u64 {
        1 + self.charges.fetch_add(1, Relaxed)
    }

    /// Racy: looks, charges and inserts in three steps.
    fn get_then_insert(&self) -> Option<u64> {
        if let Some(receipt) = self.receipts.get(&KEY) {
            return receipt;
        }
        let receipt = Some(self.charge());
        self.receipts.insert(KEY, receipt);
        receipt
    }

    /// Sound, without a lock during the charge: one request claims the key; another one finds a receipt or `None`.
    fn claim_then_charge(&self) -> Option<u64> {
        if self.receipts.try_insert(KEY, None).is_err() {
            return self.receipts.get(&KEY).flatten();
        }
        let receipt = Some(self.charge());
        self.receipts.insert(KEY, receipt);
        receipt
    }
}

fn model(pay: fn(&Desk) -> Option<u64>) -> Model<Desk> {
    Model::new(Desk::new)
        .thread("request", pay)
        .thread("retry", pay)
        .finally("charges", |desk| desk.charges.load(Relaxed))
        .acceptable("request=Some(1) retry=Some(1) charges=1", "one charge, one receipt")
}

#[test]
fn get_then_insert_charges_twice() {
    let report = model(Desk::get_then_insert)
        .interesting("request=Some(1) retry=Some(2) charges=2", "both found no receipt")
        .interesting("request=Some(2) retry=Some(1) charges=2", "both found no receipt")
        .check();
    assert_shown(include_str!("3_payment_retry.rs"), &report.to_string());
}

#[test]
fn get_or_insert_with_charges_once() {
    model(|desk| desk.receipts.get_or_insert_with(KEY, || Some(desk.charge()))).check();
}

#[test]
fn claimed_key_charges_once() {
    model(Desk::claim_then_charge)
        .acceptable("request=Some(1) retry=None charges=1", "the retry found a pending payment")
        .acceptable("request=None retry=Some(1) charges=1", "the request found a pending payment")
        .check();
}
