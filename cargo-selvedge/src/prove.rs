//! `cargo selvedge prove`: explores every model and compares what was found with the committed list.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result};
use indicatif::ProgressBar;
use selvedge_results::{Record, Run, SITES, TRACES, VERSION, advice};

use crate::exit::Exit;
use crate::options::{TimeOptions, shard};
use crate::project::{Member, Project};
use crate::shell::{Shell, counted, grouped};
use crate::suite::{self, Answer, End, Terms, Test};
use crate::{interrupt, model, nextest};

mod invisible;
pub mod list;
mod merge;

use list::List;
pub(crate) use merge::check_shards;
pub use merge::read;

/// What is asked of models that are explored for all commands.
pub const ALL_OF_IT: [(&str, &str); 2] = [(TRACES, "1"), (SITES, "1")];

/// What is asked for.
#[derive(Debug, Default, Clone, clap::Args)]
pub struct Options {
    /// Only tests whose name, `TARGET::PATH`, contains FILTER
    pub filter: Option<String>,
    /// Write the list of models after a full run that passes
    #[arg(long, conflicts_with_all = ["filter", "shard", "test"])]
    pub bless: bool,
    /// Fail if a model is bounded
    #[arg(long)]
    pub complete: bool,
    /// Run only part I of N, for several machines
    #[arg(long, value_name = "I/N", value_parser = shard)]
    pub shard: Option<(usize, usize)>,
    /// Run nothing: put together what the shards have left, in these files
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with_all = ["filter", "shard", "test"])]
    pub merge: Vec<PathBuf>,
    /// Run nothing: take the results that `cargo test` has left in this directory, with `SELVEDGE_RESULTS`,
    /// `SELVEDGE_TRACES` and `SELVEDGE_SITES` set
    #[arg(long, value_name = "DIRECTORY", conflicts_with_all = ["filter", "shard", "merge"])]
    pub from: Option<PathBuf>,
    /// Run the tests without cargo-nextest, even where it is installed
    #[arg(long)]
    pub no_nextest: bool,
    #[command(flatten)]
    pub time: TimeOptions,
}

/// What was proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proved {
    /// How many models.
    pub models: usize,
    /// How many executions they took.
    pub executions: u64,
}

/// The committed list of each selected package.
struct Lists<'a>(Vec<(&'a Member, Option<List>)>);

/// Runs the command.
///
/// # Errors
///
/// If a model fails, vanished or changed, if there is none, or if it cannot be run.
pub fn run(project: &Project, options: &Options, shell: Shell) -> Result<Proved> {
    // `ring::test#2`, as in the list, means the test.
    let filter = options.filter.as_deref();
    let filter = filter.map(|filter| filter.split_once('#').map_or(filter, |(test, _)| test));
    let lists = Lists::read(project, options.bless)?;
    let mut run = if !options.merge.is_empty() {
        merge::merge(&options.merge)?
    } else if let Some(folder) = &options.from {
        let models = suite::left(project, folder)?;
        Run { tests: models.len(), finished: true, models, ..Run::default() }
    } else {
        project.needs_checker()?;
        explore(project, options, filter, shell)?
    };
    if options.bless && (run.filter.is_some() || !run.targets.is_empty()) {
        return Err(Exit::Usage.because(
            "--bless writes the list of all models, and these shards were run with a filter or with --test",
        ));
    }
    run.version = VERSION;
    concat!("cargo-selvedge ", env!("CARGO_PKG_VERSION")).clone_into(&mut run.by);
    if options.merge.is_empty() {
        run.filter = filter.map(str::to_owned);
        run.targets.clone_from(project.asked_targets());
    }
    run.models.sort_by_key(|record| (record.package.clone(), model::name(record)));
    let file = project.scratch()?.join(match run.shard {
        Some((shard, count)) => format!("prove-{shard}-of-{count}.json"),
        None => "prove.json".to_owned(),
    });
    write(&run, &file)?;
    judge(project, options, &lists, &run, &file, shell)
}

/// Writes what a run has found.
fn write(run: &Run, file: &Path) -> Result<()> {
    let text = serde_json::to_string(run)? + "\n";
    fs::write(file, text).with_context(|| {
        format!(
            "{} cannot be written, and what was found is lost; make room there, or name another place with \
             --target-dir",
            file.display()
        )
    })
}

