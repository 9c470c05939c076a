//! # `Counter`: no increment is lost
//!
//! Proved of [`Counter`] and [`CounterHandle`](selvedge::CounterHandle): each add is counted once, a later `get` is
//! never smaller, `take` returns each add to exactly one caller, and a handle keeps its count when it is dropped,
//! reused or outlives the counter. Not promised, and shown: a `get` beside two writers may count an effect without
//! its cause.
//!
//! **Racy variants.** [`LossyCounter`]: lost update, because an increment is a load and a store. [`UnsyncCounter`]:
//! data race, the same in plain memory. [`SwapTakeCounter`]: double count, because `take` resets a cell that a
//! handle owns.
//!
//! **Why it holds.** [`Counter::add`] is one read-modify-write. A handle is the only writer of its cell. No cell is
//! ever reset: `take` remembers the sum, and the next `take` subtracts it.
//!
//! **Scope.** Explored completely, for two or three threads with one or two operations each. Counts near 2^64 are
//! tested in `tests/counter.rs`.

use selvedge::{Counter, CounterHandle};
use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};
use selvedge_model::sync::{Arc, Mutex, PoisonError, thread};
use selvedge_model::{Failure, Model, Report};
use specimens::racy::{LossyCounter, SwapTakeCounter, UnsyncCounter};

// ---------------------------------------------------------------------------------------------
// Racy variants.
// ---------------------------------------------------------------------------------------------

/// Lost update: both read 0, both write 1.
#[test]
fn split_increment_loses_an_update() {
    Model::new(LossyCounter::new)
        .thread("alice", LossyCounter::increment)
        .thread("bob", LossyCounter::increment)
        .finally("total", LossyCounter::get)
        .acceptable("total=2", "the increments did not overlap")
        .interesting("total=1", "both read 0: one update is lost")
        .check();
}

/// With three threads all updates but one can be lost.
#[test]
fn three_split_increments_can_lose_two_updates() {
    Model::new(LossyCounter::new)
        .thread("alice", LossyCounter::increment)
        .thread("bob", LossyCounter::increment)
        .thread("carol", LossyCounter::increment)
        .finally("total", LossyCounter::get)
        .acceptable("total=3", "no two increments overlapped")
        .interesting("total=2", "one update is lost")
        .interesting("total=1", "all three read 0: two updates are lost")
        .check();
}

/// Bob's store overwrites both updates of alice.
#[test]
fn late_store_overwrites_all_updates_since_its_load() {
    Model::new(LossyCounter::new)
        .thread("alice", |count| {
            count.increment();
            count.increment();
        })
        .thread("bob", LossyCounter::increment)
        .finally("total", LossyCounter::get)
        .acceptable("total=3", "no two increments overlapped")
        .interesting("total=2", "one update is lost")
        .interesting("total=1", "bob read 0, and wrote 1 over alice's 2")
        .check();
}

/// Plain memory instead of an atomic.
#[test]
fn unsynchronised_increments_are_a_data_race() {
    Model::new(UnsyncCounter::new)
        .thread("alice", UnsyncCounter::increment)
        .thread("bob", UnsyncCounter::increment)
        .fails(Failure::DataRace)
        .check();
}

/// One writer and one reader of plain memory.
#[test]
fn unsynchronised_read_beside_a_write_is_a_data_race() {
    Model::new(UnsyncCounter::new)
        .thread("writer", UnsyncCounter::increment)
        .thread("reader", |count| {
            count.get();
        })
        .fails(Failure::DataRace)
        .check();
}

/// The owner's second store restores the 1 that was taken: two increments are counted as three.
#[test]
fn take_that_resets_an_owned_cell_counts_twice() {
    Model::new(SwapTakeCounter::new)
        .thread("owner", |count| {
            let mut mine = count.handle();
            mine.increment();
            mine.increment();
        })
        .thread("reader", SwapTakeCounter::take)
        .finally("rest", SwapTakeCounter::get)
        .acceptable("reader=0 rest=2", "the take came first")
        .acceptable("reader=2 rest=0", "the take came last")
        .interesting("reader=1 rest=2", "1 was taken, and then brought back: 3 in all")
        .check();
}

// ---------------------------------------------------------------------------------------------
// Sound.
// ---------------------------------------------------------------------------------------------

