//! # Is a retried payment charged once?
//!
//! **Answer.** With [`Map::get_or_try_insert_with`], and a charge that gives back what it took when it
//! fails, yes: the key is honoured exactly once, however many ask at the same time and whether or not
//! the first attempt fails. With a look, a charge and a note, no: in either order.
//!
//! **Why the racy twins fail.** A client that hears nothing asks again, under the same *idempotency
//! key*; so two requests for one payment are often there at the same time. [`ChargeThenNoteDesk`] looks
//! for a receipt, charges, and notes it: both find none, and both charge. [`NoteThenChargeDesk`] notes
//! the key first, which keeps the other one out, also when the charge then fails: a payment that nobody
//! made counts as made. [`KeepWhatWasTakenDesk`] asks the map as it should, and fails half way without
//! giving back what it has taken: the map forgets the attempt, as it should, and the retry takes again.
//!
//! **Why the sound one holds.** [`SoundDesk`] charges in the closure of `get_or_try_insert_with`, which
//! runs in one thread at a time for each key; the others wait for it. Its receipt is kept, and its failure
//! is not. What the closure did before it failed is the closure's own affair: the map cannot undo it, and
//! the gateway's `charge` does. Where all of the payment is one transfer of a bank, there is no half way.
//!
//! All four are in `specimens/src/payments.rs`, and `examples/src/bin/payments.rs` runs them on all cores.
//!
//! **Bounds and what is not modelled.** No bound: every model here is explored completely, for two or
//! three threads with one or two requests each. Others can see that money is taken and given back while
//! a charge is under way. Receipts are kept in memory, and for ever: a crash of the machine, and when to
//! forget a key, are not modelled. While one payment is charged, those whose keys are in the same shard
//! wait.

use selvedge::Map;
use selvedge_model::Model;

use crate::support::by_parity::{ByParity, by_parity};
use specimens::bank::{Bank, BankError, SoundBank};
use specimens::payments::racy::{ChargeThenNoteDesk, KeepWhatWasTakenDesk, NoteThenChargeDesk};
use specimens::payments::{Desk, PaymentError, Receipt, SoundDesk};

/// The key under which one payment is asked for, however often.
const KEY: u64 = 1;

/// What it comes to.
const PRICE: u32 = 80;

/// A desk whose first attempts, so many, get no answer.
fn sound(outages: u64) -> SoundDesk<ByParity> {
    SoundDesk::new(outages, by_parity([]))
}

fn charge_then_note() -> ChargeThenNoteDesk<ByParity> {
    ChargeThenNoteDesk { desk: sound(0), between: || () }
}

/// Asks once. Returns the attempt that charged, or `None` if there was no answer.
fn pay(desk: &impl Desk) -> Option<u64> {
    match desk.pay(KEY, PRICE) {
        Ok(Receipt { attempt, amount: PRICE }) => Some(attempt),
        Err(PaymentError::NoAnswer { key: KEY }) => None,
        other => panic!("neither a receipt for what was asked, nor silence: {other:?}"),
    }
}

// ---------------------------------------------------------------------------------------------
// Racy: what goes wrong.
// ---------------------------------------------------------------------------------------------

/// The client asked again, and was charged again.
#[test]
fn a_charge_that_is_noted_afterwards_is_made_twice() {
    Model::new(charge_then_note)
        .thread("request", pay)
        .thread("retry", pay)
        .finally("taken", Desk::taken)
        .acceptable(
            "request=Some(1) retry=Some(1) taken=80",
            "one charged, the other found the receipt",
        )
        .interesting("request=Some(1) retry=Some(2) taken=160", "both found none: charged twice")
        .interesting(
            "request=Some(2) retry=Some(1) taken=160",
            "the same with their parts exchanged",
        )
        .check();
}

/// In no execution is the money taken, and in each somebody is told that it was.
#[test]
fn a_charge_that_is_noted_beforehand_is_never_made_if_it_fails() {
    Model::new(|| NoteThenChargeDesk(sound(1)))
        .thread("request", pay)
        .thread("retry", pay)
        .finally("taken", Desk::taken)
        .interesting("request=None retry=Some(0) taken=0", "the retry is told: paid")
        .interesting("request=Some(0) retry=None taken=0", "the first request is")
        .check();
}

