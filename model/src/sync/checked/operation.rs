//! How one operation of the façade is carried out on loom, and what its failures mean.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::Ordering::Relaxed;

use super::event::{Action, Site};
use super::finding::Fault;
use super::{race, record, unwinding};
use crate::check::coherence::is_void;

/// Ties a value to the execution that made it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Handle {
    pub(crate) object: usize,
    serial: u64,
}

impl Handle {
    /// Registers a value with the running model; `None` outside a model.
    pub(crate) fn new(letter: char, kind: &'static str, site: Site) -> Option<Self> {
        record::with(|recorder| Self {
            object: recorder.add_object(letter, kind, site),
            serial: recorder.serial,
        })
    }

    /// Whether the value belongs to the execution that runs now: only then may its loom half be
    /// touched.
    pub(crate) fn is_current(self) -> bool {
        record::holds(|recorder| recorder.serial == self.serial)
    }

    /// The object of a value that is about to be used at `site`, or `None` if it is to behave
    /// like its `std` half: made outside, used outside.
    ///
    /// # Panics
    ///
    /// Outside a model, if the value was made inside one. In a model, a value that belongs to
    /// another execution or to none ends the exploration as a wrong model.
    pub(crate) fn check(handle: Option<Self>, kind: &'static str, site: Site) -> Option<usize> {
        let serial = record::with(|recorder| recorder.serial);
        let origin = match (serial, handle) {
            (None, None) => return None,
            (Some(now), Some(handle)) if handle.serial == now => return Some(handle.object),
            (None, Some(_)) => {
                panic!(
                    "{kind} made in a model is used outside it, at {site}: it must be used only in the \
                     execution that made it"
                )
            }
            (Some(_), None) => "outside any model",
            (Some(_), Some(_)) => "in another execution",
        };
        record::fail(Fault::ForeignObject { kind, origin, site: site.to_string() })
    }
}

/// An operation that is about to be taken.
pub(crate) struct Step {
    site: Site,
    object: Option<usize>,
    thread: usize,
}

impl Step {
    /// Announces the step `what` with `operand`. Ends the exploration if the step is one too many
    /// or another than the thread took the last time it had seen the same.
    pub(crate) fn begin(
        site: Site,
        what: &'static str,
        object: Option<usize>,
        operand: u64,
    ) -> Self {
        unwinding::settle();
        unwinding::note_late_release(site);
        let entered = record::with(|recorder| {
            recorder.enter(site, what, object, operand)?;
            Ok(recorder.current())
        });
        match entered {
            Some(Ok(thread)) => Self { site, object, thread },
            Some(Err(fault)) => record::fail(fault),
            None => unreachable!("{what} at {site} was taken for an operation of a model"),
        }
    }

    /// Carries out an operation that leaves no other thread a chance until it is visible.
    ///
    /// A thread's start is no operation, so loom cannot know what a thread that has not started is
    /// about to do. It starts the thread, and only then sees the choice that it should have made
    /// before. Exploring both choices again doubles the work for each thread. So a thread's start
    /// and its first operation are one step: no choice is offered between them. `run` must be
    /// unable to block, and must leave loom no choice of its own (which store to read).
    pub(crate) fn first<R>(&self, run: impl FnOnce() -> R) -> R {
        if starts() { self.merged(run) } else { self.run(run) }
    }

    /// Carries out an operation as one with the one before: no choice is offered between them.
    /// The same conditions hold as for [`first`](Self::first).
    pub(crate) fn merged<R>(&self, run: impl FnOnce() -> R) -> R {
        loom::stop_exploring();
        let result = self.run(run);
        loom::explore();
        result
    }

    /// Carries out any other operation: one that may block or read one of several stores.
    pub(crate) fn run<R>(&self, run: impl FnOnce() -> R) -> R {
        let (mut run, mut result) = (Some(run), None);
        self.carry_out(&mut || result = run.take().map(|run| run()));
        match result {
            Some(result) => result,
            None => unreachable!("an operation that failed has ended the exploration"),
        }
    }

    /// Not generic: it is compiled once, not once an operation.
    fn carry_out(&self, run: &mut dyn FnMut()) {
        record::with(|recorder| recorder.thread().moved = true);
        match catch_unwind(AssertUnwindSafe(run)) {
            Ok(()) => record::with(|recorder| recorder.resume(self.thread)),
            Err(payload) => record::fail(diagnose(&*payload)),
        };
    }

