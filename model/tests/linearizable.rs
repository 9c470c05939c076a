//! `model::linearizable` held to its word: what it refuses, what it tells apart, and that no order of
//! beginnings and ends is missed.

#[cfg(loom)]
mod brute;

use std::sync::atomic::AtomicU64 as Unseen;

#[cfg(loom)]
use crate::harness::{rerun_of, text};
use crate::lossy::LossyCounter;
use selvedge_model::sync::atomic::{
    AtomicU64, Ordering,
    Ordering::{Acquire, Relaxed, Release, SeqCst},
};
use selvedge_model::{CheckError, Linearizable, Promise, linearizable};

const PROMISES: [Promise; 4] = [
    Promise::Linearizable,
    Promise::SequentiallyConsistent,
    Promise::QuiescentlyConsistent,
    Promise::ThreadOrder,
];

fn total() -> Linearizable<AtomicU64> {
    linearizable(|| AtomicU64::new(0))
        .operation("add", |total| total.fetch_add(1, Relaxed))
        .operation("get", |total| total.load(Relaxed))
}

/// Whether the check passes; any failure but a broken promise is a mistake in the test.
fn keeps<S: Send + Sync + 'static, L: Send + 'static, M: 'static>(
    check: Linearizable<S, L, M>,
) -> bool {
    match check.try_check() {
        Ok(_) => true,
        Err(CheckError::Broken { .. }) => false,
        Err(error) => panic!("{error}"),
    }
}

// ---------------------------------------------------------------------------------------------
// What is refused.
// ---------------------------------------------------------------------------------------------

#[track_caller]
fn refuses<S: Send + Sync + 'static, L: Send + 'static, M: 'static>(
    check: Linearizable<S, L, M>,
    parts: &[&str],
) {
    let error = check.try_check().expect_err("it is wrong").to_string();
    for part in parts {
        assert!(error.contains(part), "{part:?} is not in: {error}");
    }
}

#[test]
fn an_alphabet_needs_operations() {
    refuses(linearizable(|| ()), &["wrong model", "no operations", ".operation(name, f)"]);
}

#[test]
fn names_are_unique_and_can_be_told_from_what_joins_them() {
    for name in ["", " ", "a, b", "a || b", "a: b", "a\nb"] {
        let got = format!("got {name:?}");
        refuses(total().operation(name, |_| ()), &["must not be empty", "must not contain", &got]);
    }
    refuses(total().operation("add", |_| ()), &["must be unique, got \"add\" twice"]);
    refuses(total().start("add", |_| ()), &["must be unique, got \"add\" twice"]);
    refuses(total().finally("get", |_| ()), &["must be unique, got \"get\" twice"]);
    let twice = total().finally("left", |_| 0).finally("last", |_| 0);
    refuses(twice, &["can have one .finally(…)", "got a second one, \"last\""]);
}

#[test]
fn sizes_out_of_range_are_named() {
    refuses(total().size(1, 1), &["must have 2 to 15 threads, got 1"]);
    refuses(total().size(16, 1), &["must have 2 to 15 threads, got 16"]);
    refuses(total().size(2, 0), &["at least 1 operation a thread, got 0"]);
    refuses(total().size(3, 4), &["at most 5040 sequential orders, got 34650", "[4, 4, 4]"]);
    refuses(total().size(2, 9), &["at most 16 operations, got 18"]);
    let unordered = total().promises(Promise::QuiescentlyConsistent).size(2, 4);
    refuses(unordered, &["at most 5040 sequential orders, got 40320"]);
    let mut many = total();
    for number in 0..30 {
        many = many.operation(&format!("get {number}"), |total| total.load(Relaxed));
    }
    refuses(many.size(2, 3), &["at most 1000000 scenarios, got 1144062976"]);
    let mut many = total();
    for number in 0..50 {
        many = many.operation(&format!("get {number}"), |total| total.load(Relaxed));
    }
    assert!(keeps(many.only("add || get 49")), "one alone is not too many");
    refuses(total().executions(0), &[".executions(n) must be at least 1, got 0"]);
}

