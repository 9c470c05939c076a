//! Holds the loom engine against the graph engine.

use std::fmt::Write as _;

use selvedge_model::engine::agreement::{self, Both, Difference, Extent, Outcome};
use selvedge_model::engine::{graph, loom};

use crate::checker::runs;
use crate::family::Family;
use crate::machine::Answer;
use crate::program::Program;
use crate::text;

/// How many programs of a family are explored.
pub(crate) fn programs() -> u64 {
    match std::env::var("ORACLE_AGREE") {
        Err(_) => 120,
        Ok(value) => value
            .parse()
            .unwrap_or_else(|_| panic!("ORACLE_AGREE must be a number of programs, got {value:?}")),
    }
}

#[derive(Debug, Default)]
struct Counts {
    programs: u64,
    /// Compared outcome for outcome; and how many of these deadlock, or panic.
    complete: u64,
    deadlocks: u64,
    panics: u64,
    /// loom was cut short, or gave up: only what it found was compared.
    one_way: u64,
    unable: u64,
    /// Not compared: graphs were left out, or have an error.
    nothing: u64,
    differ: u64,
    loom: u64,
    graphs: u64,
}

fn explore(program: &Program) -> Both {
    let graphs = graph::Config { executions: 20_000, ..graph::Config::default() };
    agreement::explore(&graphs, &loom::Config::default(), runs(program))
}

impl Family {
    /// Explores the programs of the family with both engines.
    ///
    /// # Panics
    ///
    /// If they differ, with the first such program, shortened.
    pub(crate) fn agree(&self) {
        let mut counts = Counts::default();
        let mut first = None;
        for program in self.programs() {
            if std::env::var_os("ORACLE_TRACE").is_some() {
                eprintln!("{program:?}");
            }
            let both = explore(&program);
            counts.programs += 1;
            counts.loom += both.loom.executions();
            counts.graphs += both.graphs.runs();
            assert!(!matches!(both.loom.end, loom::End::Broken(_)), "{:?}\n{program:?}", both.loom);
            counts.unable += u64::from(matches!(both.loom.end, loom::End::Unable(_)));
            match both.agreement {
                Ok(Extent::Complete) => {
                    counts.complete += 1;
                    counts.deadlocks += u64::from(both.loom.deadlocks > 0);
                    counts.panics += u64::from(has_panic(&both));
                }
                Ok(Extent::OneWay) => counts.one_way += 1,
                Ok(Extent::Nothing) => counts.nothing += 1,
                Err(_) => {
                    counts.differ += 1;
                    first.get_or_insert(program);
                }
            }
        }
        println!("| agree | {} | {counts:?} |", self.name);
        if let Some(program) = first {
            panic!("{}: {counts:?}\n{}", self.name, story(program));
        }
    }
}

fn has_panic(both: &Both) -> bool {
    both.outcomes.found().keys().any(|outcome| matches!(outcome, Outcome::Panic(_)))
}

/// The program without the steps that it can do without, and how the engines differ.
fn story(mut program: Program) -> String {
    let differs = |program: &Program| explore(program).agreement.is_err();
    while let Some(shorter) = program.shorter().into_iter().find(differs) {
        program = shorter;
    }
    let Err(difference) = explore(&program).agreement else { unreachable!("they differ") };
    let Difference { only_graphs, only_loom } = *difference;
    let mut story = text::test(&program, &Answer::default(), true);
    for (engine, only) in [("graphs", only_graphs), ("loom", only_loom)] {
        let outcomes: Vec<&Outcome> = only.keys().collect();
        let _ = writeln!(story, "only {engine}: {outcomes:#?}");
        if let Some(witness) = only.values().next() {
            let _ = writeln!(story, "execution {}:", witness.number);
            for line in &witness.trace.lines {
                let _ = writeln!(story, "  {} {:?} = {}", line.thread, line.action, line.result);
            }
        }
    }
    story
}
