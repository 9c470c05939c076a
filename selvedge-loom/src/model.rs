//! Models, and their bounds.

use std::path::PathBuf;
use std::time::Duration;

use selvedge_model::{MAX_STEPS, Model};

/// How many threads there may be in an execution, the main one included.
const THREADS: usize = selvedge_model::MAX_THREADS + 1;

/// Explores `f`, as a program that spawns its threads itself, and prints the report.
///
/// # Panics
///
/// If an execution fails: a panic, a data race, a deadlock, a leak. If the environment has bounds.
#[track_caller]
pub fn model<F>(f: F)
where
    F: Fn() + Sync + Send + 'static,
{
    Builder::new().check(f);
}

/// A model and its bounds.
#[derive(Debug)]
#[non_exhaustive]
pub struct Builder {
    /// More than 16 are refused; fewer are no bound: more is explored. The default is 5.
    pub max_threads: usize,
    /// A thread may take twice as many steps; more fail the model, as in loom. The default is 1,000.
    pub max_branches: usize,
    /// So many executions are explored, exactly: what is left out is reported as a bound. (loom looks at it every
    /// [`checkpoint_interval`](Self::checkpoint_interval) executions.)
    pub max_permutations: Option<usize>,
    /// Refused: an exploration that stops after some time differs from run to run. Use
    /// [`max_permutations`](Self::max_permutations).
    pub max_duration: Option<Duration>,
    /// The bound of loom, which runs beside the checker; without effect on the checker itself, which explores more.
    pub preemption_bound: Option<usize>,
    /// Not in loom: how many interleavings loom runs beside the checker. `None` stands for `SELVEDGE_LOOM`, or 1,000;
    /// `Some(0)` leaves loom out.
    pub loom: Option<u64>,
    /// Refused: a failure prints the command that replays it.
    pub checkpoint_file: Option<PathBuf>,
    /// Without effect.
    pub checkpoint_interval: usize,
    /// Without effect: everything is explored.
    pub expect_explicit_explore: bool,
    /// Without effect: reports have locations.
    pub location: bool,
    /// Without effect: a replay shows every step.
    pub log: bool,
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

impl Builder {
    /// loom's defaults.
    pub fn new() -> Self {
        Self {
            max_threads: 5,
            max_branches: 1_000,
            max_permutations: None,
            max_duration: None,
            preemption_bound: None,
            loom: None,
            checkpoint_file: None,
            checkpoint_interval: 20_000,
            expect_explicit_explore: false,
            location: false,
            log: false,
        }
    }

    /// Sets [`checkpoint_file`](Self::checkpoint_file), which [`check`](Self::check) refuses.
    pub fn checkpoint_file(&mut self, file: &str) -> &mut Self {
        self.checkpoint_file = Some(file.into());
        self
    }

    /// Explores `f`, and prints the report.
    ///
    /// # Panics
    ///
    /// If an execution fails, a thread takes too many steps, or a bound is refused.
    #[track_caller]
    pub fn check<F>(&self, f: F)
    where
        F: Fn() + Sync + Send + 'static,
    {
        if let Err(refused) = self.validate().and_then(|()| environment()) {
            panic!("{refused}");
        }
        let steps = self.max_branches.saturating_mul(2).clamp(1, MAX_STEPS);
        let mut model = Model::program(f).steps(steps);
        if let Some(n) = self.preemption_bound {
            model = model.preemptions(u8::try_from(n).unwrap_or(u8::MAX));
        }
        if let Some(n) = self.loom {
            model = model.loom(n);
        }
        if let Some(n) = self.max_permutations {
            model = model.executions(n.max(1) as u64);
        }
        let bound = model.check().bound().unwrap_or_default();
        assert!(
            !bound.contains("limit of steps"),
            "{bound}: a loop that waits must call `loom::thread::yield_now` or `loom::hint::spin_loop` in each turn, \
             those of `std` are invisible to the checker; or set Builder::max_branches to more than {}",
            self.max_branches
        );
    }

    fn validate(&self) -> Result<(), String> {
        if self.max_threads > THREADS {
            let n = self.max_threads;
            return Err(format!(
                "Builder::max_threads must be at most {THREADS}, the main thread included, got {n}"
            ));
        }
        if let Some(duration) = self.max_duration {
            return Err(format!(
                "Builder::max_duration is not supported, got {duration:?}: what is left out would differ from run to \
                 run; write `builder.max_permutations = Some(n);`"
            ));
        }
        if let Some(file) = &self.checkpoint_file {
            return Err(format!(
                "Builder::checkpoint_file is not supported, got {}: remove it; a failure prints the command that \
                 replays it (SELVEDGE_REPLAY)",
                file.display()
            ));
        }
        Ok(())
    }
}

/// Bounds from the environment, which loom obeys silently.
fn environment() -> Result<(), String> {
    let builder =
        |line: &str| format!("a bound of one model is `{line}` in its `loom::model::Builder`");
    for (name, value) in std::env::vars() {
        let instead = match name.as_str() {
            "LOOM_MAX_BRANCHES" => builder(&format!("builder.max_branches = {value};")),
            "LOOM_MAX_PERMUTATIONS" => {
                builder(&format!("builder.max_permutations = Some({value});"))
            }
            "LOOM_MAX_PREEMPTIONS" => {
                builder(&format!("builder.preemption_bound = Some({value});"))
            }
            "LOOM_MAX_DURATION" => builder("builder.max_permutations = Some(n);"),
            "LOOM_CHECKPOINT_FILE" | "LOOM_CHECKPOINT_INTERVAL" => {
                "a failure prints the command that replays it (SELVEDGE_REPLAY)".to_owned()
            }
            _ => continue,
        };
        return Err(format!(
            "the environment variable {name}={value} would silently bound the exploration: unset it, in CI too; {instead}"
        ));
    }
    Ok(())
}
