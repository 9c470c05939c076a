//! Banks that go wrong: each differs from [`SoundBank`] by the one defect that it names.

use std::collections::BTreeMap;
use std::hash::BuildHasher;

use selvedge_model::sync::{Mutex, MutexGuard, PoisonError};

use super::{Bank, BankError, Receipt, Receipts, SoundBank, different, pay};

/// Defect: the cover is checked in one step, and the money is moved in another.
pub struct CheckThenActBank<S> {
    pub bank: SoundBank<S>,
    pub between: fn(),
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
pub struct TwoStepBank<S> {
    pub bank: SoundBank<S>,
    pub between: fn(),
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
pub struct PayerFirstBank {
    balances: BTreeMap<u64, Mutex<i64>>,
    receipts: Receipts,
    between: fn(),
}

impl PayerFirstBank {
    pub fn new(balances: impl IntoIterator<Item = (u64, i64)>, between: fn()) -> Self {
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
