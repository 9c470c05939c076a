//! Statics: each execution finds them as they were declared.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

use crate::facade::{Found, explore, explore_with};
use selvedge_model::engine::graph::{Config, Ending};
use selvedge_model::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize};
use selvedge_model::sync::cell::UnsafeCell;
use selvedge_model::sync::{
    Arc, Barrier, Condvar, LazyLock, Mutex, Once, OnceLock, RwLock, hint, thread,
};

fn pair<A: Send + 'static, B>(a: fn() -> A, b: fn() -> B) -> (A, B) {
    let child = thread::spawn(a);
    let b = b();
    (child.join().unwrap(), b)
}

fn misuse<R>(found: &Found<R>) -> &str {
    let [Ending::Misuse(message), ..] = &*found.endings else { panic!("{:?}", found.endings) };
    message
}

#[test]
fn an_atomic_starts_anew_in_each_execution() {
    static HITS: AtomicUsize = AtomicUsize::new(3);
    let found = explore(|| pair(|| HITS.fetch_add(1, Relaxed), || HITS.fetch_add(1, Relaxed)));
    assert_eq!(found.all(), [(3, 4), (4, 3)]);
    assert_eq!(HITS.fetch_add(10, Relaxed), 3, "the static itself does not change");
    let found = explore(|| HITS.load(Relaxed));
    assert_eq!(found.all(), [3], "also after it was used outside");
}

#[test]
fn every_type_can_be_a_static() {
    static NUMBERS: [AtomicUsize; 2] = [AtomicUsize::new(0), AtomicUsize::new(0)];
    static POINTER: AtomicPtr<u32> = AtomicPtr::new(std::ptr::null_mut());
    static TABLE: Mutex<Vec<u32>> = Mutex::new(Vec::new());
    static TEXT: RwLock<String> = RwLock::new(String::new());
    static FILLED: Condvar = Condvar::new();
    static ONCE: Once = Once::new();
    static CELL: OnceLock<String> = OnceLock::new();
    static LAZY: LazyLock<Vec<u32>> = LazyLock::new(|| vec![1, 2]);
    static BOTH: Barrier = Barrier::new(2);
    let found = explore(|| {
        pair(
            || {
                NUMBERS[0].store(1, Relaxed);
                assert!(POINTER.load(Relaxed).is_null());
                TABLE.lock().unwrap().push(7);
                FILLED.notify_one();
                ONCE.call_once(|| TEXT.write().unwrap().push('x'));
                let lazy = LAZY.len();
                BOTH.wait();
                (CELL.get_or_init(|| "first".to_owned()).len(), lazy)
            },
            || {
                let table = FILLED.wait_while(TABLE.lock().unwrap(), |table| table.is_empty());
                let table = table.unwrap().clone();
                ONCE.call_once(|| TEXT.write().unwrap().push('y'));
                BOTH.wait();
                (table, TEXT.read().unwrap().len(), NUMBERS[1].load(Relaxed))
            },
        )
    });
    assert_eq!(found.all(), [((5, 2), (vec![7], 1, 0))]);
    assert!(TABLE.lock().unwrap().is_empty() && CELL.get().is_none());
}

/// As people write it, with a `const fn new` of its own.
struct SpinLock<T> {
    taken: AtomicBool,
    value: UnsafeCell<T>,
}

// SAFETY: the flag lets one thread at a time reach the value.
unsafe impl<T: Send> Sync for SpinLock<T> {}

struct Guard<'a, T>(&'a SpinLock<T>);

impl<T> SpinLock<T> {
    const fn new(value: T) -> Self {
        Self { taken: AtomicBool::new(false), value: UnsafeCell::new(value) }
    }
    fn lock(&self) -> Guard<'_, T> {
        while self.taken.swap(true, Acquire) {
            hint::spin_loop();
        }
        Guard(self)
    }
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: this guard holds the lock.
        self.0.value.with(|value| unsafe { &*value })
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: this guard holds the lock.
        self.0.value.with_mut(|value| unsafe { &mut *value })
    }
}

