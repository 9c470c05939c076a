//! # Can an account be overdrawn?
//!
//! **Answer.** Not where the cover is checked in the step that takes the money: [`Map::update`] for one
//! account, [`Map::update_pair`] for two. Where it is checked first and taken then, yes, also if both
//! steps lock. And a bank whose transfers are two steps has, in between, less money than it has.
//!
//! **Why the racy twins fail.** [`CheckThenActBank`] asks for the balance and then moves the money: two
//! threads are both covered by the same money. [`TwoStepBank`] withdraws from one account and then
//! deposits in the other: an auditor in between misses the money, and so does whoever needs it. Both are
//! built on a [`Map`] each of whose calls is sound. [`PayerFirstBank`] has a lock for each account and
//! holds both, which cures that, and takes the payer's first: two who pay each other wait for ever.
//!
//! **Why the sound one holds.** [`SoundBank`] decides and acts in one call. A transfer that is not covered
//! puts back both balances as they were; one that is covered changes both before anybody sees either.
//! The map locks its shards in one order, whatever the order of the accounts. An audit is a
//! [`Map::snapshot`]: all accounts at one moment. What a refusal says was there, and the number of a
//! receipt, belong to the same step as the decision.
//!
//! All four are in `specimens/src/bank.rs`, and `examples/src/bin/bank.rs` runs them on all cores.
//!
//! **Bounds and what is not modelled.** No bound: every model here is explored completely, for two or
//! three threads with one call each, and two or three accounts on two shards. What is to survive a crash
//! of the machine is not a matter of interleaving. Accounts are neither opened nor closed.

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

/// All the money, at one moment.
fn total(bank: &impl Bank) -> i64 {
    bank.audit().iter().sum()
}

/// The receipt's number, or what was there instead of what was needed.
fn paid(outcome: Result<Receipt, BankError>) -> Result<u64, i64> {
    match outcome {
        Ok(Receipt(number)) => Ok(number),
        Err(BankError::InsufficientFunds { available, .. }) => Err(available),
        Err(why) => panic!("all accounts are known, and different: {why}"),
    }
}

// ---------------------------------------------------------------------------------------------
// Racy: what goes wrong.
// ---------------------------------------------------------------------------------------------

