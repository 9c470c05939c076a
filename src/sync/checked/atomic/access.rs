//! How an access to an atomic is carried out in a model.
//!
//! In the *interleaving* pass every load is a read-modify-write that changes nothing and every
//! store a swap: loom then orders all accesses of one atomic, and reaches exactly the outcomes of
//! sequential consistency. In the *weak memory* pass loads and stores are real, and a *touch*
//! precedes each load, and each write by a thread that has loaded the same atomic before: a
//! `try_lock` of a companion mutex that is never free. It always fails, so it carries no
//! causality, but all touches of one atomic depend on each other, which restores the dependencies
//! that loom's partial-order reduction forgets.

use std::rc::Rc;
use std::sync::atomic::Ordering;

use super::super::event::Pass;
use super::super::operation::Step;
use super::super::record;
use super::word::{Twin, Word};

/// The companion mutex of the weak-memory pass, for ever locked.
pub(super) type Touch = loom::sync::Mutex<()>;

/// A mutex that is never free: to try it is a step that changes nothing.
pub(super) fn closed() -> Touch {
    let touch = Touch::new(());
    std::mem::forget(touch.lock());
    touch
}

/// An atomic in a model, and how its accesses are carried out: `pass` is `None` while there is
/// only one thread. Once the value is `settled` it is what the `std` half says, and loom is not
/// asked any more.
pub(super) struct Access<'a, T: Word> {
    pub(super) object: usize,
    pub(super) twin: &'a T::Twin,
    pub(super) touch: Option<&'a Touch>,
    pub(super) pass: Option<Pass>,
    pub(super) settled: bool,
}

impl<T: Word> Access<'_, T> {
    pub(super) fn read_modify_write<R>(&self, step: &Step, run: impl FnOnce(&T::Twin) -> R) -> R {
        match self.pass {
            None => step.run(|| run(self.twin)),
            Some(Pass::Interleaving) => step.first(|| run(self.twin)),
            Some(Pass::WeakMemory) => {
                // Among plain stores by several threads loom may let a read-modify-write choose,
                // so it cannot itself be the step that starts the thread.
                if record::with(|recorder| recorder.thread().moved) == Some(true) {
                    self.touch_if_loaded(step);
                } else {
                    self.touch(step);
                }
                step.run(|| run(self.twin))
            }
        }
    }

    /// Notes that the active thread has written by a read-modify-write.
    pub(super) fn updated(&self) {
        if self.pass.is_some() {
            record::with(|recorder| {
                recorder.learned.updates = true;
                let bit = 1 << recorder.current();
                let order = &mut recorder.objects[self.object].order;
                order.follows |= bit;
                order.updated = true;
            });
        }
    }

    /// Stores, and sees to it that loom knows after which stores.
    ///
    /// A read-modify-write comes right after the store that it read: a store that comes after the
    /// one comes after the other. loom 0.7.3 does not know that, and would let the store be
    /// overwritten by an update that never saw it. So where the façade knows, the thread looks at
    /// the newest value first: a `compare_exchange` that fails, after which loom orders the store.
    /// Whether it must look depends on who came before, so the choice of who comes before is
    /// offered ahead of both, at the gate, and no other in between.
    ///
    /// Having looked, a thread that executes an acquire fence would synchronise with what it never
    /// read, which could hide a race; so a model with such fences keeps loom's false alarms.
    pub(super) fn ordered_store(
        &self,
        step: &Step,
        touched: bool,
        newest: impl FnOnce() -> T,
        value: T,
        order: Ordering,
    ) {
        let learned = record::with(|recorder| recorder.learned).unwrap_or_default();
        if !learned.updates || learned.acquire_fence {
            return step.first(|| self.twin.store(value, order));
        }
        if !touched {
            let gate = record::with(|recorder| recorder.thread().gate.clone()).flatten();
            let gate = gate.unwrap_or_else(|| {
                let gate = Rc::new(closed());
                record::with(|recorder| recorder.thread().gate = Some(Rc::clone(&gate)));
                gate
            });
            step.first(|| gate.try_lock().is_ok());
        }
        step.merged(|| {
            if record::with(|recorder| recorder.follows_update(self.object)) == Some(true) {
                self.twin.look(newest());
            }
            self.twin.store(value, order);
        });
    }

    pub(super) fn touch(&self, step: &Step) {
        if let Some(touch) = self.touch {
            let free = step.first(|| touch.try_lock().is_ok());
            debug_assert!(!free, "a touch is a try_lock that fails");
        }
    }

    pub(super) fn touch_if_loaded(&self, step: &Step) -> bool {
        let loaded = record::with(|recorder| {
            recorder.objects[self.object].loaded_by & (1 << recorder.current()) != 0
        });
        if loaded == Some(true) {
            self.touch(step);
        }
        loaded == Some(true)
    }

    /// A load or store while others run: the two passes differ on it.
    pub(super) fn mark_plain(&self) {
        if self.pass.is_some() {
            record::with(|recorder| recorder.learned.plain_access = true);
        }
    }

    pub(super) fn mark_loaded(&self) {
        record::with(|recorder| {
            let bit = 1 << recorder.current();
            recorder.objects[self.object].loaded_by |= bit;
        });
    }

    /// What `value` is to the check for determinism: pointers differ from run to run.
    pub(super) fn operand(value: T) -> u64 {
        if T::POINTER { 0 } else { value.bits() }
    }

    /// What the thread learned by reading `value`.
    pub(super) fn learn(value: T) -> u64 {
        if T::POINTER {
            record::with(|recorder| recorder.follow(value.bits())).unwrap_or_default()
        } else {
            value.bits()
        }
    }

    /// What others will learn by reading `value`.
    pub(super) fn teach(value: T) {
        if T::POINTER {
            record::with(|recorder| recorder.publish(value.bits()));
        }
    }
}
