//! Loops that wait and remember what they found, though no other thread finds anything of their turns.

use std::time::Duration;

use crate::facade::{explore, explore_with};
use selvedge_model::engine::graph::Config;
use selvedge_model::kernel::Policy;
use selvedge_model::sync::atomic::{AtomicU64, Ordering::SeqCst};
use selvedge_model::sync::{Arc, Condvar, Mutex, RwLock, hint, thread};

const LIMIT: Duration = Duration::from_millis(1);

/// Runs two threads, in either order; what the first returns.
fn beside<S: Default + Send + Sync + 'static, T: Send + 'static>(
    first: bool,
    waits: fn(&S) -> T,
    other: fn(&S),
) -> T {
    let shared = Arc::new(S::default());
    let there = shared.clone();
    if first {
        let child = thread::spawn(move || other(&there));
        let found = waits(&shared);
        child.join().unwrap();
        return found;
    }
    let child = thread::spawn(move || waits(&there));
    other(&shared);
    child.join().unwrap()
}

/// A wait may time out in vain, and a later one may be notified.
#[test]
fn how_a_wait_with_a_limit_ended() {
    for first in [true, false] {
        let found = explore(|| {
            beside::<(Mutex<u64>, Condvar), _>(
                first,
                |(mutex, told)| {
                    let mut seen = (false, false);
                    let mut value = mutex.lock().unwrap();
                    while *value == 0 {
                        let (again, end) = told.wait_timeout(value, LIMIT).unwrap();
                        value = again;
                        seen = (seen.0 || end.timed_out(), seen.1 || !end.timed_out());
                    }
                    seen
                },
                |(mutex, told)| {
                    *mutex.lock().unwrap() = 1;
                    told.notify_one();
                },
            )
        });
        let all = [(false, false), (false, true), (true, false), (true, true)];
        assert_eq!(found.all(), all, "{first}");
    }
}

/// The load finds 0, the exchange fails without a cause, and the next turn finds 1.
#[test]
fn what_was_found_before_a_weak_exchange_failed_without_a_cause() {
    for first in [true, false] {
        let policy = Policy { spurious: true, patient: false };
        let found = explore_with(&Config { policy, ..Config::default() }, || {
            beside::<[AtomicU64; 2], _>(
                first,
                |[lock, x]| {
                    let mut saw_0 = false;
                    loop {
                        let value = x.load(SeqCst);
                        saw_0 |= value == 0;
                        if lock.compare_exchange_weak(0, 1, SeqCst, SeqCst).is_ok() {
                            return (saw_0, value);
                        }
                        hint::spin_loop();
                    }
                },
                |[_, x]| x.store(1, SeqCst),
            )
        });
        assert_eq!(found.all(), [(false, 1), (true, 0), (true, 1)], "{first}");
    }
}

/// How often attempts to write went over from failing to succeeding, and back, beside so many reads.
#[test]
fn whose_read_made_an_attempt_fail() {
    for first in [true, false] {
        let found = explore(|| {
            beside::<(RwLock<u64>, AtomicU64), _>(
                first,
                |(lock, ends)| {
                    let mut changes = 0;
                    while ends.load(SeqCst) == 0 {
                        if lock.try_write().is_ok() == (changes % 2 == 1) {
                            changes += 1;
                        }
                        hint::spin_loop();
                    }
                    changes
                },
                |(lock, ends)| {
                    for _ in 0..2 {
                        drop(lock.read().unwrap());
                    }
                    ends.store(1, SeqCst);
                },
            )
        });
        assert_eq!(found.all(), [0, 1, 2, 3, 4], "{first}");
    }
}
