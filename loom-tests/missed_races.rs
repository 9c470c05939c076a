//! # Which data races are missed?
//!
//! **Answer.** Those that are races only because a fence, or a lock that is held for reading,
//! synchronizes with less than loom 0.7.3 believes. No other kind is known.
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

use selvedge::model::{Failure, Model};
use selvedge::sync::atomic::{
    AtomicU64,
    Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst},
    fence,
};
use selvedge::sync::cell::UnsafeCell;
use selvedge::sync::{PoisonError, RwLock};

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
fn is_missed(model: Model<Relayed>) {
    if cfg!(loom) {
        let report = model
            .acceptable("reader=None", "the reader was not told yet")
            .interesting("reader=Some(1)", "a data race, and it is missed")
            .check();
        assert!(report.is_complete(), "explored completely, and not seen: {report}");
    }
}

fn is_found(model: Model<Relayed>) {
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
