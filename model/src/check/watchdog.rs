//! The watchdog of an exploration, which runs on an OS thread of its own: tells its progress, and gives it up if no
//! execution ends.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use selvedge_results::advice::WAITING;

use super::plan::{First, Plan};
use super::progress::Progress;
use crate::engine::watch::Watch;
use crate::place::in_program;

/// How often an exploration is looked at from outside.
const TICK: Duration = Duration::from_millis(500);

/// A run that takes as long may not end: the progress says where it is.
const LONG_RUN: Duration = Duration::from_secs(1);

/// So do runs that take as long on average: a thread may sleep.
const SLOW_RUN: Duration = Duration::from_millis(100);

/// Why an exploration returns nothing.
pub(super) enum Lost {
    /// Its OS thread has panicked.
    Panicked,
    /// No execution has ended for too long: the message.
    Hangs(String),
}

/// Runs `exploration`, and watches it; `patience` is how long an execution may take.
pub(super) fn watched<T: Send + 'static>(
    plan: &Plan,
    patience: Duration,
    exploration: impl FnOnce(&Heartbeat) -> T + Send + 'static,
) -> Result<T, Lost> {
    let (sender, receiver) = channel();
    let heartbeat = Arc::new(Heartbeat::new(plan.threads.len()));
    let run = {
        let heartbeat = Arc::clone(&heartbeat);
        // The receiver waits for it, unless the time is up.
        move || drop(sender.send(exploration(&heartbeat)))
    };
    let spawned = std::thread::Builder::new().name("selvedge-model".to_owned()).spawn(run);
    assert!(spawned.is_ok(), "the operating system failed to start a thread: {:?}", spawned.err());
    let mut progress = Progress::new();
    let begun = Instant::now();
    let mut seen = (0, begun);
    loop {
        match receiver.recv_timeout(patience.min(TICK)) {
            Ok(result) => return Ok(result),
            Err(RecvTimeoutError::Disconnected) => return Err(Lost::Panicked),
            Err(RecvTimeoutError::Timeout) => {}
        }
        let now = heartbeat.runs.load(Relaxed);
        if seen.0 != now {
            seen = (now, Instant::now());
        }
        if seen.1.elapsed() >= patience {
            return Err(Lost::Hangs(format!(
                "timeout: no execution has ended for {} s; {}. After that it blocks on something that the checker \
                 cannot see, such as a lock from std::sync or std::thread::sleep, or loops without an operation, or for \
                 too long: {WAITING}",
                patience.as_secs(),
                heartbeat.stands(plan)
            )));
        }
        // A run that takes long.
        let is_slow = seen.1.elapsed() >= LONG_RUN
            || begun.elapsed() >= SLOW_RUN * u32::try_from(now).unwrap_or(u32::MAX);
        let place = if is_slow { format!("; {}", heartbeat.stands(plan)) } else { String::new() };
        progress.tell(format_args!("{heartbeat}{place}"));
    }
}

/// A sign of life, and numbers for people. Relaxed: they order nothing.
pub(super) struct Heartbeat {
    /// Where the newest run is.
    pub(super) watch: Watch,
    /// The ids of the declared threads.
    pub(super) threads: Arc<[AtomicUsize]>,
    /// Runs of the program, by both engines. Not all are executions.
    runs: AtomicU64,
    /// Executions that have been taken in.
    pub(super) taken: AtomicU64,
    /// How much of the search has been done, as the bits of a number from 0 to 1.
    pub(super) explored: AtomicU64,
    /// The second engine is at work.
    pub(super) on_loom: AtomicBool,
}

impl Heartbeat {
    fn new(threads: usize) -> Self {
        Self {
            watch: Watch::default(),
            threads: (0..threads).map(|_| AtomicUsize::new(0)).collect(),
            runs: AtomicU64::new(0),
            taken: AtomicU64::new(0),
            explored: AtomicU64::new(0),
            on_loom: AtomicBool::new(false),
        }
    }

    /// Which thread runs, and where it took its last operation, in words.
    fn stands(&self, plan: &Plan) -> String {
        let (thread, site) = self.watch.last();
        let declared = self.threads.iter().position(|id| thread != 0 && id.load(Relaxed) == thread);
        let name = match declared {
            Some(number) => plan.threads[number].name.clone(),
            None if thread != 0 => format!("thread{thread}"),
            None if plan.first == First::Main => "main".to_owned(),
            None => "init, or an observation,".to_owned(),
        };
        match site.map(|site| in_program(site.file(), site.line())) {
            Some(Some(place)) => format!("{name} runs, its last operation is at {place}"),
            Some(None) => format!("{name} runs, its last operation is a drop"),
            None => format!("{name} runs, and has taken no operation"),
        }
    }

    /// Runs the program once.
    pub(super) fn run(&self, program: impl FnOnce()) {
        self.runs.fetch_add(1, Relaxed);
        program();
    }
}

impl fmt::Display for Heartbeat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let taken = self.taken.load(Relaxed);
        let explored = f64::from_bits(self.explored.load(Relaxed)) * 1e2;
        if self.on_loom.load(Relaxed) {
            return write!(f, "all executions, {taken} with interleavings on loom so far");
        }
        if taken == 0 {
            let runs = self.runs.load(Relaxed);
            let s = if runs == 1 { "" } else { "s" };
            return write!(f, "no execution has ended in {runs} run{s} so far");
        }
        let s = if taken == 1 { "" } else { "s" };
        write!(f, "{taken} execution{s} so far, ")?;
        // The estimate tends to 100 % where a loop has an effect in each turn.
        if explored < 99.5 {
            write!(f, "about {explored:.1} % of all")
        } else {
            f.write_str("by the estimate nearly all")
        }
    }
}
