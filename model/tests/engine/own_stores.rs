//! Loops that wait, and store in each turn to an atomic of which no other thread knows.

use crate::facade::{Found, explore, explore_with};
use selvedge_model::engine::graph::Config;
use selvedge_model::sync::atomic::{
    AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};
use selvedge_model::sync::{Arc, hint, thread};

/// Pushes as Treiber's stack does: `link` says what was the first node before.
fn push(first: &AtomicUsize, link: &AtomicUsize, hints: bool) -> usize {
    let mut seen = first.load(Relaxed);
    loop {
        link.store(seen, Relaxed);
        match first.compare_exchange_weak(seen, seen + 1, Release, Relaxed) {
            Ok(_) => return link.load(Relaxed),
            Err(other) => seen = other,
        }
        if hints {
            hint::spin_loop();
        }
    }
}

/// A thread waits in `waits` beside another one, which sets the flag.
fn waits_for_a_flag(waits: fn(&AtomicUsize) -> usize) -> Found<usize> {
    explore(|| {
        let flag = Arc::new(AtomicUsize::new(0));
        let there = flag.clone();
        let child = thread::spawn(move || waits(&there));
        flag.store(1, Relaxed);
        child.join().unwrap()
    })
}

#[test]
fn a_push_with_a_weak_exchange_is_explored_completely() {
    for hints in [false, true] {
        let found = explore(|| {
            let first = Arc::new(AtomicUsize::new(0));
            let there = first.clone();
            let pushes = move || push(&there, &Box::new(AtomicUsize::new(9)), hints);
            let child = thread::spawn(pushes);
            (push(&first, &Box::new(AtomicUsize::new(9)), hints), child.join().unwrap())
        });
        assert_eq!(found.all(), [(0, 1), (1, 0)]);
    }
}

/// What it finds depends on how often the same value was stored.
fn takes(value: &AtomicUsize, ends: &AtomicUsize) -> [usize; 3] {
    let taken = [(); 3].map(|()| value.swap(0, Relaxed));
    ends.store(1, Relaxed);
    taken
}

fn stores(value: &AtomicUsize, ends: &AtomicUsize) {
    while ends.load(Relaxed) == 0 {
        value.store(1, Relaxed);
        hint::spin_loop();
    }
}

#[test]
fn a_store_to_what_others_know_of_is_an_effect() {
    let config = Config { turns: 4, ..Config::default() };
    let child_stores = explore_with(&config, || {
        let both = Arc::new((AtomicUsize::new(1), AtomicUsize::new(0)));
        let there = both.clone();
        let child = thread::spawn(move || stores(&there.0, &there.1));
        let taken = takes(&both.0, &both.1);
        child.join().unwrap();
        taken
    });
    let child_takes = explore_with(&config, || {
        let both = Arc::new((AtomicUsize::new(1), AtomicUsize::new(0)));
        let there = both.clone();
        let child = thread::spawn(move || takes(&there.0, &there.1));
        stores(&both.0, &both.1);
        child.join().unwrap()
    });
    // It knows of the atomic from a release.
    let child_takes_later = explore_with(&config, || {
        let known = std::sync::OnceLock::<Box<AtomicUsize>>::new();
        let all = Arc::new((known, AtomicUsize::new(0), AtomicUsize::new(0)));
        let there = all.clone();
        let child = thread::spawn(move || {
            let (known, ready, ends) = &*there;
            (ready.load(Acquire) == 1).then(|| takes(known.get().unwrap(), ends))
        });
        let (known, ready, ends) = &*all;
        let value = known.get_or_init(|| Box::new(AtomicUsize::new(1)));
        ready.store(1, Release);
        stores(value, ends);
        child.join().unwrap().unwrap()
    });
    for found in [child_stores, child_takes, child_takes_later] {
        assert_eq!(found.results, [[1, 0, 0], [1, 0, 1], [1, 1, 0], [1, 1, 1]].into());
        assert!(!found.report.bounds.is_empty());
    }
}

/// The exchange has failed without a cause, and the loop ends before it is tried again.
#[test]
fn a_store_of_another_value_is_an_effect() {
    let found = explore(|| {
        let both = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
        let there = both.clone();
        let child = thread::spawn(move || {
            let own = AtomicUsize::new(0);
            while there.0.load(Relaxed) == 0 {
                own.store(1, Relaxed);
                if there.1.compare_exchange_weak(0, 2, Relaxed, Relaxed).is_ok() {
                    break;
                }
                hint::spin_loop();
            }
            (own.load(Relaxed), there.1.load(Relaxed))
        });
        both.0.store(1, Relaxed);
        child.join().unwrap()
    });
    assert_eq!(found.all(), [(0, 0), (1, 0), (1, 2)]);
}

#[test]
fn a_later_turn_stores_another_value() {
    let found = waits_for_a_flag(|flag| {
        let (own, mut turns) = (AtomicUsize::new(0), 0);
        while flag.load(Relaxed) == 0 {
            turns += 1;
            own.store(usize::from(turns > 30), Relaxed);
            hint::spin_loop();
        }
        own.load(Relaxed)
    });
    assert_eq!(found.all(), [0, 1]);
}

/// What a turn has stored and loaded again is what the turn before had.
#[test]
fn a_turn_loads_what_it_has_stored() {
    let found = waits_for_a_flag(|flag| {
        let own = AtomicUsize::new(0);
        while flag.load(Relaxed) == 0 {
            own.store(1, Relaxed);
            assert_eq!(own.load(Relaxed), 1);
            hint::spin_loop();
        }
        own.load(Relaxed)
    });
    assert_eq!(found.all(), [0, 1]);
}

#[test]
fn a_loop_that_stores_and_waits_for_ever_is_a_livelock() {
    for value in [0, 1] {
        let found = explore(|| {
            let (own, other) = (AtomicUsize::new(0), AtomicUsize::new(0));
            while other.load(Relaxed) == 0 {
                own.store(value, Relaxed);
                hint::spin_loop();
            }
        });
        assert_eq!((found.report.deadlocks, &found.report.bounds[..]), (1, &[][..]));
    }
}
