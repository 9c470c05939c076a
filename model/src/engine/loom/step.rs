//! The engine as the kernel sees it.

use std::alloc::Layout;
use std::any::Any;
use std::sync::atomic::Ordering;

use super::Engine;
use super::run::Status;
use super::thread::MAX_THREADS;
use crate::engine::graph::Ending;
use crate::engine::memory;
use crate::engine::panics::message_of;
use crate::kernel::{
    Access, Engine as KernelEngine, Locals, LocationId, Made, Memory, Moment, NewThread, Object,
    Operation, Owned, Policy, Site, StaticCopy, ThreadId, Turn, object,
};
use crate::mutation::Change;
use crate::place::file_and_line;

impl KernelEngine for Engine<'_> {
    fn execution(&self) -> u64 {
        self.run.borrow().number
    }

    fn thread(&self) -> ThreadId {
        self.current.get()
    }

    fn thread_name(&self) -> Option<String> {
        self.run.borrow_mut().thread(self.current.get()).name.clone()
    }

    fn steps(&self) -> u16 {
        self.run.borrow_mut().thread(self.current.get()).steps
    }

    fn policy(&self) -> Policy {
        Policy { spurious: false, patient: false }
    }

    fn change(&self, site: Site, operation: &'static str, orders: &[Ordering]) -> Option<Change> {
        let probe = self.config.probe.as_ref()?;
        let run = self.run.borrow();
        if run.over.is_some() {
            return None;
        }
        probe.meet(site, operation, orders, !run.is_alone(self.current.get()))
    }

    fn step(&self, operation: Operation, site: Site) -> u64 {
        let thread = self.current.get();
        if !self.is_done() {
            let mut run = self.run.borrow_mut();
            let most = self.config.steps.min(60_000);
            let state = run.thread(thread);
            (state.step, state.steps) = ((operation, site), state.steps + 1);
            if usize::from(state.steps) > most {
                run.give_up(format!("a thread takes more than {most} steps"));
            }
        }
        if let Some(location) = operation.location()
            && !self.is_done()
        {
            self.touch(thread, location);
        }
        loop {
            self.leave_if_over();
            let mut run = self.run.borrow_mut();
            if run.is_enabled(thread, &operation) {
                let result = run.perform(thread, &operation, site);
                run.wake(&operation);
                self.config.watch.runs(thread, Some(site));
                return result;
            }
            drop(run);
            self.park(thread);
        }
    }

    fn step_in_time(&self, operation: Operation, site: Site) -> Option<u64> {
        // There is no patience here: see `policy`.
        Some(self.step(operation, site))
    }

    fn make(&self, made: Made, _: Site) -> LocationId {
        self.run.borrow_mut().make(made)
    }

    fn make_in(&self, _: Owned, made: Made, site: Site) -> LocationId {
        self.make(made, site)
    }

    fn memory(&self, address: usize) -> Memory {
        let run = self.run.borrow();
        let stacks = run.threads.iter().map(|thread| thread.running);
        memory::find(address, stacks, &self.memory.borrow())
    }

    fn add_copy(&self, copy: StaticCopy) {
        self.memory.borrow_mut().add_copy(copy);
    }

    fn allocated(&self, pointer: *mut u8, layout: Layout) {
        if !self.is_at_work() {
            let (start, bytes) = (pointer.addr(), layout.size());
            self.memory.borrow_mut().allocated(start, bytes, Moment::START);
        }
    }

    fn keeps(&self, pointer: *mut u8, layout: Layout) -> bool {
        let keeps = !self.is_at_work();
        if keeps {
            self.memory.borrow_mut().keep(pointer, layout, Moment::START);
        }
        keeps
    }

    fn end_block(&self, address: usize, _: Site) -> bool {
        let block = self.memory(address);
        matches!(block, Memory::Owned(block) if block.offset_in_block() == Some(0) && block.freed.is_none())
    }

    fn access(&self, _: LocationId, _: Access, _: Site) {
        // Races are the other engine's.
    }

    fn state(&self, object: LocationId) -> Object {
        self.leave_if_over();
        self.run.borrow_mut().state(object).clone()
    }

    fn newest(&self, location: LocationId) -> u64 {
        self.leave_if_over();
        self.run.borrow_mut().place(location).value
    }

    fn start_with(&self, location: LocationId, value: u64) {
        self.run.borrow_mut().place(location).value = value;
    }

    fn spawn(&self, new: NewThread, site: Site) -> ThreadId {
        self.leave_if_over();
        let parent = self.current.get();
        let number = {
            let mut run = self.run.borrow_mut();
            let there = |status| status != Status::Absent;
            let threads = run.threads.iter().filter(|thread| there(thread.status)).count();
            if threads == MAX_THREADS && run.over.is_none() {
                run.give_up(format!("more than {MAX_THREADS} threads"));
            }
            let state = run.thread(parent);
            state.children += 1;
            state.children - 1
        };
        let child = self.names.borrow_mut().child(parent, number);
        let Some(child) = child else {
            self.misuse(format!("more than {} threads", crate::kernel::MAX_THREADS));
        };
        let token = self.make(Made::Object(Object::Token(object::Token::default())), site);
        self.step(Operation::Spawn { child }, site);
        {
            let mut run = self.run.borrow_mut();
            let joined = run.thread(parent).joined;
            let state = run.thread(child);
            (state.joined, state.token) = (joined, token);
        }
        self.start(child, new);
        child
    }

    fn token(&self, thread: ThreadId) -> LocationId {
        self.run.borrow_mut().thread(thread).token
    }

    fn turn(&self, turn: Turn, site: Site) {
        self.leave_if_over();
        let mut run = self.run.borrow_mut();
        let state = run.thread(self.current.get());
        let goes_round = matches!(turn, Turn::Spin | Turn::Wait);
        if goes_round && std::mem::replace(&mut state.turned, state.steps) < state.steps {
            run.give_up(format!("a loop may wait at {}", file_and_line(site)));
            drop(run);
            self.leave();
        }
    }

    fn panicked(&self, payload: &(dyn Any + Send)) {
        let message = message_of(self.current.get(), payload);
        self.run.borrow_mut().thread(self.current.get()).panic.get_or_insert(message);
    }

    fn abort(&self, payload: &(dyn Any + Send)) -> ! {
        let message = message_of(self.current.get(), payload);
        let ending = Ending::Panic { thread: self.current.get(), message };
        self.run.borrow_mut().end(ending);
        self.leave();
    }

    fn panic_seen(&self, thread: ThreadId) {
        self.run.borrow_mut().thread(thread).panic = None;
    }

    fn locals(&self, f: &mut dyn FnMut(&mut Locals)) {
        f(&mut self.run.borrow_mut().thread(self.current.get()).locals);
    }

    fn is_at_work(&self) -> bool {
        !self.in_thread.get()
            || self.run.try_borrow_mut().is_err()
            || self.memory.try_borrow_mut().is_err()
    }

    fn over(&self) -> bool {
        // A destructor of what a static holds is answered: see `Memory::drop_copies`.
        self.in_thread.get() && self.is_done()
    }

    fn misuse(&self, message: String) -> ! {
        self.run.borrow_mut().give_up(message);
        self.leave();
    }
}
