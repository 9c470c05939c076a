//! # Can an account be overdrawn?
//!
//! **Answer.** Not where the cover is checked in the step that takes the money: [`Map::update`] for one
//! account, [`Map::update_pair`] for two. Where it is checked first and taken then, yes, also if both
//! steps lock. And a bank whose transfers are two steps has, in between, less money than it has.
//!
//! **Why the racy twins fail.** [`CheckThenWithdrawBank`] asks for the balance and then withdraws: two
//! threads are both covered by the same money. [`TwoStepBank`] withdraws from one account and then
//! deposits in the other: an auditor in between misses the money, and so does whoever needs it. Both are
//! built on a [`Map`] each of whose calls is sound. [`PayerFirstBank`] has a lock for each account and
//! holds both, which cures that, and takes the payer's first: two who pay each other wait for ever.
//!
//! **Why the sound one holds.** [`Bank`] decides and acts in one call. A transfer that is not covered
//! puts back both balances as they were; one that is covered changes both before anybody sees either.
//! The map locks its shards in one order, whatever the order of the accounts. An audit is a
//! [`Map::snapshot`]: all accounts at one moment.
//!
//! **Bounds and what is not modelled.** No bound: every model here is explored completely, for two or
//! three threads with one call each, and two or three accounts on two shards. Amounts that do not fit
//! their type, and what is to survive a crash of the machine, are not a matter of interleaving.

use selvedge::Map;
use selvedge::model::{Failure, Model};
use selvedge::sync::{Mutex, PoisonError};

mod by_parity;

use by_parity::{Busy, ByParity, by_parity};

/// Balances, by the number of the account. Odd and even accounts are in different shards. A balance
/// can be negative: so that an overdraft shows.
type Accounts = Busy<Map<u64, i64, ByParity>>;

fn accounts(balances: impl IntoIterator<Item = (u64, i64)>) -> Accounts {
    Busy::new(by_parity(balances))
}

/// All the money, at one moment.
fn audit(accounts: &Accounts) -> i64 {
    accounts.map.snapshot().iter().map(|(_, balance)| balance).sum()
}

/// Defect: `withdraw` checks the cover in one call, and takes the money in another.
struct CheckThenWithdrawBank(Accounts);

impl CheckThenWithdrawBank {
    fn withdraw(&self, account: u64, amount: i64) -> bool {
        let covered = self.0.map.get(&account).is_some_and(|balance| balance >= amount);
        if covered {
            self.0.map.update(&account, |balance| balance - amount);
        }
        covered
    }
}

/// Defect: `transfer` is a withdrawal and a deposit, each of them in order.
struct TwoStepBank(Accounts);

impl TwoStepBank {
    fn transfer(&self, from: u64, to: u64, amount: i64) -> bool {
        let mut covered = false;
        self.0.map.update(&from, |balance| {
            covered = *balance >= amount;
            if covered { balance - amount } else { *balance }
        });
        if covered {
            self.0.map.update(&to, |balance| balance + amount);
        }
        covered
    }
}

/// Defect: `transfer` locks the payer's account first, and then the other one.
struct PayerFirstBank([Mutex<i64>; 2]);

impl PayerFirstBank {
    fn transfer(&self, from: usize, to: usize, amount: i64) {
        let mut from = self.0[from].lock().unwrap_or_else(PoisonError::into_inner);
        let mut to = self.0[to].lock().unwrap_or_else(PoisonError::into_inner);
        if *from >= amount {
            *from -= amount;
            *to += amount;
        }
    }
}

/// Decides and acts in one step, each time. This is the half to copy; `step` is for the checker, a
/// place where others would come in if they could.
struct Bank(Accounts);

impl Bank {
    fn withdraw(&self, account: u64, amount: i64) -> bool {
        let mut covered = false;
        self.0.map.update(&account, |balance| {
            self.0.step();
            covered = *balance >= amount;
            if covered { balance - amount } else { *balance }
        });
        covered
    }

    fn transfer(&self, from: u64, to: u64, amount: i64) -> bool {
        let mut covered = false;
        let paid = self.0.map.update_pair(&from, &to, |payer, payee| {
            self.0.step();
            covered = *payer >= amount;
            if covered { (payer - amount, payee + amount) } else { (*payer, *payee) }
        });
        paid.expect("two accounts, outside the map");
        covered
    }

    fn balance(&self, account: u64) -> Option<i64> {
        self.0.map.get(&account)
    }
}

// ---------------------------------------------------------------------------------------------
// Racy: what goes wrong.
// ---------------------------------------------------------------------------------------------

