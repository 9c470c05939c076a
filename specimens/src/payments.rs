//! A payment desk: a payment has an idempotency key, and is charged once however often the client sends it.
//! Its three racy variants are in `payments/racy.rs`.
//!
//! Proved in `loom-tests/suites/payments.rs`, run by `examples/src/bin/payments.rs`.

use std::hash::BuildHasher;

use selvedge::Map;
use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};
use thiserror::Error;

pub mod racy;

/// Why there is no receipt. Nothing is charged then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PaymentError {
    /// The gateway did not answer this attempt.
    #[error("payment {key} got no answer: it is not charged, and can be retried with the same key")]
    NoAnswer {
        /// The key of the payment.
        key: u64,
    },
    /// Another payment has that key.
    #[error(
        "a key must be used for one amount only: key {key} is of a payment of {first}, got {now}"
    )]
    KeyReused {
        /// The key of both.
        key: u64,
        /// What was charged.
        first: u32,
        /// What was asked for this time.
        now: u32,
    },
}

/// What was charged, and by which attempt, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    pub attempt: u64,
    pub amount: u32,
}

impl Receipt {
    /// The receipt, if it is for that amount.
    fn of(self, key: u64, amount: u32) -> Result<Self, PaymentError> {
        if self.amount == amount {
            Ok(self)
        } else {
            Err(PaymentError::KeyReused { key, first: self.amount, now: amount })
        }
    }
}

/// What a desk does, sound or racy.
pub trait Desk: Send + Sync {
    /// Charges `amount` unless that has been done under this key, and returns the one receipt.
    fn pay(&self, key: u64, amount: u32) -> Result<Receipt, PaymentError>;

    /// The receipt for a key, if it is paid.
    fn receipt(&self, key: u64) -> Option<Receipt>;

    /// The money that was taken and not given back.
    fn taken(&self) -> u64;
}

/// Takes money, and then waits for an answer that does not come to the first `outages` attempts.
pub struct Gateway {
    outages: u64,
    /// Relaxed, both: numbers that stand for themselves. What belongs to one payment is ordered by the
    /// desk.
    attempts: AtomicU64,
    taken: AtomicU64,
}

impl Gateway {
    fn new(outages: u64) -> Self {
        Self { outages, attempts: AtomicU64::new(0), taken: AtomicU64::new(0) }
    }

    /// Takes the money. Fails half way if there is no answer.
    fn take(&self, key: u64, amount: u32) -> Result<Receipt, PaymentError> {
        self.taken.fetch_add(amount.into(), Relaxed);
        let attempt = self.attempts.fetch_add(1, Relaxed) + 1;
        if attempt > self.outages {
            Ok(Receipt { attempt, amount })
        } else {
            Err(PaymentError::NoAnswer { key })
        }
    }

    /// Takes the money, and gives it back if there is no answer.
    fn charge(&self, key: u64, amount: u32) -> Result<Receipt, PaymentError> {
        self.take(key, amount).inspect_err(|_| {
            self.taken.fetch_sub(amount.into(), Relaxed);
        })
    }
}

/// Charges in the step that stores the receipt. The first request charges, the others wait for the receipt.
/// A failed charge is rolled back and not stored, and the next request charges.
pub struct SoundDesk<S> {
    gateway: Gateway,
    receipts: Map<u64, Receipt, S>,
}

impl<S: BuildHasher> SoundDesk<S> {
    /// A desk whose first attempts get no answer, with receipts kept in an empty map.
    pub fn new(outages: u64, receipts: Map<u64, Receipt, S>) -> Self {
        Self { gateway: Gateway::new(outages), receipts }
    }
}

impl<S: BuildHasher + Send + Sync> Desk for SoundDesk<S> {
    fn pay(&self, key: u64, amount: u32) -> Result<Receipt, PaymentError> {
        let charge = || self.gateway.charge(key, amount);
        self.receipts.get_or_try_insert_with(key, charge)?.of(key, amount)
    }

    fn receipt(&self, key: u64) -> Option<Receipt> {
        self.receipts.get(&key)
    }

    fn taken(&self) -> u64 {
        self.gateway.taken.load(Relaxed)
    }
}
