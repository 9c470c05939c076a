//! Holds the two engines against each other.
//!
//! The outcomes of the sequentially consistent graphs in which each choice took branch 0 must be
//! exactly those of the interleavings, deadlocks and panics among them. Where loom did not come to its
//! end, what it found must still be among the graphs' outcomes.
//!
//! A program with an error for which an execution is no execution of the memory model, such as a data
//! race, has no outcomes to compare; nor has one of which graphs were left out.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;

use super::graph::{self, Action, Ending, Trace};
use super::loom;
use super::panics::without_place;

/// What came of an execution, in words that both engines use.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// All threads ended, and this is the result.
    Complete(String),
    /// A thread ended with a panic that no thread was told of.
    Panic(String),
    /// These threads wait for ever: of each the way from the first thread.
    Deadlock(Vec<Vec<u32>>),
}

/// The first execution with an outcome.
#[derive(Debug, Clone)]
pub struct Witness {
    /// Its number in its engine.
    pub number: u64,
    /// What happened.
    pub trace: Trace,
}

/// The outcomes of an exploration, each with a witness.
#[derive(Debug, Default)]
pub struct Outcomes {
    found: BTreeMap<Outcome, Witness>,
    has_errors: bool,
}

impl Outcomes {
    /// Takes in an execution of the graph engine, with the result of the program.
    pub fn add_graph(&mut self, execution: &graph::Execution<'_>, result: Option<String>) {
        let outcome = outcome(execution.ending(), result, |thread| execution.path(thread));
        let Some(outcome) = outcome else {
            self.has_errors = true;
            return;
        };
        let counts = !self.found.contains_key(&outcome)
            && execution.chose_first()
            && execution.is_sequentially_consistent();
        if counts {
            let witness = Witness { number: execution.number(), trace: execution.trace() };
            self.found.insert(outcome, witness);
        }
    }

    /// Takes in an execution of the loom engine, with the result of the program.
    pub fn add_loom(&mut self, execution: &loom::Execution<'_>, result: Option<String>) {
        let outcome = outcome(execution.ending(), result, |thread| execution.path(thread));
        let Some(outcome) = outcome else { return };
        self.found
            .entry(outcome)
            .or_insert_with(|| Witness { number: execution.number(), trace: execution.trace() });
    }

    /// The outcomes.
    pub fn found(&self) -> &BTreeMap<Outcome, Witness> {
        &self.found
    }
}

/// `None` if it is an error.
fn outcome<'a>(
    ending: &Ending,
    result: Option<String>,
    path: impl Fn(usize) -> &'a [u32],
) -> Option<Outcome> {
    match ending {
        Ending::Complete => result.map(Outcome::Complete),
        Ending::Panic { message, .. } => Some(Outcome::Panic(without_place(message).to_owned())),
        Ending::Deadlock(blocked) => {
            let mut paths: Vec<_> =
                blocked.iter().map(|blocked| path(blocked.thread).to_vec()).collect();
            paths.sort();
            Some(Outcome::Deadlock(paths))
        }
        _ => None,
    }
}

/// How far two explorations could be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Outcome for outcome.
    Complete,
    /// loom did not come to its end: its outcomes are among the graphs'.
    OneWay,
    /// Not at all.
    Nothing,
}

/// How two engines differ.
#[derive(Debug, Clone)]
pub struct Difference {
    /// Outcomes of graphs that no interleaving has.
    pub only_graphs: BTreeMap<Outcome, Witness>,
    /// Outcomes of interleavings that no graph has.
    pub only_loom: BTreeMap<Outcome, Witness>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sides = [
            (&self.only_graphs, "execution", "no interleaving on loom"),
            (&self.only_loom, "interleaving", "no execution graph"),
        ];
        for (outcomes, what, not) in sides {
            for (outcome, witness) in outcomes {
                writeln!(f, "  {what} {} reaches {outcome:?}, and {not} does:", witness.number)?;
                for line in &witness.trace.lines {
                    if let Action::Step(step) = line.action {
                        let (site, thread) = (line.site, line.thread);
                        let place = format!("{}:{}", site.file(), site.line());
                        writeln!(f, "    thread {thread} at {place}: {step:?} = {}", line.result)?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// Compares the outcomes of two explorations of one program.
///
/// # Errors
///
/// The difference, if there is one.
pub fn compare(
    graphs: (&Outcomes, &graph::Report),
    loom: (&Outcomes, &loom::Report),
) -> Result<Extent, Box<Difference>> {
    let ((graphs, graph_report), (loom, loom_report)) = (graphs, loom);
    if graphs.has_errors || !graph_report.bounds.is_empty() || graph_report.stopped {
        return Ok(Extent::Nothing);
    }
    let without = |these: &Outcomes, others: &Outcomes| -> BTreeMap<Outcome, Witness> {
        let left = these.found.iter().filter(|(outcome, _)| !others.found.contains_key(outcome));
        left.map(|(outcome, witness)| (outcome.clone(), witness.clone())).collect()
    };
    let complete = loom_report.end == loom::End::Complete;
    let only_graphs = if complete { without(graphs, loom) } else { BTreeMap::new() };
    let only_loom = without(loom, graphs);
    if !only_graphs.is_empty() || !only_loom.is_empty() {
        return Err(Box::new(Difference { only_graphs, only_loom }));
    }
    Ok(if complete { Extent::Complete } else { Extent::OneWay })
}

/// What both engines found.
#[derive(Debug)]
pub struct Both {
    /// The graphs that were counted.
    pub graphs: graph::Report,
    /// The interleavings that were counted.
    pub loom: loom::Report,
    /// Whether the outcomes are the same.
    pub agreement: Result<Extent, Box<Difference>>,
    /// loom's outcomes.
    pub outcomes: Outcomes,
}

/// Explores a program with both engines.
///
/// # Panics
///
/// If called from a program under test.
pub fn explore(graphs: &graph::Config, loom: &loom::Config, program: impl Fn() -> String) -> Both {
    let mut of_graphs = Outcomes::default();
    let graph_report = graph::explore_results(graphs, &program, |execution, result| {
        of_graphs.add_graph(execution, result);
        ControlFlow::Continue(())
    });
    let mut of_loom = Outcomes::default();
    let loom_report = loom::explore_results(loom, &program, |execution, result| {
        of_loom.add_loom(execution, result);
        ControlFlow::Continue(())
    });
    let agreement = compare((&of_graphs, &graph_report), (&of_loom, &loom_report));
    Both { graphs: graph_report, loom: loom_report, agreement, outcomes: of_loom }
}