/// Builds the tests, and explores their models.
fn explore(
    project: &Project,
    options: &Options,
    filter: Option<&str>,
    shell: Shell,
) -> Result<Run> {
    let built = project.build(None)?;
    let all = suite::tests(project, &built.binaries)?;
    let before = all.len();
    let tests: Vec<Test> =
        all.into_iter().filter(|test| filter.is_none_or(|f| test.name().contains(f))).collect();
    if let (true, Some(filter)) = (tests.is_empty() && before > 0, filter) {
        return Err(Exit::Found.because(format!(
            "no test's name contains {filter:?}; names are TARGET::PATH, as `cargo selvedge prove` without a \
             filter prints them"
        )));
    }
    let count = tests.len();
    let (part, of) = options.shard.unwrap_or((1, 1));
    let tests: Vec<Test> = tests.into_iter().skip(part - 1).step_by(of).collect();
    // Without the build.
    let start = Instant::now();
    let answers = ask(project, options, &tests, shell)?;
    let mut run = Run { shard: options.shard, tests: count, ..Run::default() };
    let mut ignored = 0;
    for (test, answer) in answers {
        ignored += usize::from(answer.end == End::Ignored);
        if let Some(problem) = problem(&test.name(), &answer) {
            shell.say(answer.output.trim_end());
            // A model that failed is a problem of its own.
            if answer.end != End::Failed || answer.records.iter().all(Record::passed) {
                run.problems.push(problem);
            }
        }
        run.models.extend(answer.records);
    }
    if ignored > 0 {
        shell.say(format_args!("{} ignored: not run", counted(ignored, "test")));
    }
    run.finished = !interrupt::requested();
    run.seconds = start.elapsed().as_secs_f64();
    Ok(run)
}

/// Runs the tests, by nextest where there is one, and prints each model as its test ends.
fn ask(
    project: &Project,
    options: &Options,
    tests: &[Test],
    shell: Shell,
) -> Result<Vec<(Test, Answer)>> {
    let width =
        tests.iter().map(|test| if project.is_plural() { test.id() } else { test.name() }.len());
    let width = width.max().unwrap_or(0);
    let terms = Terms { variables: &ALL_OF_IT, patience: None, silence: options.time.silence() };
    let mut teller = Teller { project, shell, width, bar: shell.progress(tests.len(), "tests") };
    let mut answers = Vec::new();
    if !tests.is_empty() && !options.no_nextest && nextest::is_there(project) {
        answers = nextest::run(project, tests, terms, &mut teller)?;
    }
    // All of them, or what nextest could not come to.
    let left: Vec<Test> = {
        let done: HashSet<String> = answers.iter().map(|(test, _)| test.id()).collect();
        tests.iter().filter(|test| !done.contains(&test.id())).cloned().collect()
    };
    answers.extend(suite::each(project, &left, |test, folder| {
        teller.bar.set_message(test.name());
        let answer = test.ask(project, terms, folder)?;
        answer.records.iter().try_for_each(|record| teller.tell(record))?;
        teller.bar.inc(1);
        Ok((test.clone(), answer))
    })?);
    teller.bar.finish_and_clear();
    Ok(answers)
}

/// Prints models as they come to their end.
struct Teller<'a> {
    project: &'a Project,
    shell: Shell,
    width: usize,
    bar: ProgressBar,
}

impl Teller<'_> {
    fn tell(&self, record: &Record) -> Result<()> {
        let name = shown(self.project, record);
        self.bar.suspend(|| {
            self.shell.say(model::line(record, &name, self.width));
            self.shell.data(record)
        })
    }
}

impl nextest::Watch for Teller<'_> {
    fn starts(&mut self, test: &Test) {
        self.bar.set_message(test.name());
    }

    fn found(&mut self, record: &Record) -> Result<()> {
        self.tell(record)
    }

    fn ended(&mut self, tests: usize) {
        self.bar.set_position(tests as u64);
    }
}