    /// Carries out something that is no choice for the scheduler: a thread that has only done
    /// such things has not taken its first step yet.
    pub(crate) fn unordered<R>(&self, run: impl FnOnce() -> R) -> R {
        let moved = record::with(|recorder| recorder.thread().moved);
        let result = self.run(run);
        record::with(|recorder| recorder.thread().moved = moved == Some(true));
        result
    }

    /// Records the step as taken. `saw` is what the thread learned by it.
    pub(crate) fn end(self, action: Action, saw: u64) {
        record::with(|recorder| {
            recorder.leave(self.thread, self.site, self.object, action, saw);
        });
    }
}

/// Drops loom's half of a guard. A panic in there is loom's, and no failure of the code under test.
pub(crate) fn release<G>(guard: G) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(guard))) {
        record::fail(diagnose(&*payload));
    }
}

/// Whether the active thread takes its first step, which it has taken then.
fn starts() -> bool {
    record::holds(|recorder| !std::mem::replace(&mut recorder.thread().moved, true))
}

const NO_TEXT: &str = "a panic without a message";

/// What loom's coroutines mean by one.
const STACK: &str = "stack overflow: in a model each thread has 32 KiB of stack";

/// What a panic inside loom means. Which operation was under way tells most; where several causes
/// share one operation, loom's text decides.
pub(crate) fn diagnose(payload: &(dyn Any + Send)) -> Fault {
    let text = text_of(payload);
    if text == NO_TEXT {
        return Fault::Engine { message: STACK.to_owned() };
    }
    let pending = record::with(|recorder| recorder.thread().pending).flatten();
    let on_cell = pending.is_some_and(|(_, what, _)| what.starts_with("cell"));
    if text.starts_with("deadlock") {
        Fault::Deadlock
    } else if text.starts_with("Model exceeded maximum number of branches") {
        Fault::Livelock { steps: record::with(|recorder| recorder.steps()).unwrap_or_default() }
    } else if on_cell || text.starts_with("Causality violation") {
        Fault::DataRace { message: race::message(&text) }
    } else {
        Fault::Engine { message: text }
    }
}

/// The text of a panic, as far as it has one.
pub(crate) fn text_of(payload: &(dyn Any + Send)) -> String {
    payload
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| NO_TEXT.to_owned())
}

/// Touches plain memory. `None` if that is a race, in an execution that cannot be: it goes on to
/// its end, and does not count.
pub(crate) fn access_memory<R>(run: impl FnOnce() -> R) -> Option<R> {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(result) => Some(result),
        Err(payload) => match diagnose(&*payload) {
            Fault::DataRace { .. } if is_void() => None,
            fault => record::fail(fault),
        },
    }
}

/// The active thread is about to touch a cell. Ends the exploration, to begin it again with turnstiles, if
/// this is the first to be touched under a lock that is held for reading.
pub(crate) fn touch_cell() {
    if record::holds(|recorder| recorder.is_first_to_touch()) {
        record::begin_again(|learned| learned.cells_under_readers = true);
    }
}

/// A mutex that is never free: to try it is a step that conflicts with the same step of others, and
/// changes nothing.
pub(crate) struct Gate(loom::sync::Mutex<()>);

impl Gate {
    pub(crate) fn new() -> Rc<Self> {
        let mutex = loom::sync::Mutex::new(());
        // Locking it must not be a scheduling point.
        loom::stop_exploring();
        std::mem::forget(mutex.lock());
        loom::explore();
        Rc::new(Self(mutex))
    }

    /// Tries it, in vain.
    pub(crate) fn touch(&self) {
        assert!(self.0.try_lock().is_err(), "a gate is never free");
    }
}

/// A one-shot happens-before edge: one thread blocks until another has reached a point.
///
/// A mutex that is taken from the start, and given back by whoever gets there: to give it back is no
/// step to loom, and nobody but the one that waits ever takes it. So waiting adds no choice.
pub(crate) struct Handover {
    /// Before the mutex that it borrows.
    guard: RefCell<Option<loom::sync::MutexGuard<'static, ()>>>,
    mutex: Rc<loom::sync::Mutex<()>>,
    past: Cell<u64>,
    number: usize,
}

// SAFETY: all threads of a model are coroutines of one OS thread.
unsafe impl Send for Handover {}
// SAFETY: as above; and no borrow is held while another coroutine can run.
unsafe impl Sync for Handover {}

