//! # Can money vanish on its way from one key to another?
//!
//! **Answer.** With [`Map::update_pair`] and [`Map::snapshot`], no: both entries change in one step,
//! and all entries are read at one moment. And two transfers the other way round end.
//!
//! **Why the racy twins fail.** [`HalfDoneMap`] takes from one entry, unlocks, and gives to the other:
//! in between the money is nowhere. [`ArgumentOrderMap`] holds both locks, which cures that, and
//! takes them in the order of its arguments: two threads with crossed keys wait for each other.
//! [`Map::for_each`] is sound and goes shard by shard: it is no moment either, and the page shows it.
//!
//! **Why the sound ones hold.** Whoever locks more than one shard does so in the order of their
//! indices, so nobody who waits for a shard holds a later one; and gives none back before all is
//! done.
//!
//! **Bounds and what is not modelled.** No bound: every model here is explored completely, for two
//! or three threads with one call each, on two shards. Keys are small numbers and go to the shard
//! that their parity names. Calls nested from one map into another are not modelled.

use selvedge::Map;
use selvedge_model::{Failure, Model};
use specimens::racy::{ArgumentOrderMap, HalfDoneMap};

use crate::support::by_parity::{Busy, ByParity, by_parity};

/// Two accounts with 10 in all, one in each shard.
const ACCOUNTS: [(u64, u64); 2] = [(1, 10), (2, 0)];

type Accounts = Busy<Map<u64, u64, ByParity>>;

fn accounts(entries: [(u64, u64); 2]) -> Accounts {
    Busy::new(by_parity(entries))
}

/// Moves up to 4 from one account to another.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "a map lends its values")]
fn transfer(from: &u64, to: &u64) -> (u64, u64) {
    let amount = 4.min(*from);
    (from - amount, to + amount)
}

fn pay(accounts: &Accounts, from: u64, to: u64) {
    let paid = accounts.map.update_pair(&from, &to, |from, to| {
        accounts.step();
        transfer(from, to)
    });
    paid.expect("two keys, outside the map");
}

/// All the money, as `entries` has it.
fn total(entries: &[(u64, u64)]) -> u64 {
    entries.iter().map(|(_, amount)| amount).sum()
}

// ---------------------------------------------------------------------------------------------
// Racy: what goes wrong.
// ---------------------------------------------------------------------------------------------

#[test]
fn a_transfer_in_two_steps_is_seen_half_done() {
    Model::new(|| HalfDoneMap::of(ACCOUNTS))
        .thread("payer", |accounts| accounts.update_pair(1, 2, transfer))
        .thread("auditor", |accounts| total(&accounts.snapshot()))
        .acceptable("auditor=10", "before or after the transfer")
        .interesting("auditor=6", "taken from the one and not yet given to the other")
        .check();
}

/// Worse: two such transfers at the same time lose or make money for good.
#[test]
fn two_transfers_in_two_steps_lose_money() {
    Model::new(|| HalfDoneMap::of([(1, 10), (2, 10)]))
        .thread("alice", |accounts| accounts.update_pair(1, 2, transfer))
        .thread("bob", |accounts| accounts.update_pair(2, 1, transfer))
        .finally("total", |accounts| total(&accounts.snapshot()))
        .acceptable("total=20", "they did not overlap, or undid each other evenly")
        .interesting("total=16", "4 is lost")
        .interesting("total=24", "4 is made")
        .interesting("total=28", "8 is made: each wrote last where it gives to")
        .check();
}

#[test]
fn locking_in_the_order_of_arguments_deadlocks() {
    Model::new(|| ArgumentOrderMap::of(ACCOUNTS))
        .thread("alice", |accounts| accounts.update_pair(&1, &2, transfer))
        .thread("bob", |accounts| accounts.update_pair(&2, &1, transfer))
        .fails(Failure::Deadlock)
        .check();
}

/// A sound method where another is called for: one shard is visited before the transfer, the other
/// after it.
#[test]
fn a_visit_shard_by_shard_is_no_moment() {
    Model::new(|| accounts(ACCOUNTS))
        .thread("payer", |accounts| pay(accounts, 1, 2))
        .thread("auditor", |accounts| {
            let mut total = 0;
            accounts.map.for_each(|_, amount| total += amount);
            total
        })
        .acceptable("auditor=10", "before or after the transfer")
        .interesting("auditor=6", "the one was visited before it was given to, the other after")
        .check();
}

// ---------------------------------------------------------------------------------------------
// Sound: the same questions, and no surprising outcome is left.
// ---------------------------------------------------------------------------------------------

#[test]
fn money_is_never_seen_in_flight() {
    Model::new(|| accounts(ACCOUNTS))
        .thread("payer", |accounts| pay(accounts, 1, 2))
        .thread("auditor", |accounts| total(&accounts.map.snapshot()))
        .acceptable("auditor=10", "before or after the transfer")
        .check();
}

/// The same within one shard, and the other way round.
#[test]
fn money_is_never_seen_in_flight_within_a_shard() {
    Model::new(|| accounts([(1, 10), (3, 0)]))
        .thread("payer", |accounts| pay(accounts, 1, 3))
        .thread("auditor", |accounts| total(&accounts.map.snapshot()))
        .acceptable("auditor=10", "before or after the transfer")
        .check();
}

