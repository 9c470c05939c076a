//! Programs that each need one operation as it is. Each returns its outcome.

use std::fmt::Debug;

use selvedge_model::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use selvedge_model::sync::atomic::{AtomicBool, AtomicU64, fence};
use selvedge_model::sync::cell::UnsafeCell;
use selvedge_model::sync::{Condvar, Mutex, RwLock, thread};

/// Runs two threads, and returns their results as one outcome.
pub(crate) fn both<A, B>(a: impl FnOnce() -> A + Send, b: impl FnOnce() -> B + Send) -> String
where
    A: Debug + Send,
    B: Debug + Send,
{
    let results = thread::scope(|scope| {
        let (a, b) = (scope.spawn(a), scope.spawn(b));
        (a.join().expect("no panic"), b.join().expect("no panic"))
    });
    format!("{results:?}")
}

pub(crate) struct Shared<T>(UnsafeCell<u64>, pub(crate) T);

// SAFETY: a race ends the execution before the memory is accessed.
unsafe impl<T: Sync> Sync for Shared<T> {}

impl<T> Shared<T> {
    pub(crate) fn new(guard: T) -> Self {
        Self(UnsafeCell::new(0), guard)
    }
    pub(crate) fn get(&self) -> u64 {
        // SAFETY: as for `Sync`.
        self.0.with(|value| unsafe { *value })
    }
    pub(crate) fn add(&self) {
        // SAFETY: as for `Sync`.
        self.0.with_mut(|value| unsafe { *value += 1 });
    }
}

pub(crate) fn passes_a_message() -> String {
    let message = Shared::new(AtomicBool::new(false));
    both(
        || {
            message.add();
            message.1.store(true, Release);
        },
        || message.1.load(Acquire).then(|| message.get()),
    )
}

pub(crate) fn buffers_no_store() -> String {
    let write_and_look = |mine: &AtomicU64, other: &AtomicU64| {
        mine.store(1, Relaxed);
        fence(SeqCst);
        other.load(Relaxed)
    };
    let (x, y) = (AtomicU64::new(0), AtomicU64::new(0));
    both(|| write_and_look(&x, &y), || write_and_look(&y, &x))
}

/// As `buffers_no_store`, by the one order of all `SeqCst` accesses.
pub(crate) fn has_one_order() -> String {
    let write_and_look = |mine: &AtomicU64, other: &AtomicU64| {
        mine.store(1, SeqCst);
        other.load(SeqCst)
    };
    let (x, y) = (AtomicU64::new(0), AtomicU64::new(0));
    both(|| write_and_look(&x, &y), || write_and_look(&y, &x))
}

pub(crate) fn adds() -> String {
    let n = AtomicU64::new(0);
    both(|| n.fetch_add(1, Relaxed), || n.fetch_add(1, Relaxed));
    n.load(Relaxed).to_string()
}

pub(crate) fn adds_in_order() -> String {
    let write_and_look = |mine: &AtomicU64, other: &AtomicU64| {
        mine.fetch_add(1, SeqCst);
        other.load(SeqCst)
    };
    let (x, y) = (AtomicU64::new(0), AtomicU64::new(0));
    both(|| write_and_look(&x, &y), || write_and_look(&y, &x))
}

/// Of two that swap, the second sees what the first did before.
pub(crate) fn hands_over() -> String {
    let swap = |mine: &AtomicU64, theirs: &AtomicU64, turn: &AtomicBool| {
        mine.store(1, Relaxed);
        turn.swap(true, AcqRel).then(|| theirs.load(Relaxed))
    };
    let (a, b, turn) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
    both(|| swap(&a, &b, &turn), || swap(&b, &a, &turn))
}

/// Adds in a critical section, if the flag can be taken.
fn spin_with(takes: impl Fn(&AtomicBool) -> bool + Sync) -> String {
    let n = Shared::new(AtomicBool::new(false));
    let add = || {
        if takes(&n.1) {
            n.add();
            n.1.store(false, Release);
        }
    };
    both(add, add)
}

pub(crate) fn spins() -> String {
    spin_with(|taken| taken.compare_exchange(false, true, Acquire, Relaxed).is_ok())
}

pub(crate) fn spins_weakly() -> String {
    spin_with(|taken| taken.compare_exchange_weak(false, true, Acquire, Relaxed).is_ok())
}

pub(crate) fn spins_by_update() -> String {
    spin_with(|taken| {
        taken.fetch_update(Acquire, Relaxed, |taken| (!taken).then_some(true)).is_ok()
    })
}

pub(crate) fn looks_and_fails() -> String {
    let (data, state) = (AtomicU64::new(0), AtomicU64::new(0));
    let write = || {
        data.store(1, Relaxed);
        state.store(2, Release);
    };
    both(write, || match state.compare_exchange(0, 1, Relaxed, Acquire) {
        Ok(_) => None,
        Err(_) => Some(data.load(Relaxed)),
    })
}

/// A failure without a cause orders as any other.
pub(crate) fn fails_without_cause() -> String {
    let (data, state) = (AtomicU64::new(0), AtomicU64::new(0));
    let write = || {
        data.store(1, Relaxed);
        state.store(2, Release);
    };
    both(write, || match state.compare_exchange_weak(2, 3, Relaxed, Acquire) {
        Ok(_) => None,
        Err(found) => Some((found, data.load(Relaxed))),
    })
}

pub(crate) fn locks() -> String {
    let n = Mutex::new(0);
    let add = || *n.lock().expect("no panic") += 1;
    both(add, add);
    n.try_lock().expect("it is free").to_string()
}

pub(crate) fn reads() -> String {
    let n = RwLock::new(0);
    both(|| *n.write().expect("no panic") += 1, || *n.read().expect("no panic"))
}

pub(crate) fn writes() -> String {
    let n = RwLock::new(0);
    let add = || *n.write().expect("no panic") += 1;
    both(add, add);
    n.read().expect("no panic").to_string()
}

pub(crate) fn tries() -> String {
    let n = Mutex::new(0);
    let add = || n.try_lock().map(|mut n| *n += 1).is_ok();
    both(add, add)
}

pub(crate) fn tries_to_read() -> String {
    let n = RwLock::new(0);
    both(|| n.try_write().map(|mut n| *n += 1).is_ok(), || n.try_read().ok().map(|n| *n))
}

pub(crate) fn waits() -> String {
    let (open, opened) = (Mutex::new(false), Condvar::new());
    let wait = || {
        let mut open = open.lock().expect("no panic");
        while !*open {
            open = opened.wait(open).expect("no panic");
        }
    };
    thread::scope(|scope| {
        scope.spawn(wait);
        scope.spawn(wait);
        *open.lock().expect("no panic") = true;
        opened.notify_all();
    });
    "all go on".to_owned()
}

/// Without spurious wake-ups the program is right, though it does not look again.
pub(crate) fn sleeps() -> String {
    let (open, opened) = (Mutex::new(false), Condvar::new());
    let sleep = || {
        let mut open = open.lock().expect("no panic");
        if !*open {
            open = opened.wait(open).expect("no panic");
        }
        *open
    };
    both(sleep, || {
        *open.lock().expect("no panic") = true;
        opened.notify_one();
    })
}

/// As `sleeps`.
pub(crate) fn parks() -> String {
    let (n, parent) = (AtomicU64::new(0), thread::current());
    let found = thread::scope(|scope| {
        scope.spawn(|| {
            n.store(1, Relaxed);
            parent.unpark();
        });
        thread::park();
        n.load(Relaxed)
    });
    found.to_string()
}
