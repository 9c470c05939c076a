//! # Can two locks block each other for ever?
//!
//! ```text
//! ```

use selvedge_model::sync::Mutex;
use selvedge_model::{Failure, Model};

use crate::shown::assert_shown;

type Accounts = [Mutex<u64>; 3];

fn accounts() -> Accounts {
    [10, 10, 10].map(Mutex::new)
}

fn balances(accounts: &Accounts) -> Vec<u64> {
    accounts.iter().map(|account| *account.lock().unwrap()).collect()
}

/// Racy: locks the account that pays, and then the other.
fn transfer(accounts: &Accounts, from: usize, to: usize) {
    let mut payer = accounts[from].lock().unwrap();
    let mut payee = accounts[to].lock().unwrap();
    *payer -= 1;
    *payee += 1;
}

/// Sound: locks the account with the smaller number first.
fn transfer_in_order(accounts: &Accounts, from: usize, to: usize) {
    let mut first = accounts[from.min(to)].lock().unwrap();
    let mut second = accounts[from.max(to)].lock().unwrap();
    let (payer, payee) =
        if from < to { (&mut *first, &mut *second) } else { (&mut *second, &mut *first) };
    *payer -= 1;
    *payee += 1;
}

#[test]
fn two_locks_in_opposite_orders_deadlock() {
    let report = Model::new(accounts)
        .thread("alice", |accounts| transfer(accounts, 0, 1))
        .thread("bob", |accounts| transfer(accounts, 1, 0))
        .fails(Failure::Deadlock)
        .check();
    assert_shown(include_str!("3_deadlock.rs"), &report.to_string());
}

#[test]
fn three_locks_in_a_cycle_deadlock() {
    Model::new(accounts)
        .thread("alice", |accounts| transfer(accounts, 0, 1))
        .thread("bob", |accounts| transfer(accounts, 1, 2))
        .thread("carol", |accounts| transfer(accounts, 2, 0))
        .fails(Failure::Deadlock)
        .check();
}

#[test]
fn two_threads_of_the_cycle_do_not_deadlock() {
    Model::new(accounts)
        .thread("alice", |accounts| transfer(accounts, 0, 1))
        .thread("bob", |accounts| transfer(accounts, 1, 2))
        .finally("balances", balances)
        .acceptable("balances=[9, 10, 11]", "the two threads share one lock")
        .check();
}

#[test]
fn locks_in_one_order_do_not_deadlock() {
    Model::new(accounts)
        .thread("alice", |accounts| transfer_in_order(accounts, 0, 1))
        .thread("bob", |accounts| transfer_in_order(accounts, 1, 2))
        .thread("carol", |accounts| transfer_in_order(accounts, 2, 0))
        .finally("balances", balances)
        .acceptable("balances=[10, 10, 10]", "each account pays 1 and receives 1")
        .check();
}
