//! Programs written on the façade.
#![allow(dead_code, unreachable_pub, reason = "each test uses its part")]

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::ops::ControlFlow;

use selvedge_model::engine::graph::{Config, Ending, Report, explore_results};

/// What an exploration of a program found.
#[derive(Debug)]
pub struct Found<R> {
    pub report: Report,
    pub results: BTreeSet<R>,
    pub endings: Vec<Ending>,
    pub signatures: BTreeSet<u128>,
}

impl<R: Ord> Found<R> {
    pub fn races(&self) -> bool {
        self.endings.iter().any(|ending| matches!(ending, Ending::Race { .. }))
    }
    pub fn uses_after_free(&self) -> bool {
        self.endings.iter().any(|ending| matches!(ending, Ending::UseAfterFree { .. }))
    }
    pub fn panics(&self) -> Vec<&str> {
        fn message(ending: &Ending) -> Option<&str> {
            match ending {
                Ending::Panic { message, .. } => Some(message),
                _ => None,
            }
        }
        self.endings.iter().filter_map(message).collect()
    }
    /// The results, of a program of which every execution is complete.
    pub fn all(self) -> Vec<R>
    where
        R: Debug,
    {
        assert_eq!(self.endings, []);
        assert_eq!(self.report.bounds, []);
        self.results.into_iter().collect()
    }
}

pub fn explore<R: Ord + Clone + Debug>(program: impl Fn() -> R) -> Found<R> {
    #[cfg(loom)]
    agrees(&program);
    let found = explore_with(&Config::default(), &program);
    if !found.races() {
        let other = explore_with(&Config { reversed: true, ..Config::default() }, &program);
        assert_eq!(found.signatures, other.signatures);
        assert_eq!(found.results, other.results);
        assert_eq!(found.report.complete, other.report.complete);
        assert_eq!(found.report.deadlocks, other.report.deadlocks);
    }
    found
}

/// The loom engine finds the same, as far as it gets.
#[cfg(loom)]
fn agrees<R: Debug>(program: impl Fn() -> R) {
    use selvedge_model::engine::{agreement, loom};
    let text = || format!("{:?}", program());
    let both = agreement::explore(&Config::default(), &loom::Config::default(), text);
    assert!(!matches!(both.loom.end, loom::End::Broken(_)), "{:?}", both.loom);
    if let Err(difference) = both.agreement {
        panic!("the engines disagree: {difference:#?}");
    }
}

pub fn explore_with<R: Ord + Clone>(config: &Config, program: impl Fn() -> R) -> Found<R> {
    let (mut results, mut endings) = (BTreeSet::new(), Vec::new());
    let (mut signatures, mut explored) = (BTreeSet::new(), 0.0);
    let report = explore_results(config, program, |execution, result| {
        // Where many branches lead to it, its share is less than an `f64` can add.
        assert!(explored <= execution.explored(), "{explored} {}", execution.explored());
        explored = execution.explored();
        assert!(signatures.insert(execution.signature()), "an execution was shown twice");
        match execution.ending() {
            Ending::Complete => drop(results.insert(result.expect("the first thread has ended"))),
            other => endings.push(other.clone()),
        }
        ControlFlow::Continue(())
    });
    if report.runs() == report.executions() && report.bounds.is_empty() {
        assert!((explored - 1.0).abs() < 1e-9, "{explored}");
    }
    Found { report, results, endings, signatures }
}
