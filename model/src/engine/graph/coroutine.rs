//! The threads under test: coroutines of one OS thread.
//!
//! No reference to the state of the search is held while a coroutine runs: each step borrows it, and
//! gives it back before it suspends.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::sync::Arc;

use corosensei::{Coroutine, Yielder};

use super::event::Id;
use super::outcome::Ending;
use super::run::Status;
use super::search::Search;
use crate::engine::memory::Memory;
use crate::engine::overflow::{self, Running};
use crate::engine::panics::{self, message_of};
use crate::engine::stacks::Stacks;
use crate::engine::watch::Watch;
use crate::kernel::object::Token;
use crate::kernel::{self, LocationId, Made, NewThread, Object, Operation, Site, ThreadId, Turn};
use crate::mutation::Probe;

/// Unwinds a thread whose execution is over. A thread is unwound once: see [`Engine::leave`].
struct Abandoned;

/// The engine, as [`crate::kernel`] sees it.
pub(super) struct Engine {
    pub(super) search: RefCell<Search>,
    /// A thread under test runs.
    pub(super) in_thread: Cell<bool>,
    pub(super) stacks: Stacks,
    pub(super) probe: Option<Arc<Probe>>,
    pub(super) watch: Watch,
    /// Of the execution that runs.
    pub(super) memory: RefCell<Memory>,
}

impl Engine {
    /// Replays the graph, and extends it until no thread can take a step.
    pub(super) fn run(&self, main: Box<dyn FnOnce()>) {
        self.start(0, NewThread { body: main, name: None, stack: None });
        let token = Made::Object(Object::Token(Token::default()));
        let token = crate::kernel::Engine::make(self, token, Location::caller());
        self.search.borrow_mut().run.thread_mut(0).token = token;
        loop {
            let next = self.search.borrow().next_to_resume();
            if let Some(thread) = next {
                self.resume(thread);
            } else if !self.search.borrow_mut().goes_on_when_stuck() {
                break;
            }
        }
        {
            let mut search = self.search.borrow_mut();
            let ending = search.ending();
            search.run.over = Some(ending);
            search.run.unwinding = true;
        }
        // A scoped thread borrows from the thread that spawned it, whose number is lower.
        let threads = self.search.borrow().run.threads.len();
        for thread in (0..threads).rev() {
            self.resume(thread);
        }
        Memory::drop_copies(&self.memory);
        let left = std::mem::take(&mut self.search.borrow_mut().run.left);
        for mut coroutine in left {
            // SAFETY: it is never resumed: what is on its stack is leaked. Nor does another thread of this run
            // go on, which could find its way there.
            unsafe { coroutine.force_reset() };
            self.stacks.keep(coroutine.into_stack());
        }
        let mut search = self.search.borrow_mut();
        if search.run.over == Some(Ending::Complete)
            && let Some(leak) = search.leak()
        {
            search.run.over = Some(leak);
        }
    }

    fn resume(&self, thread: ThreadId) {
        let (coroutine, panics, running) = {
            let mut search = self.search.borrow_mut();
            search.run.current = thread;
            let state = search.run.thread_mut(thread);
            (state.coroutine.take(), state.panics, state.running)
        };
        let Some(mut coroutine) = coroutine else { return };
        panics::put(panics);
        self.in_thread.set(true);
        let before = overflow::runs(running);
        coroutine.resume(());
        overflow::runs(before);
        self.in_thread.set(false);
        self.note_last_owners();
        let panics = panics::take();
        if coroutine.done() {
            self.stacks.keep(coroutine.into_stack());
            self.search.borrow_mut().run.thread_mut(thread).running = Running::default();
            return;
        }
        let Search { run, .. } = &mut *self.search.borrow_mut();
        if run.unwinding {
            // It is suspended for good, and its thread-local values are leaked with what is on its stack.
            std::mem::forget(std::mem::take(&mut run.thread_mut(thread).locals));
            run.left.push(coroutine);
        } else {
            let state = run.thread_mut(thread);
            (state.coroutine, state.panics) = (Some(coroutine), panics);
        }
    }

