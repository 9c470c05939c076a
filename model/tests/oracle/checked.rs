//! A program on the harness.

use std::collections::BTreeSet;

use selvedge_model::sync::atomic::{AtomicU64, Ordering::SeqCst, fence};
use selvedge_model::sync::{Mutex, PoisonError, hint};
use selvedge_model::{CheckError, Failure, Model, Report};

use crate::program::{Op, Program, interpreter};

interpreter!(hint::wait_until);

/// What the harness reached.
pub(crate) struct Reached {
    report: Report,
}

impl Reached {
    /// All outcomes.
    pub(crate) fn all(&self) -> BTreeSet<String> {
        let rows = self.report.outcomes.iter().filter(|row| row.seen > 0);
        rows.map(|row| row.text.clone()).collect()
    }

    /// Those that an interleaving of the threads reaches.
    pub(crate) fn by_interleavings(&self) -> BTreeSet<String> {
        let rows = self.report.outcomes.iter();
        let sequential = |row: &&selvedge_model::Outcome| {
            row.witness.as_ref().is_some_and(|witness| witness.sequential)
        };
        rows.filter(sequential).map(|row| row.text.clone()).collect()
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
