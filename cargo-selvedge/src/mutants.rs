//! `cargo selvedge mutants`: breaks the crate in every small way, one at a time, and sees whether a model notices.
//!
//! Nothing is compiled again: the façade makes the change that `SELVEDGE_MUTANT` names. A run without a change tells
//! which operations there are and which tests execute them; those tests are the judges.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result};
use selvedge_results::{Fate, Mutant, NOT_COVERED, Record, Survivor, Trial, Trials, VERSION};

mod accepted;
mod clean;
mod hunt;
mod source;
mod summary;

pub use accepted::Accepted;
use clean::{Case, Clean};
use source::Call;
pub use summary::{Summary, read};

use crate::exit::Exit;
use crate::options::{TimeOptions, shard};
use crate::project::Project;
use crate::settings::is_within;
use crate::shell::{Look, Shell, counted};
use crate::suite::{self, Explored, Test};
use crate::{git, interrupt, model};

/// How many executions the models of a test may take at most for it to be asked first.
const QUICK: u64 = 2_000;

/// Which mutants are tried.
#[derive(Debug, Default, Clone, clap::Args)]
pub struct Options {
    /// Only those of FILE, or of one line of it
    #[arg(long, value_name = "FILE[:LINE]")]
    pub only: Option<String>,
    /// Only those of files that have changed since REV
    #[arg(long, value_name = "REV", conflicts_with = "only")]
    pub changed_since: Option<String>,
    /// Only ask those tests whose name, `TARGET::PATH`, contains TEXT
    #[arg(long, value_name = "TEXT")]
    pub judge: Option<String>,
    /// Only try part I of N, for several machines
    #[arg(long, value_name = "I/N", value_parser = shard)]
    pub shard: Option<(usize, usize)>,
    /// Try none: put together what the shards have left, in these files
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with_all = ["only", "changed_since", "judge", "shard", "test"])]
    pub merge: Vec<PathBuf>,
    /// Do not run the models without a change: take the results that `cargo test` has left in this directory
    #[arg(long, value_name = "DIRECTORY", conflicts_with_all = ["judge", "merge"])]
    pub from: Option<PathBuf>,
    #[command(flatten)]
    pub time: TimeOptions,
}

/// What became of the mutants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tried {
    /// How many were tried.
    pub tried: usize,
    /// How many a model noticed.
    pub killed: usize,
    /// How many calls were not executed that may be operations.
    pub guessed: usize,
}

/// The mutants that are accepted.
///
/// # Errors
///
/// If a list cannot be read.
pub fn accepted(project: &Project) -> Result<Accepted> {
    let paths: Vec<_> = project.packages.iter().map(|member| member.settings.accepted()).collect();
    Accepted::read(&paths)
}

