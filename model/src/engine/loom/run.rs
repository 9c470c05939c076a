//! What belongs to one execution: made anew for each.

use std::panic::Location;
use std::rc::Rc;
use std::sync::atomic::Ordering;

use ::loom::sync::atomic::AtomicUsize;
use corosensei::Yielder;
use corosensei::stack::DefaultStack;

use crate::engine::graph::{Action, Blocked, Ending, Line};
use crate::engine::names::Names;
use crate::engine::overflow::Running;
use crate::kernel::{Clock, Edges, Locals, LocationId, Made, Object, Operation, Site, ThreadId};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Status {
    #[default]
    Absent,
    /// It runs, or loom can run it.
    Running,
    /// It is parked.
    Parked,
    /// It is the first, has come to its end, and is parked until all others have.
    Last,
    Done,
}

pub(super) struct Thread {
    pub(super) status: Status,
    /// To unpark it.
    pub(super) handle: Option<::loom::thread::Thread>,
    /// The step that it wants to take, or took last.
    pub(super) step: (Operation, Site),
    pub(super) steps: u16,
    /// How many there were at the last hint of a loop that waits.
    pub(super) turned: u16,
    /// Threads, a bit each, whose ends come before what it does.
    pub(super) joined: u32,
    pub(super) children: u32,
    pub(super) token: LocationId,
    pub(super) name: Option<String>,
    /// Its stack, until it has ended.
    pub(super) running: Running,
    pub(super) body: Option<Box<dyn FnOnce()>>,
    pub(super) yielder: *const Yielder<(), ()>,
    /// Its execution is over, and it has been unwound, or is.
    pub(super) unwound: bool,
    pub(super) panic: Option<String>,
    pub(super) locals: Locals,
}

impl Thread {
    fn absent() -> Self {
        Self {
            status: Status::Absent,
            handle: None,
            step: (Operation::Fence { order: Ordering::SeqCst }, Location::caller()),
            steps: 0,
            turned: 0,
            joined: 0,
            children: 0,
            token: LocationId::default(),
            name: None,
            running: Running::default(),
            body: None,
            yielder: std::ptr::null(),
            unwound: false,
            panic: None,
            locals: Vec::new(),
        }
    }
}

/// What a location is in this execution.
pub(super) struct Place {
    /// Of an atomic: what it holds.
    pub(super) value: u64,
    /// Of an object: its state.
    pub(super) state: Option<Object>,
    /// The atomic of loom that stands for it, once it has been accessed.
    pub(super) gate: Option<usize>,
}

#[derive(Default)]
pub(super) struct Run {
    pub(super) number: u64,
    pub(super) threads: Vec<Thread>,
    /// By id.
    pub(super) places: Vec<Place>,
    pub(super) gates: Rc<[AtomicUsize]>,
    /// How many of them stand for a location.
    pub(super) gates_in_use: usize,
    pub(super) lacks_gates: bool,
    pub(super) touches: usize,
    pub(super) log: Vec<Line>,
    /// The execution goes no further: its threads are unwound.
    pub(super) over: Option<Ending>,
    /// Why the exploration goes no further.
    pub(super) unable: Option<String>,
    /// The stacks of threads that are suspended for good, until all threads have been unwound.
    pub(super) left: Vec<DefaultStack>,
}

impl Run {
    /// A run with so many atomics of loom.
    pub(super) fn new(gates: usize) -> Self {
        let gates = (0..gates).map(|_| AtomicUsize::new(0)).collect();
        Self { number: crate::engine::next_number(), gates, ..Self::default() }
    }

    pub(super) fn thread(&mut self, thread: ThreadId) -> &mut Thread {
        if self.threads.len() <= thread {
            self.threads.resize_with(thread + 1, Thread::absent);
        }
        &mut self.threads[thread]
    }

    pub(super) fn place(&mut self, location: LocationId) -> &mut Place {
        &mut self.places[location.index()]
    }

    pub(super) fn make(&mut self, made: Made) -> LocationId {
        let (value, state) = match made {
            Made::Atomic { value, .. } => (value, None),
            Made::Cell(_) => (0, None),
            Made::Object(state) => (0, Some(state)),
        };
        let location = LocationId::new(self.places.len());
        self.places.push(Place { value, state, gate: None });
        location
    }

    /// The state of an object.
    ///
    /// # Panics
    ///
    /// If the location is no object.
    pub(super) fn state(&mut self, object: LocationId) -> &mut Object {
        self.place(object).state.as_mut().expect("an object of this execution")
    }

