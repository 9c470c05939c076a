//! # What does the checker not see?
//!
//! **Answer.** What is listed here, as far as is known. The limits are those of loom 0.7.3, which the
//! lock file has: each has a test with the exact table that is explored today, and turns red when the
//! limit moves.
//!
//! It never reaches what may happen, an outcome *missed*:
//!
//! | limit | what to do instead | test |
//! |---|---|---|
//! | load buffering | release stores and acquire loads: they rule it out | `load_buffering_is_never_explored` |
//! | a `SeqCst` load does not read past a newer `SeqCst` store | let it acquire in a model: what holds then holds with `SeqCst` | `a_seq_cst_load_skips_old_seq_cst_stores` |
//! | of an atomic the seven newest values are kept | fewer stores in a model | `a_value_with_seven_newer_ones_is_forgotten` |
//! | a `compare_exchange` that fails reads the newest value | `compare_exchange_weak`, or a load | `a_failing_compare_exchange_reads_nothing_old` |
//! | updates never read anything but the newest value, nor overtake one another; of a model without plain loads and stores the weak-memory pass is left out | read by `load`; `SeqCst`, or a release and an acquire, where the order matters | `updates_are_never_reordered` |
//! | `notify_one` wakes who has waited longest | `notify_all`, or do not depend on who | `notify_one_wakes_who_has_waited_longest` |
//! | `is_poisoned` is no step | ask in `finally` | `is_poisoned_is_asked_at_one_moment` |
//! | of a loop that spins or yields, what it does after eight idle turns; the result is bounded | wait in `hint::wait_until`, or give up sooner in a model | `a_loop_that_gives_up_late_never_gives_up` |
//! | `.preemptions(n)` is a sample | no bound, and a smaller model | `bounded_preemptions_are_a_sample` |
//! | as many steps fail for no reason as `.spurious(n)` says, 1 by default | a greater n; `Report::bound` says whether it takes one | `spurious_failures_are_bounded` |
//!
//! More about read-write locks, waits and stacks: [`limits_of_locks.rs`](limits_of_locks.rs). It calls a
//! race none: [`missed_races.rs`](missed_races.rs). It calls a correct program wrong:
//! [`false_alarms.rs`](false_alarms.rs).
//!
//! And refused, not missed: a sixth thread (`a_sixth_thread_is_refused`).
//!
//! What C++20 forbids it hardly ever reaches: `model/tests/oracle` counts such false alarms over random
//! programs. A race or a deadlock that takes impossible values to get to is reported all the same.
//!
//! **Why plain loom sees less.** Its partial-order reduction forgets dependencies, it has no failures
//! without a reason and no limits of time. These are lifted, each with a test:
//!
//! | in loom 0.7.3 | here | test |
//! |---|---|---|
//! | skips interleavings, even of `SeqCst` operations | two passes, and the first is exact | `plain_loom_skips_an_interleaving` here, `model/tests/oracle` |
//! | `compare_exchange_weak` never fails spuriously | a branch | `a_weak_compare_exchange_may_fail_for_no_reason` in `model/tests/waiting.rs` |
//! | `Condvar::wait` and `park` never return spuriously | a branch | `a_wait_may_end_for_no_reason`, `park_may_return_for_no_reason` there |
//! | `wait_timeout` never times out | either is explored | `a_wait_with_a_time_limit_ends_either_way` there |
//! | `SeqCst` loads and stores count as `AcqRel` | what no one order explains is void | `seq_cst_accesses_have_one_order` here, the page [`litmus.rs`](litmus.rs) |
//! | what a panic has poisoned is never locked again; while one thread unwinds, all are `panicking()` | each lock and thread knows | `a_poisoned_lock_can_be_taken_again`, `a_thread_that_does_not_panic_poisons_nothing` in `model/tests/in_model.rs` |
//! | three threads cannot spin on one lock | `hint::wait_until` | the page [`spin_lock.rs`](spin_lock.rs) |
//!
//! **Why the rest holds.** Of the shapes in [`litmus.rs`](litmus.rs), which are the classic ones, the
//! checker is right about all but the one that stands here; `model/tests/oracle` asks the same of
//! random programs.
//!
//! **Bounds and what is not modelled.** Explored completely, but for the two tests that are about
//! bounds and one that rules out wake-ups for no reason (`.spurious(0)`), and say so. On real threads
//! an outcome that is missed may be seen; a data race is not run there.