/// Runs the command.
///
/// # Errors
///
/// If a mutant survives, if there is none, or if they cannot be tried.
pub fn run(project: &Project, options: &Options, shell: Shell) -> Result<Tried> {
    let accepted = accepted(project)?;
    let mut results = match &*options.merge {
        [] => hunt(project, options, shell)?,
        paths => summary::merge(paths)?,
    };
    results.version = VERSION;
    concat!("cargo-selvedge ", env!("CARGO_PKG_VERSION")).clone_into(&mut results.by);
    let name = match results.shard {
        Some((shard, count)) => format!("mutants-{shard}-of-{count}"),
        None => "mutants".to_owned(),
    };
    let file = project.scratch()?.join(name);
    let summary = Summary::new(&results.trials, &accepted);
    let text = serde_json::to_string_pretty(&results)? + "\n";
    // A run that tried nothing leaves what the last one has found.
    let kinds = if results.trials.is_empty() {
        vec![]
    } else {
        vec![("json", text), ("md", summary.table())]
    };
    for (kind, text) in kinds {
        let file = file.with_extension(kind);
        fs::write(&file, text).with_context(|| {
            format!("{} cannot be written; make room there, or use --target-dir", file.display())
        })?;
    }
    shell.say(summary.text());
    let survivors = summary.open();
    say_open(&survivors, shell);
    let guessed = summary.guessed();
    if !guessed.is_empty() {
        shell.say("Perhaps not covered (a guess: the type of what is called is not known):");
        for Trial { mutant, .. } in &guessed {
            shell.say(format_args!("  {}: {}", mutant.key(), mutant.source));
        }
    }
    let complete = results.trials.len() == results.mutants;
    let stale = accepted.stale(&results.trials, complete);
    for entry in &stale {
        shell.say(format_args!("no longer accepted: {entry}"));
    }
    let tried = results.trials.len() - guessed.len();
    let killed = results.trials.iter().filter(|t| matches!(t.fate, Fate::Killed(_))).count();
    let words = format!("{killed} of {} killed", counted(tried, "mutant"));
    let json = file.with_extension("md");
    let json = project.shown(&json);
    shell.say(format_args!("{words}, {:.0} s: {json}", results.seconds));
    if interrupt::requested() {
        return Err(Exit::Interrupted.because(format!("interrupted: {words}, and kept in {json}")));
    }
    if let (0, Some(revision)) = (tried, &options.changed_since) {
        shell.say(format_args!("no file with a mutant has changed since {revision}"));
        return Ok(Tried { tried, killed, guessed: guessed.len() });
    }
    if tried == 0 && results.shard.is_none() {
        return Err(Exit::Found.because(
            "no mutant was tried: no model executes an operation of this package's own sources; is its code \
             written on selvedge_model::sync, and does a model call it?",
        ));
    }
    if !survivors.is_empty() {
        return Err(Exit::Found.because(format!(
            "{} survived, as above: add the model that needs the operation, weaken it, or accept the mutant with a \
             reason, in {}",
            counted(survivors.len(), "mutant"),
            lists(project)
        )));
    }
    if !stale.is_empty() {
        return Err(Exit::Found.because(format!(
            "entries of the lists of accepted mutants that do not survive any more, as above: {}; remove them from {}",
            stale.len(),
            lists(project)
        )));
    }
    Ok(Tried { tried, killed, guessed: guessed.len() })
}

/// The lists of accepted mutants.
fn lists(project: &Project) -> String {
    let lists = project.packages.iter().map(|member| member.settings.accepted());
    lists.map(|list| project.shown(&list).to_string()).collect::<Vec<_>>().join(" or ")
}

/// What survived, by kind.
fn say_open(open: &[&Trial], shell: Shell) {
    for kind in Survivor::ALL {
        let here: Vec<_> =
            open.iter().filter(|trial| trial.fate.survivor() == Some(kind)).collect();
        if here.is_empty() {
            continue;
        }
        shell.say(format_args!("{}: {}", Look::Bad.paint(kind.name()), here.len()));
        shell.say(format_args!("  {}", kind.advice()));
        for Trial { mutant, .. } in here {
            let (key, meaning) = (mutant.key(), mutant.meaning());
            shell.say(format_args!("  {key}\n      {}\n      {meaning}", mutant.source));
        }
    }
}

/// The tests, and what is known of them.
struct Suite<'a> {
    project: &'a Project,
    options: &'a Options,
    shell: Shell,
    /// The sources that are changed.
    files: BTreeMap<String, String>,
    calls: Vec<Call>,
    /// Those that have run without a change.
    done: Vec<Explored>,
    /// Those that take longer, and have not.
    left: Vec<Test>,
}

