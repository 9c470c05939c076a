//! Loops that spin: those that wait, and those that give up.

use std::time::Duration;

use selvedge_model::Failure;
use selvedge_model::sync::atomic::{AtomicU64, Ordering::SeqCst};
use selvedge_model::sync::cell::UnsafeCell;
use selvedge_model::sync::mpsc::{Receiver, SyncSender, sync_channel};
use selvedge_model::sync::{Condvar, Mutex, hint, thread};

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

/// A loop that looks into two locks counts the turns in a row in which it has found nothing, and gives up. What the
/// other thread changes between the two looks of a turn must not be taken for what the next turn finds.
#[test]
fn a_loop_that_looks_into_two_locks_and_gives_up_is_explored_completely() {
    type State = (Mutex<u64>, Mutex<u64>);
    let looks: Body<State, u64> = |(left, right)| {
        let mut in_vain = 0;
        loop {
            let found = (*left.lock().unwrap(), *right.lock().unwrap());
            if found.1 == 1 {
                return 1;
            }
            in_vain = if found == (0, 0) { in_vain + 1 } else { 0 };
            if in_vain == 5 {
                return 0;
            }
            hint::spin_loop();
        }
    };
    let sets: Body<State, u64> = |(left, right)| {
        *left.lock().unwrap() = 1;
        *right.lock().unwrap() = 1;
        0
    };
    let bodies = [("looks", looks), ("sets", sets)];
    exact_in_every_order(State::default, &bodies, &[&[0, 0], &[1, 0]]);
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

/// Its turns end at one place, in a helper. Where that is called tells them apart: what comes after an attempt in vain
/// depends on which it is.
#[test]
fn attempts_in_a_helper_are_told_apart_by_where_it_is_called() {
    #[inline(never)]
    fn attempt(a: &AtomicU64) -> bool {
        let succeeds = a.load(SeqCst) == 1;
        if !succeeds {
            hint::spin_loop();
        }
        succeeds
    }
    fn waits(a: &AtomicU64) -> u64 {
        while !attempt(a) {}
        9
    }

    let two_first: Body<AtomicU64, u64> = |a| if attempt(a) || attempt(a) { 1 } else { waits(a) };
    let three_in_a_loop: Body<AtomicU64, u64> = |a| {
        // Unrolled, it would be three calls.
        for _ in 0..std::hint::black_box(3) {
            if attempt(a) {
                return 1;
            }
        }
        waits(a)
    };
    let third_of_a_turn: Body<AtomicU64, u64> = |a| {
        loop {
            if attempt(a) || attempt(a) {
                return 1;
            }
            if attempt(a) {
                return 9;
            }
        }
    };
    let writes: Body<AtomicU64, u64> = |a| a.swap(1, SeqCst);
    for tries in [two_first, three_in_a_loop, third_of_a_turn] {
        let bodies = [("tries", tries), ("writes", writes)];
        exact_in_every_order(zero, &bodies, &[&[1, 0], &[9, 0]]);
    }
}

/// A `try_send` on a channel without room succeeds while the receiver waits, so in the middle of a turn of its loop. It
/// never meets a `try_recv`, which does not wait.
#[test]
fn two_loops_that_try_to_meet_are_a_livelock_if_neither_waits() {
    type Ends = (SyncSender<u64>, Mutex<Receiver<u64>>);
    let ends = || {
        let (sender, receiver) = sync_channel(0);
        (sender, Mutex::new(receiver))
    };
    let sends: Body<Ends, u64> = |(sender, _)| {
        while sender.try_send(7).is_err() {
            thread::yield_now();
        }
        0
    };
    let waits: Body<Ends, u64> = |(_, receiver)| {
        let receiver = receiver.lock().unwrap();
        loop {
            if let Ok(value) = receiver.recv_timeout(Duration::from_millis(1)) {
                return value;
            }
        }
    };
    let looks: Body<Ends, u64> = |(_, receiver)| {
        let receiver = receiver.lock().unwrap();
        loop {
            if let Ok(value) = receiver.try_recv() {
                return value;
            }
            thread::yield_now();
        }
    };
    exact_in_every_order(ends, &[("sends", sends), ("receives", waits)], &[&[0, 7]]);
    fails_in_every_order(Failure::Livelock, ends, &[("sends", sends), ("receives", looks)]);
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
        let (start, end) = ("the loop at model/tests/loops.rs:", ", whose turns change something");
        assert!(bound.starts_with(start) && bound.ends_with(end), "{bound}");
        assert!(!report.is_complete() && report.seen("()") > 16, "{report}");
    }
}

