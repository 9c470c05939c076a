//! What belongs to one execution: made anew for each.

use std::panic::Location;

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, Yielder};

use super::event::{Id, NONE};
use super::outcome::{Action, Ending, Party, Text};
use super::turns::{Lasting, Waiting};
use crate::engine::overflow::Running;
use crate::kernel::{
    CellKind, Clock, Locals, LocationId, Made, Moment, Object, Operation, Site, ThreadId,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Status {
    #[default]
    Absent,
    /// It has not come to its first step.
    Fresh,
    /// It wants to take its step, or runs towards the next.
    Active,
    Done,
}

pub(super) type Threads = Coroutine<(), (), (), DefaultStack>;

pub(super) struct Thread {
    pub(super) status: Status,
    /// The step that it wants to take, or took last.
    pub(super) step: (Operation, Site),
    /// It takes that step only if it can be taken in time.
    pub(super) limited: bool,
    /// How many of its events have taken place.
    pub(super) at: u16,
    /// What happens before its next access.
    pub(super) hb: Clock,
    pub(super) children: u32,
    pub(super) token: LocationId,
    pub(super) name: Option<String>,
    pub(super) coroutine: Option<Threads>,
    pub(super) yielder: *const Yielder<(), ()>,
    /// Its stack, until it has ended.
    pub(super) running: Running,
    pub(super) body: Option<Box<dyn FnOnce()>>,
    pub(super) waiting: Waiting,
    /// How many panics are under way in it, while it is suspended.
    pub(super) panics: u32,
    /// Its execution is over, and it has been unwound, or is.
    pub(super) unwound: bool,
    pub(super) panic: Option<String>,
    pub(super) locals: Locals,
    /// What it does after its steps belongs to them, until that is done.
    pub(super) holds: bool,
}

impl Thread {
    pub(super) fn absent() -> Self {
        Self {
            status: Status::Absent,
            step: (
                Operation::Fence { order: std::sync::atomic::Ordering::SeqCst },
                Location::caller(),
            ),
            limited: false,
            at: 0,
            hb: Clock::default(),
            children: 0,
            token: LocationId::default(),
            name: None,
            coroutine: None,
            yielder: std::ptr::null(),
            running: Running::default(),
            body: None,
            waiting: Waiting::default(),
            panics: 0,
            unwound: false,
            panic: None,
            locals: Vec::new(),
            holds: false,
        }
    }

    /// As [`Thread::absent`], in the memory that it has.
    fn reset(&mut self) {
        let mut looks = std::mem::take(&mut self.waiting.turn.looks);
        looks.clear();
        *self = Self::absent();
        self.waiting.turn.looks = looks;
    }
}

/// What a location is in this execution.
#[derive(Debug)]
pub(super) struct Place {
    /// Its number in the graph, which it has from its first event on; `NONE` before. The number is
    /// that of the location of the same event in the graph, whatever was made before it in this run.
    pub(super) location: u32,
    pub(super) maker: Party,
    /// Of a value that was found where it lies: see [`Owned`](crate::kernel::Owned).
    pub(super) position: Option<(usize, usize)>,
    pub(super) made: Made,
    pub(super) plain: Plain,
    /// Once all threads have ended, and statics are dropped: what the atomic holds.
    pub(super) afterlife: Option<u64>,
}

impl Place {
    /// Of an atomic: what it was made with.
    pub(super) fn value(&self) -> u64 {
        if let Made::Atomic { value, .. } = self.made { value } else { 0 }
    }

    /// Of an object: the state that it was made with.
    pub(super) fn state(&self) -> Option<&Object> {
        if let Made::Object(state) = &self.made { Some(state) } else { None }
    }
}

/// The accesses to a location that later ones are held against.
#[derive(Debug, Default)]
pub(super) struct Plain {
    /// The last write.
    pub(super) write: Option<Party>,
    /// The last read of each thread since.
    pub(super) reads: Vec<Party>,
    pub(super) freed: Option<Party>,
    /// The accesses that have begun and not ended: each lasts as long as a closure.
    pub(super) under_way: Vec<Party>,
}

impl Plain {
    /// Whether the location has come to its end.
    pub(super) fn is_freed(&self) -> bool {
        self.freed.is_some()
    }
}

/// One entry of the log.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) thread: ThreadId,
    pub(super) action: Action,
    pub(super) site: Site,
    /// What was read, the result of an act, or the branch chosen.
    pub(super) result: u64,
    /// The event, if the action is one.
    pub(super) event: Option<Id>,
}

#[derive(Default)]
pub(super) struct Run {
    pub(super) number: u64,
    pub(super) current: ThreadId,
    pub(super) threads: Vec<Thread>,
    /// By id.
    pub(super) places: Vec<Place>,
    /// By number in the graph.
    bound: Vec<Option<LocationId>>,
    /// By event: what it wrote.
    pub(super) values: Vec<u64>,
    /// By event: the state after an act.
    pub(super) states: Vec<Option<Object>>,
    /// By event: whether it is an act or a store that leaves something behind for other threads.
    pub(super) lasting: Vec<Lasting>,
    pub(super) log: Vec<Entry>,
    /// What the notes and panics in the log say.
    pub(super) texts: Vec<Text>,
    /// How many events of the graph have taken place.
    pub(super) replayed: usize,
    /// How many threads have not come to their first step.
    pub(super) fresh: usize,
    /// The run goes no further.
    pub(super) over: Option<Ending>,
    /// Its coroutines are being unwound, and take no more steps.
    pub(super) unwinding: bool,
    /// The threads that did something which others may notice.
    pub(super) stepped: u64,
    /// Coroutines that are suspended for good. Their stacks are kept until all threads have been unwound.
    pub(super) left: Vec<Threads>,
    /// Steps of destructors of what statics hold.
    pub(super) afterlife: u32,
    /// The threads that dropped what may be the last owner of an `Arc` of `std`, a bit each, where others might have.
    pub(super) last_owners: u64,
    /// What the threads returned, if that is to be compared.
    pub(super) returned: Option<String>,
}

