//! # Which data races are missed?
//!
//! **Answer.** Those that are races only because a fence, or a lock that is held for reading,
//! synchronizes with less than loom 0.7.3 believes; and those with an access that is no event to the
//! checker: an object is dropped, or a lock is made. No other kind is known.
//!
//! | missed | what to do instead | test |
//! |---|---|---|
//! | an acquire fence, and what another thread has read | acquire by the load | `an_acquire_fence_hides_a_race` |
//! | two `SeqCst` fences without an atomic between them | check the model with `AcqRel` fences | `seq_cst_fences_hide_a_race` |
//! | a write under a read lock, where readers do not overlap | let them overlap in a model | `a_lock_held_for_reading_hides_a_race` |
//! | an object is freed while another thread still uses it | an `UnsafeCell` in it: read by each use, written by its `Drop` | `an_object_freed_too_early_is_missed` |
//! | a lock is published without a release | an `UnsafeCell` or an atomic in the lock | `a_mutex_published_without_release_is_missed` |
//!
//! **Why these are races.** A fence that acquires synchronizes with what its own thread has read; to
//! have been told of it by somebody who read it, and did not synchronize himself, is not enough. And two
//! fences, `SeqCst` too, synchronize only through an atomic that is written after the one and read
//! before the other. That one of them comes first in the single order of `SeqCst` is no
//! happens-before. A lock that is given back by a reader is promised to the next writer, and nothing
//! is promised to the next reader.
//!
//! **Why loom calls them none.** Its acquire fence goes through all stores that anybody has read whom
//! the thread knows of. Its `SeqCst` fences, and those who hold a lock for reading, hand on to the next
//! all that they know. Each model here is shown twice: as it is, and no race is found; and with a
//! weaker fence, or without the fence or the lock, and it is found.
//!
//! **What to do instead.** Acquire by the load: to take fences away from a model can only show more
//! races. Let a fence be `SeqCst` only where it is about who came first, and check the rest of the model
//! with `AcqRel`. Let readers overlap in a model: then a write under a lock held for reading is found.
//!
//! **Bounds and what is not modelled.** No bound. The tables are pinned to loom 0.7.3: where a race
//! begins to be found they turn red. On real threads there is nothing to run: a data race is undefined
//! behaviour.

use selvedge_model::sync::atomic::{
    AtomicPtr, AtomicU64,
    Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst},
    fence,
};
use selvedge_model::sync::cell::UnsafeCell;
use selvedge_model::sync::{Mutex, PoisonError, RwLock};
use selvedge_model::{Failure, Model};

/// Data in plain memory; the writer tells the relay by one flag, and the relay tells the reader by
/// another. Where there is no relay, the reader looks at the first.
#[derive(Default)]
struct Relayed {
    data: UnsafeCell<u64>,
    written: AtomicU64,
    passed_on: AtomicU64,
    lock: RwLock<()>,
}

// SAFETY: none: these are races, which the checker finds or misses. On real threads they are not run.
unsafe impl Sync for Relayed {}

impl Relayed {
    fn write(&self) {
        // SAFETY: none; as above.
        self.data.with_mut(|data| unsafe { *data = 1 });
    }

    fn read(&self) -> u64 {
        // SAFETY: none; as above.
        self.data.with(|data| unsafe { *data })
    }

    fn pass_on(&self, order: Ordering) {
        if self.written.load(Relaxed) == 1 {
            self.passed_on.store(1, order);
        }
    }
}

/// The model is a race, and no execution is called one.
fn is_missed<S: Send + Sync + 'static>(model: Model<S>) {
    if cfg!(loom) {
        let report = model
            .acceptable("reader=None", "the reader was not told yet")
            .interesting("reader=Some(1)", "a data race, and it is missed")
            .check();
        assert!(report.is_complete(), "explored completely, and not seen: {report}");
    }
}

fn is_found<S: Send + Sync + 'static>(model: Model<S>) {
    model.fails(Failure::DataRace).check();
}

/// The relay's load is relaxed, so the relay knows nothing of the data, and cannot pass on what it
/// does not know. The reader has read what the relay wrote, and not what the writer did.
#[test]
fn an_acquire_fence_hides_a_race() {
    let model = |with_fence: bool| {
        Model::new(Relayed::default)
            .thread("writer", |shared| {
                shared.write();
                shared.written.store(1, Release);
            })
            .thread("relay", |shared| shared.pass_on(Release))
            .thread("reader", move |shared| {
                (shared.passed_on.load(Acquire) == 1).then(|| {
                    if with_fence {
                        fence(Acquire);
                    }
                    shared.read()
                })
            })
    };
    is_found(model(false));
    is_missed(model(true));
}

