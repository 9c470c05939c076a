//! The engine under `--cfg loom`: every execution of one pass.
//!
//! # The shape of an execution
//!
//! Reference counts and joins are scheduling points, and each multiplies the executions. So the
//! state is owned by the main coroutine and lent to the others; the first declared thread runs on
//! the main coroutine; and the others are not joined. A thread that has ended parks until all have,
//! and only then passes on what it knows to the main one, by `unpark`: passed on earlier, it would
//! order the main thread's remaining steps after its own, and hide races between them. Parked, not
//! waiting to run: a thread that could run, and does nothing, would still be offered as a choice.
//!
//! # How an exploration ends early
//!
//! The exploration runs on an OS thread of its own. Whoever finds a fault sends it from there and
//! parks that OS thread for good ([`record::fail`]). Nothing unwinds through loom, so no destructor
//! meets a scheduler that is gone, and the next model starts on a fresh thread.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::coherence::is_void;
use super::panics;
use super::plan::{AnyState, Plan, outcome_of};
use super::progress::Progress;
use crate::sync::checked::event::{Action, Phase, Trace};
use crate::sync::checked::finding::{End, Fault, Finding};
use crate::sync::checked::local_end;
use crate::sync::checked::operation::{diagnose, text_of};
use crate::sync::checked::record::{self, Learned, SpuriousPoint, Task};
use crate::sync::checked::unwinding::settle;
use crate::sync::checked::waiting::Token;

/// A part of a pass, explored to its end or to its first fault.
pub(super) struct Explored {
    /// Of the pass, so far.
    pub(super) executions: u64,
    pub(super) learned: Learned,
    pub(super) spurious_points: BTreeSet<SpuriousPoint>,
    pub(super) tally: Tally,
    pub(super) finding: Option<Finding>,
}

/// The outcomes of a pass: how often, and the first execution of each.
pub(super) type Tally = BTreeMap<String, (u64, u64, Trace)>;

/// How often an exploration is looked at from outside.
const TICK: Duration = Duration::from_secs(1);

/// How often a part of a pass may begin again.
const MAX_RESTARTS: usize = 50;

/// Explores a pass to its end or to its first fault; from the start again where an execution
/// learns something that would have made earlier ones take other steps.
pub(super) fn explore(
    plan: &Arc<Plan>,
    mut task: Task,
    only: Option<u64>,
    patience: Duration,
) -> Explored {
    let mut restarts = 0;
    loop {
        let explored = explore_once(plan, &task, only, patience);
        match &explored.finding {
            // Each time it has learned something more; there is not that much to learn.
            Some(Finding { fault: Fault::Restart, .. }) if restarts < MAX_RESTARTS => {
                restarts += 1;
                task.learned = explored.learned;
            }
            _ => return explored,
        }
    }
}

fn explore_once(plan: &Arc<Plan>, task: &Task, only: Option<u64>, patience: Duration) -> Explored {
    let (verdict, found) = channel();
    let tally = Arc::new(Mutex::new(Tally::new()));
    let begun = Arc::new(AtomicU64::new(0));
    let run = {
        let (plan, task) = (Arc::clone(plan), task.clone());
        let shared = Shared { only, tally: Arc::clone(&tally), begun: Arc::clone(&begun) };
        move || run(&plan, task, shared, &verdict)
    };
    let spawned = std::thread::Builder::new().name("selvedge-model".to_owned()).spawn(run);
    assert!(spawned.is_ok(), "the operating system failed to start a thread: {:?}", spawned.err());
    // The thread says one thing, and if that is a fault it never ends.
    let mut progress = Progress::new();
    let mut seen = (0, Instant::now());
    let end = loop {
        match found.recv_timeout(patience.min(TICK)) {
            Ok(end) => break end,
            Err(RecvTimeoutError::Disconnected) => {
                let execution = begun.load(Ordering::Relaxed);
                break End::Found(Box::new(lost(execution)));
            }
            Err(RecvTimeoutError::Timeout) => {
                let now = begun.load(Ordering::Relaxed);
                progress.tell(format_args!(
                    "{} executions of the {} pass",
                    task.executions + now,
                    task.pass.name()
                ));
                if seen.0 != now {
                    seen = (now, Instant::now());
                } else if seen.1.elapsed() >= patience {
                    break End::Found(Box::new(timeout(now, patience)));
                }
            }
        }
    };
    let tally = std::mem::take(&mut *lock(&tally));
    match end {
        End::Complete { executions, learned, spurious_points } => {
            Explored { executions, learned, spurious_points, tally, finding: None }
        }
        End::Found(finding) => Explored {
            executions: finding.execution,
            learned: finding.learned.clone(),
            spurious_points: BTreeSet::new(),
            tally,
            finding: Some(*finding),
        },
    }
}

