//! Loops that spin: those that wait, and those that give up.

use selvedge_model::Failure;
use selvedge_model::sync::atomic::{AtomicU64, Ordering::SeqCst};
use selvedge_model::sync::hint;

use crate::facts::{Body, exact_in_every_order, fails_in_every_order};

fn zero() -> AtomicU64 {
    AtomicU64::new(0)
}

/// A thread that gives up waiting after `N` loads.
fn gives_up<const N: usize>(a: &AtomicU64) -> u64 {
    for _ in 0..N {
        if a.fetch_add(0, SeqCst) == 1 {
            return 1;
        }
        hint::spin_loop();
    }
    a.swap(2, SeqCst)
}

/// It returns 1 without a swap, or swaps before or after the other thread.
#[test]
fn a_loop_that_gives_up_is_explored_completely() {
    let writes: Body<AtomicU64, u64> = |a| a.swap(1, SeqCst);
    for gives_up in [gives_up::<1>, gives_up::<7>, gives_up::<20>, gives_up::<100>] {
        exact_in_every_order(
            zero,
            &[("gives_up", gives_up), ("writes", writes)],
            &[&[0, 2], &[1, 0]],
        );
    }
}

#[test]
fn a_loop_that_another_thread_ends_is_explored_completely() {
    let spins: Body<AtomicU64, u64> = |a| {
        while a.load(SeqCst) == 0 {
            hint::spin_loop();
        }
        a.load(SeqCst)
    };
    let waits: Body<AtomicU64, u64> = |a| {
        hint::wait_until(|| a.load(SeqCst) != 0);
        a.load(SeqCst)
    };
    let writes: Body<AtomicU64, u64> = |a| {
        a.store(1, SeqCst);
        a.store(2, SeqCst);
        0
    };
    for body in [spins, waits] {
        exact_in_every_order(zero, &[("waits", body), ("writes", writes)], &[&[1, 0], &[2, 0]]);
    }
}

/// A waiting loop does something in its third turn.
#[test]
fn a_later_turn_of_a_waiting_loop_is_explored() {
    type State = (AtomicU64, AtomicU64);
    let waits: Body<State, u64> = |(flag, other)| {
        let mut turns = 0;
        while flag.load(SeqCst) == 0 {
            turns += 1;
            if turns == 3 {
                other.swap(7, SeqCst);
            }
            hint::spin_loop();
        }
        0
    };
    let writes: Body<State, u64> = |(flag, other)| {
        let found = other.swap(1, SeqCst);
        flag.swap(1, SeqCst);
        found
    };
    exact_in_every_order(
        || (zero(), zero()),
        &[("waits", waits), ("writes", writes)],
        &[&[0, 0], &[0, 7]],
    );
}

/// One loop waits, another gives up, and both spin at the same place.
#[test]
fn two_loops_that_spin_at_one_place_are_told_apart() {
    fn spin() {
        hint::spin_loop();
    }

    type State = (AtomicU64, AtomicU64);
    let waits: Body<State, bool> = |(flag, other)| {
        while flag.load(SeqCst) == 0 {
            spin();
        }
        for _ in 0..4 {
            if other.load(SeqCst) == 1 {
                return true;
            }
            spin();
        }
        false
    };
    let writes: Body<State, bool> = |(flag, other)| {
        flag.store(1, SeqCst);
        other.store(1, SeqCst);
        true
    };
    exact_in_every_order(
        || (zero(), zero()),
        &[("waits", waits), ("writes", writes)],
        &[&[true, true], &[false, true]],
    );
}

/// Its turns have an effect: there is no end of executions.
#[test]
fn a_waiting_loop_that_counts_its_turns_is_bounded() {
    type State = (AtomicU64, AtomicU64);
    let waits: Body<State> = |(flag, turns)| {
        while flag.load(SeqCst) == 0 {
            turns.fetch_add(1, SeqCst);
            hint::spin_loop();
        }
    };
    let writes: Body<State> = |(flag, _)| flag.store(1, SeqCst);
    for order in crate::facts::orders(2) {
        let threads = [("waits", waits), ("writes", writes)];
        let model = crate::facts::in_order(|| (zero(), zero()), &threads, &order);
        let report = model.acceptable("()", "it ends").check();
        let bound = report.bound().expect("it is bounded");
        let (start, end) = ("the loop at model/tests/loops.rs:", ", after its limit of turns");
        assert!(bound.starts_with(start) && bound.ends_with(end), "{bound}");
        assert!(!report.is_complete() && report.seen("()") > 16, "{report}");
    }
}

#[test]
fn a_loop_that_no_thread_ends_is_a_livelock_in_every_order() {
    let spins: Body<AtomicU64, u64> = |a| {
        while a.load(SeqCst) == 0 {
            hint::spin_loop();
        }
        0
    };
    let reads: Body<AtomicU64, u64> = |a| a.load(SeqCst);
    fails_in_every_order(Failure::Livelock, zero, &[("spins", spins), ("reads", reads)]);
}