#[test]
fn what_is_no_scenario_is_refused() {
    for check in [total().only("add || put"), total().fails("add, get|| get")] {
        refuses(check, &["is not a scenario", "has the form `add, add || add`"]);
    }
    refuses(
        total().start("empty", |_| ()).only("full: add || add"),
        &["`full: add || add` is not a scenario", "has the form `empty: add, add || add`"],
    );
    let sixteen = ["add"; 16].join(" || ");
    refuses(total().only(&sixteen), &["at most 15 threads, got 16"]);
}

#[test]
fn what_is_declared_too_late_or_for_nothing_is_refused() {
    refuses(total().local(|_| 0), &[".local(…) must come right after linearizable(init)"]);
    refuses(total().reference(|| 0), &[".reference(…) must come right after linearizable(init)"]);
    let nothing = linearizable(|| ()).against(|()| ()).operation("no", |()| ());
    refuses(nothing, &[".against(…) must follow an operation"]);
    refuses(total().against(|()| ()), &["\"get\" requires a reference", ".reference(init)"]);
    let missing = linearizable(|| AtomicU64::new(0))
        .reference(|| 0_u64)
        .operation("add", |total| total.fetch_add(1, Relaxed))
        .against(|total| {
            *total += 1;
            *total - 1
        })
        .operation("get", |total| total.load(Relaxed));
    refuses(missing, &["the reference does not define \"get\"", ".against(f)"]);
}

#[test]
fn a_specification_does_the_same_each_time_and_does_not_panic() {
    let clock = Unseen::new(0);
    let ticks = total().operation("tick", move |total| {
        total.fetch_add(clock.fetch_add(1, SeqCst), Relaxed);
        clock.load(SeqCst)
    });
    refuses(ticks, &["the sequential specification must be deterministic", "it gives", "and then"]);
    let panics = total().operation("panic", |total| assert_eq!(total.load(Relaxed), 7, "seven"));
    refuses(panics, &["the sequential specification panics", "`add || panic`", "seven"]);
}

/// One thread alone would wait for ever.
#[test]
#[cfg(loom)]
fn an_operation_that_blocks_needs_a_reference() {
    use selvedge_model::sync::{Condvar, Mutex};
    #[derive(Default)]
    struct Queue(Mutex<Vec<u64>>, Condvar);
    let push = |queue: &Queue| {
        queue.0.lock().unwrap().push(1);
        queue.1.notify_one();
    };
    let pop = |queue: &Queue| {
        let mut found = queue.1.wait_while(queue.0.lock().unwrap(), |all| all.is_empty()).unwrap();
        found.pop()
    };
    let without = linearizable(Queue::default).operation("push", push).operation("pop", pop);
    refuses(
        without.only("push || pop"),
        &[
            "the sequential specification blocks in the scenario `push || pop`, in the order pop, push",
            "by `against` and `reference`",
        ],
    );
    let with = linearizable(Queue::default).reference(Vec::new).operation("push", push);
    let with = with.against(|all| all.push(1)).operation("pop", pop).against(Vec::pop);
    with.only("push || pop").check();
}

/// Each order begins with what it was declared with.
#[test]
#[cfg(loom)]
fn a_static_starts_anew_in_each_order() {
    use selvedge_model::sync::OnceLock;
    static ONCE: OnceLock<u64> = OnceLock::new();
    let check = linearizable(|| ()).operation("id", |()| *ONCE.get_or_init(|| 1));
    check.operation("get", |()| ONCE.get().copied()).check();
}

#[test]
fn a_model_inside_a_check_that_is_wrong_is_an_error() {
    let error = linearizable(|| AtomicU64::new(0))
        .reference(|| ())
        .operation("odd", |total| assert!(total.fetch_add(1, Relaxed) != 1, "two are too many"))
        .against(|()| ())
        .try_check()
        .expect_err("it panics");
    assert_eq!(error.scenario(), Some("odd || odd"));
    let text = error.to_string();
    assert!(text.contains("in the scenario `odd || odd`: panic"), "{text}");
}

