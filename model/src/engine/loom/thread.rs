//! The threads under test: threads of loom, which are coroutines of one OS thread, on stacks of this
//! engine.
//!
//! No reference to the state of the run is held while another thread can run: only in [`Engine::call`].

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use ::loom::sync::atomic::Ordering::AcqRel;
use corosensei::{Coroutine, Yielder};

use super::Engine;
use super::run::{Run, Status};
use crate::engine::graph::Ending;
use crate::engine::overflow::{self, Running};
use crate::engine::panics::{self, message_of};
use crate::kernel::object::Token;
use crate::kernel::{Engine as _, LocationId, Made, NewThread, Object, ThreadId};

/// Of loom, the first included.
pub(super) const MAX_THREADS: usize = 5;

/// Unwinds a thread whose execution is over. A thread is unwound once: see [`Engine::leave`].
struct Abandoned;

impl Engine<'_> {
    /// The first thread, which ends as the last.
    pub(super) fn main(&self) {
        self.current.set(0);
        {
            let mut run = self.run.borrow_mut();
            let main = run.thread(0);
            (main.status, main.handle) = (Status::Running, Some(::loom::thread::current()));
        }
        let token = Made::Object(Object::Token(Token::default()));
        let token = self.make(token, std::panic::Location::caller());
        self.run.borrow_mut().thread(0).token = token;
        // The state of the run is on the stack of `explore`, and so is the program.
        self.on_own_stack(0, None, || {
            self.run_body(0, self.program);
            let waits = {
                let mut run = self.run.borrow_mut();
                run.thread(0).status = Status::Last;
                let deadlock = run.deadlock().filter(|_| run.over.is_none());
                if let Some(deadlock) = deadlock {
                    run.end(deadlock);
                }
                run.newest_alive() != Some(0)
            };
            if waits {
                self.await_turn(0);
            }
        });
        self.run.borrow_mut().thread(0).status = Status::Done;
    }

    /// Starts a thread.
    pub(super) fn start(&self, thread: ThreadId, new: NewThread) {
        {
            let mut run = self.run.borrow_mut();
            let state = run.thread(thread);
            (state.status, state.name, state.body) = (Status::Running, new.name, Some(new.body));
        }
        let engine = std::ptr::from_ref(self).cast::<()>();
        let stack = new.stack;
        let started = ::loom::thread::spawn(move || {
            // SAFETY: the engine outlives the threads: `finish` is called when all have ended, and if loom
            // panics they are never resumed.
            let engine = unsafe { &*engine.cast::<Engine<'_>>() };
            engine.current.set(thread);
            engine.on_own_stack(thread, stack, || {
                let body = engine.run.borrow_mut().thread(thread).body.take();
                if let Some(body) = body {
                    engine.run_body(thread, body);
                }
            });
            engine.ended(thread);
        });
        let handle = started.thread().clone();
        self.run.borrow_mut().thread(thread).handle = Some(handle);
    }

    /// Runs `f` until it has ended, or leaves.
    fn on_own_stack(&self, thread: ThreadId, bytes: Option<usize>, f: impl FnOnce()) {
        let stack = self.stacks.take(bytes);
        let running = Running::new(&stack, self.run.borrow_mut().thread(thread).name.as_deref());
        self.run.borrow_mut().thread(thread).running = running;
        let body = |yielder: &Yielder<(), ()>, ()| {
            self.run.borrow_mut().thread(thread).yielder = yielder;
            f();
        };
        // SAFETY: what `f` borrows outlives this call, in which the coroutine comes to its end or is reset.
        let mut coroutine = unsafe { Coroutine::with_stack_unchecked(stack, body) };
        overflow::runs(running);
        coroutine.resume(());
        overflow::runs(Running::default());
        if coroutine.done() {
            self.run.borrow_mut().thread(thread).running = Running::default();
            self.stacks.keep(coroutine.into_stack());
            return;
        }
        panics::take();
        self.in_thread.set(false);
        // SAFETY: it is never resumed: what is on its stack is leaked.
        unsafe { coroutine.force_reset() };
        let run = &mut *self.run.borrow_mut();
        std::mem::forget(std::mem::take(&mut run.thread(thread).locals));
        run.left.push(coroutine.into_stack());
        if self.broken.borrow().is_some() {
            resume_unwind(Box::new(Abandoned));
        }
    }

    /// Runs what a thread is to run; if the execution is over already, only drops it.
    fn run_body(&self, thread: ThreadId, body: impl FnOnce()) {
        let over = self.run.borrow().over.is_some();
        if over {
            self.await_turn(thread);
        }
        self.config.watch.runs(thread, None);
        self.in_thread.set(true);
        let result = catch_unwind(AssertUnwindSafe(|| if over { drop(body) } else { body() }));
        self.in_thread.set(false);
        if self.broken.borrow().is_some() {
            resume_unwind(Box::new(Abandoned));
        }
        if self.run.borrow().over.is_some() {
            self.await_turn(thread);
            // Their destructors may make others.
            loop {
                let locals = std::mem::take(&mut self.run.borrow_mut().thread(thread).locals);
                if locals.is_empty() {
                    return;
                }
                self.in_thread.set(true);
                let _ = catch_unwind(AssertUnwindSafe(|| drop(locals)));
                self.in_thread.set(false);
            }
        }
        let mut run = self.run.borrow_mut();
        let state = run.thread(thread);
        if let Err(payload) = result {
            state.panic.get_or_insert_with(|| message_of(thread, &*payload));
        }
    }

    /// A thread, not the first, has come to its end.
    fn ended(&self, thread: ThreadId) {
        let mut run = self.run.borrow_mut();
        run.thread(thread).status = Status::Done;
        if run.over.is_none() {
            run.wake_joining(thread);
            if let Some(deadlock) = run.deadlock() {
                run.end(deadlock);
            }
        }
        // The first thread may wait for this one to end; or it is the next one's turn to be unwound.
        let next = run.newest_alive().filter(|&next| next == 0 || run.over.is_some());
        if let Some(next) = next
            && (run.over.is_some() || run.thread(next).status == Status::Last)
        {
            run.unpark(next);
        }
    }

    /// Calls into loom, which may run other threads meanwhile.
    fn call(&self, f: impl FnOnce()) {
        self.leave_if_broken();
        let thread = self.current.get();
        let panics = panics::take();
        let in_thread = self.in_thread.replace(false);
        let running = overflow::runs(Running::default());
        let result = catch_unwind(AssertUnwindSafe(f));
        overflow::runs(running);
        self.in_thread.set(in_thread);
        panics::put(panics);
        self.current.set(thread);
        if let Err(payload) = result {
            self.broken.borrow_mut().get_or_insert_with(|| panics::said(&*payload));
        }
        self.leave_if_broken();
    }

    /// loom has panicked: nothing more is asked of it.
    fn leave_if_broken(&self) {
        if self.broken.borrow().is_some() {
            self.unwind();
        }
    }

    /// Lets other threads run before the access to a location that follows.
    pub(super) fn touch(&self, thread: ThreadId, location: LocationId) {
        let (gates, gate) = {
            let mut run = self.run.borrow_mut();
            if run.is_alone(thread) {
                return;
            }
            run.touches += 1;
            let most = self.most_touches();
            if run.touches > most {
                return run.give_up(format!("an execution takes more than {most} steps"));
            }
            let in_use = run.gates_in_use;
            let gate = *run.place(location).gate.get_or_insert(in_use);
            run.gates_in_use += usize::from(gate == in_use);
            if gate >= run.gates.len() {
                run.lacks_gates = true;
                return run.give_up("more locations than atomics of loom".to_owned());
            }
            (run.gates.clone(), gate)
        };
        self.call(|| {
            gates[gate].fetch_add(0, AcqRel);
        });
    }

    /// Parks until another thread unparks this one: it is enabled, or the execution is over.
    pub(super) fn park(&self, thread: ThreadId) {
        {
            let mut run = self.run.borrow_mut();
            run.touches += 1;
            run.thread(thread).status = Status::Parked;
            if let Some(deadlock) = run.deadlock() {
                run.thread(thread).status = Status::Running;
                run.end(deadlock);
                return;
            }
        }
        self.call(::loom::thread::park);
    }

    /// The execution is over: parks until all threads that were spawned later have been unwound.
    pub(super) fn await_turn(&self, thread: ThreadId) {
        loop {
            {
                let mut run = self.run.borrow_mut();
                if run.newest_alive() == Some(thread) {
                    return;
                }
                let state = run.thread(thread);
                if state.status == Status::Running {
                    state.status = Status::Parked;
                }
            }
            self.call(::loom::thread::park);
        }
    }

    /// Whether the execution goes no further.
    pub(super) fn is_done(&self) -> bool {
        self.run.borrow().over.is_some()
    }

    pub(super) fn leave_if_over(&self) {
        if self.over() {
            self.leave();
        }
    }

    /// The execution is over, and the thread that runs asks for more. The rule is that of the other engine: it is
    /// unwound, and if it asks again, suspended for good.
    pub(super) fn leave(&self) -> ! {
        self.leave_if_broken();
        self.await_turn(self.current.get());
        self.unwind();
    }

    fn unwind(&self) -> ! {
        let thread = self.current.get();
        let unwound = std::mem::replace(&mut self.run.borrow_mut().thread(thread).unwound, true);
        if !unwound && !std::thread::panicking() {
            resume_unwind(Box::new(Abandoned));
        }
        let yielder = self.run.borrow_mut().thread(thread).yielder;
        loop {
            // SAFETY: the yielder is that of the coroutine that runs, and lives on its stack.
            unsafe { &*yielder }.suspend(());
        }
    }
}

impl Run {
    /// The program cannot be explored.
    pub(super) fn give_up(&mut self, reason: String) {
        self.unable.get_or_insert(reason.clone());
        self.end(Ending::Misuse(reason));
    }
}
