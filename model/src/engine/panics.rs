//! The count of panics that `std` keeps for each OS thread, switched with the coroutines.
//!
//! A thread under test that is suspended in a destructor while it unwinds would leave the OS thread
//! panicking for all others: [`std::thread::panicking`] would answer for them too, and a panic that
//! another thread catches would go unnoticed. So the count is brought to 0 when a thread is suspended, and
//! back when it goes on. `std` has no function for that, but it counts a panic on the OS thread where it
//! begins, and uncounts it on the one where it is caught. *Weights* are coroutines that do nothing
//! but panic, and that can be moved to another OS thread in between.
//!
//! And what a panic says, and where it began.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, Location, PanicHookInfo, catch_unwind, resume_unwind};
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
pub(in crate::engine) struct Hidden(u32);

impl Hidden {
    pub(in crate::engine) fn new() -> Self {
        Self(take())
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        put(self.0);
    }
}

/// Brings the count of this OS thread to 0; returns what it was.
pub(in crate::engine) fn take() -> u32 {
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
pub(in crate::engine) fn put(count: u32) {
    for _ in 0..count {
        let weight = Weight::begin();
        WEIGHTS.lock().unwrap_or_else(PoisonError::into_inner).0.push(weight);
    }
}

thread_local! {
    /// What the newest panic says, and where it began.
    static LAST_PANIC: RefCell<Option<(String, String)>> = const { RefCell::new(None) };
}

/// What a panic says, and where it began if that is known.
pub(crate) fn message_of(payload: &(dyn Any + Send)) -> String {
    let text = text_of(payload).unwrap_or("a panic without a message").to_owned();
    LAST_PANIC.with_borrow(|last| match last {
        Some((said, place)) if *said == text => format!("{text} (at {place})"),
        _ => text,
    })
}

/// What a panic said that [`message_of`] has put into words, without the place: whether that is known
/// depends on what else has panicked.
pub(in crate::engine) fn without_place(message: &str) -> &str {
    message.rsplit_once(" (at ").map_or(message, |(text, _)| text)
}

fn text_of(payload: &(dyn Any + Send)) -> Option<&str> {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
}

/// Notes where a panic begins.
fn note_panic(info: &PanicHookInfo<'_>) {
    let text = text_of(info.payload()).unwrap_or("a panic without a message").to_owned();
    let place = info.location().map(|at| format!("{}:{}", at.file(), at.line()));
    LAST_PANIC.set(place.map(|place| (text, place)));
}

/// Silences the panics of threads under test, which are results.
pub(in crate::engine) fn install_hook() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if crate::kernel::with(|_| ()).is_none() {
                return before(info);
            }
            // The engine itself panics: that is an error of its own.
            let at_work = crate::kernel::with(|engine| engine.is_at_work()).unwrap_or(false);
            if at_work {
                return before(info);
            }
            note_panic(info);
            let message = text_of(info.payload()).unwrap_or("a panic without a message").to_owned();
            let at = info.location().unwrap_or(Location::caller());
            crate::kernel::with(|engine| engine.panics(message, at));
        }));
    });
}
