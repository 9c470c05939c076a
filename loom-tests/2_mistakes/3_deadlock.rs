//! # Can two threads block each other for ever?
//!
//! Each account has a lock of its own. A transfer locks both accounts, so that no other thread sees half of it:
//!
//! ```rust
//! let mut payer = accounts[from].lock().unwrap();
//! let mut receiver = accounts[to].lock().unwrap();
//! ```
//!
//! Alice transfers from account 0 to account 1, and bob from 1 to 0. **Guess:** does this program always end?
//!
//! **Output.** No:
//!
//! ```text
//!       alice                      bob
//!    1  m1.lock
//!       ~~ preempted ~~
//!    2                             m2.lock
//!       m2.lock: not completed
//!                                  m1.lock: not completed
//! ```
//!
//! The message says who holds what: *alice is blocked in m2.lock (held by bob); bob is blocked in m1.lock (held by
//! alice)*. Below the picture it names the kind: *It is a lock-order inversion*.
//!
//! On real threads none of 20,000 rounds deadlocked, in three runs of `SELVEDGE_ROUNDS=20000 cargo test --test book --
//! deadlock:: --nocapture` (two cores, 2026-11-29). In another run, of 2,000 rounds, round 846 did.
//!
//! **Why.** This is a **deadlock**: each of these threads holds a lock that the next one waits for, in a cycle. A
//! blocked thread releases nothing, so none of them continues. A cycle may have more threads: three deadlock if they
//! transfer from 0 to 1, from 1 to 2 and from 2 to 0. A test needs all threads of the cycle: with two of these three
//! every execution ends (third test).
//!
//! **Fix.** One order for all locks, the same in all threads: here the smaller account first, whatever the direction
//! of the transfer. A cycle would need a thread that holds the larger and waits for the smaller. Or one lock for all
//! accounts, or a call that locks both in the right order, as `Map::update_pair` does.
//!
//! **Break it yourself.** In `transfer_in_order` write `if true` in place of `if from < to`.
//! `locks_in_one_order_do_not_deadlock` fails: *deadlock: alice is blocked in m2.lock (held by bob); bob is blocked in
//! m3.lock (held by carol); carol is blocked in m1.lock (held by alice)*.
//! Exercise: `cargo exercise transfer` (see `exercises/README.md`).

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

/// Racy: locks the account that pays first.
fn transfer(accounts: &Accounts, from: usize, to: usize) {
    let mut payer = accounts[from].lock().unwrap();
    let mut receiver = accounts[to].lock().unwrap();
    *payer -= 1;
    *receiver += 1;
}

/// Sound: locks the account with the smaller number first.
fn transfer_in_order(accounts: &Accounts, from: usize, to: usize) {
    let (mut payer, mut receiver);
    if from < to {
        payer = accounts[from].lock().unwrap();
        receiver = accounts[to].lock().unwrap();
    } else {
        receiver = accounts[to].lock().unwrap();
        payer = accounts[from].lock().unwrap();
    }
    *payer -= 1;
    *receiver += 1;
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
