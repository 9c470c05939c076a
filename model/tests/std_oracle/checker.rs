//! The engine that is judged: the graph engine. Outcomes are those of the sequentially consistent graphs.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use selvedge_model::engine::graph::{Config, Ending, explore_results};
use selvedge_model::kernel;
use selvedge_model::sync::thread;

use crate::machine::{Failed, Policy};
use crate::program::Program;
use crate::shared::Shared;

/// What came of exploring a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// All outcomes, and the bound if there was one.
    Explored { outcomes: BTreeSet<String>, bound: Option<String> },
    /// The first failure, and the message.
    Failed(Failed, String),
    /// The model is called wrong.
    Refused(String),
    /// It took too many executions.
    TooLarge,
}

const LIMIT: u64 = 200_000;

/// Runs the program in an exploration, its threads declared in its order. Returns its outcome.
pub(crate) fn runs(program: &Program) -> impl Fn() -> String {
    let program = Arc::new(program.clone());
    // Owned from outside, so that no thread of the program is the last to drop it.
    let owner = RefCell::new(None);
    move || {
        let shared = Arc::new(Shared::new(&program));
        let last = owner.borrow_mut().replace(Arc::clone(&shared));
        drop(last);
        let threads: Vec<_> = program
            .order
            .iter()
            .map(|&number| {
                let shared = Arc::clone(&shared);
                (number, thread::spawn(move || shared.thread(number)))
            })
            .collect();
        let mut parts = Vec::new();
        for (number, handle) in threads {
            match handle.join() {
                Ok(log) => parts.push(format!("t{number}={log:?}")),
                Err(payload) => std::panic::resume_unwind(payload),
            }
        }
        parts.push(format!("finals={:?}", shared.finals()));
        parts.join(" ")
    }
}

/// Explores the program.
pub(crate) fn explore(program: &Program, policy: Policy) -> Verdict {
    let outcomes = RefCell::new(BTreeSet::new());
    let failed = RefCell::new(None);
    let policy = kernel::Policy { spurious: policy.spurious, patient: policy.patient };
    let config = Config { executions: LIMIT, policy, ..Config::default() };
    let report = explore_results(&config, runs(program), |execution, outcome| {
        let found = match execution.ending() {
            Ending::Complete => {
                if execution.is_sequentially_consistent() {
                    outcomes.borrow_mut().extend(outcome);
                }
                return ControlFlow::Continue(());
            }
            Ending::Panic { message, .. } => Verdict::Failed(Failed::Panic, message.clone()),
            Ending::Deadlock(blocked) => Verdict::Failed(Failed::Deadlock, format!("{blocked:?}")),
            ending @ Ending::Race { .. } => {
                Verdict::Failed(Failed::DataRace, format!("{ending:?}"))
            }
            other => Verdict::Refused(format!("{other:?}")),
        };
        // Failures that take weak memory are not the machine's.
        if !execution.is_sequentially_consistent() {
            return ControlFlow::Continue(());
        }
        *failed.borrow_mut() = Some(found);
        ControlFlow::Break(())
    });
    if let Some(verdict) = failed.into_inner() {
        return verdict;
    }
    if report.executions() >= LIMIT {
        return Verdict::TooLarge;
    }
    Verdict::Explored {
        outcomes: outcomes.into_inner(),
        bound: report.bounds.first().map(|b| format!("{b:?}")),
    }
}
