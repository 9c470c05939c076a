//! # rust-lang #98498: the last thread of a scope uses what the scope has freed
//!
//! **Source.** <https://github.com/rust-lang/rust/issues/98498>; fixed by #98503.
//!
//! **Kind.** Use after free: data behind a reference count is used after the decrement.
//!
//! **What happened.** `thread::scope` kept the number of its threads and the handle of the main thread on the main
//! thread's stack. A thread that ended decremented the number, and, if it was the last, unparked the main thread by that
//! handle. But the main thread may see 0 before it is unparked, as `park` can return at any time or is not reached. Then it
//! leaves the scope, and the handle is gone when the last thread reads it. Miri found it. The fix has the data in an `Arc`.
//!
//! **What the checker says.** `broken`: a data race between the last thread, which reads the handle, and the drop of it, in
//! execution 2, an interleaving: the main thread found 0 and did not park. A use after free that no happens-before edge
//! orders with the free is reported as a data race. `fixed` is explored completely, in 12 executions.
//!
//! **Assumed.** One thread. The data is in a box in place of the stack, so that its end is an event.

use selvedge_model::sync::atomic::{
    AtomicUsize,
    Ordering::{Acquire, Release},
};
use selvedge_model::sync::cell::UnsafeCell;
use selvedge_model::sync::{Arc, thread};

/// What a scope and its threads share.
struct Scope {
    running: AtomicUsize,
    main: UnsafeCell<thread::Thread>,
}

// SAFETY: `main` is not written until the drop. With `broken` that is too early: the bug.
unsafe impl Sync for Scope {}

impl Scope {
    fn new() -> Self {
        Self { running: AtomicUsize::new(1), main: UnsafeCell::new(thread::current()) }
    }

    /// What a thread does when it ends.
    fn end(&self) {
        // Release: pairs with the Acquire of `wait`.
        if self.running.fetch_sub(1, Release) == 1 {
            // SAFETY: see `Sync`.
            self.main.with(|main| unsafe { (*main).clone() }).unpark();
        }
    }

    fn wait(&self) {
        while self.running.load(Acquire) != 0 {
            thread::park();
        }
    }
}

/// A pointer that is sent to a thread.
struct Shared(*const Scope);

// SAFETY: `Scope` is `Sync`.
unsafe impl Send for Shared {}

impl Shared {
    /// # Safety
    ///
    /// The scope must not be freed before the call ends.
    unsafe fn end(self) {
        // SAFETY: the caller's.
        unsafe { &*self.0 }.end();
    }
}

/// Frees the scope when no thread is running. Undefined behaviour.
pub fn broken() {
    let scope = Box::new(Scope::new());
    let shared = Shared(&raw const *scope);
    // SAFETY: wrong, and the bug.
    thread::spawn(move || unsafe { shared.end() });
    scope.wait();
}

/// Frees the scope when no thread has it.
pub fn fixed() {
    let scope = Arc::new(Scope::new());
    let shared = Arc::clone(&scope);
    thread::spawn(move || shared.end());
    scope.wait();
}

#[cfg(test)]
mod tests {
    use super::{broken, fixed};
    use crate::expect;
    use selvedge_model::{Failure, Model};

    #[test]
    fn the_last_thread_uses_a_scope_that_is_freed() {
        expect::fails(|| Model::program(broken), Failure::DataRace, 2, "c1: thread1 reads");
    }

    #[test]
    fn a_scope_in_an_arc_lives_long_enough() {
        let report = Model::program(fixed).check();
        expect::complete(&report, 12);
    }
}
