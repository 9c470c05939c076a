//! What happened in the current execution: threads, objects, events, and who may see what.

use std::cell::{RefCell, RefMut};
use std::collections::BTreeSet;
use std::fmt;
use std::panic::Location;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::Sender;

use super::event::{Action, Event, Object, Pass, Phase, Site, Trace};
use super::finding::{End, Fault, Finding};
use super::history::{ByHash, CHILD, mix, site_bits};
use super::local::Locals;
use super::mutation::Probe;
use super::operation::Gate;
use super::unwinding::Aside;
use super::waiting::{MAX_IDLE_TURNS, Spin, Token, Watch};
use crate::check::place::file_and_line;

/// What the first pass learned about the model for the second.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "five facts, each true or not")]
pub(crate) struct Learned {
    /// It loads, or reads what it has stored, so that the passes differ.
    pub(crate) plain_access: bool,
    /// It tries locks, so that the moment at which one is given back is worth a choice.
    pub(crate) tries_locks: bool,
    /// It touches a cell while it holds a lock for reading, so that it is worth a choice who else holds
    /// the lock then.
    pub(crate) cells_under_readers: bool,
    /// It asks how many owners an `Arc` has.
    pub(crate) counts_owners: bool,
    /// It parks or unparks.
    pub(crate) parks: bool,
    /// Where it yields in a loop that spins for ever.
    pub(crate) endless: Vec<Site>,
    /// What was left out.
    pub(crate) bounds: BTreeSet<Bound>,
}

/// Something that the exploration leaves out, and where: the result is bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Bound {
    /// A loop that yields here makes more idle turns than are explored.
    Loop(Site),
    /// While a panic unwinds, a destructor acts here. A lock that the panic releases is released later
    /// than that.
    LateRelease(Site),
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loop(site) => {
                write!(f, "{MAX_IDLE_TURNS} idle turns of the loop at {}", file_and_line(site))
            }
            Self::LateRelease(site) => write!(
                f,
                "deferred release of locks by the panic that unwinds at {}",
                file_and_line(site)
            ),
        }
    }
}

/// A step that may fail or wake spuriously: the thread, and the number of the step among its steps of this kind.
pub(crate) type SpuriousPoint = (usize, usize);

