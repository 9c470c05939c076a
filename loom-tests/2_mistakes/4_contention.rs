//! # Why is it slower with two threads?
//!
//! Two threads increment one counter as often as they can. Four counters are right: a number in a mutex, an atomic,
//! and two of selvedge. A `Counter` has stripes, each on cache lines of its own, and a thread adds to one of them. A
//! `CounterHandle` owns a cell that no other thread writes.
//!
//! **Guess:** how many increments a second do two cores do, compared with one?
//!
//! **Output.** Measured by `cargo run --profile bench -p peers -- contention target/contention.svg`, which draws the
//! curve: million increments a second of all threads together, on an AMD EPYC with two cores, 2026-11-29.
//!
//! ![The lock and the atomic are slower with two threads, stripes and handles faster](../../docs/contention.svg)
//!
//! | threads | 1 | 2 | 4 | 8 |
//! |---|---|---|---|---|
//! | `Mutex<u64>` | 231 | 71 | 97 | 143 |
//! | `AtomicU64` | 508 | 275 | 298 | 389 |
//! | `Counter` | 595 | 1,175 | 557 | 558 |
//! | `CounterHandle` | 1,847 | 3,684 | 1,788 | 1,998 |
//!
//! In 13 runs two threads made 34 to 75 with the mutex, 152 to 291 with the atomic, 776 to 1,186 with the `Counter` and
//! 2,818 to 3,694 with handles. With 4 and 8 threads the figures differ more from run to run.
//!
//! Times are not asserted, but the number of executions is, for two threads with three increments each: in how many
//! orders the steps that conflict can take place.
//!
//! ```text
//!   total=6  acceptable         20  one lock
//!   total=6  acceptable         20  one atomic
//!   total=6  acceptable          1  two stripes
//!   main=6  acceptable          1  two handles
//! ```
//!
//! **Why.** This is **contention**. All increments of one lock or one atomic take place one after the other: three and
//! three, in 20 orders. Before a core can write a cache line, the other core has to give it up. That takes longer than
//! the increment, so the second core makes both slower. A mutex adds that its owner may be preempted, and the others
//! are blocked until it runs again. The results are right, so no table of outcomes shows contention.
//!
//! One execution means that no two steps conflict: no thread writes what another one reads or writes, until the end.
//! Each core keeps its cache line, and two cores do twice the work. With more threads than cores a thread runs alone
//! for a while, so a lock is contended less; threads of a `Counter` may share a stripe. Two things we cannot explain:
//! that the `Counter` beats the atomic on one thread, and that four handles are slower than two.
//!
//! **Fix.** Share less: a cell for each thread, added up on reading. The price is paid by the reader, who visits all
//! cells, and in memory. Where threads rarely meet, one lock is simpler and fast enough: measure first.
//!
//! **Break it yourself.** In `two_stripes` write `with_stripes(1)`: both threads add to one stripe. The first test
//! fails with *the lesson shows "…two stripes", which is not there*, the last one with a report of *20 executions*.

use selvedge::Counter;
use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};
use selvedge_model::sync::{Mutex, thread};
use selvedge_model::{Model, Report};

use crate::shown::assert_shown;

/// Two threads with three increments each.
fn explore<S: Send + Sync + 'static>(
    what: &str,
    new: fn() -> S,
    increment: fn(&S),
    total: fn(&S) -> u64,
) -> Report {
    Model::new(new)
        .thread("alice", move |count| (0..3).for_each(|_| increment(count)))
        .thread("bob", move |count| (0..3).for_each(|_| increment(count)))
        .finally("total", total)
        .acceptable("total=6", what)
        .check()
}

fn one_lock() -> Report {
    let increment = |count: &Mutex<u64>| *count.lock().unwrap() += 1;
    explore("one lock", || Mutex::new(0), increment, |count| *count.lock().unwrap())
}

fn one_atomic() -> Report {
    let increment = |count: &AtomicU64| _ = count.fetch_add(1, Relaxed);
    explore("one atomic", || AtomicU64::new(0), increment, |count| count.load(Relaxed))
}

fn two_stripes() -> Report {
    let new = || Counter::with_stripes(2).expect("2 stripes are accepted");
    explore("two stripes", new, Counter::increment, Counter::get)
}

fn two_handles() -> Report {
    let count_with_handles = |&(): &()| {
        let count = Counter::new();
        let mut handles = [count.handle(), count.handle()];
        thread::scope(|scope| {
            for mine in &mut handles {
                scope.spawn(|| (0..3).for_each(|_| mine.increment()));
            }
        });
        count.get()
    };
    Model::new(|| ()).thread("main", count_with_handles).acceptable("main=6", "two handles").check()
}

#[test]
fn all_four_count_every_increment() {
    let reports = [one_lock(), one_atomic(), two_stripes(), two_handles()];
    let text: String = reports.iter().map(ToString::to_string).collect();
    assert_shown(include_str!("4_contention.rs"), &text);
}

#[test]
fn increments_of_one_lock_or_atomic_have_twenty_orders() {
    for report in [one_lock(), one_atomic()] {
        assert!(!cfg!(loom) || report.executions() == 20, "{report}");
    }
}

#[test]
fn increments_of_stripes_and_handles_have_one_order() {
    for report in [two_stripes(), two_handles()] {
        assert!(!cfg!(loom) || report.executions() == 1, "{report}");
    }
}
