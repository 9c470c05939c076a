//! The engine that is judged: today the models of `selvedge_model`. Another needs this function.

use std::collections::BTreeSet;
use std::sync::Arc;

use selvedge_model::{CheckError, Failure, Model};

use crate::machine::Failed;
use crate::program::{Op, Program};
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
    /// It took more executions than `SELVEDGE_LIMIT` allows.
    TooLarge,
}

/// How many rounds on real threads.
const ROUNDS: u64 = 4;

/// The most spurious steps that `Model::spurious` accepts.
const MAX_SPURIOUS: usize = 4;

/// How many steps of an execution may be spurious: all, without a loop.
pub(crate) fn spurious(program: &Program) -> usize {
    if program.any(|op| matches!(op, Op::WaitUntil(..) | Op::ParkUntil(..))) {
        return 1;
    }
    let may_be = |op: &Op| match op {
        Op::Wait(_) | Op::Park => true,
        Op::Exchange { weak, .. } => *weak,
        _ => false,
    };
    program.count(may_be).min(MAX_SPURIOUS)
}

/// Explores the program, its threads declared in its order.
pub(crate) fn explore(program: &Program) -> Verdict {
    let shared = Arc::new(program.clone());
    let mut model = Model::new({
        let program = Arc::clone(&shared);
        move || Arc::new(Shared::new(&program))
    });
    for &thread in &program.order {
        model =
            model.thread(&format!("t{thread}"), move |shared: &Arc<Shared>| shared.thread(thread));
    }
    let model = model.finally("finals", |shared| shared.finals());
    match model.spurious(spurious(program)).rounds(ROUNDS).explore() {
        Ok(report) => {
            let rows = report.outcomes.iter().filter(|row| row.seen > 0);
            let outcomes = rows.map(|row| row.text.clone()).collect();
            Verdict::Explored { outcomes, bound: report.bound() }
        }
        Err(CheckError::Failed { failure, message, .. }) => match failure {
            Failure::DataRace => Verdict::Failed(Failed::DataRace, message),
            Failure::Panic => Verdict::Failed(Failed::Panic, message),
            // A wait that has no end, asleep or awake.
            Failure::Deadlock | Failure::Livelock => Verdict::Failed(Failed::Deadlock, message),
            failure => Verdict::Refused(format!("{failure}: {message}")),
        },
        Err(CheckError::LimitExceeded { .. }) => Verdict::TooLarge,
        Err(error) => Verdict::Refused(error.to_string()),
    }
}