/// Exactly one receipt, and the money is gone twice.
#[test]
fn an_attempt_that_fails_half_way_and_gives_nothing_back_charges_twice() {
    Model::new(|| KeepWhatWasTakenDesk(sound(1)))
        .thread("request", pay)
        .thread("retry", pay)
        .finally("taken", Desk::taken)
        .interesting("request=None retry=Some(2) taken=160", "the first attempt took it too")
        .interesting("request=Some(2) retry=None taken=160", "the same, the retry came first")
        .check();
}

// ---------------------------------------------------------------------------------------------
// Sound: the same questions, and no surprising outcome is left.
// ---------------------------------------------------------------------------------------------

#[test]
fn a_request_and_its_retry_are_charged_once() {
    Model::new(|| sound(0))
        .thread("request", pay)
        .thread("retry", pay)
        .finally("taken", Desk::taken)
        .acceptable(
            "request=Some(1) retry=Some(1) taken=80",
            "one charged, the other has its receipt",
        )
        .check();
}

#[test]
fn three_requests_for_one_payment_are_charged_once() {
    Model::new(|| sound(0))
        .thread("request", pay)
        .thread("retry", pay)
        .thread("again", pay)
        .finally("taken", Desk::taken)
        .acceptable("request=Some(1) retry=Some(1) again=Some(1) taken=80", "one charged")
        .check();
}

/// Who failed says so, and who came next has paid.
#[test]
fn an_attempt_that_fails_half_way_is_undone_and_made_by_the_next() {
    Model::new(|| sound(1))
        .thread("request", pay)
        .thread("retry", pay)
        .finally("taken", Desk::taken)
        .acceptable("request=None retry=Some(2) taken=80", "the request was first, and failed")
        .acceptable("request=Some(2) retry=None taken=80", "the retry was first, and failed")
        .check();
}

/// Both ask until they are answered: both have one and the same receipt, in every execution.
#[test]
fn who_asks_until_answered_is_charged_once() {
    let until_answered = |desk: &SoundDesk<ByParity>| pay(desk).or_else(|| pay(desk));
    Model::new(|| sound(1))
        .thread("request", until_answered)
        .thread("retry", until_answered)
        .finally("taken", Desk::taken)
        .acceptable(
            "request=Some(2) retry=Some(2) taken=80",
            "one attempt failed, and one was enough",
        )
        .check();
}

/// One payment is not taken for another, though their keys share a shard.
#[test]
fn two_payments_are_two_charges() {
    Model::new(|| sound(0))
        .thread("alice", |desk| desk.pay(1, 50).map(|receipt| receipt.attempt))
        .thread("bob", |desk| desk.pay(3, 30).map(|receipt| receipt.attempt))
        .finally("taken", Desk::taken)
        .acceptable("alice=Ok(1) bob=Ok(2) taken=80", "alice was first")
        .acceptable("alice=Ok(2) bob=Ok(1) taken=80", "bob was first")
        .check();
}

/// What one attempt gives back is what it took, whatever another payment takes meanwhile.
#[test]
fn an_attempt_that_fails_leaves_another_payment_alone() {
    let pay = |desk: &SoundDesk<ByParity>, key| desk.pay(key, PRICE).ok().map(|paid| paid.attempt);
    Model::new(|| sound(1))
        .thread("first", move |desk| pay(desk, 1))
        .thread("second", move |desk| pay(desk, 2))
        .finally("taken", Desk::taken)
        .acceptable("first=None second=Some(2) taken=80", "the first got no answer")
        .acceptable("first=Some(2) second=None taken=80", "the second got none")
        .check();
}

/// Who sees a receipt can rely on it: the money is taken, and stays so.
#[test]
fn a_receipt_is_seen_only_once_the_money_is_taken() {
    Model::new(|| sound(0))
        .thread("request", |desk| {
            pay(desk);
        })
        .thread("reader", |desk| desk.receipt(KEY).map(|receipt| (receipt.attempt, desk.taken())))
        .acceptable("reader=None", "not paid yet, or just being paid")
        .acceptable("reader=Some((1, 80))", "paid, and taken once")
        .check();
}