/// A thread of the current execution.
#[expect(clippy::struct_excessive_bools, reason = "facts, each true or not")]
#[derive(Default)]
pub(crate) struct Thread {
    pub(crate) name: String,
    /// `name` is only for traces: the thread was spawned without one.
    pub(crate) unnamed: bool,
    /// A hash of all that this thread has done and seen: its next step must be a function of it.
    pub(super) history: u64,
    /// The operation it is in: (site, what, object).
    pub(crate) pending: Option<(Site, &'static str, Option<usize>)>,
    /// False until its first operation: see `operation::visible`.
    pub(crate) moved: bool,
    pub(crate) ended: bool,
    /// What it has done since it last yielded.
    pub(super) spin: Option<Spin>,
    /// How often loom has let others go first.
    pub(super) yields: usize,
    /// While it decides whether to wait: what it looks at.
    pub(super) watch: Option<Watch>,
    /// Whom it joins, or joined last.
    pub(super) joins: Option<usize>,
    /// Its loads read the newest value.
    pub(super) fresh: bool,
    /// It waits: whether it may go on, it alone can tell.
    pub(super) waiting: bool,
    /// How many steps it has taken that may fail or wake spuriously.
    spurious_points: usize,
    pub(crate) panic: Option<String>,
    /// A panic has begun here, and has not been seen to end.
    pub(super) unwinds: bool,
    /// Locks that it gives back once its panic has been caught.
    pub(super) aside: Vec<Aside>,
    pub(crate) locals: Locals,
}

impl Thread {
    pub(crate) fn history(&self) -> u64 {
        self.history
    }
}

/// The record of one exploration, of which `events`, `objects` and `threads` are the current
/// execution's.
pub(crate) struct Recorder {
    pub(crate) pass: Pass,
    pub(crate) phase: Phase,
    pub(crate) executions: u64,
    pub(crate) threads: Vec<Thread>,
    pub(crate) objects: Vec<Object>,
    events: Vec<Event>,
    active: usize,
    steps: usize,
    max_steps: usize,
    /// Threads that the code under test has spawned itself.
    pub(crate) spawned: usize,
    pub(crate) learned: Learned,
    /// The steps that fail or wake spuriously, in every execution.
    spurious: BTreeSet<SpuriousPoint>,
    /// The steps that might have, in any execution.
    pub(crate) spurious_points: BTreeSet<SpuriousPoint>,
    /// By thread; empty unless the model is known to park.
    pub(crate) tokens: Vec<Token>,
    /// A mutex that is never free, tried before each `SeqCst` fence.
    pub(crate) fence: Option<Rc<Gate>>,
    /// Bit `t` is set once thread `t` has taken a step, in any execution.
    pub(crate) stepped: u8,
    /// Pointers by value: the causal past of whoever published them.
    pub(super) published: ByHash<u64>,
    /// Every step ever taken, by the history it was taken from: the check for determinism.
    steps_taken: ByHash<(u64, Site)>,
    pub(super) probe: Arc<Probe>,
    limit: u64,
    verdict: Sender<End>,
    /// The current execution cannot be: it has read what no order of the stores explains.
    pub(crate) void: bool,
    /// Whether the main coroutine has come to its end.
    pub(crate) over: bool,
    /// Unique to this execution in this process: tells values of other executions apart.
    pub(crate) serial: u64,
}

std::thread_local! {
    static RECORDER: RefCell<Option<Recorder>> = const { RefCell::new(None) };
}

/// What is to be explored.
#[derive(Clone)]
pub(crate) struct Task {
    pub(crate) pass: Pass,
    pub(crate) learned: Learned,
    pub(crate) spurious: BTreeSet<SpuriousPoint>,
    /// How many executions of the pass have been made before.
    pub(crate) executions: u64,
    pub(crate) max_steps: usize,
    /// How many executions the pass may have.
    pub(crate) limit: u64,
    pub(crate) probe: Arc<Probe>,
}

/// Starts recording on this OS thread.
pub(crate) fn install(task: Task, verdict: Sender<End>) {
    let Task { pass, learned, spurious, executions, max_steps, limit, probe } = task;
    let recorder = Recorder {
        pass,
        phase: Phase::Setup,
        executions,
        threads: Vec::new(),
        objects: Vec::new(),
        events: Vec::new(),
        active: 0,
        steps: 0,
        max_steps,
        spawned: 0,
        learned,
        stepped: 0,
        tokens: Vec::new(),
        spurious,
        spurious_points: BTreeSet::new(),
        fence: None,
        published: ByHash::default(),
        steps_taken: ByHash::default(),
        probe,
        limit,
        verdict,
        serial: 0,
        over: false,
        void: false,
    };
    RECORDER.with_borrow_mut(|slot| *slot = Some(recorder));
}

/// Whether this OS thread runs a model.
pub(crate) fn active() -> bool {
    RECORDER.with_borrow(Option::is_some)
}

/// Calls `f` with the recorder, or returns `None` outside a model. `f` must not touch loom.
pub(crate) fn with<R>(f: impl FnOnce(&mut Recorder) -> R) -> Option<R> {
    borrow().map(|mut recorder| f(&mut recorder))
}

/// The recorder; `None` outside a model. Not generic, so that [`with`] is a few lines for each caller.
fn borrow() -> Option<RefMut<'static, Recorder>> {
    let slot = RECORDER.try_with(std::ptr::from_ref).ok()?;
    // SAFETY: the slot lives until this OS thread ends. The borrow is not `Send`, and `with`, the only
    // caller, drops it before it returns.
    let slot: &'static RefCell<Option<Recorder>> = unsafe { &*slot };
    RefMut::filter_map(slot.borrow_mut(), Option::as_mut).ok()
}

/// Notes that the active thread panics. Called by the panic hook, so wherever the panic came from.
pub(crate) fn panics() {
    let _ = RECORDER.try_with(|slot| {
        if let Ok(mut slot) = slot.try_borrow_mut() {
            if let Some(recorder) = slot.as_mut().filter(|recorder| !recorder.threads.is_empty()) {
                recorder.thread().unwinds = true;
            }
        }
    });
}

/// Whether a model runs and `f` holds. `f` must not touch loom.
pub(crate) fn holds(f: impl FnOnce(&mut Recorder) -> bool) -> bool {
    with(f) == Some(true)
}

