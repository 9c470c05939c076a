//! # Can an account be overdrawn?
//!
//! An account holds 100. Alice and bob both withdraw 80. A withdrawal is refused if the balance does not cover it. Each
//! access to the balance locks:
//!
//! ```rust
//! if *balance.lock().unwrap() < 80 {
//!     return false;
//! }
//! *balance.lock().unwrap() -= 80;
//! true
//! ```
//!
//! **Guess:** which balances can remain?
//!
//! **Output.** 20, and -60:
//!
//! ```text
//!       alice                   bob
//!    1                          m1.lock
//!    2                          m1.unlock
//!                               ~~ preempted ~~
//!    3  m1.lock
//!    4  m1.unlock
//!    5  m1.lock
//!    6  m1.unlock
//!    7                          m1.lock
//!    8                          m1.unlock
//! ```
//!
//! Steps 1 and 2 are bob's check, steps 7 and 8 his withdrawal. Real threads showed it in 18 to 93 of 20,000 rounds
//! (`SELVEDGE_ROUNDS=20000 cargo test --test book -- account_balance:: --nocapture`, 2026-11-29, two cores).
//!
//! **Why.** This is **check-then-act**, the defect of lesson 2.2: the check and the withdrawal are two critical
//! sections, and what was checked in the first can be false in the second. Both threads find 100. There is no data
//! race, and each section is right. New here is a deposit that reads the balance in one section and writes the sum in
//! another (second test). The later write replaces the earlier one: a **lost update**.
//!
//! **Fix.** One critical section. The rule: the lock is held from the first read that a decision depends on to the last
//! write that follows from it.
//!
//! **Break it yourself.** In `withdraw` check before locking for the withdrawal: make
//! `let covered = *balance.lock().unwrap() >= 80;` the first line. `one_critical_section_covers_one_withdrawal` fails:
//! *reached alice=true bob=true balance=-60, which the table does not declare*.

use selvedge_model::Model;
use selvedge_model::sync::Mutex;

use crate::shown::assert_shown;

type Balance = Mutex<i64>;

/// Racy: checks in one critical section and withdraws in another.
fn check_then_withdraw(balance: &Balance) -> bool {
    if *balance.lock().unwrap() < 80 {
        return false;
    }
    *balance.lock().unwrap() -= 80;
    true
}

/// Sound: one critical section.
fn withdraw(balance: &Balance) -> bool {
    let mut balance = balance.lock().unwrap();
    let covered = *balance >= 80;
    if covered {
        *balance -= 80;
    }
    covered
}

/// Racy: reads in one critical section and writes in another.
fn read_then_deposit(balance: &Balance, amount: i64) {
    let sum = *balance.lock().unwrap() + amount;
    *balance.lock().unwrap() = sum;
}

/// Two threads at a balance of 100.
fn model<R: std::fmt::Debug + 'static>(
    alice: fn(&Balance) -> R,
    bob: fn(&Balance) -> R,
) -> Model<Balance> {
    Model::new(|| Mutex::new(100))
        .thread("alice", alice)
        .thread("bob", bob)
        .finally("balance", |balance| *balance.lock().unwrap())
}

#[test]
fn check_then_act_overdraws_the_account() {
    let report = model(check_then_withdraw, check_then_withdraw)
        .acceptable("alice=true bob=false balance=20", "alice was first")
        .acceptable("alice=false bob=true balance=20", "bob was first")
        .interesting("alice=true bob=true balance=-60", "the same 100 covered both")
        .check();
    assert_shown(include_str!("1_account_balance.rs"), &report.to_string());
}

#[test]
fn read_then_write_loses_a_deposit() {
    model(|balance| read_then_deposit(balance, 10), |balance| read_then_deposit(balance, 5))
        .acceptable("balance=115", "both deposits are there")
        .interesting("balance=105", "alice's 10 are lost")
        .interesting("balance=110", "bob's 5 are lost")
        .check();
}

#[test]
fn one_critical_section_covers_one_withdrawal() {
    model(withdraw, withdraw)
        .acceptable("alice=true bob=false balance=20", "alice was first")
        .acceptable("alice=false bob=true balance=20", "bob was first")
        .check();
}