/// What the exploration's OS thread and the one that waits for it share.
struct Shared {
    only: Option<u64>,
    tally: Arc<Mutex<Tally>>,
    /// Executions begun: the sign of life.
    begun: Arc<AtomicU64>,
}

fn lost(execution: u64) -> Finding {
    Finding {
        fault: Fault::Engine {
            message: "the exploration panicked, and gave no verdict".to_owned(),
        },
        execution,
        trace: Trace::default(),
        learned: Learned::default(),
    }
}

fn timeout(execution: u64, patience: Duration) -> Finding {
    Finding {
        fault: Fault::Timeout { seconds: patience.as_secs() },
        execution,
        trace: Trace::default(),
        learned: Learned::default(),
    }
}

/// The exploration's OS thread.
fn run(plan: &Arc<Plan>, task: Task, shared: Shared, verdict: &Sender<End>) {
    panics::keep();
    record::install(task, verdict.clone());
    let mut builder = loom::model::Builder::new();
    builder.max_threads = super::MAX_THREADS;
    // A step is at most a touch and an access, each a branch or two. Never the limit that counts.
    builder.max_branches = plan.steps.saturating_mul(6).saturating_add(1_000);
    builder.preemption_bound = plan.preemptions;
    builder.max_permutations = None;
    builder.max_duration = None;
    builder.checkpoint_file = None;
    builder.checkpoint_interval = usize::MAX;
    builder.location = false;
    builder.log = false;
    let explored = {
        let plan = Arc::clone(plan);
        catch_unwind(AssertUnwindSafe(|| {
            builder.check(move || {
                shared.begun.fetch_add(1, Ordering::Relaxed);
                execution(&plan, shared.only, &shared.tally);
            });
        }))
    };
    match explored {
        Ok(()) => {
            fail_on_unjoined_panic();
            fail_on_invisible_threads(plan);
            let end = record::with(|recorder| End::Complete {
                executions: recorder.executions,
                learned: recorder.learned.clone(),
                spurious_points: std::mem::take(&mut recorder.spurious_points),
            });
            if let Some(end) = end {
                // The receiver waits for this very message.
                let _ = verdict.send(end);
            }
        }
        Err(payload) => {
            let over = record::holds(|recorder| recorder.over);
            if over {
                fail_on_unjoined_panic();
            }
            record::fail(match diagnose(&*payload) {
                // All threads have ended, and loom looks for what was not given back.
                Fault::Engine { message } if over && message.starts_with("Arc leaked") => {
                    Fault::Leak { message: message.lines().next().unwrap_or_default().to_owned() }
                }
                fault => fault,
            })
        }
    }
}

/// What the threads of an execution share besides the state. All run on one OS thread.
struct Meeting {
    parts: RefCell<Vec<Option<String>>>,
    /// Threads whose bodies still run.
    running: Cell<usize>,
    /// Threads that have ended before others, the main one apart.
    early: RefCell<Vec<loom::thread::Thread>>,
    /// Threads that have passed on what they know.
    gathered: Cell<usize>,
    main: loom::thread::Thread,
}

/// One execution, on the main coroutine.
fn execution(plan: &Arc<Plan>, only: Option<u64>, tally: &Mutex<Tally>) {
    fail_on_unjoined_panic();
    record::with(|recorder| recorder.begin(&plan.threads[0].name));
    if let Some(limit) = record::with(|recorder| recorder.past_limit()).flatten() {
        record::fail(Fault::LimitExceeded { limit });
    }
    let tokens = Token::for_all();
    record::with(|recorder| recorder.tokens = tokens);
    let Some(state) = guarded("init", || (plan.init)()).map(Rc::new) else { return };
    let meeting = Rc::new(Meeting {
        parts: RefCell::new(vec![None; plan.threads.len()]),
        running: Cell::new(plan.threads.len()),
        early: RefCell::new(Vec::new()),
        gathered: Cell::new(0),
        main: loom::thread::current(),
    });
    let others = plan.threads.len() - 1;
    for position in 1..=others {
        let number =
            record::with(|recorder| recorder.add_thread(plan.threads[position].name.clone()))
                .unwrap_or_default();
        let (plan, state, meeting) = (Arc::clone(plan), Rc::clone(&state), Rc::clone(&meeting));
        loom::thread::spawn(move || {
            record::with(|recorder| recorder.resume(number));
            body(&plan, position, &state, &meeting);
            drop(state);
            if meeting.running.get() > 0 {
                meeting.early.borrow_mut().push(loom::thread::current());
                while meeting.running.get() > 0 {
                    on_engine(number, loom::thread::park);
                }
            }
            meeting.gathered.set(meeting.gathered.get() + 1);
            meeting.main.unpark();
        });
    }
    record::with(|recorder| recorder.phase = Phase::Parallel);
    body(plan, 0, &state, &meeting);
    while meeting.running.get() > 0 {
        on_engine(0, loom::thread::park);
    }
    for thread in meeting.early.take() {
        thread.unpark();
    }
    while meeting.gathered.get() < others {
        on_engine(0, loom::thread::park);
    }
    record::with(|recorder| {
        recorder.phase = Phase::Finally;
        // Each of them has passed on what it knows.
        (1..=others).for_each(|thread| recorder.join(thread));
    });
    let mut parts = meeting.parts.take();
    for observation in &plan.observations {
        parts.push(guarded(&observation.name, || observation.run(&state)).flatten());
    }
    guarded("the state's drop", || drop(state));
    local_end();
    record::with(|recorder| recorder.over = true);
    finish(plan, only, tally, outcome_of(parts));
}

