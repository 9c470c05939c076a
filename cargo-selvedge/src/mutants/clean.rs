//! The run without a change: what each test executes, and that all pass.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use selvedge_results::{Mutant, NOT_COVERED, Reach, Record, SITES, Site};

use super::source::{Call, Operation, Standing};
use crate::exit::Exit;
use crate::interrupt;
use crate::project::Project;
use crate::shell::Shell;
use crate::suite::{self, Answer, End, Explored, Terms, Test};

/// A test whose models execute an operation that is changed.
#[derive(Debug)]
pub(super) struct Judge {
    pub(super) test: Test,
    /// Of its largest model.
    pub(super) executions: u64,
    /// Of each of them.
    pub(super) all: Vec<u64>,
    /// Of all of them.
    pub(super) seconds: f64,
    /// Those that fail also without a change, where a test expects that, and how.
    pub(super) failures: Vec<(usize, String)>,
}

/// A mutant and the judges that execute its operation, by index.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) mutant: Mutant,
    pub(super) judges: Vec<usize>,
    /// Where there are no judges: how near a model comes.
    pub(super) reach: Reach,
}

/// All judges, in the order of their tests, and all mutants, in the order of the source.
#[derive(Debug, Default)]
pub(super) struct Clean {
    pub(super) judges: Vec<Judge>,
    pub(super) cases: Vec<Case>,
    /// Whether other tests may execute the same operations with other orderings.
    pub(super) may_vary: bool,
}

/// Runs the tests without a change, and leaves in `tests` those that take more than `limit` executions.
pub(super) fn run(
    project: &Project,
    tests: &mut Vec<Test>,
    limit: Option<u64>,
    silence: std::time::Duration,
    shell: Shell,
) -> Result<Vec<Explored>> {
    let bar = shell.progress(tests.len(), "tests without a change");
    let limit = limit.map(|limit| limit.to_string());
    let mut variables = vec![(SITES, "1")];
    variables.extend(limit.as_deref().map(|limit| ("SELVEDGE_LIMIT", limit)));
    let terms = Terms { variables: &variables, patience: None, silence };
    let answers = suite::each(project, tests, |test, folder| {
        bar.set_message(test.name());
        let Answer { end, records, output } = test.ask(project, terms, folder)?;
        bar.inc(1);
        let over = |record: &Record| record.failure.as_deref() == Some("limit exceeded");
        if limit.is_some() && records.iter().any(over) {
            return Ok(None);
        }
        if !matches!(end, End::Passed | End::Ignored) && !interrupt::requested() {
            return Err(Exit::Found.because(format!(
                "{} fails without a change, and has to pass first:\n{output}",
                test.name()
            )));
        }
        Ok(Some(records))
    })?;
    bar.finish_and_clear();
    if interrupt::requested() {
        return Err(Exit::Interrupted.because(
            "interrupted in the run without a change: nothing was tried yet, and nothing is kept",
        ));
    }
    let (mut done, mut left) = (Vec::new(), Vec::new());
    for (test, answer) in tests.drain(..).zip(answers) {
        match answer {
            Some(lines) => done.push((test, lines)),
            None => left.push(test),
        }
    }
    *tests = left;
    Ok(done)
}

/// What is known of an operation.
#[derive(Default)]
struct Known {
    /// How it stands in the source, if it was found there.
    standing: Option<Standing>,
    /// Whether the source says all its orderings.
    is_fixed: bool,
    /// By ordering: an operation that is given its ordering by its caller may be executed with several.
    executed: BTreeMap<String, Executed>,
}

/// An operation with one ordering.
#[derive(Default)]
struct Executed {
    changes: Vec<String>,
    /// Those that execute it while another thread runs.
    judges: BTreeSet<usize>,
}