/// What is wrong with how a test ended.
fn problem(name: &str, answer: &Answer) -> Option<String> {
    match answer.end {
        End::Passed | End::Ignored | End::Interrupted => None,
        End::Failed => Some(format!("{name} failed: its output is above")),
        End::Crashed(signal) => Some(format!(
            "{name} crashed (signal {signal}): what it printed is above; run it by itself, with `cargo selvedge prove \
             {name}`"
        )),
        End::TimedOut | End::Silent => Some(format!(
            "{name} hangs: it showed no progress for so long that it was ended{}. It blocks on something that the \
             checker cannot see, or it is a test without a model that takes long: give it more with --timeout, or \
             leave it out with `skip = [\"{name}\"]` under [package.metadata.selvedge]",
            last_progress(&answer.output).map(|line| format!(" ({line})")).unwrap_or_default()
        )),
    }
}

/// What the checker said last of a check that goes on: which thread runs, and where.
fn last_progress(output: &str) -> Option<&str> {
    output.lines().rfind(|line| line.contains(" so far") && line.ends_with(" s"))
}

/// The name of a model, with that of its package if there are several.
fn shown(project: &Project, record: &Record) -> String {
    let name = model::name(record);
    if project.is_plural() { format!("{}/{name}", record.package) } else { name }
}

/// Prints what was found, compares it with the lists, and says whether all is well.
fn judge(
    project: &Project,
    options: &Options,
    lists: &Lists<'_>,
    run: &Run,
    file: &Path,
    shell: Shell,
) -> Result<Proved> {
    let executions: u64 = run.models.iter().map(|record| record.executions).sum();
    let models = run.models.len();
    let bounded = run.models.iter().filter(|record| model::is_bounded(record)).count();
    let bounded = if bounded == 0 {
        String::new()
    } else {
        format!(", {bounded} bounded, which is no proof")
    };
    let (count, s) = (grouped(executions), if executions == 1 { "" } else { "s" });
    let total = format!("{}, {count} execution{s}{bounded}", counted(models, "model"));
    shell.say(format_args!("{total}, {:.1} s: {}", run.seconds, project.shown(file)));
    if run.models.iter().any(model::has_idle_turns) {
        shell.say(format_args!("{}.", advice::IDLE_TURNS));
    }
    let bounds = run.models.iter().filter_map(|record| record.bound.as_deref());
    for advice in bounds.filter_map(advice::on).collect::<BTreeSet<_>>() {
        shell.say(format_args!("bounded: {advice}"));
    }
    for line in invisible::lines(project, &run.models) {
        shell.say(format_args!("warning: {line}"));
    }
    let mut problems = run.problems.clone();
    problems
        .extend(run.models.iter().filter_map(|record| wrong(project, record, options.complete)));
    problems.extend(twice(project, &run.models));
    for problem in &problems {
        shell.say(format_args!("problem: {problem}"));
    }
    if !run.finished {
        return Err(Exit::Interrupted.because(format!(
            "interrupted: {total} were explored, and are kept in {}",
            project.shown(file)
        )));
    }
    let differences =
        if options.bless { Vec::new() } else { lists.differences(project, run, &problems) };
    for difference in &differences {
        shell.say(difference);
    }
    if !problems.is_empty() {
        let count = counted(problems.len(), "problem");
        return Err(Exit::Found.because(format!(
            "not every model is proved; as above: {count}; `cargo selvedge report --open` draws what was found"
        )));
    }
    if models == 0 && run.shard.is_none() {
        return Err(Exit::Found.because(
            "no model was run, and at least one has to be: a model is a test that makes a \
             selvedge_model::Model, or calls loom::model on selvedge-loom; `cargo selvedge init` writes a first one",
        ));
    }
    if !differences.is_empty() {
        return Err(Exit::Found.because(format!(
            "the models are not as the committed list has them; as above: {}; if that is meant: cargo selvedge \
             prove --bless",
            counted(differences.len(), "line")
        )));
    }
    if options.bless {
        lists.bless(project, run, shell)?;
    } else if lists.0.iter().all(|(_, list)| list.is_none()) {
        shell.say(
            "There is no list of models yet: `cargo selvedge prove --bless` writes it. With it, a model that vanishes \
             or is bounded from now on is noticed.",
        );
    }
    Ok(Proved { models, executions })
}

