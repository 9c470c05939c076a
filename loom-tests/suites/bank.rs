//! # `SoundBank`: no account is overdrawn
//!
//! Proved of [`SoundBank`]: the check of the balance and the movement are one step, by
//! [`Map::update`](selvedge::Map::update) or [`Map::update_pair`](selvedge::Map::update_pair); an audit sees whole
//! transfers; crossed and cyclic transfers do not deadlock; each receipt has its own number. `cargo run -p examples
//! --bin bank` runs it.
//!
//! **Racy variants.** [`CheckThenActBank`]: check-then-act, overdrawn. [`TwoStepBank`]: a transfer in two steps, so
//! an audit misses money. [`PayerFirstBank`]: deadlock, the payer's account is locked first.
//!
//! **Scope.** Explored completely, for two or three threads with one call each, and up to four accounts on two
//! shards.

use selvedge_model::{Failure, Model};

use crate::support::by_parity::{ByParity, by_parity};
use specimens::bank::racy::{CheckThenActBank, PayerFirstBank, TwoStepBank};
use specimens::bank::{Bank, BankError, Receipt, SoundBank};

/// A bank in which odd and even accounts are in different shards.
fn sound<const N: usize>(balances: [(u64, i64); N]) -> SoundBank<ByParity> {
    SoundBank::new(by_parity(balances))
}

fn check_then_act<const N: usize>(balances: [(u64, i64); N]) -> CheckThenActBank<ByParity> {
    CheckThenActBank { bank: sound(balances), between: || () }
}

fn two_step<const N: usize>(balances: [(u64, i64); N]) -> TwoStepBank<ByParity> {
    TwoStepBank { bank: sound(balances), between: || () }
}

/// The sum of all accounts, at one moment.
fn total(bank: &impl Bank) -> i64 {
    bank.audit().iter().sum()
}

/// The number of the receipt, or the balance that did not cover the amount.
fn paid(outcome: Result<Receipt, BankError>) -> Result<u64, i64> {
    match outcome {
        Ok(Receipt(number)) => Ok(number),
        Err(BankError::InsufficientFunds { available, .. }) => Err(available),
        Err(why) => panic!("all accounts are known, and different: {why}"),
    }
}

// ---------------------------------------------------------------------------------------------
// Racy variants.
// ---------------------------------------------------------------------------------------------

/// 100 covers one withdrawal of 80, and not two.
#[test]
fn check_then_withdraw_overdraws_the_account() {
    Model::new(|| check_then_act([(1, 100)]))
        .thread("alice", |bank| paid(bank.withdraw(1, 80)))
        .thread("bob", |bank| paid(bank.withdraw(1, 80)))
        .finally("balances", Bank::audit)
        .acceptable("alice=Ok(1) bob=Err(20) balances=[20]", "alice was first")
        .acceptable("alice=Err(20) bob=Ok(1) balances=[20]", "bob was first")
        .interesting("alice=Ok(1) bob=Ok(2) balances=[-60]", "covered by the same 100, both")
        .interesting("alice=Ok(2) bob=Ok(1) balances=[-60]", "the same, and bob was served first")
        .check();
}

/// The transfer is one step; the check comes before it.
#[test]
fn check_then_transfer_overdraws_the_account() {
    Model::new(|| check_then_act([(1, 100), (2, 0)]))
        .thread("alice", |bank| paid(bank.transfer(1, 2, 80)))
        .thread("bob", |bank| paid(bank.transfer(1, 2, 80)))
        .finally("balances", Bank::audit)
        .acceptable("alice=Ok(1) bob=Err(20) balances=[20, 80]", "alice was first")
        .acceptable("alice=Err(20) bob=Ok(1) balances=[20, 80]", "bob was first")
        .interesting("alice=Ok(1) bob=Ok(2) balances=[-60, 160]", "covered by the same 100, both")
        .interesting("alice=Ok(2) bob=Ok(1) balances=[-60, 160]", "the same, bob served first")
        .check();
}