impl<'a> Suite<'a> {
    fn new(project: &'a Project, options: &'a Options, shell: Shell) -> Result<Self> {
        project.needs_checker()?;
        // Not those of the list alone: a model that has just been added is to judge before it is listed.
        let built = project.build(None)?;
        let mut left = suite::tests(project, &built.binaries)?;
        if let Some(text) = &options.judge {
            left.retain(|test| test.name().contains(&**text));
            if left.is_empty() {
                return Err(Exit::Usage.because(format!(
                    "no test's name contains {text:?}; names are TARGET::PATH, as `cargo selvedge prove` prints them"
                )));
            }
        }
        let files = texts(project, &built.sources)?;
        let calls = source::operations(&files);
        let mut done = Vec::new();
        if let Some(folder) = &options.from {
            let records = suite::left(project, folder)?;
            done = by_test(std::mem::take(&mut left), records)?;
        }
        Ok(Self { project, options, shell, files, calls, done, left })
    }

    /// Runs those that are left, unless they take more than `limit` executions.
    fn run(&mut self, limit: Option<u64>) -> Result<Clean> {
        let silence = self.options.time.silence();
        self.done.extend(clean::run(self.project, &mut self.left, limit, silence, self.shell)?);
        let changes = |file: &str| self.files.contains_key(file);
        clean::gather(&self.done, &self.calls, changes, |file| Ok(self.files[file].clone()))
    }
}

/// The sources whose operations are changed: those that settings name, or the packages' own.
fn texts(project: &Project, own: &[String]) -> Result<BTreeMap<String, String>> {
    let settings = || project.packages.iter().map(|member| &member.settings.mutants);
    let named: Vec<String> = settings().flat_map(|settings| settings.files.clone()).collect();
    let except: Vec<String> = settings().flat_map(|settings| settings.except.clone()).collect();
    let mut files = Vec::new();
    if named.is_empty() {
        files.extend_from_slice(own);
    }
    for path in &named {
        rust_files(&project.root, Path::new(path), &mut files)?;
    }
    // Generated sources are of no use to anybody: they stand in the target folder, by absolute paths.
    files.retain(|file| Path::new(file).is_relative() && !is_within(file, &except));
    let mut texts = BTreeMap::new();
    for file in files {
        let text = fs::read_to_string(project.root.join(&file))
            .with_context(|| format!("{file} cannot be read"))?;
        texts.insert(file, text);
    }
    if texts.is_empty() {
        return Err(Exit::Usage.because(
            "there is no source to change: the selected packages have no library and no program, or the settings \
             `files` and `except` under [package.metadata.selvedge.mutants] leave nothing",
        ));
    }
    Ok(texts)
}

/// The Rust files in `path`, which is one or a folder.
fn rust_files(root: &Path, path: &Path, found: &mut Vec<String>) -> Result<()> {
    let whole = root.join(path);
    if whole.is_dir() {
        for entry in fs::read_dir(&whole)? {
            rust_files(root, &path.join(entry?.file_name()), found)?;
        }
    } else if path.extension().is_some_and(|extension| extension == "rs") {
        if !whole.exists() {
            return Err(Exit::Usage.because(format!(
                "{}, which [package.metadata.selvedge.mutants] names, does not exist",
                path.display()
            )));
        }
        found.push(path.to_string_lossy().replace('\\', "/"));
    }
    Ok(())
}

/// Results, each with its test.
fn by_test(tests: Vec<Test>, records: Vec<Record>) -> Result<Vec<Explored>> {
    let mut all: Vec<Explored> = tests.into_iter().map(|test| (test, Vec::new())).collect();
    for record in records {
        let name = model::test_name(&record);
        let of = all
            .iter_mut()
            .find(|(test, _)| test.name() == name && test.binary.package == record.package);
        let Some((_, mine)) = of else {
            return Err(Exit::Usage.because(format!(
                "{name} is the result of no test of today: the results that --from names are of another build"
            )));
        };
        mine.push(record);
    }
    Ok(all)
}