/// Runs the body of the declared thread at `position`, and ends the thread.
fn body(plan: &Plan, position: usize, state: &AnyState, meeting: &Meeting) {
    let part = &plan.threads[position];
    let result = guarded(&part.name, || {
        let result = part.run(state);
        local_end();
        result
    });
    let result = result.flatten();
    if position == 0 {
        // The observations run on the same coroutine, and start afresh.
        record::with(|recorder| recorder.thread().locals.clear());
    }
    meeting.parts.borrow_mut()[position] = result;
    meeting.running.set(meeting.running.get() - 1);
    record::with(|recorder| recorder.thread().ended = true);
}

/// Calls code under test; a panic in it breaks an invariant, unless the execution is void: then it
/// goes on to its end without the result.
fn guarded<R>(name: &str, f: impl FnOnce() -> R) -> Option<R> {
    let result = catch_unwind(AssertUnwindSafe(f));
    settle();
    match result {
        Ok(result) => Some(result),
        Err(_) if is_void() => None,
        Err(payload) => {
            let mut message = panics::take();
            if message.is_empty() {
                // `resume_unwind`: no hook was called.
                message = text_of(&*payload);
            }
            record::with(|recorder| {
                let site = recorder.last_site();
                recorder.note(site, None, Action::Panic(message.clone()));
            });
            record::fail(Fault::Panic { thread: name.to_owned(), message })
        }
    }
}

/// Waits on loom, on behalf of the harness.
fn on_engine(thread: usize, wait: impl FnOnce()) {
    match catch_unwind(AssertUnwindSafe(wait)) {
        Ok(()) => {
            record::with(|recorder| recorder.resume(thread));
        }
        Err(payload) => record::fail(diagnose(&*payload)),
    }
}

/// Fails if, in the execution that has just ended, a thread panicked that nobody joined.
fn fail_on_unjoined_panic() {
    let panicked = record::with(|recorder| {
        recorder
            .threads
            .iter()
            .find_map(|thread| Some((thread.name.clone(), thread.panic.clone()?)))
    });
    if panicked.as_ref().is_some_and(Option::is_some) && is_void() {
        return;
    }
    if let Some((thread, message)) = panicked.flatten() {
        record::fail(Fault::Panic { thread, message });
    }
}

/// Fails if two threads or more have taken no step in any execution: whatever they share, it is not
/// from `selvedge_model::sync`, and one execution is all that there was to see.
fn fail_on_invisible_threads(plan: &Plan) {
    let stepped = record::with(|recorder| recorder.stepped).unwrap_or_default();
    let idle = plan.threads.iter().enumerate().filter(|(number, _)| stepped & (1 << number) == 0);
    let threads: Vec<String> = idle.map(|(_, thread)| thread.name.clone()).collect();
    if plan.needs_steps && threads.len() >= 2 {
        record::fail(Fault::Invisible { threads });
    }
}

/// Counts the outcome, or ends the exploration with it.
fn finish(plan: &Plan, only: Option<u64>, tally: &Mutex<Tally>, outcome: String) {
    let execution = record::with(|recorder| recorder.executions).unwrap_or_default();
    if only == Some(execution) {
        record::fail(Fault::Replayed { outcome });
    }
    if only.is_some() {
        return;
    }
    if record::holds(|recorder| recorder.void) {
        return;
    }
    if let Some((seen, ..)) = lock(tally).get_mut(&outcome) {
        *seen += 1;
        return;
    }
    if is_void() {
        return;
    }
    if !plan.allows(&outcome) {
        record::fail(Fault::Outcome { outcome });
    }
    let trace = record::with(|recorder| recorder.trace()).unwrap_or_default();
    lock(tally).insert(outcome, (1, execution, trace));
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
