//! `03_transfer.rs`.

use exercises::checks::transfer::{Bank, check};
use selvedge_model::Failure;
use selvedge_model::sync::{Mutex, MutexGuard};

use crate::marked::Expected::{Fails, Reaches};
use crate::marked::{is_wrong, solves};

type Accounts = [Mutex<i64>; 3];

/// Locks in ascending order, and moves the money. `from` and `to` differ.
fn in_order(accounts: &Accounts, from: usize, to: usize, amount: i64) -> bool {
    let mut low = accounts[from.min(to)].lock().unwrap();
    let mut high = accounts[from.max(to)].lock().unwrap();
    if from < to { moved(&mut low, &mut high, amount) } else { moved(&mut high, &mut low, amount) }
}

fn moved(from: &mut i64, to: &mut i64, amount: i64) -> bool {
    if *from < amount {
        return false;
    }
    *from -= amount;
    *to += amount;
    true
}

fn lock(account: &Mutex<i64>) -> MutexGuard<'_, i64> {
    account.lock().unwrap()
}

fn at_one_moment(accounts: &Accounts) -> [i64; 3] {
    accounts.each_ref().map(lock).map(|balance| *balance)
}

/// The accounts, and a transfer.
macro_rules! bank {
    ($(#[$doc:meta])* $name:ident, $transfer:expr, $balances:expr) => {
        $(#[$doc])*
        struct $name(Accounts);

        impl Bank for $name {
            fn new(balances: [i64; 3]) -> Self {
                Self(balances.map(Mutex::new))
            }

            fn transfer(&self, from: usize, to: usize, amount: i64) -> bool {
                $transfer(&self.0, from, to, amount)
            }

            fn balances(&self) -> [i64; 3] {
                $balances(&self.0)
            }
        }
    };
}

fn sound(accounts: &Accounts, from: usize, to: usize, amount: i64) -> bool {
    if from == to {
        return *lock(&accounts[from]) >= amount;
    }
    in_order(accounts, from, to, amount)
}

bank!(InOrder, sound, at_one_moment);

#[test]
fn locks_in_ascending_order_solve_it() {
    solves(check::<InOrder>());
}

bank!(
    /// Defect: locks in the order of the arguments.
    ArgumentOrder,
    |accounts: &Accounts, from: usize, to: usize, amount| {
        moved(&mut lock(&accounts[from]), &mut lock(&accounts[to]), amount)
    },
    at_one_moment
);

#[test]
fn locks_in_the_order_of_the_arguments_deadlock() {
    let lines = ["m1.lock", "m2.lock", "not completed", "deadlock"];
    is_wrong(check::<ArgumentOrder>(), Fails(Failure::Deadlock), &lines);
}

bank!(
    /// Defect: looks at the balance in one critical section, and changes it in another.
    CheckThenDebit,
    |accounts: &Accounts, from: usize, to: usize, amount| {
        let enough = *lock(&accounts[from]) >= amount;
        if enough && from != to {
            in_order(accounts, from, to, 0);
            *lock(&accounts[from]) -= amount;
            *lock(&accounts[to]) += amount;
        }
        enough
    },
    at_one_moment
);

#[test]
fn a_balance_that_is_checked_before_is_overdrawn() {
    let expected = Reaches("alice=true bob=true balances=[-10, 10, 10]");
    is_wrong(check::<CheckThenDebit>(), expected, &["~~ preempted ~~"]);
}

bank!(
    /// Defect: debits in one critical section, and credits in another.
    DebitThenCredit,
    |accounts: &Accounts, from: usize, to: usize, amount| {
        {
            let mut from = lock(&accounts[from]);
            if *from < amount {
                return false;
            }
            *from -= amount;
        }
        *lock(&accounts[to]) += amount;
        true
    },
    at_one_moment
);

#[test]
fn money_between_two_critical_sections_is_missing() {
    let expected = Reaches("alice=true auditor=[0, 0, 0]");
    is_wrong(check::<DebitThenCredit>(), expected, &["~~ preempted ~~"]);
}

bank!(
    /// Defect: gives up where another thread holds a lock.
    GivesUp,
    |accounts: &Accounts, from: usize, to: usize, amount| {
        if from == to {
            return *lock(&accounts[from]) >= amount;
        }
        let mut from = lock(&accounts[from]);
        let Ok(mut to) = accounts[to].try_lock() else { return false };
        moved(&mut from, &mut to, amount)
    },
    at_one_moment
);

#[test]
fn a_transfer_that_gives_up_is_refused_without_a_cause() {
    let expected = Reaches("alice=true bob=false balances=[0, 20, 0]");
    is_wrong(check::<GivesUp>(), expected, &["m2.try_lock"]);
}

bank!(
    /// Defect: an audit that reads one account after the other.
    AccountByAccount,
    sound,
    |accounts: &Accounts| [0, 1, 2].map(|account: usize| *lock(&accounts[account]))
);

#[test]
fn balances_that_are_read_one_by_one_are_of_different_moments() {
    let expected = Reaches("alice=true auditor=[10, 10, 0]");
    is_wrong(check::<AccountByAccount>(), expected, &["~~ preempted ~~"]);
}

bank!(
    /// Defect: locks one account twice.
    ItselfTwice, in_order, at_one_moment
);

#[test]
fn a_transfer_to_itself_waits_for_itself() {
    is_wrong(check::<ItselfTwice>(), Fails(Failure::Deadlock), &["m1.lock", "not completed"]);
}
