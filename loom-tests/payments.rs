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
//! **Why the sound one holds.** [`Desk`] charges in the closure of `get_or_try_insert_with`, which runs in
//! one thread at a time for each key; the others wait for it. Its receipt is kept, and its failure is
//! not. What the closure did before it failed is the closure's own affair: the map cannot undo it, and
//! [`Gateway::charge`] does. Where all of the payment is one [`Map::update_pair`], there is no half way.
//!
//! **Bounds and what is not modelled.** No bound: every model here is explored completely, for two or
//! three threads with one or two requests each. Others can see that money is taken and given back while
//! a charge is under way. Receipts are kept in memory, and for ever: a crash of the machine, and when to
//! forget a key, are not modelled. While one payment is charged, those whose keys are in the same shard
//! wait.

use selvedge::Map;
use selvedge::model::Model;
use selvedge::sync::atomic::{AtomicU64, Ordering::Relaxed};

mod by_parity;

use by_parity::{Busy, ByParity, by_parity};

/// The key under which one payment is asked for, however often.
const KEY: u64 = 1;

/// The gateway did not answer.
#[derive(Debug)]
struct NoAnswer;

/// Takes money, and then waits for an answer that does not come to the first `outages` attempts.
struct Gateway {
    outages: u64,
    attempts: AtomicU64,
    taken: AtomicU64,
}

impl Gateway {
    fn new(outages: u64) -> Self {
        Self { outages, attempts: AtomicU64::new(0), taken: AtomicU64::new(0) }
    }

    /// Takes the money. Fails half way if there is no answer; a receipt is the attempt's number.
    fn take(&self) -> Result<u64, NoAnswer> {
        self.taken.fetch_add(1, Relaxed);
        let attempt = self.attempts.fetch_add(1, Relaxed) + 1;
        if attempt > self.outages { Ok(attempt) } else { Err(NoAnswer) }
    }

    /// Takes the money, and gives it back if there is no answer.
    fn charge(&self) -> Result<u64, NoAnswer> {
        self.take().inspect_err(|_| {
            self.taken.fetch_sub(1, Relaxed);
        })
    }

    /// How often the money was taken, and not given back.
    fn taken(&self) -> u64 {
        self.taken.fetch_add(0, Relaxed)
    }
}

/// The receipts, by key.
type Receipts = Map<u64, u64, ByParity>;

/// Defect: `pay` looks for a receipt, charges, and notes it, in three steps.
struct ChargeThenNoteDesk {
    gateway: Gateway,
    receipts: Receipts,
}

impl ChargeThenNoteDesk {
    fn pay(&self, key: u64) -> Result<u64, NoAnswer> {
        if let Some(receipt) = self.receipts.get(&key) {
            return Ok(receipt);
        }
        let receipt = self.gateway.charge()?;
        self.receipts.insert(key, receipt);
        Ok(receipt)
    }
}

/// Defect: `pay` notes the key before it charges; what is noted stays so when the charge fails.
struct NoteThenChargeDesk {
    gateway: Gateway,
    noted: Receipts,
}

impl NoteThenChargeDesk {
    fn pay(&self, key: u64) -> Result<(), NoAnswer> {
        if self.noted.try_insert(key, 0).is_ok() {
            self.gateway.charge()?;
        }
        Ok(())
    }
}

/// Defect: an attempt that fails keeps what it has taken.
struct KeepWhatWasTakenDesk {
    gateway: Gateway,
    receipts: Receipts,
}

impl KeepWhatWasTakenDesk {
    fn pay(&self, key: u64) -> Result<u64, NoAnswer> {
        self.receipts.get_or_try_insert_with(key, || self.gateway.take())
    }
}

/// Charges once for each key. This is the half to copy.
struct Desk {
    gateway: Gateway,
    receipts: Receipts,
}

impl Desk {
    fn new(outages: u64) -> Self {
        Self { gateway: Gateway::new(outages), receipts: by_parity([]) }
    }

    fn pay(&self, key: u64) -> Result<u64, NoAnswer> {
        self.receipts.get_or_try_insert_with(key, || self.gateway.charge())
    }

