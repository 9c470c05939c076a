//! The engine as the kernel sees it.

use super::coroutine::Engine;
use super::outcome::Action;
use super::plain;
use super::run::{Entry, Place};
use crate::kernel::{
    Access, Engine as KernelEngine, Locals, LocationId, Made, NewThread, Object, Operation, Policy,
    Site, ThreadId, Turn, object,
};

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

    fn step(&self, operation: Operation, site: Site) -> u64 {
        self.take_step(operation, site)
    }

    fn make(&self, made: Made, site: Site) -> LocationId {
        let mut search = self.search.borrow_mut();
        let thread = search.run.current;
        let state = search.run.thread_mut(thread);
        let number = state.made;
        state.made += 1;
        let location = search.names.location(thread, number);
        let (value, state) = match made {
            Made::Atomic(value) => (value, None),
            Made::Cell => (0, None),
            Made::Object(state) => (0, Some(state)),
        };
        let maker = search.maker(location, site);
        let places = &mut search.run.places;
        if places.len() <= location as usize {
            places.resize_with(location as usize + 1, || None);
        }
        let plain = plain::Plain::default();
        places[location as usize] = Some(Place { maker, value, state, plain, afterlife: None });
        location
    }

    fn access(&self, location: LocationId, access: Access, site: Site) {
        let over = {
            let mut search = self.search.borrow_mut();
            if search.run.unwinding {
                return;
            }
            let thread = search.run.current;
            if search.echoes(thread) {
                return;
            }
            search.access(location, access, site);
            let action = Action::Access(location, access);
            search.run.log.push(Entry { thread, action, site, result: 0, event: None });
            if access == Access::Write {
                search.wrote_plainly(thread);
            }
            search.run.over.is_some()
        };
        if over {
            self.stop();
        }
    }

    fn state(&self, object: LocationId) -> Object {
        let search = self.search.borrow();
        search.state(object, search.acts_so_far(object)).clone()
    }

    fn newest(&self, location: LocationId) -> u64 {
        self.search.borrow().newest(location)
    }

    fn start_with(&self, location: LocationId, value: u64) {
        self.search.borrow_mut().run.place(location).value = value;
    }

    fn spawn(&self, new: NewThread, site: Site) -> ThreadId {
        let child = {
            let mut search = self.search.borrow_mut();
            let parent = search.run.current;
            let state = search.run.thread_mut(parent);
            let number = state.children;
            state.children += 1;
            search.names.child(parent, number)
        };
        let Some(child) = child else {
            self.misuse(format!("more than {} threads", crate::kernel::MAX_THREADS));
        };
        let token = self.make(Made::Object(Object::Token(object::Token::default())), site);
        self.take_step(Operation::Spawn { child }, site);
        if self.search.borrow().run.unwinding {
            return child;
        }
        {
            let mut search = self.search.borrow_mut();
            let parent = search.run.current;
            let hb = search.run.thread(parent).hb;
            let state = search.run.thread_mut(child);
            (state.hb, state.token) = (hb, token);
        }
        self.start(child, new);
        child
    }

    fn token(&self, thread: ThreadId) -> LocationId {
        self.search.borrow().run.thread(thread).token
    }

    fn turn(&self, turn: Turn, site: Site) {
        let goes_on = {
            let mut search = self.search.borrow_mut();
            if search.run.unwinding {
                true
            } else {
                let thread = search.run.current;
                search.turn(thread, turn, site)
            }
        };
        if !goes_on {
            self.stop();
        }
    }

    fn panicking(&self) -> bool {
        std::thread::panicking()
    }

    fn panicked(&self, message: String) {
        let mut search = self.search.borrow_mut();
        let thread = search.run.current;
        search.run.thread_mut(thread).panic.get_or_insert(message);
    }

    fn panic_seen(&self, thread: ThreadId) {
        self.search.borrow_mut().run.thread_mut(thread).panic = None;
    }

    fn locals(&self, f: &mut dyn FnMut(&mut Locals)) {
        let mut search = self.search.borrow_mut();
        let thread = search.run.current;
        f(&mut search.run.thread_mut(thread).locals);
    }

    fn is_at_work(&self) -> bool {
        !self.in_thread.get() || self.search.try_borrow_mut().is_err()
    }

    fn over(&self) -> bool {
        self.search.borrow().run.unwinding
    }

    fn misuse(&self, message: String) -> ! {
        self.search.borrow_mut().misuse(message.clone());
        self.stop();
        // The thread unwinds already.
        panic!("{message}");
    }
}

/// Silences the panics of threads under test, which are results.
pub(super) fn install_hook() {
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
                before(info);
            }
        }));
    });
}