impl Run {
    /// The run number `number`, of a graph with so many events and threads. The memory of the run before is used again;
    /// nothing else of it is.
    pub(super) fn after(before: Self, number: u64, events: usize, threads: usize) -> Self {
        /// As many of the same value, in the memory of other values.
        fn filled<T: Clone>(mut memory: Vec<T>, count: usize, value: T) -> Vec<T> {
            memory.clear();
            memory.resize(count, value);
            memory
        }
        let mut run = Self {
            number,
            threads: before.threads,
            places: before.places,
            bound: filled(before.bound, 0, None),
            values: filled(before.values, events, 0),
            states: filled(before.states, events, None),
            lasting: filled(before.lasting, events, Lasting::No),
            log: before.log,
            ..Self::default()
        };
        run.threads.iter_mut().for_each(Thread::reset);
        run.threads.resize_with(threads, Thread::absent);
        run.places.clear();
        run.log.clear();
        run
    }

    pub(super) fn thread(&self, thread: ThreadId) -> &Thread {
        &self.threads[thread]
    }

    pub(super) fn status(&self, thread: ThreadId) -> Status {
        self.threads.get(thread).map_or(Status::Absent, |thread| thread.status)
    }

    #[inline]
    pub(super) fn thread_mut(&mut self, thread: ThreadId) -> &mut Thread {
        if self.threads.len() <= thread {
            self.threads.resize_with(thread + 1, Thread::absent);
        }
        &mut self.threads[thread]
    }

    /// Where the thread that runs is.
    pub(super) fn now(&self) -> Moment {
        Moment { thread: self.current, steps: self.thread(self.current).at }
    }

    /// Whether another thread could run: one that has not ended, or whose end need not come before what
    /// the thread that runs does next.
    pub(super) fn is_contended(&self) -> bool {
        let hb = self.thread(self.current).hb;
        self.threads.iter().enumerate().any(|(thread, state)| match state.status {
            Status::Absent => false,
            Status::Fresh | Status::Active => thread != self.current,
            Status::Done => hb.of(thread) < state.at,
        })
    }

    /// Whether another thread could do something that need not come before what the thread that runs does next.
    pub(super) fn is_alongside_others(&self) -> bool {
        let hb = self.thread(self.current).hb;
        let mut others =
            self.threads.iter().enumerate().filter(|&(thread, _)| thread != self.current);
        others.any(|(thread, state)| match state.status {
            Status::Absent => false,
            Status::Fresh | Status::Active => true,
            // The end of a thread, which a join waits for, counts as one more step.
            Status::Done => hb.of(thread) <= state.at,
        })
    }

    pub(super) fn place(&mut self, location: LocationId) -> &mut Place {
        &mut self.places[location.index()]
    }

    /// The locations in a block that have not come to their end. First that of the block, if it is from
    /// `sync::alloc`, whether it has come to its end or not.
    pub(super) fn in_block(&self, block: usize) -> (Option<LocationId>, Vec<LocationId>) {
        let places = self.places.iter().enumerate();
        let in_it = places.filter(|(_, place)| place.position.is_some_and(|(of, _)| of == block));
        let is_whole = |place: &Place| matches!(place.made, Made::Cell(CellKind::Allocation));
        let (whole, rest): (Vec<_>, Vec<_>) = in_it.partition(|(_, place)| is_whole(place));
        let rest = rest.into_iter().filter(|(_, place)| !place.plain.is_freed());
        let id = |(at, _)| LocationId::new(at);
        (whole.into_iter().next().map(id), rest.map(id).collect())
    }

    /// Makes a location, which has no number in the graph yet.
    pub(super) fn make(&mut self, made: Made, maker: Party) -> LocationId {
        let id = LocationId::new(self.places.len());
        let plain = Plain::default();
        self.places.push(Place {
            location: NONE,
            maker,
            position: None,
            made,
            plain,
            afterlife: None,
        });
        id
    }

    /// The number of a location in the graph; `NONE` if no event of this run was on it.
    pub(super) fn location(&self, id: LocationId) -> u32 {
        self.places[id.index()].location
    }

    /// The location with a number in the graph; `None` if no event of this run was on it.
    pub(super) fn bound(&self, location: u32) -> Option<LocationId> {
        self.bound.get(location as usize).copied().flatten()
    }

    /// Gives a location its number in the graph. Whether it can have that: neither has another.
    pub(super) fn bind(&mut self, id: LocationId, location: u32) -> bool {
        let at = location as usize;
        if self.bound.len() <= at {
            self.bound.resize(at + 1, None);
        }
        let (number, bound) = (&mut self.places[id.index()].location, &mut self.bound[at]);
        if (*number, *bound) == (NONE, None) {
            (*number, *bound) = (location, Some(id));
        }
        (*number, *bound) == (location, Some(id))
    }

    /// The number of a location in the graph, a free one if it has none. All events of the graph have
    /// taken place, so that a number that is free here is free in the graph.
    pub(super) fn number(&mut self, id: LocationId) -> u32 {
        if self.location(id) == NONE {
            let free = self.bound.iter().position(Option::is_none).unwrap_or(self.bound.len());
            self.bind(id, free as u32);
        }
        self.location(id)
    }

    /// The run goes no further, for this reason unless there was an earlier one.
    pub(super) fn end(&mut self, ending: Ending) {
        self.over.get_or_insert(ending);
    }
}