impl<T> Drop for Guard<'_, T> {
    fn drop(&mut self) {
        self.0.taken.store(false, Release);
    }
}

#[test]
fn a_spin_lock_of_ones_own() {
    static LOCK: SpinLock<u32> = SpinLock::new(5);
    fn add() -> u32 {
        let mut value = LOCK.lock();
        *value += 1;
        *value
    }
    assert_eq!(explore(|| pair(add, add)).all(), [(6, 7), (7, 6)]);
}

#[test]
fn a_race_on_a_static_is_found() {
    static LOCK: SpinLock<u32> = SpinLock::new(5);
    fn add() {
        // SAFETY: not sound, and to be reported.
        LOCK.value.with_mut(|value| unsafe { *value += 1 });
    }
    assert!(explore(|| pair(add, add)).races());
}

#[test]
fn a_lazy_static_is_made_once_in_each_execution() {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    static LAZY: LazyLock<usize> = LazyLock::new(|| MADE.fetch_add(1, Relaxed));
    let found = explore(|| (pair(|| *LAZY, || *LAZY), MADE.load(Relaxed)));
    assert_eq!(found.all(), [((0, 0), 1)]);
}

#[test]
fn what_was_done_outside_does_not_matter() {
    static TABLE: Mutex<Vec<u32>> = Mutex::new(Vec::new());
    static LAZY: LazyLock<Vec<u32>> = LazyLock::new(|| vec![1, 2]);
    let held = TABLE.lock().unwrap();
    assert_eq!(LAZY.len(), 2);
    let found = explore(|| {
        TABLE.lock().unwrap().push(1);
        (TABLE.lock().unwrap().len(), LAZY.len())
    });
    assert_eq!(found.all(), [(1, 2)]);
    assert!(held.is_empty());
}

/// What it holds is not the value of a constant expression, and cannot be made anew.
#[test]
fn what_is_put_into_a_static_at_run_time_is_refused() {
    static LAZY: std::sync::LazyLock<Mutex<Vec<u32>>> =
        std::sync::LazyLock::new(|| Mutex::new(vec![1]));
    assert_eq!(LAZY.lock().unwrap().len(), 1);
    let found = explore(|| LAZY.lock().unwrap().len());
    assert!(misuse(&found).starts_with("a mutex made outside any model is used"));
}

/// A reference to an unsized view of a static leads to the same.
#[test]
fn an_unsized_view_of_a_static() {
    static TABLE: Mutex<[u8; 3]> = Mutex::new([1, 2, 3]);
    let view = || -> &'static Mutex<[u8]> { &TABLE };
    let found = explore(move || {
        view().lock().unwrap()[1] = 7;
        let length = view().lock().unwrap().len();
        (length, TABLE.lock().unwrap()[1])
    });
    assert_eq!(found.all(), [(3, 7)]);
}

/// What a static holds is of the execution, and is dropped when that is over: it does not leak.
#[test]
fn what_a_static_holds_does_not_leak() {
    static KEPT: Mutex<Option<Arc<AtomicUsize>>> = Mutex::new(None);
    let config = Config { leaks: true, ..Config::default() };
    let found = explore_with(&config, || {
        let value = Arc::new(AtomicUsize::new(1));
        *KEPT.lock().unwrap() = Some(value.clone());
        value.fetch_add(1, AcqRel)
    });
    assert_eq!(found.all(), [1]);
}

#[test]
fn models_that_run_at_the_same_time_do_not_share_a_static() {
    static HITS: AtomicUsize = AtomicUsize::new(0);
    static TABLE: Mutex<Vec<usize>> = Mutex::new(Vec::new());
    fn add() -> usize {
        let mut table = TABLE.lock().unwrap();
        table.push(HITS.fetch_add(1, Relaxed));
        table.len()
    }
    let test = || {
        for _ in 0..50 {
            let found = explore_with(&Config::default(), || pair(add, add));
            assert_eq!(found.all(), [(1, 2), (2, 1)]);
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(test);
        scope.spawn(test);
    });
}