/// The writer's fence comes before the reader's whenever the reader reads: a relay of relaxed
/// accesses sees to it. It hands on no happens-before, and the fences have no other atomic in common.
#[test]
fn seq_cst_fences_hide_a_race() {
    let model = |order: Ordering| {
        Model::new(Relayed::default)
            .thread("writer", move |shared| {
                shared.write();
                fence(order);
                shared.written.store(1, Relaxed);
            })
            .thread("relay", |shared| shared.pass_on(Relaxed))
            .thread("reader", move |shared| {
                (shared.passed_on.load(Relaxed) == 1).then(|| {
                    fence(order);
                    shared.read()
                })
            })
    };
    is_found(model(AcqRel));
    is_missed(model(SeqCst));
}

/// The writer holds the lock as a reader does, which is its defect. The readers do not overlap,
/// because the second one waits for a flag that orders nothing.
#[test]
fn a_lock_held_for_reading_hides_a_race() {
    let model = |with_lock: bool| {
        let held = move |shared: &Relayed, access: fn(&Relayed) -> u64| {
            let _held =
                with_lock.then(|| shared.lock.read().unwrap_or_else(PoisonError::into_inner));
            access(shared)
        };
        Model::new(Relayed::default)
            .thread("writer", move |shared| {
                held(shared, |shared| {
                    shared.write();
                    1
                });
                shared.written.store(1, Relaxed);
            })
            .thread("reader", move |shared| {
                (shared.written.load(Relaxed) == 1).then(|| held(shared, Relayed::read))
            })
    };
    is_found(model(false));
    is_missed(model(true));
}

// ---------------------------------------------------------------------------------------------
// Accesses that are no event.
// ---------------------------------------------------------------------------------------------

/// Two owners on the heap, each of which uses the object once. The last one drops it.
struct Owned {
    object: AtomicPtr<Object>,
    owners: AtomicU64,
}

struct Object {
    uses: AtomicU64,
    /// Stands for the object, where it is watched: read by each use, written by its drop.
    watch: Option<UnsafeCell<()>>,
}

impl Drop for Object {
    fn drop(&mut self) {
        if let Some(watch) = &self.watch {
            watch.with_mut(|_| ());
        }
    }
}

impl Owned {
    fn new(watched: bool) -> Self {
        let watch = watched.then(|| UnsafeCell::new(()));
        let object = Box::into_raw(Box::new(Object { uses: AtomicU64::new(0), watch }));
        Self { object: AtomicPtr::new(object), owners: AtomicU64::new(2) }
    }

    fn use_and_release(&self, order: Ordering) {
        let object = self.object.load(Relaxed);
        // SAFETY: none where the release is relaxed; that is what the test is about.
        let shared = unsafe { &*object };
        shared.uses.fetch_add(1, Relaxed);
        if let Some(watch) = &shared.watch {
            watch.with(|_| ());
        }
        if self.owners.fetch_sub(1, order) == 1 {
            // SAFETY: this is the last owner. Where the release is relaxed, the use by the other one may
            // come later; as above.
            drop(unsafe { Box::from_raw(object) });
        }
    }
}

/// The last owner must know that all others are done with the object: a release by each, and an acquire
/// by the last. To the checker a drop is no event.
#[test]
fn an_object_freed_too_early_is_missed() {
    let model = |watched: bool, order: Ordering| {
        Model::new(move || Owned::new(watched))
            .thread("alice", move |owned| owned.use_and_release(order))
            .thread("bob", move |owned| owned.use_and_release(order))
    };
    let passes = |model: Model<Owned>| {
        if cfg!(loom) {
            let report = model.acceptable("()", "freed once").check();
            assert!(report.is_complete(), "explored completely: {report}");
        }
    };
    passes(model(false, Relaxed));

    is_found(model(true, Relaxed));
    passes(model(true, AcqRel));
}

/// To make a mutex is to write it, and no lock can synchronize with that. Of an atomic, or a cell, the
/// checker knows when it was made.
#[test]
fn a_mutex_published_without_release_is_missed() {
    fn model<T: Send + Sync + 'static>(
        order: Ordering,
        make: fn() -> T,
        read: fn(&T) -> u64,
    ) -> Model<AtomicPtr<Mutex<T>>> {
        Model::new(|| AtomicPtr::new(std::ptr::null_mut()))
            .thread("publisher", move |published: &AtomicPtr<Mutex<T>>| {
                published.store(Box::into_raw(Box::new(Mutex::new(make()))), order);
            })
            .thread("reader", move |published| {
                let found = published.load(Acquire);
                (!found.is_null()).then(|| {
                    // SAFETY: none where the store is relaxed; that is what the test is about.
                    let mutex = unsafe { &*found };
                    read(&mutex.lock().unwrap_or_else(PoisonError::into_inner))
                })
            })
            .finally("freed", |published| {
                // SAFETY: it came from a `Box`, and all threads have ended.
                drop(unsafe { Box::from_raw(published.load(Relaxed)) });
            })
    }
    is_missed(model(Relaxed, || 1, |value| *value));

    let with_an_atomic = |order| model(order, || AtomicU64::new(1), |value| value.load(Relaxed));
    is_found(with_an_atomic(Relaxed));
    with_an_atomic(Release)
        .acceptable("reader=None", "it is not yet published")
        .acceptable("reader=Some(1)", "published, with all that was written before")
        .check();
}
