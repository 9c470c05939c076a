//! A bank: accounts by number, and movements of money between them.
//!
//! Its racy variants are in `bank/racy.rs`. Each calls `between` between its two steps, and fails with any
//! `between`. A program that yields there fails more often.
//!
//! Proved in `loom-tests/suites/bank.rs`, run by `examples/src/bin/bank.rs`.

use std::hash::BuildHasher;

use selvedge::Map;
use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};
use thiserror::Error;

pub mod racy;

/// Why money was not moved. Nothing has changed then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BankError {
    /// The account does not cover the amount.
    #[error("insufficient funds: the amount must be at most {available}, got {needed}")]
    InsufficientFunds {
        /// What was to be moved.
        needed: u32,
        /// What was there when that was decided.
        available: i64,
    },
    /// The bank has no such account.
    #[error("unknown account {account}: it must be an account of this bank")]
    UnknownAccount {
        /// The number that was given.
        account: u64,
    },
    /// An account was to pay itself.
    #[error("a transfer requires two distinct accounts, got {account} twice")]
    SameAccount {
        /// The number that was given twice.
        account: u64,
    },
}

/// The number of a movement, from 1. It is given in the step that moves the money: of two movements
/// of one account, the first has the smaller number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt(pub u64);

/// What a bank does, sound or racy.
pub trait Bank: Send + Sync {
    /// Pays out `amount`.
    fn withdraw(&self, account: u64, amount: u32) -> Result<Receipt, BankError>;

    /// Moves `amount` from one account to another.
    fn transfer(&self, from: u64, to: u64, amount: u32) -> Result<Receipt, BankError>;

    /// All balances, in the order of the accounts.
    fn audit(&self) -> Vec<i64>;
}

/// Decides and acts in one step. No account is overdrawn, and what is moved is at any moment in one
/// account or in the other.
///
/// The accounts are given at the start. Their balances together have to fit an `i64`: then each does at
/// any time, for no money is made.
pub struct SoundBank<S> {
    balances: Map<u64, i64, S>,
    receipts: Receipts,
}

impl<S: BuildHasher> SoundBank<S> {
    pub fn new(balances: Map<u64, i64, S>) -> Self {
        Self { balances, receipts: Receipts::default() }
    }

    fn known(&self, account: u64) -> Result<(), BankError> {
        let known = self.balances.contains_key(&account);
        known.then_some(()).ok_or(BankError::UnknownAccount { account })
    }
}

impl<S: BuildHasher + Send + Sync> Bank for SoundBank<S> {
    fn withdraw(&self, account: u64, amount: u32) -> Result<Receipt, BankError> {
        let mut outcome = Err(BankError::UnknownAccount { account });
        self.balances.update(&account, |balance| {
            let rest = pay(*balance, amount);
            outcome = rest.map(|_| self.receipts.next());
            rest.unwrap_or(*balance)
        });
        outcome
    }

    fn transfer(&self, from: u64, to: u64, amount: u32) -> Result<Receipt, BankError> {
        different(from, to)?;
        let mut outcome = Err(BankError::UnknownAccount { account: to });
        let moved = self.balances.update_pair(&from, &to, |payer, payee| {
            let rest = pay(*payer, amount);
            outcome = rest.map(|_| self.receipts.next());
            rest.map_or((*payer, *payee), |rest| (rest, payee + i64::from(amount)))
        });
        if moved.expect("two accounts, and no call from inside a call").is_none() {
            self.known(from)?;
        }
        outcome
    }

    fn audit(&self) -> Vec<i64> {
        let mut accounts = self.balances.snapshot();
        accounts.sort_unstable();
        accounts.into_iter().map(|(_, balance)| balance).collect()
    }
}

/// Numbers the movements.
#[derive(Default)]
struct Receipts {
    /// Relaxed: a number is drawn in one read-modify-write and publishes nothing. Movements of one account
    /// are ordered by its lock.
    last: AtomicU64,
}

impl Receipts {
    #[track_caller]
    fn next(&self) -> Receipt {
        Receipt(self.last.fetch_add(1, Relaxed) + 1)
    }
}

/// What is left of a balance once `amount` is paid from it.
fn pay(balance: i64, amount: u32) -> Result<i64, BankError> {
    let rest = balance - i64::from(amount);
    let refused = BankError::InsufficientFunds { needed: amount, available: balance };
    if rest < 0 { Err(refused) } else { Ok(rest) }
}

fn different(from: u64, to: u64) -> Result<(), BankError> {
    if from == to { Err(BankError::SameAccount { account: from }) } else { Ok(()) }
}
