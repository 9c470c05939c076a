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
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::sync::{Mutex, PoisonError};

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, Yielder};

use crate::kernel::ThreadId;

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
        let Some(mut weight) = begun else {
            // A batch, because a thread that is suspended for good needs one that no thread has begun here.
            let elsewhere = std::thread::spawn(|| put(16));
            elsewhere.join().expect("a weight suspends its panic");
            continue;
        };
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

/// A panic of a thread of an execution.
struct Panicked {
    execution: u64,
    thread: ThreadId,
    text: String,
    /// Where it began.
    place: String,
}

thread_local! {
    /// Those of the execution, the newest last: of each thread and text, the newest.
    static PANICS: RefCell<Vec<Panicked>> = const { RefCell::new(Vec::new()) };
    /// The model that this OS thread explores.
    static MODEL: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Names the model that this OS thread explores from now on.
pub(crate) fn explores(model: String) {
    MODEL.set(model);
}

/// What a panic says that has come to the foot of `thread`, and where it began if that is known: in this
/// thread, or in another one whose panic it passes on.
pub(crate) fn message_of(thread: ThreadId, payload: &(dyn Any + Send)) -> String {
    let text = said(payload);
    PANICS.with_borrow(|panics| {
        let same = || panics.iter().rev().filter(|panic| panic.text == text);
        match same().find(|panic| panic.thread == thread).or_else(|| same().next()) {
            Some(Panicked { place, .. }) => format!("{text} (at {place})"),
            None => text.clone(),
        }
    })
}

/// What a panic says.
pub(in crate::engine) fn said(payload: &dyn Any) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a message").to_owned()
}

/// What a panic said that [`message_of`] has put into words, without the place: whether that is known
/// depends on what else has panicked.
pub(in crate::engine) fn without_place(message: &str) -> &str {
    message.rsplit_once(" (at ").map_or(message, |(text, _)| text)
}

/// Notes where a panic begins.
fn note_panic(text: String, at: &Location<'_>) {
    let here = crate::kernel::with(|engine| (engine.execution(), engine.thread()));
    let Some((execution, thread)) = here else { return };
    PANICS.with_borrow_mut(|panics| {
        panics.retain(|panic| {
            panic.execution == execution && (panic.thread, &panic.text) != (thread, &text)
        });
        let place = format!("{}:{}", at.file(), at.line());
        panics.push(Panicked { execution, thread, text, place });
    });
}

/// What `std` panics with before it aborts, because of a panic in a destructor during unwinding.
const IN_CLEANUP: &str = "panic in a destructor during cleanup";

/// Says for which panic `std` is about to abort the process, and why the thread unwinds.
fn explain_abort() {
    let model = MODEL.take();
    let last = PANICS.with_borrow_mut(Vec::pop);
    let (text, place) = last.map(|panic| (panic.text, panic.place)).unwrap_or_default();
    let unwinding = if crate::kernel::with(|engine| engine.over()) == Some(true) {
        "its thread is unwound because the execution is over, which thread::panicking() tells"
    } else {
        "its thread unwinds from a panic"
    };
    // Not `eprintln!`: what a test harness has captured is lost.
    let _ = writeln!(
        std::io::stderr(),
        "{model}: a destructor panics at {place} while {unwinding}, and so the process aborts: {text}"
    );
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
            if crate::kernel::with(|engine| engine.is_at_work()).unwrap_or(false) {
                return before(info);
            }
            let (message, at) =
                (said(info.payload()), info.location().unwrap_or(Location::caller()));
            if message == IN_CLEANUP {
                return explain_abort();
            }
            note_panic(message.clone(), at);
            crate::kernel::with(|engine| engine.panics(message, at));
        }));
    });
}
