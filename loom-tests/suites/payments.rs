//! # `SoundDesk`: a retried payment is charged once
//!
//! Proved of [`SoundDesk`]: requests with one idempotency key are charged once, whether or not an attempt fails; a
//! failed charge is rolled back and can be retried. The charge runs in the closure of
//! [`Map::get_or_try_insert_with`], in one thread at a time for each key. The map does not undo a failed closure:
//! the charge undoes itself. `cargo run -p examples --bin payments` runs it.
//!
//! **Racy variants.** [`ChargeThenNoteDesk`]: check-then-act, charged twice. [`NoteThenChargeDesk`]: a receipt is
//! stored before a charge that fails. [`KeepWhatWasTakenDesk`]: no rollback, charged twice.
//!
//! **Scope.** Explored completely, for two or three threads with one or two requests each. A receipt is kept in
//! memory for ever. Payments whose keys share a shard wait for each other.

use selvedge::Map;
use selvedge_model::Model;

use crate::support::by_parity::{ByParity, by_parity};
use specimens::bank::{Bank, BankError, SoundBank};
use specimens::payments::racy::{ChargeThenNoteDesk, KeepWhatWasTakenDesk, NoteThenChargeDesk};
use specimens::payments::{Desk, PaymentError, Receipt, SoundDesk};

/// The idempotency key of the payment.
const KEY: u64 = 1;

/// The amount of the payment.
const PRICE: u32 = 80;

/// A desk whose first `outages` attempts get no answer.
fn sound(outages: u64) -> SoundDesk<ByParity> {
    SoundDesk::new(outages, by_parity([]))
}

fn charge_then_note() -> ChargeThenNoteDesk<ByParity> {
    ChargeThenNoteDesk { desk: sound(0), between: || () }
}

/// Sends the payment once. Returns the attempt that charged, or `None` if there was no answer.
fn pay(desk: &impl Desk) -> Option<u64> {
    match desk.pay(KEY, PRICE) {
        Ok(Receipt { attempt, amount: PRICE }) => Some(attempt),
        Err(PaymentError::NoAnswer { key: KEY }) => None,
        other => panic!("neither a receipt for what was asked, nor silence: {other:?}"),
    }
}

// ---------------------------------------------------------------------------------------------
// Racy variants.
// ---------------------------------------------------------------------------------------------

/// The request and its retry both find no receipt.
#[test]
fn check_then_charge_charges_twice() {
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

/// The charge fails in each execution, and one request gets a receipt.
#[test]
fn receipt_before_a_failed_charge_says_paid() {
    Model::new(|| NoteThenChargeDesk(sound(1)))
        .thread("request", pay)
        .thread("retry", pay)
        .finally("taken", Desk::taken)
        .interesting("request=None retry=Some(0) taken=0", "the retry is told: paid")
        .interesting("request=Some(0) retry=None taken=0", "the first request is")
        .check();
}

/// One receipt, and two charges.
#[test]
fn failed_charge_without_rollback_charges_twice() {
    Model::new(|| KeepWhatWasTakenDesk(sound(1)))
        .thread("request", pay)
        .thread("retry", pay)
        .finally("taken", Desk::taken)
        .interesting("request=None retry=Some(2) taken=160", "the first attempt took it too")
        .interesting("request=Some(2) retry=None taken=160", "the same, the retry came first")
        .check();
}

// ---------------------------------------------------------------------------------------------
// Sound.
// ---------------------------------------------------------------------------------------------

#[test]
fn request_and_retry_are_charged_once() {
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

/// The failed request returns an error, and the next one charges.
#[test]
fn failed_charge_is_rolled_back_and_retried() {
    Model::new(|| sound(1))
        .thread("request", pay)
        .thread("retry", pay)
        .finally("taken", Desk::taken)
        .acceptable("request=None retry=Some(2) taken=80", "the request was first, and failed")
        .acceptable("request=Some(2) retry=None taken=80", "the retry was first, and failed")
        .check();
}

/// Both retry once: both get the same receipt.
#[test]
fn retry_until_answered_is_charged_once() {
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

/// Two payments whose keys share a shard.
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

/// The rollback of one payment does not undo the charge of another one.
#[test]
fn rollback_keeps_another_payment() {
    let pay = |desk: &SoundDesk<ByParity>, key| desk.pay(key, PRICE).ok().map(|paid| paid.attempt);
    Model::new(|| sound(1))
        .thread("first", move |desk| pay(desk, 1))
        .thread("second", move |desk| pay(desk, 2))
        .finally("taken", Desk::taken)
        .acceptable("first=None second=Some(2) taken=80", "the first got no answer")
        .acceptable("first=Some(2) second=None taken=80", "the second got none")
        .check();
}

/// A thread that sees the receipt sees the charge.
#[test]
fn receipt_is_visible_after_the_charge() {
    Model::new(|| sound(0))
        .thread("request", |desk| {
            pay(desk);
        })
        .thread("reader", |desk| desk.receipt(KEY).map(|receipt| (receipt.attempt, desk.taken())))
        .acceptable("reader=None", "not paid yet, or just being paid")
        .acceptable("reader=Some((1, 80))", "paid, and taken once")
        .check();
}

/// Two different amounts with one key: one is charged, and the other one is refused.
#[test]
fn key_is_valid_for_one_amount() {
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

    /// Moves the price from the customer to the shop, once for each key.
    fn pay(&self, key: u64) -> Result<specimens::bank::Receipt, BankError> {
        let transfer = || self.bank.transfer(CUSTOMER, SHOP, PRICE);
        self.receipts.get_or_try_insert_with(key, transfer)
    }
}

/// A refusal is not stored: once the customer has the money, the same key pays.
#[test]
fn refused_payment_can_be_retried_with_its_key() {
    Model::new(|| Shop::new(0, 200))
        .thread("customer", |shop| [shop.pay(KEY).is_ok(), shop.pay(KEY).is_ok()])
        .thread("employer", |shop| shop.bank.transfer(EMPLOYER, CUSTOMER, 200).is_ok())
        .finally("balances", |shop| shop.bank.audit())
        .acceptable("customer=[false, false] employer=true balances=[200, 0, 0]", "paid too late")
        .acceptable("customer=[false, true] employer=true balances=[120, 80, 0]", "in between")
        .acceptable("customer=[true, true] employer=true balances=[120, 80, 0]", "once, said twice")
        .check();
}

/// 200 would cover both requests, and one is charged; the audit sees the whole transfer.
#[test]
fn payment_by_transfer_is_made_once_and_atomic() {
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

/// The message says whether the payment can be retried.
#[test]
fn error_says_what_is_accepted() {
    let desk = sound(1);
    let refusal = desk.pay(KEY, PRICE).expect_err("the first attempt gets no answer");
    let text = "payment 1 got no answer: it is not charged, and can be retried with the same key";
    assert_eq!(refusal.to_string(), text);
    desk.pay(KEY, PRICE).expect("the second attempt is answered");
    let refusal = desk.pay(KEY, 30).expect_err("the key is used");
    let text = "a key must be used for one amount only: key 1 is of a payment of 80, got 30";
    assert_eq!(refusal.to_string(), text);
}