impl Handover {
    /// `number` is its own in the execution.
    pub(crate) fn new(number: usize) -> Self {
        let mutex = Rc::new(loom::sync::Mutex::new(()));
        // As with a gate: taking it is nobody's business.
        loom::stop_exploring();
        let guard = mutex.lock().ok();
        loom::explore();
        // SAFETY: the mutex is on the heap, where it stays: moving an `Rc` moves no pointee. `guard` is
        // declared before `mutex`, and so dropped before it.
        let guard = unsafe {
            std::mem::transmute::<
                Option<loom::sync::MutexGuard<'_, ()>>,
                Option<loom::sync::MutexGuard<'static, ()>>,
            >(guard)
        };
        Self { guard: RefCell::new(guard), mutex, past: Cell::new(0), number }
    }

    /// The active thread has come there. Once is enough.
    pub(crate) fn give(&self) {
        let guard = self.guard.borrow_mut().take();
        if guard.is_some() {
            let past = record::with(|recorder| {
                recorder.note(recorder.last_site(), None, Action::Gives(self.number));
                recorder.thread().history()
            });
            self.past.set(past.unwrap_or_default());
        }
    }

    /// The active thread waits for it.
    pub(crate) fn take(&self) {
        let thread = record::with(|recorder| {
            recorder.thread().moved = true;
            recorder.current()
        });
        match catch_unwind(AssertUnwindSafe(|| drop(self.mutex.lock()))) {
            Ok(()) => record::with(|recorder| {
                recorder.resume(thread.unwrap_or_default());
                recorder.absorb(self.past.get());
                recorder.note(recorder.last_site(), None, Action::Takes(self.number));
            }),
            Err(payload) => record::fail(diagnose(&*payload)),
        };
    }
}

/// Makes the moment at which a lock is given back a choice, where somebody could tell.
///
/// loom 0.7.3 takes giving back for no step at all. So a thread that tries a lock would wait for it
/// instead, and two readers would hold a lock at once only if one of them takes a step inside. Whoever
/// tries passes the turnstile first, and then, as one step, tries; readers pass it as they come in; and
/// all pass it before they give back. Where nobody tries, and no reader touches a cell, which is no
/// step, nobody could tell.
pub(crate) struct Turnstile(Option<loom::sync::atomic::AtomicUsize>);

impl Turnstile {
    /// Only in models that are known to need it.
    pub(crate) fn new() -> Self {
        let needed = record::holds(|recorder| {
            recorder.learned.tries_locks || recorder.learned.cells_under_readers
        });
        Self(needed.then(|| loom::sync::atomic::AtomicUsize::new(0)))
    }

    /// Tries. Ends the exploration, to begin it again with turnstiles, if this is the first try.
    pub(crate) fn attempt<R>(&self, step: &Step, run: impl FnOnce() -> R) -> R {
        let (contended, known) =
            record::with(|recorder| (recorder.contended(), recorder.learned.tries_locks))
                .unwrap_or_default();
        if !contended {
            return step.run(run);
        }
        let (Some(turnstile), true) = (&self.0, known) else {
            record::begin_again(|learned| learned.tries_locks = true)
        };
        step.first(|| turnstile.fetch_add(1, Relaxed));
        step.merged(run)
    }

    /// Passes as a reader that has come in.
    pub(crate) fn enter(&self, step: &Step, shared: bool) {
        if let Some(turnstile) = self.needed(shared).filter(|_| shared) {
            step.merged(|| turnstile.fetch_add(1, Relaxed));
        }
    }

    /// Passes before `object` is given back at `site`.
    pub(crate) fn leave(&self, site: Site, object: usize, shared: bool) {
        if let Some(turnstile) = self.needed(shared) {
            let step = Step::begin(site, "unlock", Some(object), 0);
            step.first(|| turnstile.fetch_add(1, Relaxed));
            record::with(|recorder| recorder.thread().pending = None);
        }
    }

    fn needed(&self, shared: bool) -> Option<&loom::sync::atomic::AtomicUsize> {
        let needed = record::with(|recorder| {
            let learned = &recorder.learned;
            let by_readers = shared && learned.cells_under_readers;
            recorder.contended() && (by_readers || learned.tries_locks)
        });
        self.0.as_ref().filter(|_| needed == Some(true))
    }
}