impl Known {
    /// Each change of an ordering that is executed beside another thread, with all orderings that it weakens, and the
    /// judges that execute one of those.
    fn changes(&self) -> Vec<(&str, String, Vec<usize>)> {
        let beside = || self.executed.iter().filter(|(_, executed)| !executed.judges.is_empty());
        let mut changes: Vec<&str> = Vec::new();
        for change in beside().flat_map(|(_, executed)| &executed.changes) {
            if !changes.contains(&&**change) {
                changes.push(change);
            }
        }
        let with_orderings = |change| {
            let has = |(_, executed): &(_, &Executed)| executed.changes.iter().any(|c| c == change);
            let judges: BTreeSet<usize> =
                beside().filter(has).flat_map(|(_, executed)| &executed.judges).copied().collect();
            let orderings = either(beside().filter(has).map(|(ordering, _)| ordering));
            (change, orderings, judges.into_iter().collect())
        };
        changes.into_iter().map(with_orderings).collect()
    }

    /// If there is no judge for one of its orderings: the orderings of which that is so, and how near a model comes.
    fn not_covered(&self) -> Option<(String, Reach)> {
        if self.executed.is_empty() {
            let reach = match self.standing {
                Some(Standing::Guessed) => Reach::Guessed,
                _ => Reach::Never,
            };
            return Some((String::new(), reach));
        }
        let changes = self.changes();
        let is_tried = |change: &String| changes.iter().any(|(tried, ..)| tried == change);
        let covered = self.executed.values().any(|executed| !executed.judges.is_empty());
        let alone = self.executed.iter().filter(|(_, executed)| {
            executed.judges.is_empty() && !(covered && executed.changes.iter().all(is_tried))
        });
        let orderings: Vec<&String> = alone.map(|(ordering, _)| ordering).collect();
        (!orderings.is_empty()).then(|| (either(orderings.into_iter()), Reach::Alone))
    }
}

/// `acquire or seq_cst`.
fn either<'a>(orderings: impl Iterator<Item = &'a String>) -> String {
    orderings.map(String::as_str).collect::<Vec<_>>().join(" or ")
}

