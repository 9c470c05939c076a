//! A family of programs, explored and held against the machine.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::checker::{Verdict, explore};
use crate::generate::{Alphabet, orders, programs};
use crate::machine::{Answer, Policy, answer};
use crate::program::Program;
use crate::tally::Tally;
use crate::text;

/// So many programs, counted with their orders of declaration, of threads of so many steps.
pub(crate) struct Family {
    pub(crate) name: &'static str,
    /// Numbers of threads and of steps, in turn.
    pub(crate) sizes: &'static [(usize, usize)],
    /// One, or several for mixtures.
    pub(crate) alphabets: Vec<Alphabet>,
    pub(crate) policy: Policy,
    pub(crate) programs: u64,
}

/// How the engine's verdict on a program differs from the machine's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Difference {
    Missed(String),
    FalseAlarm(String),
}

/// How often one program is explored on the way to a shorter one.
const SHORTENING: usize = 400;

/// Of the programs of the ordinary suite.
const SEED: u8 = 7;

impl Family {
    /// Explores the programs of the family.
    ///
    /// # Panics
    ///
    /// If one differs, with the first one that does, shortened, as a test that can be pasted.
    pub(crate) fn check(&self) {
        let (tally, differing) = self.run();
        println!("{}", tally.row(self.name));
        let mut kinds = BTreeSet::new();
        let show_all = std::env::var_os("ORACLE_ALL").is_some();
        let mut story = String::new();
        for (program, difference) in differing {
            let missed = matches!(difference, Difference::Missed(_));
            if !show_all && !kinds.insert(missed) {
                continue;
            }
            let (program, difference) = shortened(program, self.policy, difference);
            let required = answer(&program, self.policy).unwrap_or_default();
            let test = text::test(&program, &required, true);
            let _ = writeln!(story, "\n{difference:?}\n{test}");
        }
        assert!(story.is_empty(), "{}: {tally:?}\n{story}", self.name);
    }

    fn run(&self) -> (Tally, Vec<(Program, Difference)>) {
        let mut tally = Tally::default();
        let mut differing = Vec::new();
        for program in self.programs() {
            if let Some(difference) = compare(&program, self.policy, &mut tally) {
                match difference {
                    Difference::Missed(_) => tally.missed += 1,
                    Difference::FalseAlarm(_) => tally.false_alarms += 1,
                }
                differing.push((program, difference));
            }
        }
        (tally, differing)
    }

    /// So many as were asked for, and the other orders of the last one.
    pub(crate) fn programs(&self) -> Vec<Program> {
        let random = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed(); 32]);
        let mut runner = TestRunner::new_with_rng(Config::default(), random);
        let mut all = Vec::new();
        for &(threads, steps) in self.sizes.iter().cycle() {
            if all.len() as u64 >= self.programs {
                break;
            }
            let strategy = programs(threads, steps, self.alphabets.clone());
            let Ok(tree) = strategy.new_tree(&mut runner) else { continue };
            all.extend(orders(&tree.current()));
        }
        all
    }
}

/// What makes the programs.
pub(crate) fn seed() -> u8 {
    match std::env::var("ORACLE_SEED") {
        Err(_) => SEED,
        Ok(value) => value.parse().unwrap_or_else(|_| {
            panic!("ORACLE_SEED must be a number from 0 to 255, got {value:?}")
        }),
    }
}

/// Holds the engine against the machine.
pub(crate) fn compare(program: &Program, policy: Policy, tally: &mut Tally) -> Option<Difference> {
    tally.programs += 1;
    let answers = (answer(program, policy), answer(program, policy.allowed()));
    let (Some(required), Some(allowed)) = answers else {
        tally.too_large += 1;
        return None;
    };
    if std::env::var_os("ORACLE_TRACE").is_some() {
        eprintln!("{program:?}");
    }
    let verdict = explore(program, policy);
    tally.overtaken_writers += u64::from(required != allowed);
    match verdict {
        Verdict::TooLarge => {
            tally.too_large += 1;
            None
        }
        Verdict::Refused(message) => Some(Difference::FalseAlarm(format!("refused: {message}"))),
        Verdict::Failed(failed, message) => {
            if allowed.failures.contains(&failed) {
                tally.failing += 1;
                None
            } else {
                Some(Difference::FalseAlarm(format!("{failed:?}: {message}")))
            }
        }
        Verdict::Explored { outcomes, bound } => {
            let texts = |answer: &Answer| -> BTreeSet<String> {
                answer.outcomes.iter().map(|outcome| outcome.text(&program.order)).collect()
            };
            let missed: Vec<String> = texts(&required).difference(&outcomes).cloned().collect();
            let differs = !required.failures.is_empty() || !missed.is_empty();
            if bound.is_some() {
                tally.bounded.0 += 1;
                tally.bounded.1 += u64::from(differs);
            } else if differs {
                return Some(Difference::Missed(if required.failures.is_empty() {
                    format!("{missed:?}")
                } else {
                    format!("{:?}", required.failures)
                }));
            }
            let allowed_texts = texts(&allowed);
            let more: Vec<&String> = outcomes.difference(&allowed_texts).collect();
            // Of a program that can fail the machine does not keep the outcomes.
            let false_alarm = !more.is_empty() && allowed.failures.is_empty();
            false_alarm.then(|| Difference::FalseAlarm(format!("{more:?}")))
        }
    }
}

/// A program that differs in the same way, without the steps that it can do without.
fn shortened(
    mut program: Program,
    policy: Policy,
    mut difference: Difference,
) -> (Program, Difference) {
    let mut explored = 0;
    loop {
        let shorter = program.shorter().into_iter().find_map(|shorter| {
            explored += 1;
            let found = compare(&shorter, policy, &mut Tally::default())?;
            let same = std::mem::discriminant(&found) == std::mem::discriminant(&difference);
            (same && explored < SHORTENING).then_some((shorter, found))
        });
        match shorter {
            Some(shorter) => (program, difference) = shorter,
            None => return (program, difference),
        }
    }
}
