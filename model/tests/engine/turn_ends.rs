//! Loops that end their turns at several places: no part of such a turn repeats the one before it, but all together do.

use std::time::Duration;

use crate::facade::explore;
use selvedge_model::sync::atomic::{AtomicU64, Ordering::Acquire, Ordering::Release};
use selvedge_model::sync::{Arc, hint, mpsc, thread};

const LIMIT: Duration = Duration::from_millis(1);

#[test]
fn a_turn_with_two_hints_is_repeated_as_a_whole() {
    let found = explore(|| {
        let flags = Arc::new([AtomicU64::new(0), AtomicU64::new(0)]);
        let there = flags.clone();
        let child = thread::spawn(move || there.iter().for_each(|flag| flag.store(1, Release)));
        let mut found = 0;
        while found == 0 {
            found = flags[0].load(Acquire);
            hint::spin_loop();
            found += 2 * flags[1].load(Acquire);
            thread::yield_now();
        }
        child.join().unwrap();
        found
    });
    // At once, and after one turn in vain.
    assert_eq!((found.report.complete, found.report.deadlocks), (6, 0));
    assert_eq!(found.all(), [1, 2, 3]);
}

/// Both waits time out in a turn that finds nothing.
#[test]
fn a_turn_that_receives_twice_in_vain_is_repeated_as_a_whole() {
    let found = explore(|| {
        let (sender, receiver) = mpsc::channel();
        let child = thread::spawn(move || sender.send(1).unwrap());
        let mut waits = 0;
        let first = loop {
            if receiver.recv_timeout(LIMIT).is_ok() {
                break true;
            }
            waits += 1;
            if receiver.recv_timeout(LIMIT).is_ok() {
                break false;
            }
        };
        child.join().unwrap();
        (first, waits)
    });
    assert_eq!(found.report.deadlocks, 0);
    assert_eq!(found.all(), [(false, 1), (false, 2), (true, 0), (true, 1)]);
}