/// What is wrong with a model by itself.
fn wrong(project: &Project, record: &Record, complete: bool) -> Option<String> {
    let (name, at) = (shown(project, record), &record.at);
    if !record.passed() {
        Some(format!("{name} ({at}) failed"))
    } else if record.executions == 0 && !model::is_bounded(record) {
        Some(format!("{name} ({at}) passed without an execution"))
    } else if complete && model::is_bounded(record) {
        Some(format!("{name} ({at}) is {}, and --complete allows no bound", model::status(record)))
    } else {
        None
    }
}

/// Models of one name.
fn twice(project: &Project, models: &[Record]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let again = models.iter().filter(|record| !seen.insert(shown(project, record)));
    again
        .map(|record| format!("{} ({}) was run twice", shown(project, record), record.at))
        .collect()
}

impl<'a> Lists<'a> {
    /// Reads the lists. One that is to be written may be malformed.
    fn read(project: &'a Project, bless: bool) -> Result<Self> {
        let read = |member: &'a Member| {
            let list = List::read(&member.settings.list());
            Ok((member, if bless { list.unwrap_or_default() } else { list? }))
        };
        project.packages.iter().map(read).collect::<Result<_>>().map(Self)
    }

    /// In what the run differs from the lists that there are, as far as it was to run their models. A model is not
    /// missing if a problem of its test may be why it was not reached.
    fn differences(&self, project: &Project, run: &Run, problems: &[String]) -> Vec<String> {
        let mut lines = Vec::new();
        let failed: HashSet<&str> = problems.iter().map(|problem| test_in(problem)).collect();
        for (member, list) in &self.0 {
            let Some(list) = list else { continue };
            let selects =
                |target: &str| run.targets.is_empty() || run.targets.iter().any(|t| t == target);
            let listed = list.clone().matching(run.filter.as_deref(), selects);
            let differences = listed.differences(&found(member, run));
            // What is missing may be in another shard.
            let here = |line: &String| match line.strip_prefix("missing: ") {
                Some(name) => run.shard.is_none() && !failed.contains(test_in(name)),
                None => true,
            };
            let package = if project.is_plural() {
                format!("{}: ", member.package.name)
            } else {
                String::new()
            };
            lines.extend(
                differences.into_iter().filter(here).map(|line| format!("{package}{line}")),
            );
        }
        lines
    }

    /// Writes the lists. A package without models gets none.
    fn bless(&self, project: &Project, run: &Run, shell: Shell) -> Result<()> {
        for (member, list) in &self.0 {
            let (found, path) = (found(member, run), member.settings.list());
            if found.names().next().is_none() && list.is_none() {
                continue;
            }
            let differences = list.clone().unwrap_or_default().differences(&found).len();
            fs::write(&path, found.to_string())
                .with_context(|| format!("{} cannot be written", path.display()))?;
            let lines = counted(differences, "line");
            shell.say(format_args!("{} is written; {lines} changed", project.shown(&path)));
        }
        Ok(())
    }
}

/// The test of a line that begins with the name of a model, or of a test.
fn test_in(line: &str) -> &str {
    let name = line.split(' ').next().unwrap_or(line);
    let name = name.rsplit('/').next().unwrap_or(name);
    name.split('#').next().unwrap_or(name)
}

/// The models of a package, as a list.
fn found(member: &Member, run: &Run) -> List {
    let mut list = List::default();
    for record in run.models.iter().filter(|record| record.package == *member.package.name) {
        list.insert(&model::name(record), &model::status(record));
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_that_hangs_is_told_with_its_last_progress() {
        let output = "\
t: 1 execution so far, about 50.0 % of all, 2 s
t: 1 execution so far, about 50.0 % of all; bob runs, its last operation is at tests/t.rs:7, 4 s
";
        let of = |output: &str| {
            let output = output.to_owned();
            problem("a::t", &Answer { end: End::Silent, records: Vec::new(), output })
        };
        let told = of(output).expect("a problem");
        let last = "ended (t: 1 execution so far, about 50.0 % of all; bob runs, its last operation is at tests/t.rs:7, 4 s).";
        assert!(told.contains(last), "{told}");
        let told = of("running 1 test\n").expect("a problem");
        assert!(told.contains("that it was ended. It blocks on"), "{told}");
    }
}
