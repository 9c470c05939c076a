//! A program on the harness.

use std::collections::BTreeSet;

use selvedge_model::sync::atomic::{AtomicU64, Ordering::SeqCst, fence};
use selvedge_model::sync::{Mutex, PoisonError, hint};
use selvedge_model::{CheckError, Failure, Model, Report};

use crate::program::{Op, Program, interpreter};

interpreter!(hint::wait_until);

/// What the harness reached, and at what cost.
pub(crate) struct Reached {
    report: Report,
}

impl Reached {
    /// All outcomes.
    pub(crate) fn all(&self) -> BTreeSet<String> {
        let rows = self.report.outcomes.iter().filter(|row| row.seen > 0);
        rows.map(|row| row.text.clone()).collect()
    }

    /// What one pass reached by itself; all, where it was left out.
    pub(crate) fn by(&self, pass: &str) -> BTreeSet<String> {
        if self.skipped(pass) {
            return self.all();
        }
        let reached = |row: &&selvedge_model::Outcome| row.passes.iter().any(|(by, _)| *by == pass);
        self.report.outcomes.iter().filter(reached).map(|row| row.text.clone()).collect()
    }

    fn skipped(&self, pass: &str) -> bool {
        let selvedge_model::Engine::Loom { passes, .. } = &self.report.engine else { return true };
        passes.iter().any(|done| done.name == pass && done.skipped.is_some())
    }

    /// Executions of both passes.
    #[cfg_attr(not(loom), allow(dead_code, reason = "compared with plain loom only"))]
    pub(crate) fn executions(&self) -> u64 {
        self.report.executions()
    }
}

/// Explores `program`; `None` if it deadlocks.
pub(crate) fn reached(program: &Program) -> Option<Reached> {
    let variables = program.variables;
    let mut model = Model::new(move || Shared::new(variables));
    for (thread, ops) in program.threads.iter().enumerate() {
        let ops = ops.clone();
        model = model.thread(&format!("t{thread}"), move |shared| {
            let mut reads = Vec::new();
            run(&ops, shared, &mut reads);
            reads
        });
    }
    match model.finally("finals", Shared::finals).rounds(20).explore() {
        Ok(report) => Some(Reached { report }),
        Err(CheckError::Failed { failure: Failure::Deadlock, .. }) => None,
        Err(error) => panic!("{program}\n{error}"),
    }
}
