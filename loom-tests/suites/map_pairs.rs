//! # `Map`: calls on two keys or on all
//!
//! Proved of [`Map::update_pair`], [`Map::snapshot`] and [`Map::clear`]: each is one step over several shards, and
//! crossed calls do not deadlock. Not promised, and shown: [`Map::for_each`] and [`Map::retain`] visit shard by
//! shard.
//!
//! **Racy variants.** [`HalfDoneMap`]: two critical sections, so a half transfer is visible. [`ArgumentOrderMap`]:
//! deadlock, the locks are taken in the order of the arguments.
//!
//! **Why it holds.** A call that needs several shards locks them in the order of their indices, and releases none
//! before all is done.
//!
//! **Scope.** Explored completely, for two or three threads with one call each, on two shards.

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

/// The sum of all amounts.
fn total(entries: &[(u64, u64)]) -> u64 {
    entries.iter().map(|(_, amount)| amount).sum()
}

// ---------------------------------------------------------------------------------------------
// Racy variants.
// ---------------------------------------------------------------------------------------------

#[test]
fn two_step_transfer_is_seen_half_done() {
    Model::new(|| HalfDoneMap::of(ACCOUNTS))
        .thread("payer", |accounts| accounts.update_pair(1, 2, transfer))
        .thread("auditor", |accounts| total(&accounts.snapshot()))
        .acceptable("auditor=10", "before or after the transfer")
        .interesting("auditor=6", "taken from the one and not yet given to the other")
        .check();
}

/// Two such transfers at the same time change the total for good.
#[test]
fn two_step_transfers_lose_updates() {
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
fn locks_in_argument_order_deadlock() {
    Model::new(|| ArgumentOrderMap::of(ACCOUNTS))
        .thread("alice", |accounts| accounts.update_pair(&1, &2, transfer))
        .thread("bob", |accounts| accounts.update_pair(&2, &1, transfer))
        .fails(Failure::Deadlock)
        .check();
}

/// One shard is visited before the transfer and the other one after it.
#[test]
fn for_each_is_an_inconsistent_cut() {
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
// Sound.
// ---------------------------------------------------------------------------------------------

#[test]
fn snapshot_sees_no_half_transfer() {
    Model::new(|| accounts(ACCOUNTS))
        .thread("payer", |accounts| pay(accounts, 1, 2))
        .thread("auditor", |accounts| total(&accounts.map.snapshot()))
        .acceptable("auditor=10", "before or after the transfer")
        .check();
}

/// The same with both keys in one shard.
#[test]
fn snapshot_sees_no_half_transfer_within_a_shard() {
    Model::new(|| accounts([(1, 10), (3, 0)]))
        .thread("payer", |accounts| pay(accounts, 1, 3))
        .thread("auditor", |accounts| total(&accounts.map.snapshot()))
        .acceptable("auditor=10", "before or after the transfer")
        .check();
}

#[test]
fn crossed_transfers_do_not_deadlock() {
    Model::new(|| accounts([(1, 10), (2, 10)]))
        .thread("alice", |accounts| pay(accounts, 1, 2))
        .thread("bob", |accounts| pay(accounts, 2, 1))
        .finally("accounts", |accounts| (accounts.map.get(&1), accounts.map.get(&2)))
        .acceptable("accounts=(Some(10), Some(10))", "both are done: they undo each other")
        .check();
}

/// Transfers in both directions beside a snapshot.
#[test]
fn crossed_transfers_beside_a_snapshot_do_not_deadlock() {
    Model::new(|| accounts([(1, 10), (2, 10)]))
        .thread("alice", |accounts| pay(accounts, 1, 2))
        .thread("bob", |accounts| pay(accounts, 2, 1))
        .thread("auditor", |accounts| total(&accounts.map.snapshot()))
        .acceptable("auditor=20", "at any moment")
        .check();
}

/// A transfer and an update of one of its accounts.
#[test]
fn transfer_and_update_keep_both_changes() {
    Model::new(|| accounts(ACCOUNTS))
        .thread("payer", |accounts| pay(accounts, 1, 2))
        .thread("bank", |accounts| {
            accounts.map.update(&2, |amount| amount + 100);
        })
        .finally("accounts", |accounts| (accounts.map.get(&1), accounts.map.get(&2)))
        .acceptable("accounts=(Some(6), Some(104))", "both are done")
        .check();
}

/// The account is removed before the transfer or after it.
#[test]
fn transfer_beside_a_removal_is_atomic() {
    Model::new(|| accounts(ACCOUNTS))
        .thread("payer", |accounts| pay(accounts, 1, 2))
        .thread("closer", |accounts| accounts.map.remove(&1))
        .finally("other", |accounts| accounts.map.get(&2))
        .acceptable("closer=Some(10) other=Some(0)", "closed first: nothing was paid")
        .acceptable("closer=Some(6) other=Some(4)", "paid first")
        .check();
}

/// All shards are emptied at one moment.
#[test]
fn clear_is_atomic() {
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

/// An entry that is inserted during `retain` is visited or missed.
#[test]
fn insert_beside_retain_is_visited_or_missed() {
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

/// A read comes before `retain` visits the shard, or after.
#[test]
fn read_beside_retain_waits_for_the_shard() {
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

/// No update comes between the predicate and the removal.
#[test]
fn update_beside_retain_is_not_lost() {
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

/// Two readers, each with a snapshot, beside a change of two keys in two shards.
#[test]
fn snapshots_of_two_readers_see_whole_pair_updates() {
    let both = |versions: &Accounts| {
        let mut entries = versions.map.snapshot();
        entries.sort_unstable();
        entries
    };
    Model::new(|| accounts([(1, 1), (2, 1)]))
        .thread("writer", |versions| {
            let before = versions.map.update_pair(&1, &2, |_, _| {
                versions.step();
                (2, 2)
            });
            before.expect("two keys, outside the map");
        })
        .thread("reader", both)
        .thread("other", both)
        .acceptable("reader=[(1, 1), (2, 1)] other=[(1, 1), (2, 1)]", "both read first")
        .acceptable("reader=[(1, 1), (2, 1)] other=[(1, 2), (2, 2)]", "written in between")
        .acceptable("reader=[(1, 2), (2, 2)] other=[(1, 1), (2, 1)]", "written in between")
        .acceptable("reader=[(1, 2), (2, 2)] other=[(1, 2), (2, 2)]", "both read last")
        .check();
}