/// 100 cover each of two withdrawals of 80, and not both.
#[test]
fn a_check_and_a_withdrawal_overdraw_the_account() {
    Model::new(|| CheckThenWithdrawBank(accounts([(1, 100)])))
        .thread("alice", |bank| bank.withdraw(1, 80))
        .thread("bob", |bank| bank.withdraw(1, 80))
        .finally("balance", |bank| bank.0.map.get(&1))
        .acceptable("alice=true bob=false balance=Some(20)", "alice was first")
        .acceptable("alice=false bob=true balance=Some(20)", "bob was first")
        .interesting("alice=true bob=true balance=Some(-60)", "covered by the same 100, both")
        .check();
}

/// The money is in neither account, though neither was ever wrong.
#[test]
fn a_transfer_in_two_steps_is_audited_half_done() {
    Model::new(|| TwoStepBank(accounts([(1, 100), (2, 0)])))
        .thread("payer", |bank| bank.transfer(1, 2, 80))
        .thread("auditor", |bank| audit(&bank.0))
        .acceptable("payer=true auditor=100", "before or after the transfer")
        .interesting("payer=true auditor=20", "80 are on their way, and in no account")
        .check();
}

/// Two who pay each other.
#[test]
fn crossed_transfers_that_lock_the_payer_first_deadlock() {
    Model::new(|| PayerFirstBank([100, 100].map(Mutex::new)))
        .thread("alice", |bank| bank.transfer(0, 1, 80))
        .thread("bob", |bank| bank.transfer(1, 0, 80))
        .fails(Failure::Deadlock)
        .check();
}

// ---------------------------------------------------------------------------------------------
// Sound: the same questions, and no surprising outcome is left.
// ---------------------------------------------------------------------------------------------

#[test]
fn two_withdrawals_are_covered_once() {
    Model::new(|| Bank(accounts([(1, 100)])))
        .thread("alice", |bank| bank.withdraw(1, 80))
        .thread("bob", |bank| bank.withdraw(1, 80))
        .finally("balance", |bank| bank.balance(1))
        .acceptable("alice=true bob=false balance=Some(20)", "alice was first")
        .acceptable("alice=false bob=true balance=Some(20)", "bob was first")
        .check();
}

/// A withdrawal and a transfer out of one account: the cover is one and the same.
#[test]
fn a_withdrawal_and_a_transfer_are_covered_once() {
    Model::new(|| Bank(accounts([(1, 100), (2, 0)])))
        .thread("alice", |bank| bank.withdraw(1, 80))
        .thread("bob", |bank| bank.transfer(1, 2, 80))
        .finally("balances", |bank| (bank.balance(1), bank.balance(2)))
        .acceptable("alice=true bob=false balances=(Some(20), Some(0))", "alice was first")
        .acceptable("alice=false bob=true balances=(Some(20), Some(80))", "bob was first")
        .check();
}

#[test]
fn a_transfer_is_audited_before_or_after() {
    Model::new(|| Bank(accounts([(1, 100), (2, 0)])))
        .thread("payer", |bank| bank.transfer(1, 2, 80))
        .thread("auditor", |bank| audit(&bank.0))
        .acceptable("payer=true auditor=100", "at any moment")
        .check();
}

#[test]
fn crossed_transfers_both_arrive() {
    Model::new(|| Bank(accounts([(1, 100), (2, 100)])))
        .thread("alice", |bank| bank.transfer(1, 2, 80))
        .thread("bob", |bank| bank.transfer(2, 1, 30))
        .finally("balances", |bank| (bank.balance(1), bank.balance(2)))
        .acceptable("alice=true bob=true balances=(Some(50), Some(150))", "both are done")
        .check();
}

/// Three who pay each other in a circle, two of the accounts in one shard: each payer is somebody
/// else's payee.
#[test]
fn transfers_in_a_circle_all_arrive() {
    Model::new(|| Bank(accounts([(1, 100), (2, 100), (3, 100)])))
        .thread("alice", |bank| bank.transfer(1, 2, 80))
        .thread("bob", |bank| bank.transfer(2, 3, 50))
        .thread("carol", |bank| bank.transfer(3, 1, 30))
        .finally("balances", |bank| [1, 2, 3].map(|account| bank.balance(account).unwrap_or(0)))
        .acceptable("alice=true bob=true carol=true balances=[50, 130, 120]", "all are done")
        .check();
}

/// Covered by money that is just arriving, or not: but never in part.
#[test]
fn a_payment_on_is_covered_by_all_of_what_arrived_or_by_nothing() {
    Model::new(|| Bank(accounts([(1, 100), (2, 0)])))
        .thread("alice", |bank| bank.transfer(1, 2, 80))
        .thread("bob", |bank| bank.withdraw(2, 80))
        .thread("auditor", |bank| audit(&bank.0))
        .finally("rest", |bank| audit(&bank.0))
        .acceptable("alice=true bob=true auditor=100 rest=20", "audited before bob withdrew")
        .acceptable("alice=true bob=true auditor=20 rest=20", "audited after bob had withdrawn")
        .acceptable("alice=true bob=false auditor=100 rest=100", "bob came before the money")
        .check();
}