use selvedge_model::Model;
use selvedge_model::sync::atomic::{
    AtomicU64,
    Ordering::{Relaxed, SeqCst},
};
use selvedge_model::sync::{Condvar, Mutex, MutexGuard, PoisonError, hint};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The rows that the page is about.
trait Limit {
    /// Not reached here, and allowed by C++20 and by `std`.
    fn missed(self, outcome: &str, reason: &str) -> Self;
}

impl<S: Send + Sync + 'static> Limit for Model<S> {
    fn missed(self, outcome: &str, reason: &str) -> Self {
        if cfg!(loom) {
            self.forbidden(outcome, &format!("it was missed until now: {reason}"))
        } else {
            self.interesting(outcome, reason)
        }
    }
}

/// Two atomics, both 0.
type Two = (AtomicU64, AtomicU64);

fn two() -> Model<Two> {
    Model::new(Two::default)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Panics on purpose while `hold` runs, and catches it.
fn panics(hold: impl FnOnce()) {
    let caught = catch_unwind(AssertUnwindSafe(hold));
    assert!(caught.is_err(), "it panics on purpose");
}

/// What the page says is said of one version.
#[test]
fn the_limits_are_those_of_loom_0_7_3() {
    let lock = include_str!("../../Cargo.lock");
    let looms: Vec<&str> = lock
        .split("[[package]]")
        .filter_map(|package| package.trim_start().strip_prefix("name = \"loom\"\nversion = "))
        .filter_map(|rest| rest.lines().next())
        .collect();
    assert_eq!(looms, ["\"0.7.3\""], "with another loom, go through this page again");
}

// ---------------------------------------------------------------------------------------------
// Lifted.
// ---------------------------------------------------------------------------------------------

/// loom alone reaches `(0, 0)`, and two readers that disagree.
#[test]
fn seq_cst_accesses_have_one_order() {
    two()
        .thread("left", |(x, y)| {
            x.store(1, SeqCst);
            y.load(SeqCst)
        })
        .thread("right", |(x, y)| {
            y.store(1, SeqCst);
            x.load(SeqCst)
        })
        .acceptable("left=0 right=1", "left came first")
        .acceptable("left=1 right=0", "right came first")
        .acceptable("left=1 right=1", "both wrote before either read")
        .forbidden("left=0 right=0", "in the one order one of the writes comes first")
        .check();
    two()
        .thread("writes_x", |(x, _)| x.store(1, SeqCst))
        .thread("writes_y", |(_, y)| y.store(1, SeqCst))
        .thread("x", |(x, y)| x.load(SeqCst) == 1 && y.load(SeqCst) == 0)
        .thread("y", |(x, y)| y.load(SeqCst) == 1 && x.load(SeqCst) == 0)
        .acceptable("x=false y=false", "neither can tell")
        .acceptable("x=true y=false", "x was written first")
        .acceptable("x=false y=true", "y was written first")
        .forbidden("x=true y=true", "all agree on the one order")
        .check();
}

// ---------------------------------------------------------------------------------------------
// Outcomes missed.
// ---------------------------------------------------------------------------------------------

/// A store cannot be read before it is carried out, and loom carries out in order.
#[test]
fn load_buffering_is_never_explored() {
    two()
        .thread("left", |(x, y)| {
            let read = x.load(Relaxed);
            y.store(1, Relaxed);
            read
        })
        .thread("right", |(x, y)| {
            let read = y.load(Relaxed);
            x.store(1, Relaxed);
            read
        })
        .acceptable("left=0 right=0", "both read first")
        .acceptable("left=0 right=1", "left came first")
        .acceptable("left=1 right=0", "right came first")
        .missed("left=1 right=1", "each store was carried out before the load before it")
        .check();
}

/// Not quite `AcqRel`, then: of `SeqCst` stores a `SeqCst` load reads none that has a newer one (but
/// the first value, which is no store, it may read). Yet in the one order of `SeqCst` the load may
/// come between the stores: what was read before it was relaxed, and orders nothing.
#[test]
fn a_seq_cst_load_skips_old_seq_cst_stores() {
    let model = |load| {
        two()
            .thread("writer", |(x, flag)| {
                x.store(1, SeqCst);
                x.store(2, SeqCst);
                flag.store(1, Relaxed);
            })
            .thread("reader", move |(x, flag)| (flag.load(Relaxed), x.load(load)))
            .acceptable("reader=(0, 0)", "it read first")
            .acceptable("reader=(0, 1)", "it read between")
            .acceptable("reader=(0, 2)", "it looked at the flag too early")
            .acceptable("reader=(1, 2)", "it read last")
            .interesting("reader=(1, 0)", "the flag overtook both stores")
    };
    model(SeqCst).missed("reader=(1, 1)", "the flag overtook the second store").check();
    model(Relaxed).interesting("reader=(1, 1)", "the flag overtook the second store").check();
}

/// A store pushes the oldest of seven values out.
#[test]
fn a_value_with_seven_newer_ones_is_forgotten() {
    let model = |stores: u64| {
        let mut model = two()
            .thread("writer", move |(x, flag)| {
                for value in 1..=stores {
                    x.store(value, Relaxed);
                }
                flag.store(1, Relaxed);
            })
            .thread("reader", |(x, flag)| (flag.load(Relaxed) == 1).then(|| x.load(Relaxed)))
            .acceptable("reader=None", "the flag was not yet there")
            .acceptable(&format!("reader=Some({stores})"), "the newest value");
        for old in 1..stores {
            let outcome = format!("reader=Some({old})");
            model = model.interesting(&outcome, "the flag overtook newer values");
        }
        model
    };
    model(6).interesting("reader=Some(0)", "the flag overtook all six stores").check();
    model(7).missed("reader=Some(0)", "the flag overtook all seven stores").check();
}

/// To fail it needs no more than a load, and a load may be of an old value.
#[test]
fn a_failing_compare_exchange_reads_nothing_old() {
    let writer = |(data, flag): &Two| {
        data.store(1, Relaxed);
        flag.store(1, Relaxed);
    };
    let model = |model: Model<Two>| {
        model
            .acceptable("reader=(0, Err(0))", "it read first")
            .acceptable("reader=(0, Err(1))", "it looked at the flag too early")
            .acceptable("reader=(1, Err(1))", "it read last")
    };
    let strong = two().thread("writer", writer).thread("reader", |(data, flag)| {
        (flag.load(Relaxed), data.compare_exchange(9, 9, Relaxed, Relaxed))
    });
    model(strong).missed("reader=(1, Err(0))", "the flag overtook the data").check();
    let weak = two().thread("writer", writer).thread("reader", |(data, flag)| {
        (flag.load(Relaxed), data.compare_exchange_weak(9, 9, Relaxed, Relaxed))
    });
    model(weak).interesting("reader=(1, Err(0))", "the flag overtook the data").check();
}

/// An update takes the place in the modification order in which it is executed, whatever its ordering. C++20
/// allows relaxed updates more than that, as it does stores.
#[test]
fn updates_are_never_reordered() {
    type Read = fn(&AtomicU64) -> u64;
    let (by_update, by_load): (Read, Read) = (|x| x.fetch_add(0, Relaxed), |x| x.load(Relaxed));

    let buffering = |read: Read| {
        two()
            .thread("left", move |(x, y)| {
                x.store(1, Relaxed);
                read(y)
            })
            .thread("right", move |(x, y)| {
                y.store(1, Relaxed);
                read(x)
            })
            .acceptable("left=0 right=1", "left came first")
            .acceptable("left=1 right=0", "right came first")
            .acceptable("left=1 right=1", "both wrote before either read")
    };
    buffering(by_update).missed("left=0 right=0", "each read before the other's store").check();
    buffering(by_load).interesting("left=0 right=0", "each read before the other's store").check();

    // Nothing but updates: here the weak-memory pass is left out.
    let passing = |read: Read| {
        two()
            .thread("writer", |(data, flag)| {
                data.fetch_add(1, Relaxed);
                flag.fetch_add(1, Relaxed);
            })
            .thread("reader", move |(data, flag)| (read(flag), read(data)))
            .acceptable("reader=(0, 0)", "it read first")
            .acceptable("reader=(0, 1)", "it looked at the flag too early")
            .acceptable("reader=(1, 1)", "it read last")
    };
    passing(by_update).missed("reader=(1, 0)", "the flag overtook the data").check();
    passing(by_load).interesting("reader=(1, 0)", "the flag overtook the data").check();
}

/// `std` does not say who is woken. Each says whether it was woken in the order in which it came.
#[test]
fn notify_one_wakes_who_has_waited_longest() {
    #[derive(Default)]
    struct Shared {
        /// How many have come to wait, and how many have been woken.
        counts: Mutex<(u64, u64)>,
        changed: Condvar,
        waiting: AtomicU64,
    }
    let waits = |shared: &Shared| {
        let mut counts = lock(&shared.counts);
        let arrival = counts.0;
        counts.0 += 1;
        shared.waiting.fetch_add(1, SeqCst);
        counts = shared.changed.wait(counts).unwrap_or_else(PoisonError::into_inner);
        let woken = counts.1;
        counts.1 += 1;
        drop(counts);
        shared.changed.notify_one();
        arrival == woken
    };
    Model::new(Shared::default)
        .thread("alice", waits)
        .thread("bob", waits)
        .thread("wakes", |shared| {
            hint::wait_until(|| shared.waiting.load(SeqCst) == 2);
            // Whoever counted last holds the lock until it waits.
            drop(lock(&shared.counts));
            shared.changed.notify_one();
        })
        .spurious(0)
        .rounds(100)
        .acceptable("alice=true bob=true", "in the order in which they came")
        .missed("alice=false bob=false", "the one that came last was woken first")
        .check();
}

/// The question is answered on the way to the next step, and nothing can come between the two: the
/// asker, declared first, asks before anything else happens.
#[test]
fn is_poisoned_is_asked_at_one_moment() {
    Model::new(|| (Mutex::new(()), AtomicU64::new(0)))
        .thread("asks", |(mutex, flag)| (mutex.is_poisoned(), flag.load(SeqCst)))
        .thread("poisons", |(mutex, flag)| {
            panics(|| {
                let _held = lock(mutex);
                panic!("on purpose");
            });
            flag.store(1, SeqCst);
        })
        .rounds(100)
        .acceptable("asks=(false, 0)", "it asked first")
        .acceptable("asks=(false, 1)", "it asked first, and looked last")
        .missed("asks=(true, 0)", "poisoned, and the flag not yet set")
        .missed("asks=(true, 1)", "it asked last")
        .check();
}

/// A loop that repeats its first turn up to eight times is explored as what it is. Of a longer one so many
/// turns are explored, and the result is bounded.
#[test]
fn a_loop_that_gives_up_late_never_gives_up() {
    let model = |times: u32| {
        Model::new(AtomicU64::default)
            .thread("spins", move |x| {
                for _ in 0..times {
                    if x.load(SeqCst) == 1 {
                        break;
                    }
                    hint::spin_loop();
                }
                x.swap(2, SeqCst)
            })
            .thread("writes", |x| x.store(1, SeqCst))
            .acceptable("spins=1", "it saw the 1, or came later")
    };
    model(9).interesting("spins=0", "it gave up before the store").check();
    let bounded = model(10).missed("spins=0", "it gave up before the store").check();
    if cfg!(loom) {
        let bound = bounded.bound().expect("the bound is said");
        assert!(
            bound.starts_with("8 idle turns of the loop at loom-tests/7_checker/limits.rs:"),
            "{bound}"
        );
    }
}

/// The orders that are missed need no more preemptions than those that are found: one, before alice's
/// only step.
#[test]
fn bounded_preemptions_are_a_sample() {
    let model = || {
        let increments = |x: &AtomicU64| x.fetch_add(1, SeqCst);
        Model::new(AtomicU64::default)
            .thread("alice", increments)
            .thread("bob", increments)
            .thread("carol", increments)
            .acceptable("alice=0 bob=1 carol=2", "alice, bob, carol")
            .acceptable("alice=0 bob=2 carol=1", "alice, carol, bob")
            .acceptable("alice=1 bob=0 carol=2", "bob, alice, carol")
            .acceptable("alice=1 bob=2 carol=0", "carol, alice, bob")
    };
    let bounded = model()
        .preemptions(1)
        .missed("alice=2 bob=0 carol=1", "bob, carol, alice")
        .missed("alice=2 bob=1 carol=0", "carol, bob, alice")
        .check();
    if cfg!(loom) {
        assert_eq!(bounded.bound().as_deref(), Some("1 preemption"), "the bound is said");
    }
    model()
        .acceptable("alice=2 bob=0 carol=1", "bob, carol, alice")
        .acceptable("alice=2 bob=1 carol=0", "carol, bob, alice")
        .check();
}

/// One step an execution may fail for no reason, unless the model says more.
#[test]
fn spurious_failures_are_bounded() {
    let model = || {
        let exchange = |x: &AtomicU64| x.compare_exchange_weak(0, 1, SeqCst, SeqCst).is_ok();
        Model::new(AtomicU64::default)
            .thread("alice", move |x| (exchange(x), exchange(x)))
            .acceptable("alice=(true, false)", "the first one succeeded")
            .interesting("alice=(false, true)", "the first one failed for no reason")
    };
    let bounded = model().missed("alice=(false, false)", "both failed for no reason").check();
    let complete = model()
        .spurious(2)
        .interesting("alice=(false, false)", "both failed for no reason")
        .check();
    if cfg!(loom) {
        assert_eq!(bounded.bound().as_deref(), Some("1 spurious failure"), "the bound is said");
        assert!(complete.is_complete(), "there are two such steps: {complete}");
    }
}

/// The declared ones and those that they spawn: five in all.
#[test]
fn a_sixth_thread_is_refused() {
    let mut model = Model::new(AtomicU64::default);
    for name in ["alice", "bob", "carol", "dave", "erin", "frank"] {
        model = model.thread(name, |x| x.fetch_add(1, SeqCst));
    }
    let text = model.explore().expect_err("6 are too many").to_string();
    assert!(text.contains("a model can have at most 5 threads, got 6"), "{text}");
}

// ---------------------------------------------------------------------------------------------
// Lifted: what plain loom misses.
// ---------------------------------------------------------------------------------------------

/// Lifted. The same program, and the same assertion: plain loom explores one of two orders, finds it
/// kept, and calls that all.
#[cfg(loom)]
#[test]
fn plain_loom_skips_an_interleaving() {
    const FIRST: &str = "the reader comes first";
    loom::model(|| {
        let x = loom::sync::Arc::new(loom::sync::atomic::AtomicU64::new(0));
        let theirs = loom::sync::Arc::clone(&x);
        let writer = loom::thread::spawn(move || {
            let read = theirs.load(SeqCst);
            theirs.store(read + 1, SeqCst);
        });
        assert_eq!(x.load(SeqCst), 0, "{FIRST}");
        writer.join().expect("it does not panic");
    });

    Model::new(AtomicU64::default)
        .thread("reader", |x| assert_eq!(x.load(SeqCst), 0, "{FIRST}"))
        .thread("writer", |x| {
            let read = x.load(SeqCst);
            x.store(read + 1, SeqCst);
        })
        .fails(selvedge_model::Failure::Panic)
        .check();
}
