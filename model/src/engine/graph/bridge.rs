//! The engine as the kernel sees it.

use std::alloc::Layout;
use std::any::Any;
use std::panic::Location;
use std::sync::atomic::Ordering;

use super::call_stack::CallStack;
use super::coroutine::Engine;
use super::outcome::{Action, Ending, Text};
use super::run::Entry;
use super::search::Search;
use crate::engine::memory;
use crate::engine::panics::message_of;
use crate::kernel::{
    Access, Engine as KernelEngine, Locals, LocationId, Made, Memory, Moment, NewThread, Object,
    Operation, Owned, Policy, Site, StaticCopy, TIMED_OUT, ThreadId, Turn, object,
};
use crate::mutation::Change;

impl KernelEngine for Engine {
    fn execution(&self) -> u64 {
        self.search.borrow().run.number
    }

    fn thread(&self) -> ThreadId {
        self.search.borrow().run.current
    }

    fn thread_name(&self) -> Option<String> {
        let search = self.search.borrow();
        search.run.thread(search.run.current).name.clone()
    }

    fn steps(&self) -> u16 {
        let search = self.search.borrow();
        search.run.thread(search.run.current).at
    }

    fn policy(&self) -> Policy {
        self.search.borrow().config.policy
    }

    #[inline]
    fn change(&self, site: Site, operation: &'static str, orders: &[Ordering]) -> Option<Change> {
        let probe = self.probe.as_ref()?;
        let contended = {
            let search = self.search.borrow();
            if search.run.unwinding {
                return None;
            }
            search.run.is_contended()
        };
        probe.meet(site, operation, orders, contended)
    }

    fn step(&self, operation: Operation, site: Site) -> u64 {
        self.take_step(operation, false, site)
    }

    fn fails_spuriously(&self) -> bool {
        self.search.borrow().fails_spuriously()
    }

    fn step_in_time(&self, operation: Operation, site: Site) -> Option<u64> {
        Some(self.take_step(operation, true, site)).filter(|&result| result != TIMED_OUT)
    }

    fn make(&self, made: Made, site: Site) -> LocationId {
        let mut search = self.search.borrow_mut();
        let maker = search.maker(site);
        search.run.make(made, maker)
    }

    fn make_in(&self, memory: Owned, made: Made, site: Site) -> LocationId {
        self.search.borrow_mut().make_in(memory, made, site)
    }

    fn memory(&self, address: usize) -> Memory {
        let search = self.search.borrow();
        let stacks = search.run.threads.iter().map(|thread| thread.running);
        memory::find(address, stacks, &self.memory.borrow())
    }

    fn add_copy(&self, copy: StaticCopy) {
        self.memory.borrow_mut().add_copy(copy);
    }

    fn allocated(&self, pointer: *mut u8, layout: Layout) {
        self.in_program(|now, memory| {
            memory.allocated(pointer.addr(), layout.size(), now);
            memory.may_count(pointer, layout);
        });
    }

    fn keeps(&self, pointer: *mut u8, layout: Layout) -> bool {
        let kept = self.in_program(|now, memory| memory.keep(pointer, layout, now)).is_some();
        if !kept {
            self.know_owners(pointer.addr());
        }
        kept
    }

    fn know_owners(&self, counts: usize) {
        if let Ok(mut memory) = self.memory.try_borrow_mut() {
            memory.know_owners(counts);
        }
    }

    fn hold(&self) {
        let run = &mut self.search.borrow_mut().run;
        let thread = run.current;
        run.thread_mut(thread).holds = true;
    }

    fn settle(&self) {
        Self::settle(self, true);
    }

    fn returns(&self, outcome: &dyn Fn() -> String) {
        // The thread may have dropped one since its last step.
        self.note_last_owners();
        if self.search.borrow().may_be_compared() {
            let outcome = outcome();
            self.search.borrow_mut().run.returned = Some(outcome);
        }
    }

    fn end_block(&self, address: usize, site: Site) -> bool {
        let Memory::Owned(block) = self.memory(address) else { return false };
        let (whole, rest) = self.search.borrow().run.in_block(block.position.0);
        if block.offset_in_block() != Some(0) || whole.is_none() {
            return false;
        }
        for location in whole.into_iter().chain(rest) {
            self.access(location, Access::Free, site);
        }
        block.freed.is_none()
    }

    fn access(&self, location: LocationId, access: Access, site: Site) {
        let over = {
            let mut search = self.search.borrow_mut();
            if search.run.unwinding {
                if access == Access::Free {
                    search.free_at_end(location, site);
                }
                return;
            }
            let thread = search.run.current;
            if search.notes_access(thread, location, access) {
                search.access(location, access, site);
                let action = Action::Access(location, access);
                search.run.log.push(Entry { thread, action, site, result: 0, event: None });
                search.run.stepped |= u64::from(access != Access::Free) << thread;
            }
            search.run.over.is_some()
        };
        if over {
            self.stop();
        }
    }

    fn begin_access(&self, location: LocationId, access: Access, site: Site) {
        self.search.borrow_mut().begin_access(location, access, site);
    }

    fn end_access(&self, location: LocationId, thread: ThreadId) {
        self.search.borrow_mut().end_access(location, thread);
    }

    fn state(&self, object: LocationId) -> Object {
        self.leave_if_over();
        let search = self.search.borrow();
        search.state(object, search.acts_so_far(object)).clone()
    }

    fn newest(&self, location: LocationId) -> u64 {
        self.leave_if_over();
        self.search.borrow().newest(location)
    }

