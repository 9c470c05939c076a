//! Loops that wait and use plain memory: what a turn makes, and what it is the first to use.

use crate::facade::{Found, explore};
use selvedge_model::sync::atomic::{AtomicBool, Ordering::Relaxed};
use selvedge_model::sync::cell::UnsafeCell;
use selvedge_model::sync::{Arc, hint, thread};

/// Plain memory that a loop shares.
#[derive(Default)]
struct Plain(UnsafeCell<usize>);

// SAFETY: the programs do not race, or are said to.
unsafe impl Send for Plain {}
// SAFETY: as above.
unsafe impl Sync for Plain {}

impl Plain {
    fn set(&self) {
        // SAFETY: one thread sets it.
        self.0.with_mut(|value| unsafe { *value = 1 });
    }

    fn get(&self) -> usize {
        // SAFETY: no thread sets it meanwhile, or the checker says so.
        self.0.with(|value| unsafe { *value })
    }
}

/// Its turn number `number` writes plain memory, which no thread has used before unless `used`.
fn loop_that_writes(number: usize, used: bool, races: bool) -> Found<usize> {
    explore(|| {
        let shared = Arc::new((AtomicBool::new(false), Plain::default()));
        if used {
            shared.1.get();
        }
        let there = shared.clone();
        let child = thread::spawn(move || {
            there.0.store(true, Relaxed);
            if races { there.1.get() } else { 0 }
        });
        let mut turns = 0;
        while !shared.0.load(Relaxed) {
            turns += 1;
            if turns == number {
                shared.1.set();
            }
            hint::spin_loop();
        }
        child.join().unwrap();
        shared.1.get()
    })
}

#[test]
fn memory_that_a_later_turn_is_the_first_to_use_is_found() {
    for number in 1..=4 {
        for used in [false, true] {
            assert_eq!(loop_that_writes(number, used, false).all(), [0, 1], "{number} {used}");
            let found = loop_that_writes(number, used, true);
            assert!(found.report.errors > 0, "{number} {used}: {:?}", found.report);
        }
    }
}

#[test]
fn memory_that_each_turn_makes_is_no_effect() {
    fn used(plain: &Plain) {
        plain.get();
    }
    for on_stack in [true, false] {
        let found = explore(|| {
            let flag = Arc::new(AtomicBool::new(false));
            let there = flag.clone();
            let child = thread::spawn(move || there.store(true, Relaxed));
            while !flag.load(Relaxed) {
                if on_stack {
                    used(&Plain::default());
                } else {
                    used(&Box::default());
                }
                hint::spin_loop();
            }
            child.join().unwrap();
        });
        assert_eq!((found.report.executions(), &found.report.bounds[..]), (2, &[][..]));
    }
}