    pub(super) fn start(&self, thread: ThreadId, new: NewThread) {
        let stack = self.stacks.take(new.stack);
        let running = Running::new(&stack, new.name.as_deref());
        let engine = std::ptr::from_ref(self);
        let coroutine = Coroutine::with_stack(stack, move |yielder: &Yielder<(), ()>, ()| {
            // SAFETY: the engine outlives the coroutines of its runs: `run` brings each to its end, or resets it.
            unsafe { &*engine }.main_of(thread, yielder);
        });
        let mut search = self.search.borrow_mut();
        search.run.fresh += 1;
        let state = search.run.thread_mut(thread);
        state.status = Status::Fresh;
        state.body = Some(new.body);
        state.name = new.name;
        state.running = running;
        state.coroutine = Some(coroutine);
    }

    /// What a coroutine runs.
    fn main_of(&self, thread: ThreadId, yielder: &Yielder<(), ()>) {
        let (body, over) = {
            let mut search = self.search.borrow_mut();
            let over = search.run.unwinding;
            let state = search.run.thread_mut(thread);
            state.yielder = yielder;
            (state.body.take(), over)
        };
        let Some(body) = body else { return };
        self.watch.runs(thread, None);
        let result = catch_unwind(AssertUnwindSafe(|| if over { drop(body) } else { body() }));
        let mut search = self.search.borrow_mut();
        if let Err(payload) = result
            && !payload.is::<Abandoned>()
            && !search.run.unwinding
        {
            let message = message_of(thread, &*payload);
            search.run.thread_mut(thread).panic.get_or_insert(message);
        }
        if search.run.unwinding {
            drop(search);
            // Their destructors may make others.
            loop {
                let mut search = self.search.borrow_mut();
                let locals = std::mem::take(&mut search.run.thread_mut(thread).locals);
                drop(search);
                if locals.is_empty() {
                    return;
                }
                let _ = catch_unwind(AssertUnwindSafe(|| drop(locals)));
            }
        }
        if search.run.over.is_some() {
            return;
        }
        search.arrived(thread);
        if search.ended_in_echo(thread) {
            return;
        }
        search.run.thread_mut(thread).status = Status::Done;
    }

    /// The thread that runs takes a step, once it is its turn; or an act, if that is in time.
    pub(super) fn take_step(&self, operation: Operation, limited: bool, site: Site) -> u64 {
        let thread = {
            self.leave_if_over();
            self.note_last_owners();
            if !operation.releases() {
                self.end_due_turn();
            }
            let mut search = self.search.borrow_mut();
            if search.run.unwinding {
                return search.step_of_static(&operation);
            }
            let thread = search.run.current;
            if let Some(result) = search.echo(thread, &operation, site) {
                return result;
            }
            let state = search.run.thread_mut(thread);
            (state.step, state.limited) = ((operation, site), limited);
            state.waiting.at_step = true;
            search.arrived(thread);
            thread
        };
        loop {
            let result = self.search.borrow_mut().advance(thread);
            if let Some(result) = result {
                self.watch.runs(thread, Some(site));
                self.settle(false);
                return result;
            }
            self.suspend(thread);
            self.leave_if_over();
        }
    }

    /// Ends the turn of the thread that runs that was to end behind the releases after its hint.
    pub(super) fn end_due_turn(&self) {
        let goes_on = {
            let mut search = self.search.borrow_mut();
            let thread = search.run.current;
            let due = search.run.thread_mut(thread).waiting.due.take();
            due.filter(|_| !search.run.unwinding)
                .is_none_or(|end| search.turn(thread, Turn::Spin, end))
        };
        if !goes_on {
            self.pause();
        }
    }

