//! # Can an increment be lost?
//!
//! **Answer.** With [`Counter`], no: `get` counts each add once, until exactly one `take` returns it.
//! With an increment that is a load and a store, yes, and one preemption is enough.
//!
//! **Why the racy twins fail.** [`LossyCounter`] reads, adds and writes back: two threads that both
//! read 0 both write 1. [`UnsyncCounter`] does the same in plain memory, which is not merely wrong
//! but a data race: undefined behaviour. [`SwapTakeCounter`] sets cells back to 0 that a handle
//! owns; the handle's next store brings back what was taken, and it is counted twice.
//! [`count_without_waiting`] counts right and reads too early.
//!
//! **Why the sound ones hold.** An add by [`Counter::add`] is one read-modify-write. A
//! [`CounterHandle`](selvedge::CounterHandle) is the only writer of its cell, so its store can
//! overwrite nobody's. No cell is ever set back: `take` remembers the sum instead, and the next
//! one subtracts it.
//!
//! **Bounds and what is not modelled.** No bound: every model here is explored completely, for two
//! or three threads and the operations shown. Counts near 2^64 are a matter of arithmetic, not of
//! interleaving, and are tested in `tests/counter.rs`.

use selvedge::{Counter, CounterHandle};
use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};
use selvedge_model::sync::{Arc, Mutex, PoisonError, thread};
use selvedge_model::{Failure, Model, Report};
use specimens::racy::{LossyCounter, SwapTakeCounter, UnsyncCounter, count_without_waiting};

// ---------------------------------------------------------------------------------------------
// Racy: what goes wrong.
// ---------------------------------------------------------------------------------------------

/// Both read 0, both write 1: the shared counter that prints less than the total.
#[test]
fn a_split_increment_loses_an_update() {
    Model::new(LossyCounter::new)
        .thread("alice", LossyCounter::increment)
        .thread("bob", LossyCounter::increment)
        .finally("total", LossyCounter::get)
        .acceptable("total=2", "the increments did not overlap")
        .interesting("total=1", "both read 0: one update is lost")
        .check();
}

/// With three threads all but one update can be lost: the first and the last write the same 1.
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

/// What loses an update in one step loses more in two: bob's store undoes both of alice's.
#[test]
fn a_late_store_undoes_everything_in_between() {
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

/// Plain memory instead of an atomic: the compiler and the processor may do as they like.
#[test]
fn an_unsynchronised_increment_is_a_data_race() {
    Model::new(UnsyncCounter::new)
        .thread("alice", UnsyncCounter::increment)
        .thread("bob", UnsyncCounter::increment)
        .fails(Failure::DataRace)
        .check();
}

/// "Reads are safe" is not true of plain memory: one writer and one reader are enough.
#[test]
fn an_unsynchronised_read_is_a_data_race_too() {
    Model::new(UnsyncCounter::new)
        .thread("writer", UnsyncCounter::increment)
        .thread("reader", |count| {
            count.get();
        })
        .fails(Failure::DataRace)
        .check();
}

/// The owner's second store brings back the 1 that was taken: two increments, three counted.
#[test]
fn a_take_that_resets_an_owned_cell_counts_twice() {
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

/// The tutorial's program: the counter is sound, and what it prints is not the total.
#[test]
fn a_count_that_waits_for_nobody_is_too_small() {
    Model::new(|| ())
        .thread("main", |()| count_without_waiting(2, 1))
        .interesting("main=0", "printed before either thread had run")
        .interesting("main=1", "printed between the two")
        .acceptable("main=2", "both happened to be done")
        .check();
}

// ---------------------------------------------------------------------------------------------
// Sound: the same questions, and no surprising outcome is left.
// ---------------------------------------------------------------------------------------------

/// The cure for the tutorial's program is to wait: what `join` has seen end has been counted.
#[test]
fn a_count_after_joining_is_the_total() {
    Model::new(|| ())
        .thread("main", |()| {
            let count = Arc::new(AtomicU64::new(0));
            let threads = [(); 2].map(|()| {
                let count = Arc::clone(&count);
                thread::spawn(move || count.fetch_add(1, Relaxed))
            });
            for thread in threads {
                thread.join().expect("an increment does not panic");
            }
            count.load(Relaxed)
        })
        .acceptable("main=2", "both were waited for")
        .check();
}

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
fn more_threads_than_stripes_lose_nothing() {
    Model::new(|| Counter::with_stripes(2).expect("2 stripes are accepted"))
        .thread("alice", |count| count.add(1))
        .thread("bob", |count| count.add(10))
        .thread("carol", |count| count.add(100))
        .finally("total", Counter::get)
        .acceptable("total=111", "every add is counted")
        .check();
}

/// A read in the middle counts what came before it, and a later read never less.
#[test]
fn a_read_while_writers_run_counts_each_add_once() {
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

/// The limit that `Counter::get` states: bob adds because he has seen alice's add, and a reader
/// that sums cell by cell sees the effect (10) without the cause (1).
#[test]
fn a_sum_can_show_an_effect_without_its_cause() {
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

/// Taken or still there, never both and never neither.
#[test]
fn a_take_neither_loses_nor_doubles_an_add() {
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

/// The same with an owned cell, which the take must not set back.
#[test]
fn a_take_leaves_an_owned_cell_alone() {
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

/// Two takes share out the adds between them.
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

/// A read beside a take: what was taken is not counted again, nor subtracted before it was counted.
#[test]
fn a_read_beside_a_take_counts_what_is_left() {
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

/// A handle is dropped while somebody reads: what it added stays counted.
#[test]
fn dropping_a_handle_while_others_read_loses_nothing() {
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

/// A cell passes from a thread that has ended to the next: the new owner goes on from the old
/// one's count. The reader may come at any time.
#[test]
fn a_cell_that_is_used_again_keeps_what_it_holds() {
    Model::new(one_stripe)
        .thread("alice", |count| count.handle().increment())
        .thread("bob", |count| count.handle().increment())
        .finally("total", Counter::get)
        .acceptable("total=2", "with one cell or with two, both are counted")
        .check();
}

/// The same when the thread that gave the cell back has really ended.
#[test]
fn a_thread_that_has_ended_leaves_its_count_behind() {
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

/// A handle may outlive its counter: it owns all it needs.
#[test]
fn a_handle_may_outlive_its_counter() {
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
