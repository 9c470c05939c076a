//! Programs whose number of executions is known.

#![allow(
    clippy::cast_possible_truncation,
    clippy::needless_for_each,
    reason = "small numbers; a line each"
)]

use std::rc::Rc;
use std::sync::atomic::Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst};

use selvedge_model::kernel::Rmw;

use crate::support::{Atomic, Thing, explore, fails_spuriously, spawn, threads};

#[test]
fn increments_are_permuted() {
    for (n, executions) in [(1, 1), (2, 2), (3, 6), (4, 24), (5, 120)] {
        let found = explore(move || {
            let x = Atomic::new(0);
            threads(n, move |_| x.fetch_add(1, Relaxed))
        });
        assert_eq!(found.complete(), executions);
    }
}

#[test]
fn each_reader_reads_the_old_or_the_new() {
    for n in 1..=6 {
        let found = explore(move || {
            let x = Atomic::new(0);
            threads(n + 1, move |thread| {
                if thread == 0 {
                    x.store(1, Relaxed);
                } else {
                    x.load(Relaxed);
                }
            })
        });
        assert_eq!(found.complete(), 1 << n);
    }
}

/// Each finds 0, as long as it likes; then 1, and fails without a cause until it succeeds or gives up.
#[test]
fn weak_exchanges_fail_without_a_cause_only_where_they_could_succeed() {
    for n in 1..=8 {
        let found = explore(move || {
            let x = Atomic::new(0);
            threads(2, move |thread| {
                if thread == 0 {
                    x.store(1, Relaxed);
                } else {
                    let exchange = Rmw::CompareExchangeWeak { current: 1, new: 2 };
                    let succeeds =
                        || x.update(exchange, Relaxed, Relaxed) == 1 && !fails_spuriously();
                    (0..n).any(|_| succeeds());
                }
            })
        });
        assert_eq!(found.complete(), (n + 1) * (n + 2) / 2);
    }
}

fn store_buffering(order: Ordering) -> u64 {
    explore(move || {
        let (x, y) = (Atomic::new(0), Atomic::new(0));
        threads(2, move |thread| {
            let (mine, other) = if thread == 0 { (x, y) } else { (y, x) };
            mine.store(1, order);
            other.load(order)
        })
    })
    .complete()
}

#[test]
fn store_buffering_is_excluded_by_seq_cst() {
    assert_eq!(store_buffering(Relaxed), 4);
    assert_eq!(store_buffering(SeqCst), 3);
}

#[test]
fn load_buffering_is_not_explored() {
    let found = explore(|| {
        let (x, y) = (Atomic::new(0), Atomic::new(0));
        threads(2, move |thread| {
            let (mine, other) = if thread == 0 { (x, y) } else { (y, x) };
            let seen = mine.load(Relaxed);
            other.store(1, Relaxed);
            seen
        })
    });
    assert_eq!(found.complete(), 3);
    assert!(!found.results.contains(&vec![1, 1]));
}

#[test]
fn message_passing() {
    for (store, load, executions) in [(Relaxed, Relaxed, 4), (Release, Acquire, 3)] {
        let found = explore(move || {
            let (x, y) = (Atomic::new(0), Atomic::new(0));
            threads(2, move |thread| {
                if thread == 0 {
                    x.store(1, Relaxed);
                    y.store(1, store);
                    (0, 0)
                } else {
                    (y.load(load), x.load(Relaxed))
                }
            })
        });
        assert_eq!(found.complete(), executions);
    }
}

#[test]
fn independent_reads_of_independent_writes() {
    for (order, executions) in [(Relaxed, 16), (SeqCst, 15)] {
        let found = explore(move || {
            let (x, y) = (Atomic::new(0), Atomic::new(0));
            threads(4, move |thread| match thread {
                0 => (x.store(1, order), 0).1,
                1 => (y.store(1, order), 0).1,
                2 => 2 * x.load(order) + y.load(order),
                _ => 2 * y.load(order) + x.load(order),
            })
        });
        assert_eq!(found.complete(), executions);
    }
}

#[test]
fn coherence_of_two_reads() {
    let found = explore(|| {
        let x = Atomic::new(0);
        threads(2, move |thread| {
            if thread == 0 {
                x.store(1, Relaxed);
                x.store(2, Relaxed);
                (0, 0)
            } else {
                (x.load(Relaxed), x.load(Relaxed))
            }
        })
    });
    assert_eq!(found.complete(), 6);
}

#[test]
fn two_plus_two_writes() {
    let found = explore(|| {
        let (x, y) = (Atomic::new(0), Atomic::new(0));
        threads(2, move |thread| {
            let (first, second) = if thread == 0 { (x, y) } else { (y, x) };
            first.store(1, Relaxed);
            second.store(2, Relaxed);
        })
    });
    assert_eq!(found.complete(), 4);
}

#[test]
fn threads_that_load_and_store_one_atomic() {
    for (n, executions) in [(2, 4), (3, 36), (4, 576)] {
        let found = explore(move || {
            let x = Atomic::new(0);
            threads(n, move |thread| {
                x.load(Relaxed);
                x.store(thread + 1, Relaxed);
            })
        });
        assert_eq!(found.complete(), executions);
    }
}

#[test]
fn threads_that_store_their_own_and_load_the_next() {
    for (order, executions) in [(Relaxed, 16), (SeqCst, 15)] {
        let found = explore(move || {
            let x: Rc<Vec<Atomic>> = Rc::new((0..4).map(|_| Atomic::new(0)).collect());
            threads(4, move |thread| {
                x[thread as usize].store(1, order);
                x[(thread as usize + 1) % 4].load(order)
            })
        });
        assert_eq!(found.complete(), executions);
    }
}

#[test]
fn threads_that_add_and_load() {
    for order in [Relaxed, AcqRel, SeqCst] {
        let load = if order == AcqRel { Acquire } else { order };
        let found = explore(move || {
            let x = Atomic::new(0);
            threads(4, move |_| {
                x.fetch_add(1, order);
                x.load(load)
            })
        });
        assert_eq!(found.complete(), 576, "{order:?}");
    }
}

#[test]
fn several_increments_in_each_thread() {
    for (n, each, executions) in [(2, 2, 6), (3, 2, 90), (4, 2, 2520), (2, 4, 70), (3, 3, 1680)] {
        let found = explore(move || {
            let x = Atomic::new(0);
            threads(n, move |_| {
                (0..each).for_each(|_| {
                    x.fetch_add(1, Relaxed);
                });
            })
        });
        assert_eq!(found.complete(), executions);
    }
}

#[test]
fn critical_sections_are_permuted() {
    for (n, each, executions) in [(2, 1, 2), (2, 2, 6), (3, 2, 90), (4, 2, 2520)] {
        let found = explore(move || {
            let mutex = Thing::mutex();
            threads(n, move |_| {
                for _ in 0..each {
                    mutex.lock();
                    mutex.unlock();
                }
            })
        });
        assert_eq!((found.complete(), found.report.deadlocks), (executions, 0));
    }
}

/// The child may run before its parent's next step.
#[test]
fn a_spawn_is_a_step() {
    let found = explore(|| {
        let x = Atomic::new(0);
        spawn(move || {
            let child = spawn(move || x.swap(1, AcqRel));
            (x.swap(2, AcqRel), child.join())
        })
        .join()
    });
    assert_eq!(found.complete(), 2);
    assert_eq!(found.results.into_iter().collect::<Vec<_>>(), [(0, 2), (1, 0)]);
}