/// Begins the exploration again, knowing more.
pub(crate) fn begin_again(learn: impl FnOnce(&mut Learned)) -> ! {
    with(|recorder| learn(&mut recorder.learned));
    fail(Fault::Restart)
}

/// Ends the exploration with `fault`: hands the verdict over and never returns.
///
/// Nothing is unwound. The coroutines of the execution stop where they stand and their memory is
/// given up with this OS thread, so no destructor of the code under test runs in a broken state.
pub(crate) fn fail(fault: Fault) -> ! {
    with(|recorder| {
        let waits = matches!(fault, Fault::Deadlock | Fault::Livelock { .. });
        let fault = if waits && recorder.threads.iter().any(|thread| !thread.aside.is_empty()) {
            Fault::Unsupported {
                message: "a destructor waits during a panic that has released a lock: not modelled; the lock \
                          is released only when the panic has been caught",
            }
        } else {
            fault
        };
        let finding = Finding {
            fault,
            execution: recorder.executions,
            trace: recorder.trace(),
            learned: recorder.learned.clone(),
        };
        // The receiver waits for this very message; if it is gone there is nobody left to tell.
        let _ = recorder.verdict.send(End::Found(Box::new(finding)));
    });
    loop {
        std::thread::park();
    }
}

impl Recorder {
    /// Forgets the last execution and begins the next.
    pub(crate) fn begin(&mut self, main: &str) {
        static SERIAL: AtomicU64 = AtomicU64::new(1);
        // Relaxed: uniqueness is all that is asked of it.
        self.serial = SERIAL.fetch_add(1, Relaxed);
        self.executions += 1;
        self.phase = Phase::Setup;
        self.over = false;
        self.void = false;
        self.threads.clear();
        self.objects.clear();
        self.events.clear();
        self.published.clear();
        self.fence = None;
        self.active = 0;
        self.steps = 0;
        self.spawned = 0;
        let main = self.add_thread(main.to_owned());
        self.threads[main].moved = true;
    }

    /// The limit, if this execution is one more.
    pub(crate) fn past_limit(&self) -> Option<u64> {
        (self.executions > self.limit).then_some(self.limit)
    }

    /// Adds a thread and returns its number; its causal past is that of the active thread.
    pub(crate) fn add_thread(&mut self, name: String) -> usize {
        let number = self.threads.len();
        let past = self.threads.get(self.active).map_or(0, |parent| parent.history);
        self.threads.push(Thread {
            name,
            history: mix(mix(past, number as u64), CHILD),
            ..Thread::default()
        });
        number
    }

    /// The number of the active thread.
    pub(crate) fn current(&self) -> usize {
        self.active
    }

    /// The active thread.
    pub(crate) fn thread(&mut self) -> &mut Thread {
        &mut self.threads[self.active]
    }

    /// Says which thread runs: called first thing whenever one may have been switched to.
    pub(crate) fn resume(&mut self, thread: usize) {
        self.active = thread;
    }

    /// Whether loads and stores go the pass's way: while more than one thread may run.
    pub(crate) fn contended(&self) -> bool {
        match self.phase {
            Phase::Setup | Phase::Finally => self.spawned > 0,
            Phase::Parallel => true,
        }
    }

    /// Whether the current step of the active thread, which may fail or wake spuriously, does so in this
    /// exploration.
    pub(crate) fn fails_spuriously(&mut self) -> bool {
        let thread = self.thread();
        thread.spurious_points += 1;
        let point = (self.active, self.threads[self.active].spurious_points);
        self.spurious_points.insert(point);
        self.spurious.contains(&point)
    }

    /// Whether the active thread holds `object` for reading already.
    pub(crate) fn reads(&self, object: usize) -> bool {
        self.objects[object].readers[self.active] > 0
    }

    /// Whether it holds anything for reading.
    fn reads_any(&self) -> bool {
        self.objects.iter().any(|object| object.readers[self.active] > 0)
    }

    /// Whether the active thread is about to touch a cell while it holds a lock for reading, and that is
    /// news.
    pub(crate) fn is_first_to_touch(&self) -> bool {
        !self.learned.cells_under_readers && self.contended() && self.reads_any()
    }