/// Between the two steps the money is in neither account.
#[test]
fn two_step_transfer_is_audited_half_done() {
    Model::new(|| two_step([(1, 100), (2, 0)]))
        .thread("payer", |bank| paid(bank.transfer(1, 2, 80)))
        .thread("auditor", total)
        .acceptable("payer=Ok(1) auditor=100", "before or after the transfer")
        .interesting("payer=Ok(1) auditor=20", "80 are on their way, and in no account")
        .check();
}

/// Two transfers in opposite directions.
#[test]
fn crossed_transfers_with_the_payer_first_deadlock() {
    Model::new(|| PayerFirstBank::new([(1, 100), (2, 100)], || ()))
        .thread("alice", |bank| paid(bank.transfer(1, 2, 80)))
        .thread("bob", |bank| paid(bank.transfer(2, 1, 80)))
        .fails(Failure::Deadlock)
        .check();
}

// ---------------------------------------------------------------------------------------------
// Sound.
// ---------------------------------------------------------------------------------------------

/// The refused thread gets the balance at which it was refused.
#[test]
fn two_withdrawals_are_covered_once() {
    Model::new(|| sound([(1, 100)]))
        .thread("alice", |bank| bank.withdraw(1, 80))
        .thread("bob", |bank| bank.withdraw(1, 80))
        .finally("balances", Bank::audit)
        .acceptable(
            "alice=Ok(Receipt(1)) bob=Err(InsufficientFunds { needed: 80, available: 20 }) \
             balances=[20]",
            "alice was first",
        )
        .acceptable(
            "alice=Err(InsufficientFunds { needed: 80, available: 20 }) bob=Ok(Receipt(1)) \
             balances=[20]",
            "bob was first",
        )
        .check();
}

/// As `check_then_transfer_overdraws_the_account`, on the sound type.
#[test]
fn two_transfers_are_covered_once() {
    Model::new(|| sound([(1, 100), (2, 0)]))
        .thread("alice", |bank| paid(bank.transfer(1, 2, 80)))
        .thread("bob", |bank| paid(bank.transfer(1, 2, 80)))
        .finally("balances", Bank::audit)
        .acceptable("alice=Ok(1) bob=Err(20) balances=[20, 80]", "alice was first")
        .acceptable("alice=Err(20) bob=Ok(1) balances=[20, 80]", "bob was first")
        .check();
}

/// A withdrawal and a transfer from one account.
#[test]
fn withdrawal_and_transfer_are_covered_once() {
    Model::new(|| sound([(1, 100), (2, 0)]))
        .thread("alice", |bank| paid(bank.withdraw(1, 80)))
        .thread("bob", |bank| paid(bank.transfer(1, 2, 80)))
        .finally("balances", Bank::audit)
        .acceptable("alice=Ok(1) bob=Err(20) balances=[20, 0]", "alice was first")
        .acceptable("alice=Err(20) bob=Ok(1) balances=[20, 80]", "bob was first")
        .check();
}

#[test]
fn audit_sees_whole_transfers() {
    Model::new(|| sound([(1, 100), (2, 0)]))
        .thread("payer", |bank| paid(bank.transfer(1, 2, 80)))
        .thread("auditor", Bank::audit)
        .acceptable("payer=Ok(1) auditor=[100, 0]", "before")
        .acceptable("payer=Ok(1) auditor=[20, 80]", "after")
        .check();
}

#[test]
fn crossed_transfers_do_not_deadlock() {
    Model::new(|| sound([(1, 100), (2, 100)]))
        .thread("alice", |bank| paid(bank.transfer(1, 2, 80)))
        .thread("bob", |bank| paid(bank.transfer(2, 1, 30)))
        .finally("balances", Bank::audit)
        .acceptable("alice=Ok(1) bob=Ok(2) balances=[50, 150]", "both are done, alice's first")
        .acceptable("alice=Ok(2) bob=Ok(1) balances=[50, 150]", "both are done, bob's first")
        .check();
}