    fn taken(&self) -> u64 {
        self.gateway.taken()
    }
}

// ---------------------------------------------------------------------------------------------
// Racy: what goes wrong.
// ---------------------------------------------------------------------------------------------

/// The client asked again, and was charged again.
#[test]
fn a_charge_that_is_noted_afterwards_is_made_twice() {
    Model::new(|| ChargeThenNoteDesk { gateway: Gateway::new(0), receipts: by_parity([]) })
        .thread("request", |desk| desk.pay(KEY))
        .thread("retry", |desk| desk.pay(KEY))
        .finally("taken", |desk| desk.gateway.taken())
        .acceptable("request=Ok(1) retry=Ok(1) taken=1", "one charged, the other found the receipt")
        .interesting("request=Ok(1) retry=Ok(2) taken=2", "both found none: charged twice")
        .interesting("request=Ok(2) retry=Ok(1) taken=2", "the same with their parts exchanged")
        .check();
}

/// In no execution is the money taken, and in each somebody is told that it was.
#[test]
fn a_charge_that_is_noted_beforehand_is_never_made_if_it_fails() {
    Model::new(|| NoteThenChargeDesk { gateway: Gateway::new(1), noted: by_parity([]) })
        .thread("request", |desk| desk.pay(KEY))
        .thread("retry", |desk| desk.pay(KEY))
        .finally("taken", |desk| desk.gateway.taken())
        .interesting("request=Err(NoAnswer) retry=Ok(()) taken=0", "the retry is told: paid")
        .interesting("request=Ok(()) retry=Err(NoAnswer) taken=0", "the first request is")
        .check();
}

/// Exactly one receipt, and the money is gone twice.
#[test]
fn an_attempt_that_fails_half_way_and_gives_nothing_back_charges_twice() {
    Model::new(|| KeepWhatWasTakenDesk { gateway: Gateway::new(1), receipts: by_parity([]) })
        .thread("request", |desk| desk.pay(KEY))
        .thread("retry", |desk| desk.pay(KEY))
        .finally("taken", |desk| desk.gateway.taken())
        .interesting("request=Err(NoAnswer) retry=Ok(2) taken=2", "the first attempt took it too")
        .interesting("request=Ok(2) retry=Err(NoAnswer) taken=2", "the same, the retry came first")
        .check();
}

// ---------------------------------------------------------------------------------------------
// Sound: the same questions, and no surprising outcome is left.
// ---------------------------------------------------------------------------------------------

#[test]
fn a_request_and_its_retry_are_charged_once() {
    Model::new(|| Desk::new(0))
        .thread("request", |desk| desk.pay(KEY))
        .thread("retry", |desk| desk.pay(KEY))
        .finally("taken", Desk::taken)
        .acceptable("request=Ok(1) retry=Ok(1) taken=1", "one charged, the other has its receipt")
        .check();
}

#[test]
fn three_requests_for_one_payment_are_charged_once() {
    Model::new(|| Desk::new(0))
        .thread("request", |desk| desk.pay(KEY))
        .thread("retry", |desk| desk.pay(KEY))
        .thread("again", |desk| desk.pay(KEY))
        .finally("taken", Desk::taken)
        .acceptable("request=Ok(1) retry=Ok(1) again=Ok(1) taken=1", "one charged")
        .check();
}

/// Who failed says so, and who came next has paid.
#[test]
fn an_attempt_that_fails_half_way_is_undone_and_made_by_the_next() {
    Model::new(|| Desk::new(1))
        .thread("request", |desk| desk.pay(KEY))
        .thread("retry", |desk| desk.pay(KEY))
        .finally("taken", Desk::taken)
        .acceptable(
            "request=Err(NoAnswer) retry=Ok(2) taken=1",
            "the request was first, and failed",
        )
        .acceptable("request=Ok(2) retry=Err(NoAnswer) taken=1", "the retry was first, and failed")
        .check();
}

