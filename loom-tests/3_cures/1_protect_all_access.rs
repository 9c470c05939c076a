//! # Which accesses need the lock?
//!
//! ```text
//! ```

use selvedge_model::Model;
use selvedge_model::sync::Mutex;
use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::shown::assert_shown;

/// Racy: the lock is beside the balance, and one method forgets it.
struct LockBeside {
    lock: Mutex<()>,
    balance: AtomicU64,
}

impl LockBeside {
    fn new() -> Self {
        Self { lock: Mutex::new(()), balance: AtomicU64::new(100) }
    }

    fn deposit(&self) {
        let _guard = self.lock.lock().unwrap();
        let balance = self.balance.load(Relaxed);
        self.balance.store(balance + 100, Relaxed);
    }

    fn add_interest(&self) {
        let balance = self.balance.load(Relaxed);
        self.balance.store(balance + balance / 10, Relaxed);
    }
}

/// Sound: the balance is inside the lock.
struct LockAround(Mutex<u64>);

impl LockAround {
    fn deposit(&self) {
        *self.0.lock().unwrap() += 100;
    }

    fn add_interest(&self) {
        let mut balance = self.0.lock().unwrap();
        *balance += *balance / 10;
    }
}

#[test]
fn one_access_without_the_lock_loses_a_deposit() {
    let report = Model::new(LockBeside::new)
        .thread("customer", LockBeside::deposit)
        .thread("bank", LockBeside::add_interest)
        .finally("balance", |account| account.balance.load(Relaxed))
        .acceptable("balance=220", "deposit first")
        .acceptable("balance=210", "interest first")
        .interesting("balance=110", "the deposit is lost")
        .interesting("balance=200", "the interest is lost")
        .check();
    assert_shown(include_str!("1_protect_all_access.rs"), &report.to_string());
}

#[test]
fn data_inside_the_lock_has_no_access_without_it() {
    Model::new(|| LockAround(Mutex::new(100)))
        .thread("customer", LockAround::deposit)
        .thread("bank", LockAround::add_interest)
        .finally("balance", |account| *account.0.lock().unwrap())
        .acceptable("balance=220", "deposit first")
        .acceptable("balance=210", "interest first")
        .check();
}

#[test]
fn two_locks_for_a_balance_and_its_entries_show_half_of_a_deposit() {
    Model::new(|| (Mutex::new(0), Mutex::new(0)))
        .thread("customer", |(balance, entries)| {
            *balance.lock().unwrap() += 100;
            *entries.lock().unwrap() += 1;
        })
        .thread("auditor", |(balance, entries)| {
            let balance = *balance.lock().unwrap();
            (balance, *entries.lock().unwrap())
        })
        .acceptable(["auditor=(0, 0)", "auditor=(100, 1)"], "before or after the deposit")
        .interesting("auditor=(100, 0)", "in the middle")
        .interesting("auditor=(0, 1)", "in the middle")
        .check();
}

#[test]
fn one_lock_for_a_balance_and_its_entries_shows_all_of_a_deposit() {
    Model::new(|| Mutex::new((0, 0)))
        .thread("customer", |account| {
            let mut account = account.lock().unwrap();
            account.0 += 100;
            account.1 += 1;
        })
        .thread("auditor", |account| *account.lock().unwrap())
        .acceptable(["auditor=(0, 0)", "auditor=(100, 1)"], "before or after the deposit")
        .check();
}