    /// Whether no other thread can take a step before what `thread` does next, whatever the order.
    pub(super) fn is_alone(&self, thread: ThreadId) -> bool {
        let joined = self.threads[thread].joined;
        self.threads.iter().enumerate().all(|(other, state)| {
            let is_behind = state.status == Status::Done && joined & 1 << other != 0;
            other == thread || state.status == Status::Absent || is_behind
        })
    }

    /// Whether a step is enabled.
    pub(super) fn is_enabled(&mut self, thread: ThreadId, operation: &Operation) -> bool {
        match *operation {
            Operation::Act { object, act } => self.state(object).enabled(act, thread),
            Operation::Join { child } => self.thread(child).status == Status::Done,
            _ => true,
        }
    }

    /// Takes a step that is enabled.
    pub(super) fn perform(&mut self, thread: ThreadId, operation: &Operation, site: Site) -> u64 {
        let result = match *operation {
            Operation::Load { location, .. } => self.place(location).value,
            Operation::Store { location, value, .. } => {
                self.place(location).value = value;
                0
            }
            Operation::Update { location, update, .. } => {
                let place = self.place(location);
                let old = place.value;
                place.value = update.apply(old).unwrap_or(old);
                old
            }
            Operation::Act { object, act } => {
                // Happens-before is the other engine's.
                let edges = &mut Edges { past: &mut Clock::default() };
                self.state(object).apply(act, thread, edges)
            }
            Operation::Join { child } => {
                let joined = self.thread(child).joined | 1 << child;
                self.thread(thread).joined |= joined;
                0
            }
            Operation::Spawn { .. } | Operation::Fence { .. } | Operation::Choose { .. } => 0,
        };
        self.log.push(Line { result, ..Line::of(thread, Action::Step(*operation), site) });
        result
    }

    /// How the run ended, of which all threads came to their end.
    pub(super) fn ending(&self, names: &Names) -> Ending {
        let threads = self.threads.iter().enumerate();
        let panics = threads.filter_map(|(thread, state)| Some((thread, state.panic.as_ref()?)));
        let first = panics.min_by_key(|(thread, _)| names.path(*thread));
        first.map_or(Ending::Complete, |(thread, message)| Ending::Panic {
            thread,
            message: message.clone(),
        })
    }

    /// How the run ends if no thread can run and some have not ended. They wait for ever, but for those in an attempt.
    pub(super) fn deadlock(&self) -> Option<Ending> {
        if self.threads.iter().any(|thread| thread.status == Status::Running) {
            return None;
        }
        let parked =
            self.threads.iter().enumerate().filter(|(_, thread)| thread.status == Status::Parked);
        let blocked: Vec<Blocked> = parked
            .map(|(thread, state)| {
                let (operation, site) = state.step;
                Blocked { thread, operation, site, spins: false, until: false }
            })
            .collect();
        if blocked.iter().any(|blocked| blocked.operation.is_attempt()) {
            return Some(Ending::Stutter);
        }
        (!blocked.is_empty()).then_some(Ending::Deadlock(blocked))
    }

    /// Of the threads that have not ended, the one that was spawned last.
    pub(super) fn newest_alive(&self) -> Option<ThreadId> {
        let alive = |status| !matches!(status, Status::Absent | Status::Done);
        self.threads.iter().rposition(|thread| alive(thread.status))
    }

    /// Lets loom run a thread that is parked.
    pub(super) fn unpark(&mut self, thread: ThreadId) {
        let state = self.thread(thread);
        if matches!(state.status, Status::Parked | Status::Last) {
            state.status = Status::Running;
            if let Some(handle) = &state.handle {
                handle.unpark();
            }
        }
    }

    /// Unparks the threads that can go on after this step.
    pub(super) fn wake(&mut self, operation: &Operation) {
        let Some(location) = operation.location() else { return };
        for thread in 0..self.threads.len() {
            let Thread { status, step: (step, _), .. } = self.threads[thread];
            if status == Status::Parked
                && step.location() == Some(location)
                && self.is_enabled(thread, &step)
            {
                self.unpark(thread);
            }
        }
    }

    /// Unparks the threads that join `child`, which has ended.
    pub(super) fn wake_joining(&mut self, child: ThreadId) {
        for thread in 0..self.threads.len() {
            let Thread { status, step: (step, _), .. } = self.threads[thread];
            if status == Status::Parked && step == (Operation::Join { child }) {
                self.unpark(thread);
            }
        }
    }

    /// The execution goes no further. `thread` runs.
    pub(super) fn end(&mut self, ending: Ending) {
        self.over.get_or_insert(ending);
        if let Some(newest) = self.newest_alive() {
            self.unpark(newest);
        }
    }
}