/// Two payments under one key, by mistake: one is made, and the other is told so.
#[test]
fn a_key_is_good_for_one_payment() {
    Model::new(|| sound(0))
        .thread("alice", |desk| desk.pay(KEY, 50).is_ok())
        .thread("bob", |desk| match desk.pay(KEY, 30) {
            Err(PaymentError::KeyReused { key: KEY, first: 50, now: 30 }) => false,
            paid => paid.is_ok(),
        })
        .finally("taken", Desk::taken)
        .acceptable("alice=true bob=false taken=50", "alice was first")
        .acceptable("alice=false bob=true taken=30", "bob was first")
        .check();
}

/// A bank, and a shop that is paid by transfer.
struct Shop {
    bank: SoundBank<ByParity>,
    receipts: Map<u64, specimens::bank::Receipt, ByParity>,
}

/// The accounts.
const CUSTOMER: u64 = 1;
const SHOP: u64 = 2;
const EMPLOYER: u64 = 3;

impl Shop {
    fn new(customer: i64, employer: i64) -> Self {
        let accounts = by_parity([(CUSTOMER, customer), (SHOP, 0), (EMPLOYER, employer)]);
        Self { bank: SoundBank::new(accounts), receipts: by_parity([]) }
    }

    /// Moves the price from the customer to the shop, once for each key: all of it or nothing.
    fn pay(&self, key: u64) -> Result<specimens::bank::Receipt, BankError> {
        let transfer = || self.bank.transfer(CUSTOMER, SHOP, PRICE);
        self.receipts.get_or_try_insert_with(key, transfer)
    }
}

/// A refusal is not remembered: once the customer has the money, the same key pays.
#[test]
fn a_refused_payment_goes_through_under_the_same_key_once_it_is_covered() {
    Model::new(|| Shop::new(0, 200))
        .thread("customer", |shop| [shop.pay(KEY).is_ok(), shop.pay(KEY).is_ok()])
        .thread("employer", |shop| shop.bank.transfer(EMPLOYER, CUSTOMER, 200).is_ok())
        .finally("balances", |shop| shop.bank.audit())
        .acceptable("customer=[false, false] employer=true balances=[200, 0, 0]", "paid too late")
        .acceptable("customer=[false, true] employer=true balances=[120, 80, 0]", "in between")
        .acceptable("customer=[true, true] employer=true balances=[120, 80, 0]", "once, said twice")
        .check();
}

/// 200 would cover both requests, and one is charged; an auditor never misses any of it.
#[test]
fn a_payment_by_transfer_is_made_once_and_never_seen_half_done() {
    Model::new(|| Shop::new(200, 0))
        .thread("request", |shop| shop.pay(KEY))
        .thread("retry", |shop| shop.pay(KEY))
        .thread("auditor", |shop| shop.bank.audit())
        .finally("balances", |shop| shop.bank.audit())
        .acceptable(
            "request=Ok(Receipt(1)) retry=Ok(Receipt(1)) auditor=[200, 0, 0] balances=[120, 80, 0]",
            "audited before",
        )
        .acceptable(
            "request=Ok(Receipt(1)) retry=Ok(Receipt(1)) auditor=[120, 80, 0] balances=[120, 80, 0]",
            "audited after",
        )
        .check();
}

/// Who reads a refusal knows what to do.
#[test]
fn a_refusal_says_what_would_be_accepted() {
    let desk = sound(1);
    let refusal = desk.pay(KEY, PRICE).expect_err("the first attempt gets no answer");
    let text = "payment 1 got no answer: it is not charged, and can be retried with the same key";
    assert_eq!(refusal.to_string(), text);
    desk.pay(KEY, PRICE).expect("the second attempt is answered");
    let refusal = desk.pay(KEY, 30).expect_err("the key is used");
    let text = "a key must be used for one amount only: key 1 is of a payment of 80, got 30";
    assert_eq!(refusal.to_string(), text);
}
