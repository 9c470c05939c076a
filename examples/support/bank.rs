//! A bank: accounts by number, and movements of money between them. And three racy twins, each with a
//! `between` that is called at the place where somebody else must not come in. Nothing needs to be done
//! there for the twin to fail; a program that yields there fails sooner.
//!
//! Proved in `loom-tests/balance.rs`, run by `examples/bank.rs`.

use std::collections::BTreeMap;
use std::hash::BuildHasher;

use selvedge::Map;
use selvedge::sync::atomic::{AtomicU64, Ordering::Relaxed};
use selvedge::sync::{Mutex, MutexGuard, PoisonError};
use thiserror::Error;

/// Why money was not moved. Nothing has changed then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum BankError {
    /// The account does not cover the amount.
    #[error("{needed} is not covered: up to {available} is accepted")]
    InsufficientFunds {
        /// What was to be moved.
        needed: u32,
        /// What was there when that was decided.
        available: i64,
    },
    /// The bank has no such account.
    #[error("there is no account {account}: an account of this bank is accepted")]
    UnknownAccount {
        /// The number that was given.
        account: u64,
    },
    /// An account was to pay itself.
    #[error("account {account} cannot pay itself: two different accounts are accepted")]
    SameAccount {
        /// The number that was given twice.
        account: u64,
    },
}

/// The number of a movement, from 1. It is given in the step that moves the money: of two movements
/// of one account, the first has the smaller number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Receipt(pub(crate) u64);

/// What a bank does, sound or racy.
pub(crate) trait Bank: Send + Sync {
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
pub(crate) struct SoundBank<S> {
    balances: Map<u64, i64, S>,
    receipts: Receipts,
}

impl<S: BuildHasher> SoundBank<S> {
    pub(crate) fn new(balances: Map<u64, i64, S>) -> Self {
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

/// Defect: the cover is checked in one step, and the money is moved in another.
pub(crate) struct CheckThenActBank<S> {
    pub(crate) bank: SoundBank<S>,
    pub(crate) between: fn(),
}

impl<S: BuildHasher> CheckThenActBank<S> {
    fn check(&self, account: u64, amount: u32) -> Result<(), BankError> {
        let balance = self.bank.balances.get(&account);
        pay(balance.ok_or(BankError::UnknownAccount { account })?, amount).map(drop)
    }
}

impl<S: BuildHasher + Send + Sync> Bank for CheckThenActBank<S> {
    fn withdraw(&self, account: u64, amount: u32) -> Result<Receipt, BankError> {
        self.check(account, amount)?;
        (self.between)();
        self.bank.balances.update(&account, |balance| balance - i64::from(amount));
        Ok(self.bank.receipts.next())
    }

    fn transfer(&self, from: u64, to: u64, amount: u32) -> Result<Receipt, BankError> {
        different(from, to)?;
        self.check(from, amount)?;
        self.bank.known(to)?;
        (self.between)();
        let amount = i64::from(amount);
        let moved = self.bank.balances.update_pair(&from, &to, |a, b| (a - amount, b + amount));
        moved.expect("two accounts, and no call from inside a call");
        Ok(self.bank.receipts.next())
    }

    fn audit(&self) -> Vec<i64> {
        self.bank.audit()
    }
}

/// Defect: a transfer is a withdrawal and then a deposit, each of them in order.
pub(crate) struct TwoStepBank<S> {
    pub(crate) bank: SoundBank<S>,
    pub(crate) between: fn(),
}

impl<S: BuildHasher + Send + Sync> Bank for TwoStepBank<S> {
    fn withdraw(&self, account: u64, amount: u32) -> Result<Receipt, BankError> {
        self.bank.withdraw(account, amount)
    }

    fn transfer(&self, from: u64, to: u64, amount: u32) -> Result<Receipt, BankError> {
        different(from, to)?;
        self.bank.known(to)?;
        let receipt = self.bank.withdraw(from, amount)?;
        (self.between)();
        self.bank.balances.update(&to, |balance| balance + i64::from(amount));
        Ok(receipt)
    }

    fn audit(&self) -> Vec<i64> {
        self.bank.audit()
    }
}

/// Defect: a transfer locks the payer's account first, and then the other one.
pub(crate) struct PayerFirstBank {
    balances: BTreeMap<u64, Mutex<i64>>,
    receipts: Receipts,
    between: fn(),
}

impl PayerFirstBank {
    pub(crate) fn new(balances: impl IntoIterator<Item = (u64, i64)>, between: fn()) -> Self {
        let balances =
            balances.into_iter().map(|(account, balance)| (account, Mutex::new(balance)));
        Self { balances: balances.collect(), receipts: Receipts::default(), between }
    }

    #[track_caller]
    fn lock(&self, account: u64) -> Result<MutexGuard<'_, i64>, BankError> {
        let balance = self.balances.get(&account).ok_or(BankError::UnknownAccount { account })?;
        Ok(balance.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Bank for PayerFirstBank {
    fn withdraw(&self, account: u64, amount: u32) -> Result<Receipt, BankError> {
        let mut balance = self.lock(account)?;
        *balance = pay(*balance, amount)?;
        Ok(self.receipts.next())
    }

    fn transfer(&self, from: u64, to: u64, amount: u32) -> Result<Receipt, BankError> {
        different(from, to)?;
        let mut from = self.lock(from)?;
        (self.between)();
        let mut to = self.lock(to)?;
        *from = pay(*from, amount)?;
        *to += i64::from(amount);
        Ok(self.receipts.next())
    }

    fn audit(&self) -> Vec<i64> {
        let all = self.balances.values();
        let all: Vec<_> =
            all.map(|one| one.lock().unwrap_or_else(PoisonError::into_inner)).collect();
        all.iter().map(|balance| **balance).collect()
    }
}

/// Numbers the movements.
#[derive(Default)]
struct Receipts {
    /// Relaxed: a number comes in one step, and stands for nothing but itself. Movements of one account
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
