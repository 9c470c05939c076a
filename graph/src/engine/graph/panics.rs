//! The count of panics that `std` keeps for each OS thread, switched with the coroutines.
//!
//! A thread under test that is suspended in a destructor while it unwinds would leave the OS thread
//! panicking for all others: [`std::thread::panicking`] would answer for them too, and a panic that
//! another thread catches would go unnoticed. So the count is brought to 0 when a thread is suspended, and
//! back when it goes on. `std` has no function for that, but it counts a panic on the OS thread where it
//! begins, and uncounts it on the one where it is caught. *Weights* are coroutines that do nothing
//! but panic, and that can be moved to another OS thread in between.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Mutex, PoisonError};

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, Yielder};

/// Begins a panic each time that it is resumed, and catches it the next time.
struct Weight(Coroutine<(), (), (), DefaultStack>);

// SAFETY: on its stack there is only what `Weight::new` puts there: a unit in a box, and a reference to the
// yielder on the same stack. `std` looks up its count anew in each function that changes it.
unsafe impl Send for Weight {}

/// Those whose panic is under way, and the others.
static WEIGHTS: Mutex<(Vec<Weight>, Vec<Weight>)> = Mutex::new((Vec::new(), Vec::new()));

impl Weight {
    fn new() -> Self {
        let stack = DefaultStack::new(256 << 10).expect("memory for a stack");
        Self(Coroutine::with_stack(stack, |yielder: &Yielder<(), ()>, ()| {
            loop {
                let _caught = catch_unwind(AssertUnwindSafe(|| {
                    let _pause = Pause(yielder);
                    resume_unwind(Box::new(()));
                }));
                yielder.suspend(());
            }
        }))
    }

    /// Counts one panic more on this OS thread.
    fn begin() -> Self {
        let idle = WEIGHTS.lock().unwrap_or_else(PoisonError::into_inner).1.pop();
        let mut weight = idle.unwrap_or_else(Self::new);
        weight.0.resume(());
        weight
    }
}

/// Suspends the coroutine while its panic is under way.
struct Pause<'a>(&'a Yielder<(), ()>);

impl Drop for Pause<'_> {
    fn drop(&mut self) {
        self.0.suspend(());
    }
}

/// Hides the panics of the OS thread that explores, in a destructor while it unwinds.
pub(super) struct Hidden(u32);

impl Hidden {
    pub(super) fn new() -> Self {
        Self(take())
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        put(self.0);
    }
}

/// Brings the count of this OS thread to 0; returns what it was.
pub(super) fn take() -> u32 {
    let mut count = 0;
    while std::thread::panicking() {
        let begun = WEIGHTS.lock().unwrap_or_else(PoisonError::into_inner).0.pop();
        let mut weight = begun.unwrap_or_else(|| {
            let elsewhere = std::thread::spawn(Weight::begin);
            elsewhere.join().expect("a weight suspends its panic")
        });
        weight.0.resume(());
        WEIGHTS.lock().unwrap_or_else(PoisonError::into_inner).1.push(weight);
        count += 1;
    }
    count
}

/// Adds to the count of this OS thread.
pub(super) fn put(count: u32) {
    for _ in 0..count {
        let weight = Weight::begin();
        WEIGHTS.lock().unwrap_or_else(PoisonError::into_inner).0.push(weight);
    }
}