    /// The active thread holds `object` for reading.
    pub(super) fn begins_to_read(&mut self, object: usize) {
        self.objects[object].holders += 1;
        self.objects[object].readers[self.active] += 1;
    }

    /// The active thread holds `object` for reading no more.
    pub(super) fn ends_to_read(&mut self, object: usize) {
        self.objects[object].holders -= 1;
        self.objects[object].readers[self.active] -= 1;
    }

    /// How many steps the current execution has taken.
    pub(crate) fn steps(&self) -> usize {
        self.steps
    }

    /// Where the last recorded step was taken.
    pub(crate) fn last_site(&self) -> Site {
        self.events.last().map_or(Location::caller(), |event| event.site)
    }

    /// Records something that is no operation of its own, such as the end of a critical section.
    pub(crate) fn note(&mut self, site: Site, object: Option<usize>, action: Action) {
        self.look_at(object, &action);
        self.events.push(Event { thread: self.active, site, object, action, phase: self.phase });
    }

    /// Whether one thread is left, and has learned all that the others did. Where stores have one
    /// order it then needs no loom to read an atomic; and, spared the question, loom does not
    /// reconsider, for a step that conflicts with nothing, what came before.
    pub(crate) fn alone(&self) -> bool {
        self.phase == Phase::Finally && self.spawned == 0
    }

    /// Registers an object that the active thread makes.
    pub(crate) fn add_object(&mut self, letter: char, kind: &'static str, site: Site) -> usize {
        let ordinal = 1 + self.objects.iter().filter(|object| object.letter == letter).count();
        // The maker's history moves on, so that two objects made in a row have different keys.
        let key =
            self.threads.get(self.active).map_or(0, |thread| mix(thread.history, site_bits(site)));
        if let Some(thread) = self.threads.get_mut(self.active) {
            thread.history = mix(key, 1);
        }
        self.objects.push(Object::new(letter, ordinal, kind, site, key));
        self.objects.len() - 1
    }

    /// Notes that the active thread is about to take the step `what` with `operand`.
    ///
    /// # Errors
    ///
    /// The fault, if the step limit is reached or the thread took another step when it had seen
    /// exactly the same before.
    pub(crate) fn enter(
        &mut self,
        site: Site,
        what: &'static str,
        object: Option<usize>,
        operand: u64,
    ) -> Result<(), Fault> {
        self.steps += 1;
        let thread = &mut self.threads[self.active];
        thread.pending = Some((site, what, object));
        if self.steps > self.max_steps {
            // A thread that never yields waits for no other, and here there is none.
            let alone = self.threads.len() == 1 && self.thread().spin.is_none();
            let steps = self.max_steps;
            return Err(if alone { Fault::TooLong { steps } } else { Fault::Livelock { steps } });
        }
        let key = object.map_or(0, |object| self.objects[object].key);
        let step = mix(mix(mix(site_bits(site), what.as_ptr() as u64), key), operand);
        let (before, first_site) = *self.steps_taken.entry(thread.history).or_insert((step, site));
        if before != step {
            return Err(Fault::NonDeterministic {
                thread: thread.name.clone(),
                now: format!("{what} at {site}"),
                before: first_site.to_string(),
            });
        }
        thread.history = mix(thread.history, step);
        Ok(())
    }

    /// Records the step that `thread` has just taken. `saw` is what it learned.
    pub(crate) fn leave(
        &mut self,
        thread: usize,
        site: Site,
        object: Option<usize>,
        action: Action,
        saw: u64,
    ) {
        self.active = thread;
        self.stepped |= 1 << thread;
        self.look_at(object, &action);
        let state = &mut self.threads[thread];
        state.pending = None;
        state.history = mix(state.history, saw);
        self.events.push(Event { thread, site, object, action, phase: self.phase });
    }

    /// What has happened so far.
    pub(crate) fn events(&self) -> &[Event] {
        &self.events
    }

    /// A copy of the trace so far.
    pub(crate) fn trace(&self) -> Trace {
        Trace {
            threads: self.threads.iter().map(|thread| thread.name.clone()).collect(),
            objects: self.objects.clone(),
            events: self.events.clone(),
            pending: self
                .threads
                .iter()
                .enumerate()
                .filter_map(|(number, thread)| {
                    let (site, what, object) = thread.pending?;
                    Some((number, site, what, object))
                })
                .collect(),
        }
    }
}