/// Three transfers in a cycle, with two of the accounts in one shard.
#[test]
fn transfers_in_a_cycle_do_not_deadlock() {
    let arrives = |outcome| paid(outcome).is_ok();
    Model::new(|| sound([(1, 100), (2, 100), (3, 100)]))
        .thread("alice", move |bank| arrives(bank.transfer(1, 2, 80)))
        .thread("bob", move |bank| arrives(bank.transfer(2, 3, 50)))
        .thread("carol", move |bank| arrives(bank.transfer(3, 1, 30)))
        .finally("balances", Bank::audit)
        .acceptable("alice=true bob=true carol=true balances=[50, 130, 120]", "all are done")
        .check();
}

/// A withdrawal of money that another thread transfers to the account.
#[test]
fn withdrawal_of_a_transfer_is_covered_or_refused() {
    Model::new(|| sound([(1, 100), (2, 0)]))
        .thread("alice", |bank| paid(bank.transfer(1, 2, 80)))
        .thread("bob", |bank| paid(bank.withdraw(2, 80)))
        .thread("auditor", total)
        .finally("rest", total)
        .acceptable("alice=Ok(1) bob=Ok(2) auditor=100 rest=20", "audited before bob withdrew")
        .acceptable("alice=Ok(1) bob=Ok(2) auditor=20 rest=20", "audited after bob had withdrawn")
        .acceptable("alice=Ok(1) bob=Err(0) auditor=100 rest=100", "bob came before the money")
        .check();
}

/// Two accounts in different shards, which no lock orders.
#[test]
fn withdrawals_from_two_accounts_have_different_receipts() {
    Model::new(|| sound([(1, 100), (2, 100)]))
        .thread("alice", |bank| paid(bank.withdraw(1, 80)))
        .thread("bob", |bank| paid(bank.withdraw(2, 80)))
        .finally("balances", Bank::audit)
        .acceptable("alice=Ok(1) bob=Ok(2) balances=[20, 20]", "alice was first")
        .acceptable("alice=Ok(2) bob=Ok(1) balances=[20, 20]", "bob was first")
        .check();
}

/// Two transfers, each within one shard.
#[test]
fn transfers_of_disjoint_accounts_have_different_receipts() {
    Model::new(|| sound([(1, 100), (2, 100), (3, 0), (4, 0)]))
        .thread("alice", |bank| paid(bank.transfer(1, 3, 80)))
        .thread("bob", |bank| paid(bank.transfer(2, 4, 80)))
        .finally("balances", Bank::audit)
        .acceptable("alice=Ok(1) bob=Ok(2) balances=[20, 20, 80, 80]", "alice was first")
        .acceptable("alice=Ok(2) bob=Ok(1) balances=[20, 20, 80, 80]", "bob was first")
        .check();
}

/// Refused requests change nothing, beside a transfer that succeeds.
#[test]
fn refused_request_changes_nothing() {
    Model::new(|| sound([(1, 100), (2, 0)]))
        .thread("alice", |bank| {
            let refused = [
                bank.transfer(1, 1, 10),
                bank.transfer(1, 9, 10),
                bank.transfer(9, 1, 10),
                bank.withdraw(9, 10),
            ];
            let unknown = Err(BankError::UnknownAccount { account: 9 });
            refused == [Err(BankError::SameAccount { account: 1 }), unknown, unknown, unknown]
        })
        .thread("bob", |bank| paid(bank.transfer(1, 2, 80)))
        .finally("balances", Bank::audit)
        .acceptable("alice=true bob=Ok(1) balances=[20, 80]", "bob's transfer alone is done")
        .check();
}

/// The message names the value and the largest accepted one.
#[test]
fn error_says_what_is_accepted() {
    let bank = sound([(1, 20), (2, 0)]);
    let refusal = bank.transfer(1, 2, 80).expect_err("80 of 20");
    assert_eq!(refusal.to_string(), "insufficient funds: the amount must be at most 20, got 80");
}