    fn start_with(&self, location: LocationId, value: u64) {
        if let Made::Atomic { value: start, .. } =
            &mut self.search.borrow_mut().run.place(location).made
        {
            *start = value;
        }
    }

    fn spawn(&self, new: NewThread, site: Site) -> ThreadId {
        self.leave_if_over();
        let child = {
            let mut search = self.search.borrow_mut();
            let parent = search.run.current;
            let state = search.run.thread_mut(parent);
            let number = state.children;
            state.children += 1;
            search.names.child(parent, number)
        };
        let Some(child) = child else {
            self.misuse(format!(
                "an execution can have at most {} threads, the main thread included: one too many is \
                 spawned at {}:{}",
                crate::kernel::MAX_THREADS,
                site.file(),
                site.line()
            ));
        };
        let token = self.make(Made::Object(Object::Token(object::Token::default())), site);
        KernelEngine::hold(self);
        self.take_step(Operation::Spawn { child }, false, site);
        {
            let mut search = self.search.borrow_mut();
            let parent = search.run.current;
            let hb = search.run.thread(parent).hb;
            let state = search.run.thread_mut(child);
            (state.hb, state.token) = (hb, token);
        }
        self.start(child, new);
        Self::settle(self, true);
        child
    }

    fn token(&self, thread: ThreadId) -> LocationId {
        self.search.borrow().run.thread(thread).token
    }

    fn turn(&self, turn: Turn, site: Site) {
        self.leave_if_over();
        self.end_due_turn();
        let goes_on = {
            let mut search = self.search.borrow_mut();
            let thread = search.run.current;
            let turn = match turn {
                Turn::Again if search.tries_again(thread, site) => Turn::Spin,
                Turn::Again => return,
                turn => turn,
            };
            let ends = turn != Turn::Begin;
            let calls = (ends && search.compares_calls(thread))
                .then(|| CallStack::of(search.run.thread(thread).running));
            let end = (site, calls.unwrap_or_default());
            search.note_turn(thread, turn, site);
            let waiting = &mut search.run.thread_mut(thread).waiting;
            if turn == Turn::Spin && waiting.locks > 0 {
                waiting.due = Some(end);
                return;
            }
            search.turn(thread, turn, end)
        };
        if !goes_on {
            self.pause();
        }
    }

    fn panicked(&self, payload: &(dyn Any + Send)) {
        let mut search = self.search.borrow_mut();
        let thread = search.run.current;
        let message = message_of(thread, payload);
        search.run.thread_mut(thread).panic.get_or_insert(message);
    }

    fn note(&self, text: String, site: Site) {
        self.search.borrow_mut().note(text, site, Action::Note);
    }

    fn panics(&self, message: String, at: &Location<'_>) {
        self.search.borrow_mut().note(message, at, Action::Panic);
    }

    fn abort(&self, payload: &(dyn Any + Send)) -> ! {
        let thread = self.search.borrow().run.current;
        let ending = Ending::Panic { thread, message: message_of(thread, payload) };
        self.search.borrow_mut().run.end(ending);
        self.stop();
    }

    fn panic_seen(&self, thread: ThreadId) {
        self.search.borrow_mut().run.thread_mut(thread).panic = None;
    }

    fn locals(&self, f: &mut dyn FnMut(&mut Locals)) {
        let mut search = self.search.borrow_mut();
        let thread = search.run.current;
        let locals = &mut search.run.thread_mut(thread).locals;
        f(locals);
        // A thread that ends looks for values to drop, and finds none if it has made none.
        let has_some = !locals.is_empty();
        search.run.stepped |= u64::from(has_some) << thread;
    }

    fn is_at_work(&self) -> bool {
        !self.in_thread.get()
            || self.search.try_borrow_mut().is_err()
            || self.memory.try_borrow_mut().is_err()
    }

    fn over(&self) -> bool {
        // A destructor of what a static holds is answered: see `Memory::drop_copies`.
        self.in_thread.get() && self.search.borrow().run.unwinding
    }

    fn misuse(&self, message: String) -> ! {
        self.search.borrow_mut().misuse(message);
        self.stop();
    }
}

impl Engine {
    /// Calls `f` unless the engine itself is at work.
    #[inline]
    fn in_program(&self, f: impl FnOnce(Moment, &mut memory::Memory)) -> Option<()> {
        if !self.in_thread.get() {
            return None;
        }
        let search = self.search.try_borrow_mut().ok()?;
        let mut memory = self.memory.try_borrow_mut().ok()?;
        f(search.run.now(), &mut memory);
        Some(())
    }
}

impl Search {
    /// Adds a line to the log that is not a step, unless the execution is over.
    fn note(&mut self, text: String, at: &Location<'_>, action: fn(usize) -> Action) {
        let thread = self.run.current;
        if self.run.unwinding || self.echoes(thread) {
            return;
        }
        let action = action(self.run.texts.len());
        self.run.texts.push(Text { text, at: (at.file().to_owned(), at.line()) });
        let site = self.run.thread(thread).step.1;
        self.run.log.push(Entry { thread, action, site, result: 0, event: None });
    }

    /// Notes the end of a turn, once in a row.
    fn note_turn(&mut self, thread: ThreadId, turn: Turn, site: Site) {
        let last = self.run.log.last().map(|entry| (entry.thread, entry.action));
        if turn != Turn::Begin && !self.echoes(thread) && last != Some((thread, Action::Turn)) {
            let action = Action::Turn;
            self.run.log.push(Entry { thread, action, site, result: 0, event: None });
        }
    }
}
