//! What each type of the façade synchronises, and how it blocks, panics and ends.

mod atomics;
mod channels;
mod locks;
mod owners;
mod threads;
mod unwinding;
mod waiting;

use crate::facade::{Found, explore};
use Ordering::SeqCst;
use selvedge_model::sync::atomic::{AtomicUsize, Ordering};
use selvedge_model::sync::cell::UnsafeCell;
use selvedge_model::sync::{Arc, Barrier, Condvar, LazyLock, Mutex, mpsc, thread};

/// Plain memory that threads share.
struct Shared(UnsafeCell<u32>);

// SAFETY: a race ends the execution before the memory is accessed.
unsafe impl Sync for Shared {}

impl Shared {
    fn new() -> Arc<Self> {
        Arc::new(Self(UnsafeCell::new(0)))
    }
    fn read(&self) -> u32 {
        // SAFETY: as for `Sync`.
        self.0.with(|value| unsafe { *value })
    }
    fn write(&self, to: u32) {
        // SAFETY: as for `Sync`.
        self.0.with_mut(|value| unsafe { *value = to });
    }
}

/// One thread writes plain memory and then releases; the other acquires and then reads.
fn hands_over<S: Send + Sync + 'static>(
    new: impl Fn() -> S,
    release: impl Fn(&S) + Send + Sync + Clone + 'static,
    acquire: impl Fn(&S) -> bool,
) -> Found<()> {
    explore(|| {
        let (state, memory) = (Arc::new(new()), Shared::new());
        let child = {
            let (state, memory, release) = (state.clone(), memory.clone(), release.clone());
            thread::spawn(move || {
                memory.write(1);
                release(&state);
            })
        };
        if acquire(&state) {
            memory.read();
        }
        child.join().unwrap();
    })
}

#[test]
fn outside_an_exploration_everything_is_as_in_std() {
    let (tx, rx) = mpsc::sync_channel(0);
    let pair = Arc::new((Mutex::new(0), Condvar::new(), Barrier::new(2)));
    let there = pair.clone();
    let child = thread::spawn(move || {
        there.2.wait();
        *there.0.lock().unwrap() = 5;
        there.1.notify_all();
        tx.send(6).unwrap();
    });
    pair.2.wait();
    let guard = pair.1.wait_while(pair.0.lock().unwrap(), |value| *value == 0).unwrap();
    assert_eq!((*guard, rx.recv()), (5, Ok(6)));
    drop(guard);
    child.join().unwrap();
    let lazy = LazyLock::new(|| 3);
    assert_eq!((*lazy, thread::scope(|scope| scope.spawn(|| *lazy).join().unwrap())), (3, 3));
    let mut x = AtomicUsize::new(0);
    x.fetch_add(2, SeqCst);
    *x.get_mut() += 1;
    assert_eq!((x.fetch_max(9, SeqCst), x.into_inner(), Arc::strong_count(&pair)), (3, 9, 1));
}