#[test]
fn crossed_transfers_end_and_keep_the_total() {
    Model::new(|| accounts([(1, 10), (2, 10)]))
        .thread("alice", |accounts| pay(accounts, 1, 2))
        .thread("bob", |accounts| pay(accounts, 2, 1))
        .finally("accounts", |accounts| (accounts.map.get(&1), accounts.map.get(&2)))
        .acceptable("accounts=(Some(10), Some(10))", "both are done: they undo each other")
        .check();
}

/// Payers the one and the other way, while somebody reads all of it.
#[test]
fn crossed_transfers_beside_a_snapshot_end_and_keep_the_total() {
    Model::new(|| accounts([(1, 10), (2, 10)]))
        .thread("alice", |accounts| pay(accounts, 1, 2))
        .thread("bob", |accounts| pay(accounts, 2, 1))
        .thread("auditor", |accounts| total(&accounts.map.snapshot()))
        .acceptable("auditor=20", "at any moment")
        .check();
}

/// A transfer and a plain change of one of its accounts.
#[test]
fn a_transfer_and_an_update_lose_nothing() {
    Model::new(|| accounts(ACCOUNTS))
        .thread("payer", |accounts| pay(accounts, 1, 2))
        .thread("bank", |accounts| {
            accounts.map.update(&2, |amount| amount + 100);
        })
        .finally("accounts", |accounts| (accounts.map.get(&1), accounts.map.get(&2)))
        .acceptable("accounts=(Some(6), Some(104))", "both are done")
        .check();
}

/// An account is closed before the transfer or after it: no half of one.
#[test]
fn a_transfer_from_an_account_that_is_closed_is_whole_or_not_at_all() {
    Model::new(|| accounts(ACCOUNTS))
        .thread("payer", |accounts| pay(accounts, 1, 2))
        .thread("closer", |accounts| accounts.map.remove(&1))
        .finally("other", |accounts| accounts.map.get(&2))
        .acceptable("closer=Some(10) other=Some(0)", "closed first: nothing was paid")
        .acceptable("closer=Some(6) other=Some(4)", "paid first")
        .check();
}

/// All shards are emptied at one moment: who sees one gap sees all.
#[test]
fn a_map_is_cleared_at_one_moment() {
    Model::new(|| accounts(ACCOUNTS))
        .thread("clearer", |accounts| accounts.map.clear())
        .thread("reader", |accounts| (accounts.map.contains_key(&1), accounts.map.contains_key(&2)))
        .thread("auditor", |accounts| accounts.map.keys().len())
        .finally("len", |accounts| accounts.map.len())
        .acceptable("reader=(true, true) auditor=2 len=0", "both read before")
        .acceptable("reader=(true, true) auditor=0 len=0", "read before, audited after")
        .acceptable("reader=(true, false) auditor=2 len=0", "cleared between the reads")
        .acceptable("reader=(true, false) auditor=0 len=0", "cleared between the reads")
        .acceptable("reader=(false, false) auditor=2 len=0", "audited before, read after")
        .acceptable("reader=(false, false) auditor=0 len=0", "both read after")
        .check();
}

/// What is inserted while `retain` goes through the shards is judged or missed, never half.
#[test]
fn an_insert_beside_a_retain_is_judged_or_missed() {
    Model::new(|| by_parity([(1, 10), (2, 20)]))
        .thread("sweeper", |map| map.retain(|_, value| *value >= 20))
        .thread("inserter", |map| {
            map.insert(3, 5);
        })
        .finally("left", |map| (map.get(&1), map.get(&2), map.get(&3), map.len()))
        .acceptable("left=(None, Some(20), None, 1)", "inserted first, and swept")
        .acceptable("left=(None, Some(20), Some(5), 2)", "inserted after its shard was swept")
        .check();
}

/// Who reads while `retain` goes through the shard waits for its end, or comes before its beginning.
#[test]
fn what_is_read_beside_a_retain_is_there_or_gone() {
    Model::new(|| Busy::new(by_parity([(1, 10), (3, 30)])))
        .thread("sweeper", |numbers| {
            numbers.map.retain(|_, value| {
                numbers.step();
                *value >= 20
            });
        })
        .thread("reader", |numbers| numbers.map.get(&1))
        .finally("left", |numbers| (numbers.map.get(&1), numbers.map.get(&3)))
        .acceptable("reader=Some(10) left=(None, Some(30))", "read first")
        .acceptable("reader=None left=(None, Some(30))", "swept first")
        .check();
}

/// An entry goes as it was seen: nobody comes between the look and the removal.
#[test]
fn what_is_updated_in_time_is_retained() {
    Model::new(|| Busy::new(by_parity([(1, 10)])))
        .thread("sweeper", |numbers| {
            numbers.map.retain(|_, value| {
                numbers.step();
                *value >= 20
            });
        })
        .thread("updater", |numbers| numbers.map.update(&1, |value| value + 10))
        .finally("left", |numbers| (numbers.map.get(&1), numbers.map.len()))
        .acceptable("updater=Some(10) left=(Some(20), 1)", "updated in time")
        .acceptable("updater=None left=(None, 0)", "swept first")
        .check();
}
