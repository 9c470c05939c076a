//! How an access to an atomic is carried out in a model.
//!
//! In the *interleaving* pass every load is a read-modify-write that changes nothing and every
//! store a swap: loom then orders all accesses of one atomic, and reaches exactly the outcomes of
//! sequential consistency.
//!
//! In the *weak memory* pass loads and stores are real. loom remembers one last access of each
//! atomic, so a load hides the loads before it, and a write that conflicts with a hidden load goes
//! unnoticed. So each thread has a companion of its own beside the atomic: a mutex that is never
//! free. A load *touches* (tries) the companion of its thread, and a write those of all other
//! threads that have loaded. A touch always fails, so it carries no causality; but a write now
//! meets every load, and loads do not meet each other. An access and its touches are one step, so
//! nothing is added but the interleavings that loom would have missed.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::Ordering;

use super::super::event::Pass;
use super::super::operation::{Gate, Step};
use super::super::record;
use super::super::thread::MAX_THREADS;
use super::word::{Twin, Word};

/// Makes the order of `SeqCst` fences a choice: loom orders them as they come, and takes none for a
/// step.
pub(super) fn offer_fence(step: &Step) {
    let gate = record::with(|recorder| recorder.fence.clone()).flatten();
    let gate = gate.unwrap_or_else(|| {
        let gate = Gate::new();
        record::with(|recorder| recorder.fence = Some(Rc::clone(&gate)));
        gate
    });
    step.first(|| gate.touch());
}

/// One companion for each thread that has loaded the atomic.
#[derive(Default)]
pub(super) struct Companions(RefCell<[Option<Rc<Gate>>; MAX_THREADS]>);

// SAFETY: all threads of a model are coroutines of one OS thread.
unsafe impl Send for Companions {}
// SAFETY: as above; and no borrow is held while another coroutine can run.
unsafe impl Sync for Companions {}

/// An atomic in a model, and how its accesses are carried out: `pass` is `None` while there is
/// only one thread. Once the value is `settled` it is what the `std` half says, and loom is not
/// asked any more.
pub(super) struct Access<'a, T: Word> {
    pub(super) object: usize,
    pub(super) twin: &'a T::Twin,
    pub(super) companions: &'a Companions,
    pub(super) pass: Option<Pass>,
    pub(super) settled: bool,
}

impl<T: Word> Access<'_, T> {
    pub(super) fn read_modify_write<R>(&self, step: &Step, run: impl FnOnce(&T::Twin) -> R) -> R {
        self.mark_read(false);
        // One closure for all: each would be compiled for each operation of each type.
        let run = || run(self.twin);
        match self.pass {
            None => step.run(run),
            Some(Pass::Interleaving) => step.first(run),
            Some(Pass::WeakMemory) => {
                // Among stores that nothing orders, loom lets it choose: no part of another step.
                let result = step.run(run);
                self.touch_readers(step);
                result
            }
        }
    }

    /// A real load.
    pub(super) fn load(&self, step: &Step, order: Ordering) -> T {
        let value = step.run(|| self.twin.load(order));
        let me = record::with(|recorder| {
            let me = recorder.current();
            recorder.objects[self.object].loaded_by |= 1 << me;
            me
        })
        .unwrap_or_default();
        let companion = self.companions.0.borrow()[me].clone();
        let companion = companion.unwrap_or_else(|| {
            let companion = Gate::new();
            self.companions.0.borrow_mut()[me] = Some(Rc::clone(&companion));
            companion
        });
        step.merged(|| companion.touch());
        value
    }

    /// A real store.
    pub(super) fn store(&self, step: &Step, value: T, order: Ordering) {
        step.first(|| self.twin.store(value, order));
        self.touch_readers(step);
    }

    /// Lets a write meet the loads of all other threads.
    fn touch_readers(&self, step: &Step) {
        let (me, loaded_by) =
            record::with(|recorder| (recorder.current(), recorder.objects[self.object].loaded_by))
                .unwrap_or_default();
        for reader in
            (0..MAX_THREADS).filter(|&reader| reader != me && loaded_by & (1 << reader) != 0)
        {
            let companion = self.companions.0.borrow()[reader].clone();
            if let Some(companion) = companion {
                step.merged(|| companion.touch());
            }
        }
    }

    /// It is about to be stored.
    pub(super) fn mark_store(&self) {
        if self.pass.is_some() {
            record::with(|recorder| recorder.objects[self.object].stored = true);
        }
    }

    /// It is about to be read. In loom the passes differ on a load while others run, and on what has been
    /// stored while others ran: of stores that nobody reads, nobody can tell in which order they come.
    /// C++20 lets relaxed updates overtake each other too, and loom never does.
    pub(super) fn mark_read(&self, is_load: bool) {
        let is_contended_load = is_load && self.pass.is_some();
        record::with(|recorder| {
            recorder.learned.plain_access |=
                is_contended_load || recorder.objects[self.object].stored;
        });
    }

    /// What `value` is to the check for determinism: pointers differ from run to run.
    pub(super) fn operand(value: T) -> u64 {
        if T::POINTER { 0 } else { value.bits() }
    }

    /// What the thread learned by reading `value`.
    pub(super) fn learn(value: T) -> u64 {
        if T::POINTER {
            record::with(|recorder| recorder.pointer_history(value.bits())).unwrap_or_default()
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