/// `threads` threads with `increments` increments each, all on one stripe: the worst case.
fn increments_on_one_stripe(threads: usize, increments: usize) -> Report {
    let mut model = Model::new(one_stripe);
    for name in ["alice", "bob", "carol"].into_iter().take(threads) {
        model = model.thread(name, move |count: &Counter| {
            for _ in 0..increments {
                count.increment();
            }
        });
    }
    model
        .finally("total", Counter::get)
        .acceptable(&format!("total={}", threads * increments), "every increment is counted")
        .check()
}

fn one_stripe() -> Counter {
    Counter::with_stripes(1).expect("1 stripe is accepted")
}

#[test]
fn two_threads_lose_no_increment() {
    increments_on_one_stripe(2, 1);
}

#[test]
fn two_threads_lose_no_increment_of_two_each() {
    increments_on_one_stripe(2, 2);
}

#[test]
fn three_threads_lose_no_increment() {
    increments_on_one_stripe(3, 1);
}

#[test]
fn three_threads_lose_no_increment_of_two_each() {
    increments_on_one_stripe(3, 2);
}

/// Three threads on two stripes: two of them share one.
#[test]
fn shared_stripe_keeps_every_add() {
    Model::new(|| Counter::with_stripes(2).expect("2 stripes are accepted"))
        .thread("alice", |count| count.add(1))
        .thread("bob", |count| count.add(10))
        .thread("carol", |count| count.add(100))
        .finally("total", Counter::get)
        .acceptable("total=111", "every add is counted")
        .check();
}

/// A later read is never smaller.
#[test]
fn get_beside_a_writer_counts_each_add_once() {
    Model::new(one_stripe)
        .thread("writer", |count| {
            count.increment();
            count.increment();
        })
        .thread("reader", |count| (count.get(), count.get()))
        .acceptable("reader=(0, 0)", "both reads came first")
        .acceptable("reader=(0, 1)", "one increment between the reads")
        .acceptable("reader=(0, 2)", "both increments between the reads")
        .acceptable("reader=(1, 1)", "both reads between the increments")
        .acceptable("reader=(1, 2)", "one increment before each read")
        .acceptable("reader=(2, 2)", "both reads came last")
        .forbidden("reader=(1, 0)", "a count must not go backwards")
        .forbidden("reader=(2, 1)", "a count must not go backwards")
        .check();
}

/// The documented limit of `Counter::get`: bob adds after he has seen alice's add, and a reader that sums cell by
/// cell sees the effect (10) without the cause (1).
#[test]
fn get_may_show_an_effect_without_its_cause() {
    struct Shared {
        count: Counter,
        told: AtomicU64,
    }
    let report = Model::new(|| Shared {
        count: Counter::with_stripes(2).expect("2 stripes are accepted"),
        told: AtomicU64::new(0),
    })
    // In this order alice has the stripe that is read first: a thread's stripe follows from its number.
    .thread("bob", |shared| {
        if shared.told.fetch_add(0, Relaxed) == 1 {
            shared.count.add(10);
        }
    })
    .thread("alice", |shared| {
        shared.count.add(1);
        shared.told.fetch_add(1, Relaxed);
    })
    .thread("reader", |shared| shared.count.get())
    .acceptable("reader=0", "read first")
    .acceptable("reader=1", "read between the two adds")
    .acceptable("reader=11", "read last")
    .interesting("reader=10", "alice's cell was read before she added, bob's after")
    .check();
    if cfg!(loom) {
        let row = report.outcomes.iter().find(|row| row.text == "reader=10");
        let witness = row.and_then(|row| row.witness.as_ref());
        assert!(
            witness.is_some_and(|witness| witness.sequential),
            "an interleaving shows it: {report}"
        );
    }
}

/// Each add is taken or left, and not both.
#[test]
fn take_returns_each_add_once() {
    Model::new(one_stripe)
        .thread("writer", |count| {
            count.add(1);
            count.add(2);
        })
        .thread("reader", Counter::take)
        .finally("rest", Counter::get)
        .acceptable("reader=0 rest=3", "the take came first")
        .acceptable("reader=1 rest=2", "the take came between")
        .acceptable("reader=3 rest=0", "the take came last")
        .check();
}