// ---------------------------------------------------------------------------------------------
// What an expected failure is.
// ---------------------------------------------------------------------------------------------

fn lossy() -> Linearizable<LossyCounter> {
    linearizable(LossyCounter::new)
        .operation("add", LossyCounter::increment)
        .operation("get", LossyCounter::get)
        .finally("total", LossyCounter::get)
}

#[test]
fn an_expected_failure_is_that_of_the_smallest_scenario() {
    let found = lossy().fails("add || add").try_check().expect("it fails as expected");
    if cfg!(loom) {
        let failure = found.failure.as_ref().expect("loom finds it");
        assert_eq!(failure.scenario(), Some("add || add"));
        assert_eq!((found.explored, found.is_complete()), (1, false));
        assert!(found.to_string().contains("not linearizable, as expected on 1 of 25 scenarios"));
        let other = lossy().fails("add || add, get").try_check().expect_err("another is smaller");
        assert!(matches!(other, CheckError::BrokenElsewhere { .. }), "{other}");
        assert_eq!(other.scenario(), Some("add || add"));
        let sound = total().fails("add || add").try_check().expect_err("it does not fail");
        let expected = "expected `add || add` to break the promise, but none of 25 scenarios did";
        assert_eq!(sound.to_string(), expected);
    }
}

#[cfg(loom)]
#[test]
fn a_failure_shows_scenario_interleaving_and_every_order() {
    let error = lossy().try_check().expect_err("it loses an update").to_string();
    for part in [
        "`add || add` is not linearizable: alice: add; bob: add; total = 1\n",
        "  No order explains these results:\n    alice add, bob add: would give total = 2\n",
        "    bob add, alice add: would give total = 2\n",
        "a1.load = 0",
        "add begins",
        "~~ preempted ~~",
        "_and_every_order#1.1/2\n",
        "SELVEDGE_REPLAY=1.1/2 RUSTFLAGS=",
        "--exact linearizable::a_failure_shows_scenario_interleaving_and_every_order",
    ] {
        assert!(error.contains(part), "{part:?} is not in: {error}");
    }
}

#[cfg(loom)]
#[test]
fn what_had_ended_is_said_and_many_orders_are_cut_short() {
    let stale = linearizable(|| AtomicU64::new(0))
        .local(|_| 0)
        .reference(|| 0)
        .owned("add", |total, mine| *mine = total.fetch_add(1, Relaxed) + 1)
        .against(|total| *total += 1)
        .owned("get", |total, mine| {
            total.fetch_add(0, Relaxed);
            *mine
        })
        .against(|total| *total);
    let error =
        stale.only("add, add || get, get").try_check().expect_err("it is stale").to_string();
    assert!(error.contains("alice add (no. 1) had ended before bob get (no. 2) began."), "{error}");
    assert_eq!(
        error.matches(": would give ").count() + error.matches(" is not before ").count(),
        6
    );
    let error = lossy().only("add, add || add, add || get").try_check().expect_err("it loses");
    assert!(
        error.to_string().contains("and 20 more orders, none of which explains them"),
        "{error}"
    );
}