/// Both ask until they are answered: both have one and the same receipt, in every execution.
#[test]
fn who_asks_until_answered_is_charged_once() {
    let until_answered = |desk: &Desk| desk.pay(KEY).or_else(|NoAnswer| desk.pay(KEY));
    Model::new(|| Desk::new(1))
        .thread("request", until_answered)
        .thread("retry", until_answered)
        .finally("taken", Desk::taken)
        .acceptable("request=Ok(2) retry=Ok(2) taken=1", "one attempt failed, and one was enough")
        .check();
}

/// One payment is not taken for another, though their keys share a shard.
#[test]
fn two_payments_are_two_charges() {
    Model::new(|| Desk::new(0))
        .thread("alice", |desk| desk.pay(1))
        .thread("bob", |desk| desk.pay(3))
        .finally("taken", Desk::taken)
        .acceptable("alice=Ok(1) bob=Ok(2) taken=2", "alice was first")
        .acceptable("alice=Ok(2) bob=Ok(1) taken=2", "bob was first")
        .check();
}

/// Who sees a receipt can rely on it: the money is taken, and stays so.
#[test]
fn a_receipt_is_seen_only_once_the_money_is_taken() {
    Model::new(|| Desk::new(0))
        .thread("request", |desk| {
            let _ = desk.pay(KEY);
        })
        .thread("reader", |desk| desk.receipts.get(&KEY).map(|receipt| (receipt, desk.taken())))
        .acceptable("reader=None", "not paid yet, or just being paid")
        .acceptable("reader=Some((1, 1))", "paid, and taken once")
        .check();
}

/// A wallet, and a shop that is paid out of it.
struct Shop {
    wallets: Busy<Map<u64, u64, ByParity>>,
    receipts: Receipts,
}

/// The customer's wallet, and the shop's.
const CUSTOMER: u64 = 1;
const SHOP: u64 = 2;

/// There is not enough in the wallet.
#[derive(Debug)]
struct NotCovered;

impl Shop {
    /// Moves 80 from the customer to the shop, once for each key: all of it or nothing.
    fn pay(&self, key: u64) -> Result<u64, NotCovered> {
        self.receipts.get_or_try_insert_with(key, || {
            let mut covered = false;
            let paid = self.wallets.map.update_pair(&CUSTOMER, &SHOP, |customer, shop| {
                self.wallets.step();
                covered = *customer >= 80;
                if covered { (customer - 80, shop + 80) } else { (*customer, *shop) }
            });
            paid.expect("two wallets, outside their map");
            if covered { Ok(80) } else { Err(NotCovered) }
        })
    }
}

/// A refusal is not remembered: once the wallet is filled, the same key pays.
#[test]
fn a_refused_payment_goes_through_under_the_same_key_once_it_is_covered() {
    Model::new(|| Shop {
        wallets: Busy::new(by_parity([(1, 0), (2, 0)])),
        receipts: by_parity([]),
    })
    .thread("customer", |shop| [shop.pay(KEY).is_ok(), shop.pay(KEY).is_ok()])
    .thread("bank", |shop| {
        shop.wallets.map.update(&CUSTOMER, |balance| balance + 200);
    })
    .finally("wallets", |shop| [CUSTOMER, SHOP].map(|wallet| shop.wallets.map.get(&wallet)))
    .acceptable("customer=[false, false] wallets=[Some(200), Some(0)]", "filled too late")
    .acceptable("customer=[false, true] wallets=[Some(120), Some(80)]", "filled in between")
    .acceptable("customer=[true, true] wallets=[Some(120), Some(80)]", "paid once, said twice")
    .check();
}

/// 200 would cover both requests, and one is charged; an auditor never misses any of it.
#[test]
fn a_payment_between_wallets_is_made_once_and_never_seen_half_done() {
    Model::new(|| Shop {
        wallets: Busy::new(by_parity([(1, 200), (2, 0)])),
        receipts: by_parity([]),
    })
    .thread("request", |shop| shop.pay(KEY))
    .thread("retry", |shop| shop.pay(KEY))
    .thread("auditor", |shop| {
        shop.wallets.map.snapshot().iter().map(|(_, balance)| balance).sum::<u64>()
    })
    .finally("shop", |shop| shop.wallets.map.get(&SHOP))
    .acceptable("request=Ok(80) retry=Ok(80) auditor=200 shop=Some(80)", "paid once")
    .check();
}