    /// The thread that runs has taken a step, and if `whole`, has done what no other thread may come before. If it is
    /// to move only if no other can, it is suspended.
    pub(super) fn settle(&self, whole: bool) {
        let thread = {
            let mut search = self.search.borrow_mut();
            let Search { run, again, .. } = &mut *search;
            let thread = run.current;
            if run.unwinding || again.as_ref().is_none_or(|look| look.last != thread) {
                return;
            }
            let holds = &mut run.thread_mut(thread).holds;
            if *holds != whole {
                return;
            }
            *holds = false;
            thread
        };
        self.suspend(thread);
        self.leave_if_over();
    }

    /// The thread that runs takes its next step, or is suspended, without an owner that it may have dropped.
    pub(super) fn note_last_owners(&self) {
        if !self.memory.borrow_mut().lost_last_owner() {
            return;
        }
        let run = &mut self.search.borrow_mut().run;
        if !run.unwinding && run.is_alongside_others() {
            run.last_owners |= 1 << run.current;
        }
    }

    /// Lets other threads run until it is this one's turn again.
    pub(super) fn suspend(&self, thread: ThreadId) {
        let yielder = self.search.borrow().run.thread(thread).yielder;
        // SAFETY: the yielder is that of the coroutine that runs, and lives on its stack.
        unsafe { &*yielder }.suspend(());
    }

    /// Suspends a thread that will not go on, until it is unwound.
    pub(super) fn stop(&self) -> ! {
        let thread = self.search.borrow().run.current;
        self.search.borrow_mut().arrived(thread);
        while !self.search.borrow().run.unwinding {
            self.suspend(thread);
        }
        self.leave();
    }

    /// Suspends a thread whose loop has stopped, until it is resumed or the execution is over.
    pub(super) fn pause(&self) {
        let thread = self.search.borrow().run.current;
        self.search.borrow_mut().run.thread_mut(thread).waiting.at_step = false;
        self.search.borrow_mut().arrived(thread);
        while !self.search.borrow().run.unwinding {
            self.suspend(thread);
            if self.search.borrow().may_resume(thread) {
                return;
            }
        }
        self.leave();
    }

    pub(super) fn leave_if_over(&self) {
        if kernel::Engine::over(self) {
            self.leave();
        }
    }

    /// The execution is over, and the thread that runs asks for more. The first time it is unwound, so that
    /// destructors free memory. If a destructor asks, or the code that has caught the panic, the thread is
    /// suspended for good: there is no result that would be true.
    fn leave(&self) -> ! {
        let thread = self.search.borrow().run.current;
        let unwound = {
            let mut search = self.search.borrow_mut();
            std::mem::replace(&mut search.run.thread_mut(thread).unwound, true)
        };
        if !unwound && !std::thread::panicking() {
            resume_unwind(Box::new(Abandoned));
        }
        loop {
            self.suspend(thread);
        }
    }
}

impl Search {
    /// What an atomic holds, if only the steps count that took place in this run.
    pub(super) fn newest(&self, location: LocationId) -> u64 {
        let place = &self.run.places[location.index()];
        if let Some(value) = place.afterlife {
            return value;
        }
        let took_place = |&&id: &&Id| {
            let event = self.graph.at(id);
            self.run.thread(event.thread()).at > event.index
        };
        let last = self.graph.order(place.location).iter().rev().find(took_place);
        last.map_or(place.value(), |&id| self.run.values[id as usize])
    }

    /// A step of a destructor of what a static holds: all threads have ended, so memory is sequential.
    fn step_of_static(&mut self, operation: &Operation) -> u64 {
        let Some(location) = operation.location() else { return 0 };
        self.run.afterlife += 1;
        assert!(self.run.afterlife < 1_000_000, "a destructor of a static does not end");
        let newest = self.newest(location);
        let new = match *operation {
            Operation::Store { value, .. } => Some(value),
            Operation::Update { update, .. } => update.apply(newest),
            _ => None,
        };
        self.run.place(location).afterlife = new.or(Some(newest));
        if matches!(operation, Operation::Act { .. }) { 0 } else { newest }
    }

    /// The run goes no further for an error of the program under test.
    pub(super) fn misuse(&mut self, message: String) {
        self.run.end(Ending::Misuse(message));
    }
}
