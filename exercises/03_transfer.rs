//! # 3. A transfer between accounts (easy)
//!
//! The program sometimes deadlocks. Make it right.
//!
//! | call | promise |
//! |---|---|
//! | `transfer(from, to, amount)` | moves the money if `from` has it, and returns whether it did; it never gives up otherwise |
//! | | no account is overdrawn; `from` and `to` may be the same |
//! | `balances()` | all accounts at one moment: no transfer is half done |
//!
//! Keep one lock for each account, so that transfers between other accounts do not wait.
//!
//! Run: `cargo exercise transfer`. Hints: `cargo exercise hint transfer`.
//! Lessons: 2.3 `loom-tests/2_mistakes/3_deadlock.rs`, 5.1 `loom-tests/5_finance/1_account_balance.rs`.

use selvedge_model::sync::Mutex;

use crate::checks::transfer::Bank;

/// One lock for each account.
#[derive(Debug)]
pub struct Accounts([Mutex<i64>; 3]);

impl Bank for Accounts {
    fn new(balances: [i64; 3]) -> Self {
        Self(balances.map(Mutex::new))
    }

    fn transfer(&self, from: usize, to: usize, amount: i64) -> bool {
        let mut from = self.0[from].lock().unwrap();
        let mut to = self.0[to].lock().unwrap();
        if *from < amount {
            return false;
        }
        *from -= amount;
        *to += amount;
        true
    }

    fn balances(&self) -> [i64; 3] {
        [0, 1, 2].map(|account| *self.0[account].lock().unwrap())
    }
}
