//! # Which accesses need the lock?
//!
//! An account has a balance of 100, and a lock beside it. A deposit of 100 takes the lock. Adding ten per cent of
//! interest does not:
//!
//! ```rust
//! let _guard = lock.lock().unwrap();                          // deposit
//! balance.store(balance.load(Relaxed) + 100, Relaxed);
//! balance.store(balance.load(Relaxed) * 11 / 10, Relaxed);    // add_interest
//! ```
//!
//! **Guess:** does it help that one of the two takes the lock?
//!
//! **Output.** It does not:
//!
//! ```text
//!   balance=220  acceptable          1  deposit first
//!   balance=210  acceptable          1  interest first
//!   balance=110  interesting         1  the deposit is lost
//!   balance=200  interesting         1  the interest is lost
//!   balance=110 is reached like this:
//!       customer              bank
//!    1                        a1.load = 100
//!                             ~~ preempted ~~
//!    2  m1.lock
//!    3  a1.load = 100
//!    4  a1.store 200
//!    5  m1.unlock
//!    6                        a1.store 110
//! ```
//!
//! On real threads the deposit was lost in 1, 0 and 0 of 20,000 rounds, in three runs of `SELVEDGE_ROUNDS=20000 cargo
//! test --test book -- protect_all_access:: --nocapture` (two cores, 2026-11-29).
//!
//! **Why.** A lock excludes only threads that take it. One access without it is enough to lose an update.
//!
//! **Fix.** Protect all accesses. In Rust the data goes into the lock: the number in a `Mutex<u64>` can only be
//! reached by `lock`, and code that forgets it does not compile. All values that belong together go into one lock.
//! With two locks, an auditor finds a balance of 100 and no entry for it (third test).
//!
//! **Break it yourself.** In `add_interest_inside` release the lock between the two accesses: replace its lines by
//! `let before = *balance.lock().unwrap(); *balance.lock().unwrap() = before * 11 / 10;`.
//! `data_inside_the_lock_has_no_access_without_it` fails: *reached balance=110, which the table does not declare*.

use selvedge_model::Model;
use selvedge_model::sync::Mutex;
use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::shown::assert_shown;

/// Racy: the lock is beside the balance.
type LockBeside = (Mutex<()>, AtomicU64);

fn deposit((lock, balance): &LockBeside) {
    let _guard = lock.lock().unwrap();
    balance.store(balance.load(Relaxed) + 100, Relaxed);
}

fn add_interest((_, balance): &LockBeside) {
    balance.store(balance.load(Relaxed) * 11 / 10, Relaxed);
}

/// Sound: the balance is inside the lock.
fn deposit_inside(balance: &Mutex<u64>) {
    *balance.lock().unwrap() += 100;
}

fn add_interest_inside(balance: &Mutex<u64>) {
    let mut balance = balance.lock().unwrap();
    *balance = *balance * 11 / 10;
}

#[test]
fn one_access_without_the_lock_loses_a_deposit() {
    let report = Model::new(|| (Mutex::new(()), AtomicU64::new(100)))
        .thread("customer", deposit)
        .thread("bank", add_interest)
        .finally("balance", |(_, balance)| balance.load(Relaxed))
        .acceptable("balance=220", "deposit first")
        .acceptable("balance=210", "interest first")
        .interesting("balance=110", "the deposit is lost")
        .interesting("balance=200", "the interest is lost")
        .check();
    assert_shown(include_str!("1_protect_all_access.rs"), &report.to_string());
}

#[test]
fn data_inside_the_lock_has_no_access_without_it() {
    Model::new(|| Mutex::new(100))
        .thread("customer", deposit_inside)
        .thread("bank", add_interest_inside)
        .finally("balance", |balance| *balance.lock().unwrap())
        .acceptable(["balance=220", "balance=210"], "in either order")
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
        .interesting(["auditor=(100, 0)", "auditor=(0, 1)"], "half of the deposit")
        .check();
}

#[test]
fn one_lock_for_a_balance_and_its_entries_shows_all_of_a_deposit() {
    Model::new(|| Mutex::new((0, 0)))
        .thread("customer", |account| *account.lock().unwrap() = (100, 1))
        .thread("auditor", |account| *account.lock().unwrap())
        .acceptable(["auditor=(0, 0)", "auditor=(100, 1)"], "before or after the deposit")
        .check();
}