/// 100 cover each of two withdrawals of 80, and not both.
#[test]
fn a_check_and_a_withdrawal_overdraw_the_account() {
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

/// The transfer itself is one step. It is the check that is too early.
#[test]
fn a_check_and_a_transfer_overdraw_the_account() {
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

/// The money is in neither account, though neither was ever wrong.
#[test]
fn a_transfer_in_two_steps_is_audited_half_done() {
    Model::new(|| two_step([(1, 100), (2, 0)]))
        .thread("payer", |bank| paid(bank.transfer(1, 2, 80)))
        .thread("auditor", total)
        .acceptable("payer=Ok(1) auditor=100", "before or after the transfer")
        .interesting("payer=Ok(1) auditor=20", "80 are on their way, and in no account")
        .check();
}

/// Two who pay each other.
#[test]
fn crossed_transfers_that_lock_the_payer_first_deadlock() {
    Model::new(|| PayerFirstBank::new([(1, 100), (2, 100)], || ()))
        .thread("alice", |bank| paid(bank.transfer(1, 2, 80)))
        .thread("bob", |bank| paid(bank.transfer(2, 1, 80)))
        .fails(Failure::Deadlock)
        .check();
}

// ---------------------------------------------------------------------------------------------
// Sound: the same questions, and no surprising outcome is left.
// ---------------------------------------------------------------------------------------------

/// Who is refused is told what was there when that was decided.
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

/// The same question asked of a transfer, as of the twin above.
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

/// A withdrawal and a transfer out of one account: the cover is one and the same.
#[test]
fn a_withdrawal_and_a_transfer_are_covered_once() {
    Model::new(|| sound([(1, 100), (2, 0)]))
        .thread("alice", |bank| paid(bank.withdraw(1, 80)))
        .thread("bob", |bank| paid(bank.transfer(1, 2, 80)))
        .finally("balances", Bank::audit)
        .acceptable("alice=Ok(1) bob=Err(20) balances=[20, 0]", "alice was first")
        .acceptable("alice=Err(20) bob=Ok(1) balances=[20, 80]", "bob was first")
        .check();
}

#[test]
fn a_transfer_is_audited_before_or_after() {
    Model::new(|| sound([(1, 100), (2, 0)]))
        .thread("payer", |bank| paid(bank.transfer(1, 2, 80)))
        .thread("auditor", Bank::audit)
        .acceptable("payer=Ok(1) auditor=[100, 0]", "before")
        .acceptable("payer=Ok(1) auditor=[20, 80]", "after")
        .check();
}

#[test]
fn crossed_transfers_both_arrive() {
    Model::new(|| sound([(1, 100), (2, 100)]))
        .thread("alice", |bank| paid(bank.transfer(1, 2, 80)))
        .thread("bob", |bank| paid(bank.transfer(2, 1, 30)))
        .finally("balances", Bank::audit)
        .acceptable("alice=Ok(1) bob=Ok(2) balances=[50, 150]", "both are done, alice's first")
        .acceptable("alice=Ok(2) bob=Ok(1) balances=[50, 150]", "both are done, bob's first")
        .check();
}

/// Three who pay each other in a circle, two of the accounts in one shard: each payer is somebody
/// else's payee.
#[test]
fn transfers_in_a_circle_all_arrive() {
    let arrives = |outcome| paid(outcome).is_ok();
    Model::new(|| sound([(1, 100), (2, 100), (3, 100)]))
        .thread("alice", move |bank| arrives(bank.transfer(1, 2, 80)))
        .thread("bob", move |bank| arrives(bank.transfer(2, 3, 50)))
        .thread("carol", move |bank| arrives(bank.transfer(3, 1, 30)))
        .finally("balances", Bank::audit)
        .acceptable("alice=true bob=true carol=true balances=[50, 130, 120]", "all are done")
        .check();
}

/// Covered by money that is just arriving, or not: but never in part.
#[test]
fn a_payment_on_is_covered_by_all_of_what_arrived_or_by_nothing() {
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

/// Accounts in different shards, which nothing orders, and still two different numbers.
#[test]
fn movements_of_two_accounts_have_two_receipts() {
    Model::new(|| sound([(1, 100), (2, 100)]))
        .thread("alice", |bank| paid(bank.withdraw(1, 80)))
        .thread("bob", |bank| paid(bank.withdraw(2, 80)))
        .finally("balances", Bank::audit)
        .acceptable("alice=Ok(1) bob=Ok(2) balances=[20, 20]", "alice was first")
        .acceptable("alice=Ok(2) bob=Ok(1) balances=[20, 20]", "bob was first")
        .check();
}

/// The same for transfers, of which each has a shard to itself.
#[test]
fn transfers_between_two_pairs_of_accounts_have_two_receipts() {
    Model::new(|| sound([(1, 100), (2, 100), (3, 0), (4, 0)]))
        .thread("alice", |bank| paid(bank.transfer(1, 3, 80)))
        .thread("bob", |bank| paid(bank.transfer(2, 4, 80)))
        .finally("balances", Bank::audit)
        .acceptable("alice=Ok(1) bob=Ok(2) balances=[20, 20, 80, 80]", "alice was first")
        .acceptable("alice=Ok(2) bob=Ok(1) balances=[20, 20, 80, 80]", "bob was first")
        .check();
}

/// What cannot be done is told, and changes nothing while others go on.
#[test]
fn what_is_refused_changes_nothing() {
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

/// Who reads a refusal knows what to ask for instead.
#[test]
fn a_refusal_says_what_would_be_accepted() {
    let bank = sound([(1, 20), (2, 0)]);
    let refusal = bank.transfer(1, 2, 80).expect_err("80 of 20");
    assert_eq!(refusal.to_string(), "insufficient funds: the amount must be at most 20, got 80");
}
