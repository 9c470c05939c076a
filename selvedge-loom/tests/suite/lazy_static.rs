//! `lazy_static!` and `thread_local!`.

use std::cell::Cell;

use loom::sync::Arc;
use loom::sync::atomic::AtomicUsize;
use loom::sync::atomic::Ordering::{AcqRel, Relaxed};
use loom::thread;

use super::{fails, passes};

loom::lazy_static! {
    /// A number of its own for each who asks.
    static ref NEXT: AtomicUsize = AtomicUsize::new(1);
    pub static ref TABLE: Vec<AtomicUsize> = vec![AtomicUsize::new(0), AtomicUsize::new(0)];
    static ref SHARED: Arc<AtomicUsize> = Arc::new(AtomicUsize::new(0));
    pub(super) static ref NAME: String = "static".to_owned();
}

loom::thread_local! {
    static LOCAL: Cell<usize> = Cell::new(1);
    static OTHER: Dropped = Dropped(None);
}

#[test]
fn each_execution_has_fresh_statics() {
    passes(|| {
        let thread = thread::spawn(|| NEXT.fetch_add(1, AcqRel));
        let mut numbers = [NEXT.fetch_add(1, AcqRel), thread.join().unwrap()];
        numbers.sort_unstable();
        assert_eq!(numbers, [1, 2]);
    });
}

#[test]
fn one_static_is_met_after_another() {
    fails(|| {
        let thread = thread::spawn(|| {
            TABLE[0].store(1, Relaxed);
            TABLE[1].load(Relaxed)
        });
        assert_eq!(NAME.len(), 6);
        TABLE[1].store(1, Relaxed);
        let own = TABLE[0].load(Relaxed);
        assert_ne!((own, thread.join().unwrap()), (0, 0), "store buffering");
    });
}

#[test]
fn an_owner_in_a_static_is_dropped() {
    passes(|| {
        let shared = Arc::clone(&SHARED);
        thread::spawn(move || shared.fetch_add(1, Relaxed)).join().unwrap();
        assert_eq!(SHARED.load(Relaxed), 1);
    });
}

struct Dropped(Option<Arc<AtomicUsize>>);

impl Drop for Dropped {
    fn drop(&mut self) {
        if let Some(dropped) = &self.0 {
            dropped.fetch_add(1, Relaxed);
        }
    }
}

#[test]
fn each_thread_has_its_own_value() {
    passes(|| {
        let other = thread::spawn(|| {
            LOCAL.with(|local| local.set(local.get() + 1));
            LOCAL.with(Cell::get)
        });
        LOCAL.with(|local| local.set(7));
        assert_eq!(other.join().unwrap(), 2);
        assert_eq!(LOCAL.try_with(Cell::get).ok(), Some(7));
        OTHER.with(|other| assert!(other.0.is_none()));
    });
}