#[cfg(loom)]
#[test]
fn one_execution_of_one_scenario_can_be_replayed() {
    use std::process::Command;

    let test =
        crate::name_of("an_expected_failure_is_that_of_the_smallest_scenario", module_path!());
    let replay = |value| {
        let this = std::env::current_exe().expect("a test has a binary");
        let output = Command::new(this)
            .args(["--exact", &test])
            .env("SELVEDGE_REPLAY", value)
            .output()
            .expect("a test binary can be run");
        assert!(!output.status.success(), "a replay is no verdict");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let second = replay("1.1/2");
    assert!(second.contains("Replayed"), "{second}");
    assert!(second.contains("results=alice: add; bob: add; total = 1"), "{second}");
    assert!(second.contains("-- finally --"), "a replay shows every step: {second}");
    assert!(replay("1.99/2").contains("there is no scenario 99, the check has "));
    assert!(replay("1.1/999").contains("there is no execution 999"));
    assert!(replay("1/interleaving/2").contains("1.37/2 is execution 2 of scenario 37 of"));
}

#[cfg(loom)]
#[test]
fn each_twentieth_scenario_is_compared_with_loom() {
    let report = total().check();
    assert_eq!((report.explored, report.compared), (25, 2), "{report}");
}

#[cfg(loom)]
#[test]
fn the_environment_sets_the_interleavings_of_the_sample() {
    let report = |interleavings| {
        let of = "each_twentieth_scenario_is_compared_with_loom";
        text(&rerun_of(of, module_path!(), &[("SELVEDGE_LOOM", interleavings)]))
    };
    for (interleavings, says) in [
        ("0", ", loom not run, "),
        ("3", ", loom agrees on 6 interleavings of 2 scenarios, "),
        ("x", "SELVEDGE_LOOM must be an integer, 0 or more (interleavings), got \"x\""),
    ] {
        let report = report(interleavings);
        assert!(report.contains(says), "{interleavings}: {report}");
    }
}

// ---------------------------------------------------------------------------------------------
// What is counted.
// ---------------------------------------------------------------------------------------------

/// Two operations make six sequences of one or two: 36 pairs, 21 of them left; 8 triples, 4 left.
#[test]
fn scenarios_that_differ_only_in_who_does_what_are_left_out() {
    let alike = total().try_check().expect("it is linearizable");
    assert_eq!((alike.scenarios, alike.symmetric, alike.explored), (25, 19, 25));
    let told_apart = total().threads_differ().try_check().expect("it is linearizable");
    assert_eq!((told_apart.scenarios, told_apart.symmetric), (44, 0));
    let from_two = total().start("zero", |_| ()).start("one", |total| total.store(1, Relaxed));
    let from_two = from_two.try_check().expect("it is linearizable");
    assert_eq!((from_two.scenarios, from_two.symmetric), (50, 38));
    let text = from_two.to_string();
    assert!(text.contains("linearizable on 50 of 50 scenarios (38 more by symmetry)"), "{text}");
    assert!(text.contains("  from: zero, one\n  threads x operations: 2 x 2, 3 x 1\n"), "{text}");
    if cfg!(loom) {
        assert!(alike.is_complete() && text.contains("explored completely"), "{text}");
        let bounded = total().executions(1).try_check().expect("it is linearizable");
        assert!(!bounded.is_complete());
        assert!(bounded.to_string().contains("bounded (1 execution)"), "{bounded}");
    }
}

#[cfg(loom)]
#[test]
fn idle_turns_of_any_scenario_are_named() {
    use selvedge_model::sync::{atomic::AtomicBool, hint};
    let locks = linearizable(|| AtomicBool::new(false)).operation("lock", |taken| {
        while taken.swap(true, Acquire) {
            hint::spin_loop();
        }
        taken.store(false, Release);
    });
    let report = locks.check();
    assert!(report.is_complete(), "{report}");
    assert!(report.to_string().contains("explored completely but for idle turns"), "{report}");
}

#[cfg(loom)]
#[test]
fn what_the_checker_cannot_see_is_refused() {
    let hidden = total().operation("peek", |_| ());
    refuses(hidden, &["the operation \"peek\" does nothing that the checker can see"]);
}

// ---------------------------------------------------------------------------------------------
// What the promises tell apart.
// ---------------------------------------------------------------------------------------------

/// Each thread reads what it wrote itself, or 0: an old value, but never one out of order.
#[test]
fn a_stale_read_is_in_order_and_too_late() {
    let kept = PROMISES.map(|promise| {
        keeps(
            linearizable(|| AtomicU64::new(0))
                .local(|_| 0)
                .reference(|| 0)
                .owned("write", |register, mine| {
                    *mine = 1;
                    register.swap(1, SeqCst);
                })
                .against(|register| *register = 1)
                .owned("read", |register, mine| {
                    register.fetch_add(0, SeqCst);
                    *mine
                })
                .against(|register| *register)
                .promises(promise),
        )
    });
    assert!(kept[1] && kept[3], "an order that keeps each thread's own explains it");
    if cfg!(loom) {
        assert_eq!(kept, [false, true, false, true]);
    }
}

/// A write that its thread keeps to itself until its next operation.
#[test]
fn a_buffered_write_is_in_order_and_too_late() {
    let check = || {
        linearizable(|| AtomicU64::new(0))
            .local(|_| None)
            .reference(|| 0)
            .owned("write", |register, buffer| {
                if let Some(value) = buffer.replace(1) {
                    register.swap(value, SeqCst);
                }
            })
            .against(|register| *register = 1)
            .owned("read", |register, buffer| {
                if let Some(value) = buffer.take() {
                    register.swap(value, SeqCst);
                }
                register.fetch_add(0, SeqCst)
            })
            .against(|register| *register)
    };
    assert!(keeps(check().promises(Promise::SequentiallyConsistent)));
    if cfg!(loom) {
        let report = check().fails("write || read").try_check().expect("a read misses the write");
        let failure = report.failure.expect("loom finds it").to_string();
        assert!(failure.contains("alice write had ended before bob read began."), "{failure}");
    }
}

type Pair = (AtomicU64, AtomicU64);

/// Two cells, read one after the other: a thread's own two adds are seen the wrong way round.
#[test]
fn a_sum_over_cells_knows_no_order_but_that_of_quiet_moments() {
    let kept = PROMISES.map(|promise| {
        keeps(
            linearizable(Pair::default)
                .operation("left", |pair| _ = pair.0.fetch_add(1, Relaxed))
                .operation("right", |pair| _ = pair.1.fetch_add(2, Relaxed))
                .operation("sum", |pair| {
                    pair.0.fetch_add(0, Relaxed) + pair.1.fetch_add(0, Relaxed)
                })
                .promises(promise),
        )
    });
    assert!(kept[2]);
    if cfg!(loom) {
        assert_eq!(kept, [false, false, true, false]);
    }
}

/// Store buffering: each writes and then misses what the other has written. Relaxed stores may
/// even be seen out of their thread's order.
#[test]
fn two_flags_are_worth_their_orderings() {
    let flags = |store: Ordering, load: Ordering| {
        linearizable(Pair::default)
            .operation("raise left", move |flags| flags.0.store(1, store))
            .operation("raise right", move |flags| flags.1.store(1, store))
            .operation("left", move |flags| flags.0.load(load))
            .operation("right", move |flags| flags.1.load(load))
    };
    for promise in PROMISES {
        assert!(keeps(flags(SeqCst, SeqCst).promises(promise)), "{promise}");
    }
    let buffered = || flags(Release, Acquire);
    assert!(keeps(buffered().promises(Promise::ThreadOrder)));
    if cfg!(loom) {
        buffered()
            .promises(Promise::SequentiallyConsistent)
            .fails("raise left, right || raise right, left")
            .try_check()
            .expect("store buffering");
        flags(Relaxed, Relaxed)
            .promises(Promise::ThreadOrder)
            .fails("raise left, raise right || right, left")
            .try_check()
            .expect("message passing");
    }
}

/// Relaxed as it is: who can tell that a store has ended has heard so, and then sees it.
#[test]
fn one_relaxed_register_is_linearizable_to_whoever_can_tell() {
    let register = linearizable(|| AtomicU64::new(0))
        .operation("write 1", |register| register.store(1, Relaxed))
        .operation("write 2", |register| register.store(2, Relaxed))
        .operation("read", |register| register.load(Relaxed))
        .finally("last", |register| register.load(Relaxed));
    let report = register.try_check().expect("it is linearizable");
    if cfg!(loom) {
        assert!(report.is_complete());
    }
}