/// Each ends at a place of its own, and comes after an effect.
#[test]
fn waits_in_a_row_are_no_loop() {
    type State = (AtomicU64, Mutex<()>, Condvar);
    let waits: Body<State, u64> = |(a, mutex, told)| {
        let limit = Duration::from_secs(1);
        let guard = mutex.lock().unwrap();
        a.store(1, SeqCst);
        let (guard, _) = told.wait_timeout(guard, limit).unwrap();
        a.store(2, SeqCst);
        let (guard, _) = told.wait_timeout(guard, limit).unwrap();
        a.store(3, SeqCst);
        drop(told.wait_timeout(guard, limit));
        0
    };
    let reads: Body<State, u64> = |(a, ..)| a.load(SeqCst);
    let all: [&[u64]; 4] = [&[0, 0], &[0, 1], &[0, 2], &[0, 3]];
    let state = || (zero(), Mutex::new(()), Condvar::new());
    exact_in_every_order(state, &[("waits", waits), ("reads", reads)], &all);
}

/// More hints in a row than a loop may have turns, and an effect before each.
#[test]
fn hints_in_a_row_are_no_loop() {
    macro_rules! stores {
        ($a:ident: $($value:literal)*) => {
            $($a.store($value, SeqCst); hint::spin_loop();)*
        };
    }
    let stores: Body<AtomicU64, u64> = |a| {
        stores!(a: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20);
        0
    };
    let reads: Body<AtomicU64, u64> = |a| a.load(SeqCst);
    let all: Vec<[u64; 2]> = (0..=20).map(|value| [0, value]).collect();
    let all: Vec<&[u64]> = all.iter().map(|row| &row[..]).collect();
    exact_in_every_order(zero, &[("stores", stores), ("reads", reads)], &all);
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

/// In its third or fourth turn a waiting loop accesses plain memory, for the first time.
#[test]
fn a_later_turn_of_a_waiting_loop_may_race() {
    type State = (UnsafeCell<u64>, AtomicU64);
    fn write((cell, _): &State) {
        // SAFETY: none; the race is what the test is about.
        cell.with_mut(|value| unsafe { *value = 1 });
    }
    fn read((cell, _): &State) {
        // SAFETY: none; the race is what the test is about.
        cell.with(|value| _ = unsafe { *value });
    }
    fn accesses(state: &State, turn: u64, access: fn(&State)) {
        let mut turns = 0;
        while state.1.load(SeqCst) == 0 {
            turns += 1;
            if turns == turn {
                access(state);
            }
            hint::spin_loop();
        }
    }
    struct Shared(State);
    // SAFETY: none; the race is what the test is about.
    unsafe impl Sync for Shared {}
    let made = || Shared((UnsafeCell::new(0), zero()));
    let pairs: [[Body<Shared>; 2]; 2] = [
        [|s| accesses(&s.0, 3, write), |s| (read(&s.0), s.0.1.store(1, SeqCst)).1],
        [|s| accesses(&s.0, 4, read), |s| (write(&s.0), s.0.1.store(1, SeqCst)).1],
    ];
    if cfg!(loom) {
        for [loops, other] in pairs {
            fails_in_every_order(Failure::DataRace, made, &[("loops", loops), ("other", other)]);
        }
    }
}

/// In its third turn a waiting loop changes what a lock protects.
#[test]
fn a_later_turn_of_a_waiting_loop_may_write_under_a_lock() {
    type State = (Mutex<u64>, AtomicU64);
    let waits: Body<State, u64> = |(mutex, flag)| {
        let mut turns = 0;
        while flag.load(SeqCst) == 0 {
            turns += 1;
            let mut value = mutex.lock().unwrap();
            if turns == 3 {
                *value = 8;
            }
            drop(value);
            hint::spin_loop();
        }
        0
    };
    let reads: Body<State, u64> = |(mutex, flag)| {
        let value = *mutex.lock().unwrap();
        flag.store(1, SeqCst);
        value
    };
    exact_in_every_order(
        || (Mutex::new(0), zero()),
        &[("waits", waits), ("reads", reads)],
        &[&[0, 0], &[0, 8]],
    );
}

/// An update of a later turn is another one if its operand is: this loop ends.
#[test]
fn a_waiting_loop_that_updates_with_another_operand_in_each_turn_goes_on() {
    type State = (AtomicU64, AtomicU64);
    let beats: Body<State> = |(beat, end)| {
        let mut turns = 0;
        while end.load(SeqCst) == 0 {
            turns += 1;
            beat.fetch_max(turns, SeqCst);
            hint::spin_loop();
        }
    };
    let waits: Body<State> = |(beat, end)| {
        while beat.load(SeqCst) < 5 {
            hint::spin_loop();
        }
        end.store(1, SeqCst);
    };
    for order in crate::facts::orders(2) {
        let threads = [("beats", beats), ("waits", waits)];
        let model = crate::facts::in_order(|| (AtomicU64::new(3), zero()), &threads, &order);
        let report = model.acceptable("()", "it ends").check();
        assert!(!cfg!(loom) || report.bound().is_some(), "{report}");
    }
}

/// Every second turn of a loop has an effect: as if each had.
#[test]
fn a_waiting_loop_with_an_effect_in_every_second_turn_is_bounded() {
    type State = (AtomicU64, AtomicU64);
    let waits: Body<State, u64> = |(flag, turns)| {
        let mut n = 0;
        while flag.load(SeqCst) == 0 {
            n += 1;
            if n % 2 == 0 {
                turns.store(n, SeqCst);
            }
            hint::spin_loop();
        }
        0
    };
    let sets: Body<State, u64> = |(flag, turns)| {
        let seen = turns.load(SeqCst);
        flag.store(1, SeqCst);
        seen
    };
    for order in crate::facts::orders(2) {
        let threads = [("waits", waits), ("sets", sets)];
        let report =
            crate::facts::in_order(|| (zero(), zero()), &threads, &order).explore().unwrap();
        if cfg!(loom) {
            let bound = report.bound().expect("it is bounded");
            assert!(bound.ends_with(", whose turns change something"), "{bound}");
            let seen = |turn: u64| format!("sets={turn}");
            assert!(report.outcomes.iter().any(|row| row.text.contains(&seen(32))), "{report}");
        }
    }
}

/// Executions that a bound cuts count for a limit of executions: otherwise it would not end.
#[cfg(loom)]
#[test]
fn a_limit_of_executions_holds_where_all_are_cut() {
    let report = selvedge_model::Model::new(|| (zero(), zero()))
        .executions(3)
        .thread("left", |(x, y)| {
            while x.load(SeqCst) == 0 {
                y.fetch_add(1, SeqCst);
                hint::spin_loop();
            }
        })
        .thread("right", |(x, y)| {
            while x.load(SeqCst) == 0 {
                y.fetch_add(1, SeqCst);
                hint::spin_loop();
            }
        })
        .explore()
        .unwrap();
    assert!(report.executions() <= 3, "{report}");
    assert!(report.bound().expect("it is bounded").contains("execution"), "{report}");
}

/// What loom could not be asked is no agreement.
#[cfg(loom)]
#[test]
fn loom_agrees_on_nothing_that_it_has_not_explored() {
    let report = selvedge_model::Model::new(zero)
        .thread("waits", |flag| {
            while flag.load(SeqCst) == 0 {
                hint::spin_loop();
            }
        })
        .thread("sets", |flag| flag.store(1, SeqCst))
        .acceptable("()", "it ends")
        .check();
    let text = report.to_string();
    assert!(
        text.contains("loom not run: a loop may wait at ") && text.contains("loops.rs:"),
        "{text}"
    );
}