/// The same with a cell that a handle owns.
#[test]
fn take_does_not_reset_an_owned_cell() {
    Model::new(one_stripe)
        .thread("owner", |count| {
            let mut mine = count.handle();
            mine.increment();
            mine.increment();
        })
        .thread("reader", Counter::take)
        .finally("rest", Counter::get)
        .acceptable("reader=0 rest=2", "the take came first")
        .acceptable("reader=1 rest=1", "the take came between")
        .acceptable("reader=2 rest=0", "the take came last")
        .check();
}

/// Each add is returned by one of two takes.
#[test]
fn two_takes_return_each_add_once() {
    Model::new(one_stripe)
        .thread("writer", Counter::increment)
        .thread("first", Counter::take)
        .thread("second", Counter::take)
        .finally("rest", Counter::get)
        .acceptable("first=1 second=0 rest=0", "the first one has it")
        .acceptable("first=0 second=1 rest=0", "the second one has it")
        .acceptable("first=0 second=0 rest=1", "both came too early")
        .check();
}

/// What was taken is not counted again, nor subtracted before it was counted.
#[test]
fn get_beside_a_take_counts_the_rest() {
    Model::new(one_stripe)
        .thread("owner", |count| {
            count.increment();
            let taken = count.take();
            count.increment();
            taken
        })
        .thread("reader", Counter::get)
        .acceptable("owner=1 reader=0", "read before the increments, or right after the take")
        .acceptable("owner=1 reader=1", "one increment was there, and not taken")
        .forbidden("owner=1 reader=2", "what was taken must not be counted again")
        .check();
}

/// Each handle is the only writer of its cell, so a load and a store keep every increment.
#[test]
fn two_handles_keep_every_increment() {
    Model::new(one_stripe)
        .thread("alice", |count| {
            let mut mine = count.handle();
            mine.increment();
            mine.increment();
        })
        .thread("bob", |count| {
            let mut mine = count.handle();
            mine.increment();
            mine.increment();
        })
        .finally("total", Counter::get)
        .acceptable("total=4", "no increment is lost")
        .check();
}

/// A handle is dropped while another thread reads.
#[test]
fn dropped_handle_keeps_its_count() {
    Model::new(|| {
        let count = one_stripe();
        let handle = Mutex::new(Some(count.handle()));
        (count, handle)
    })
    .thread("owner", |(_, handle)| {
        if let Some(mut mine) = handed_over(handle) {
            mine.increment();
        }
    })
    .thread("reader", |(count, _)| count.get())
    .finally("total", |(count, _)| count.get())
    .acceptable("reader=0 total=1", "read before the increment")
    .acceptable("reader=1 total=1", "read after the increment")
    .check();
}

fn handed_over(handle: &Mutex<Option<CounterHandle>>) -> Option<CounterHandle> {
    handle.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// A cell that is returned and handed out again keeps its count.
#[test]
fn reused_cell_keeps_its_count() {
    Model::new(one_stripe)
        .thread("alice", |count| count.handle().increment())
        .thread("bob", |count| count.handle().increment())
        .finally("total", Counter::get)
        .acceptable("total=2", "with one cell or with two, both are counted")
        .check();
}

/// The same, when the first owner's thread has been joined.
#[test]
fn ended_thread_keeps_its_count() {
    Model::new(|| Arc::new(one_stripe()))
        .thread("main", |count| {
            for _ in 0..2 {
                let count = Arc::clone(count);
                let worker = thread::spawn(move || count.handle().increment());
                worker.join().expect("an increment does not panic");
            }
            count.get()
        })
        .thread("reader", |count| count.get())
        .acceptable("main=2 reader=0", "read first")
        .acceptable("main=2 reader=1", "read between the two")
        .acceptable("main=2 reader=2", "read last")
        .check();
}

/// A handle keeps its cell alive.
#[test]
fn handle_outlives_its_counter() {
    Model::new(|| Mutex::new(Some(one_stripe())))
        .thread("owner", |slot| {
            let mine = {
                let slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
                slot.as_ref().map(Counter::handle)
            };
            if let Some(mut mine) = mine {
                mine.increment();
            }
        })
        .thread("dropper", |slot| {
            drop(slot.lock().unwrap_or_else(PoisonError::into_inner).take());
        })
        .acceptable("()", "nothing is used after it is freed, nothing leaks")
        .check();
}