/// Judges and mutants out of results.
pub(super) fn gather(
    tests: &[Explored],
    calls: &[Call],
    changes: impl Fn(&str) -> bool,
    source: impl Fn(&str) -> Result<String>,
) -> Result<Clean> {
    let mut judges: Vec<Judge> = Vec::new();
    let mut known: BTreeMap<Operation, Known> = BTreeMap::new();
    for Call { operation, standing, is_fixed } in calls {
        let (standing, is_fixed) = (Some(*standing), *is_fixed);
        known.insert(operation.clone(), Known { standing, is_fixed, ..Known::default() });
    }
    for (test, records) in tests {
        let mine = |site: &&Site| changes(&site.file);
        let sites = || records.iter().filter_map(|record| record.sites.as_deref()).flatten();
        if !sites().any(|site| mine(&site)) {
            continue;
        }
        let executions = records.iter().map(|record| record.executions).max().unwrap_or_default();
        let seconds = records.iter().map(|record| record.seconds).sum();
        let failure = |record: &Record| Some((record.model, record.failure.clone()?));
        let failures = records.iter().filter_map(failure).collect();
        let all = records.iter().map(|record| record.executions).collect();
        judges.push(Judge { test: test.clone(), executions, all, seconds, failures });
        for site in sites().filter(mine) {
            let Site { file, line, column, operation: name, .. } = site;
            let (file, name) = (file.clone(), name.to_string());
            let (line, column) = (*line as usize, *column as usize);
            let known = known.entry(Operation { file, line, column, name }).or_default();
            let executed = known.executed.entry(site.ordering.clone()).or_default();
            executed.changes.clone_from(&site.changes);
            if site.contended {
                executed.judges.insert(judges.len() - 1);
            }
        }
    }
    let mut sources: BTreeMap<String, String> = BTreeMap::new();
    let (mut cases, mut may_vary) = (Vec::new(), false);
    for (Operation { file, line, column, name: operation }, known) in known {
        if !sources.contains_key(&file) {
            sources.insert(file.clone(), source(&file)?);
        }
        let text = sources[&file].lines().nth(line.saturating_sub(1)).unwrap_or_default();
        let source = text.trim().to_owned();
        let mutant = |ordering: String, change: &str| Mutant {
            file: file.clone(),
            line,
            column,
            operation: operation.clone(),
            ordering,
            change: change.to_owned(),
            source: source.clone(),
        };
        may_vary |= !known.is_fixed && known.executed.keys().any(|ordering| !ordering.is_empty());
        for (change, ordering, judges) in known.changes() {
            cases.push(Case { mutant: mutant(ordering, change), judges, reach: Reach::Never });
        }
        if let Some((ordering, reach)) = known.not_covered() {
            cases.push(Case { mutant: mutant(ordering, NOT_COVERED), judges: Vec::new(), reach });
        }
    }
    Ok(Clean { judges, cases, may_vary })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::Binary;

    fn site(
        file: &str,
        line: u32,
        operation: &'static str,
        contended: bool,
        changes: &[&str],
    ) -> Site {
        Site {
            file: file.to_owned(),
            line,
            column: 5,
            operation: operation.into(),
            ordering: "acq_rel".to_owned(),
            contended,
            changes: changes.iter().map(ToString::to_string).collect(),
        }
    }

    fn record(executions: u64, sites: Vec<Site>) -> Record {
        Record { executions, sites: Some(sites), ..Record::default() }
    }

    fn test(path: &str) -> Test {
        let binary = Binary {
            package: "ring".to_owned(),
            target: "spsc".to_owned(),
            crate_name: "spsc".to_owned(),
            executable: "/t/spsc-1".into(),
            folder: "/".into(),
        };
        Test { binary, path: path.to_owned() }
    }

    #[test]
    fn what_is_executed_alone_or_not_at_all_is_not_covered() {
        let (swap, alone) = (["relaxed", "split"], ["skipped"]);
        let here = |line, operation, contended, changes: &[&str]| {
            site("src/a.rs", line, operation, contended, changes)
        };
        let tests = [
            (
                test("one"),
                vec![
                    record(3, vec![here(1, "swap", true, &swap)]),
                    record(7, vec![here(1, "swap", true, &swap)]),
                ],
            ),
            (
                test("two"),
                vec![record(
                    9,
                    vec![here(1, "swap", false, &swap), here(2, "lock", false, &alone)],
                )],
            ),
            (
                test("three"),
                vec![record(1, vec![site("tests/a.rs", 1, "load", true, &["relaxed"])])],
            ),
        ];
        let operation = |line, name: &str, standing| {
            let (file, name) = ("src/a.rs".to_owned(), name.to_owned());
            let operation = Operation { file, line, column: 5, name };
            Call { operation, standing, is_fixed: true }
        };
        let operations = [
            operation(1, "swap", Standing::Resolved),
            operation(2, "lock", Standing::Guessed),
            operation(3, "fence", Standing::Resolved),
            operation(4, "read", Standing::Guessed),
        ];
        let source = |_: &str| Ok("a.swap(1)\n  m.lock()\nfence()\nx.read()\n".to_owned());
        let changes = |file: &str| file.starts_with("src/");
        let clean = gather(&tests, &operations, changes, source).expect("a clean run");

        let judges: Vec<_> = clean.judges.iter().map(|j| (j.test.name(), j.executions)).collect();
        assert_eq!(judges, [("spsc::one".to_owned(), 7), ("spsc::two".to_owned(), 9)]);
        let cases: Vec<_> = clean
            .cases
            .iter()
            .map(|case| {
                let Mutant { line, change, source, .. } = &case.mutant;
                (*line, &**change, &**source, &*case.judges, case.reach)
            })
            .collect();
        assert_eq!(
            cases,
            [
                (1, "relaxed", "a.swap(1)", &[0][..], Reach::Never),
                (1, "split", "a.swap(1)", &[0], Reach::Never),
                (2, NOT_COVERED, "m.lock()", &[], Reach::Alone),
                (3, NOT_COVERED, "fence()", &[], Reach::Never),
                (4, NOT_COVERED, "x.read()", &[], Reach::Guessed),
            ]
        );
    }

    #[test]
    fn each_ordering_of_one_place_has_its_own_changes_and_judges() {
        let load = |ordering: &str, contended, changes: &[&str]| Site {
            ordering: ordering.to_owned(),
            ..site("src/a.rs", 1, "load", contended, changes)
        };
        let gathered = |tests: &[(&str, Vec<Site>)]| -> Vec<(String, String, Vec<usize>)> {
            let explored =
                |(name, sites): &(&str, Vec<Site>)| (test(name), vec![record(2, sites.clone())]);
            let tests: Vec<_> = tests.iter().map(explored).collect();
            let source = |_: &str| Ok("flag.load(order)".to_owned());
            let clean = gather(&tests, &[], |_| true, source).expect("a clean run");
            let shown = |case: Case| (case.mutant.ordering, case.mutant.change, case.judges);
            clean.cases.into_iter().map(shown).collect()
        };
        let case = |ordering: &str, change: &str, judges: &[usize]| {
            (ordering.to_owned(), change.to_owned(), judges.to_vec())
        };
        let acquire = ("acquires", vec![load("acquire", true, &["relaxed"])]);
        let relaxed = ("relaxes", vec![load("relaxed", true, &[])]);
        let strong = ("orders", vec![load("seq_cst", true, &["acquire", "relaxed"])]);
        let both = ("both", [&*acquire.1, &*relaxed.1].concat());
        let alone = ("alone", vec![load("seq_cst", false, &["acquire", "relaxed"])]);

        let weakened = [case("acquire", "relaxed", &[0])];
        assert_eq!(gathered(&[acquire.clone(), relaxed.clone()]), weakened);
        assert_eq!(gathered(&[both]), weakened);
        let weakened = [case("acquire", "relaxed", &[1])];
        assert_eq!(gathered(&[relaxed.clone(), acquire.clone()]), weakened);
        assert_eq!(
            gathered(&[acquire.clone(), strong]),
            [case("acquire or seq_cst", "relaxed", &[0, 1]), case("seq_cst", "acquire", &[1]),]
        );
        let not_covered = case("seq_cst", NOT_COVERED, &[]);
        assert_eq!(
            gathered(&[acquire, alone.clone()]),
            [case("acquire", "relaxed", &[0]), not_covered.clone()]
        );
        assert_eq!(gathered(&[relaxed.clone(), alone]), [not_covered]);
        // A relaxed load has no change that could be left out.
        assert_eq!(gathered(&[relaxed, ("alone", vec![load("relaxed", false, &[])])]), []);
    }

    #[test]
    fn an_ordering_that_the_source_does_not_say_may_vary() {
        let load = site("src/a.rs", 1, "load", true, &["relaxed"]);
        let may_vary = |calls: &[Call], site: Site| {
            let tests = [(test("one"), vec![record(2, vec![site])])];
            let clean = gather(&tests, calls, |_| true, |_| Ok("n.load(order)".to_owned()));
            clean.expect("a clean run").may_vary
        };
        let operation =
            Operation { file: "src/a.rs".to_owned(), line: 1, column: 5, name: "load".to_owned() };
        let call = |is_fixed| {
            [Call { operation: operation.clone(), standing: Standing::Resolved, is_fixed }]
        };
        assert!(!may_vary(&call(true), load.clone()));
        assert!(may_vary(&call(false), load.clone()));
        assert!(may_vary(&[], load), "it is in a macro");
        let lock =
            Site { ordering: String::new(), ..site("src/a.rs", 1, "lock", true, &["ended"]) };
        assert!(!may_vary(&[], lock));
    }
}