/// Tries what is selected: asks the quick tests first, and the others only about what those leave.
fn hunt(project: &Project, options: &Options, shell: Shell) -> Result<Trials> {
    let changed = match &options.changed_since {
        None => None,
        Some(revision) => Some(git::changed_since(&project.root, revision).map_err(|error| {
            Exit::Usage.because(format!("--changed-since {revision}: {error:#}"))
        })?),
    };
    let wanted = |mutant: &Mutant| {
        options.only.as_ref().is_none_or(|only| is_at(mutant, only))
            && changed.as_ref().is_none_or(|files| files.contains(&mutant.file))
    };
    let mut suite = Suite::new(project, options, shell)?;
    let start = Instant::now();
    let mut clean = suite.run(Some(QUICK))?;
    // Each shard has to know all mutants: longer tests may execute more operations, or the same with more orderings.
    let is_open = |clean: &Clean| {
        clean.may_vary || clean.cases.iter().any(|case| case.mutant.change == NOT_COVERED)
    };
    if !suite.left.is_empty() && is_open(&clean) {
        clean = suite.run(None)?;
    }
    let more = match suite.left.len() {
        0 => String::new(),
        more => format!(", and by {more} more where those notice nothing"),
    };
    shell.say(format_args!(
        "{}, judged by {}{more}; {:.0} s without a change",
        counted(clean.cases.len(), "mutant"),
        counted(clean.judges.len(), "test"),
        start.elapsed().as_secs_f64()
    ));
    let cases: Vec<&Case> = clean.cases.iter().filter(|case| wanted(&case.mutant)).collect();
    if let Some(only) = options.only.as_ref().filter(|_| cases.is_empty()) {
        return Err(Exit::Usage.because(format!(
            "there is no mutant at {only}: it must be FILE or FILE:LINE of one, from the folder of the workspace"
        )));
    }
    let (part, count) = options.shard.unwrap_or((1, 1));
    let cases: Vec<Case> = cases.into_iter().skip(part - 1).step_by(count).cloned().collect();
    let mut trials = hunt::run(project, &clean, &cases, shell)?;

    let mut left: Vec<&mut Trial> =
        trials.iter_mut().filter(|trial| !trial.fate.is_settled()).collect();
    if !left.is_empty() && !suite.left.is_empty() && !interrupt::requested() {
        let tests = counted(suite.left.len(), "longer test");
        shell.say(format_args!("{} are left to {tests}", counted(left.len(), "mutant")));
        let asked = clean.judges.len();
        clean = suite.run(None)?;
        let is_left = |case: &&Case| left.iter().any(|trial| is_same(&trial.mutant, &case.mutant));
        let mut cases: Vec<Case> = clean.cases.iter().filter(is_left).cloned().collect();
        for case in &mut cases {
            case.judges.retain(|judge| *judge >= asked);
        }
        for later in hunt::run(project, &clean, &cases, shell)? {
            if let Some(trial) = left.iter_mut().find(|trial| is_same(&trial.mutant, &later.mutant))
            {
                trial.fate = trial.fate.clone().and(later.fate);
            }
        }
    }
    Ok(Trials {
        mutants: clean.cases.len(),
        shard: options.shard,
        whole: options.only.is_none() && options.judge.is_none() && options.changed_since.is_none(),
        seconds: start.elapsed().as_secs_f64(),
        trials,
        ..Trials::default()
    })
}

/// Whether it is the same change. Longer tests may execute the operation with more orderings.
fn is_same(a: &Mutant, b: &Mutant) -> bool {
    a.key() == b.key()
}

/// Whether the mutant is of `place`, a file or a line of one.
fn is_at(mutant: &Mutant, place: &str) -> bool {
    mutant.file == place || format!("{}:{}", mutant.file, mutant.line) == place
}

#[cfg(test)]
mod tests {
    use selvedge_results::{Reach, samples};

    use super::*;

    #[test]
    fn a_place_is_a_file_or_a_line_of_one() {
        let mutant =
            samples::trial(12, "swap", "relaxed", Fate::NotCovered { reach: Reach::Never }).mutant;
        assert!(is_at(&mutant, "src/a.rs") && is_at(&mutant, "src/a.rs:12"));
        assert!(!is_at(&mutant, "src/a.rs:1") && !is_at(&mutant, "a.rs"));
    }
}
