//! `cargo lab confidence`: every way of testing on every bug, and what each sees of it.
//!
//! The bugs are the specimens of `lab/confidence`, which is built once in each configuration. A cell is
//! a process of its own, so that what crashes or hangs takes nothing else along. It measures, and is
//! no step of the gate; `--smoke` is one tiny round of it.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;
use serde_json::json;
use wait_timeout::ChildExt as _;

use crate::cargo::{Config, Workspace};
use crate::tally::Tally;

mod interval;
mod method;
mod mutants;
mod page;
mod row;

use ::confidence::measured::{Kind, Measured};
use method::{METHODS, Method, Way, blind};
use mutants::{MUTANTS, Mutant, ONLY_THE_HARNESS};
use page::{NIGHTLY, NO_NIGHTLY, NO_VALGRIND, version};
use row::{Row, Verdict};

/// What a build of the specimens says of itself.
#[derive(Deserialize)]
struct Listing {
    methods: Vec<String>,
    specimens: Vec<Specimen>,
}

/// A bug, or a control.
#[derive(Deserialize)]
struct Specimen {
    name: String,
    kind: Kind,
    control: Option<String>,
}

/// The builds, and where they are.
struct Lab<'a> {
    workspace: &'a Workspace,
    /// The most seconds that a cell may take.
    seconds: u64,
    /// The target triple of the sanitizer, which no build script must be built with.
    host: String,
}

/// What a process left.
struct Ended {
    text: String,
    /// Whether it was killed when its time was over.
    killed: bool,
    seconds: f64,
}

/// Runs it all, writes `confidence.json`, and with `bless` the tables of the page.
pub(crate) fn run(
    workspace: &Workspace,
    bless: bool,
    seconds: u64,
    filter: Option<&str>,
) -> Result<Tally> {
    let start = Instant::now();
    let lab = Lab::new(workspace, seconds)?;
    let mut missing = Vec::new();
    for config in
        [Config::Plain, Config::Loom, Config::PlainLoom, Config::Shuttle, Config::ThreadSanitizer]
    {
        if config == Config::ThreadSanitizer && version("rustup", &NIGHTLY).is_none() {
            missing.push((config, NO_NIGHTLY));
        } else {
            lab.build(config)?;
        }
    }
    let valgrind = version("valgrind", &[]).is_some();
    let listing = lab.list(Config::Plain)?;
    let bugs: Vec<&Specimen> = listing
        .specimens
        .iter()
        .filter(|one| one.kind != Kind::Sound)
        .filter(|one| filter.is_none_or(|filter| one.name.contains(filter)))
        .collect();
    let mut rows = Vec::new();
    for bug in bugs {
        println!("{}", bug.name);
        for method in &METHODS {
            let known = (bug.name.as_str(), bug.kind);
            let tool = match method.way {
                Way::Detects { tool: [_, ..], .. } if !valgrind => Some(NO_VALGRIND),
                _ => {
                    missing.iter().find(|(config, _)| *config == method.config).map(|(_, why)| *why)
                }
            };
            let row = match tool {
                Some(why) => Row::without(known, method, Verdict::Missing, why),
                None => lab.cell(bug, method)?,
            };
            println!("  {:22}{}", method.title, row.text());
            rows.push(row);
        }
    }
    for mutant in MUTANTS.iter().filter(|one| filter.is_none_or(|it| one.name.contains(it))) {
        println!("{}", mutant.name);
        for method in &METHODS {
            let row = lab.mutant(mutant, method)?;
            if row.verdict != Verdict::NotTried {
                println!("  {:22}{}", method.title, row.text());
            }
            rows.push(row);
        }
    }
    ensure!(!rows.is_empty(), "no bug has {:?} in its name", filter.unwrap_or_default());
    let machine = page::Machine::this();
    let minutes = start.elapsed().as_secs().div_ceil(60);
    let methods: Vec<_> =
        METHODS.iter().map(|one| json!({ "id": one.id, "title": one.title })).collect();
    let value = json!({
        "machine": machine, "seconds_a_cell": seconds, "methods": methods, "rows": rows,
    });
    let path = workspace.scratch().join("confidence.json");
    fs::write(&path, serde_json::to_string_pretty(&value)? + "\n")
        .context("confidence.json cannot be written")?;
    let tables = page::tables(&machine, seconds, minutes, &rows);
    println!("\n{tables}");
    if bless {
        page::rewrite(&workspace.root, &tables)?;
    }
    let mut tally = Tally::default();
    for method in &METHODS {
        let without =
            rows.iter().find(|row| row.method == method.id && row.verdict == Verdict::Missing);
        if let Some(why) = without.and_then(|row| row.reason.as_deref()) {
            tally.skip(&format!("{}: {why}", method.title));
        }
    }
    tally.passed(&format!("{} cells are in {}", rows.len(), page::shown(workspace, &path)));
    Ok(tally)
}

/// One bug, one tiny round of each method that needs no tool and is built by the gate anyway.
pub(crate) fn smoke(workspace: &Workspace) -> Result<Tally> {
    let mut tally = Tally::default();
    let lab = Lab::new(workspace, 1)?;
    for config in [Config::Plain, Config::Loom] {
        lab.build(config)?;
        let listing = lab.list(config)?;
        for method in METHODS.iter().filter(|one| one.config == config && one.tool().is_none()) {
            ensure!(listing.methods.iter().any(|name| name == method.name), "no {}", method.name);
            for bug in &listing.specimens {
                let ended = lab.process(method, &bug.name, 1, &[])?;
                let measured = ended.measured(method).with_context(|| bug.name.clone())?;
                ensure!(measured.rounds > 0, "{} of {} made no round", method.name, bug.name);
                let sound = bug.kind == Kind::Sound;
                let wrong = measured.wrong > 0;
                // Of real threads it cannot be said that they see a bug, but that a control is sound.
                let as_it_should = if sound { !wrong } else { wrong || config == Config::Plain };
                ensure!(as_it_should, "{} says of {}: {measured:?}", method.name, bug.name);
            }
        }
        tally.passed(&format!("the specimens run, configuration: {}", config.name()));
    }
    Ok(tally)
}

impl<'a> Lab<'a> {
    fn new(workspace: &'a Workspace, seconds: u64) -> Result<Self> {
        let output = Command::new("rustc").arg("-vV").output().context("rustc does not start")?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let host = text.lines().find_map(|line| line.strip_prefix("host: "));
        let host = host.context("rustc -vV names no host")?.to_owned();
        fs::create_dir_all(workspace.scratch()).context("the scratch folder cannot be made")?;
        Ok(Self { workspace, seconds, host })
    }

    /// Explorers are optimised; what runs on real threads is as `cargo test` builds it.
    fn build(&self, config: Config) -> Result<()> {
        let mut args = vec!["build", "--package", "confidence"];
        match config {
            Config::Plain => {}
            Config::ThreadSanitizer => args.extend(["--target", &self.host]),
            _ => args.push("--release"),
        }
        self.workspace.run(self.workspace.cargo(config, &args))
    }

    fn binary(&self, config: Config) -> PathBuf {
        let target = self.workspace.target_of(config);
        let folder = match config {
            Config::Plain => target.join("debug"),
            Config::ThreadSanitizer => target.join(&self.host).join("debug"),
            _ => target.join("release"),
        };
        folder.join("confidence")
    }

    fn list(&self, config: Config) -> Result<Listing> {
        let output = Command::new(self.binary(config)).output().context("no specimens")?;
        serde_json::from_slice(&output.stdout).context("the specimens list nothing")
    }

    /// A bug by a method, and where there is something to report, its control too.
    fn cell(&self, bug: &Specimen, method: &Method) -> Result<Row> {
        let known = (bug.name.as_str(), bug.kind);
        let measured = match self.measure(method, &bug.name) {
            Ok(measured) => measured,
            Err(error) => {
                let why = format!("{error:#}");
                return Ok(Row::without(known, method, Verdict::NotTried, &why));
            }
        };
        let control = bug.control.as_ref().filter(|_| measured.wrong > 0);
        let control = match control.map(|control| self.measure(method, control)).transpose() {
            Ok(control) => control,
            Err(error) => {
                let why = format!("of the sound type {error:#}");
                return Ok(Row::without(known, method, Verdict::NotTried, &why));
            }
        };
        Row::of(known, method, blind(method, bug.kind), measured, control.as_ref())
    }

    fn measure(&self, method: &Method, specimen: &str) -> Result<Measured> {
        let Way::Detects { report, .. } = method.way else {
            return self.process(method, specimen, method.rounds, &[])?.measured(method);
        };
        let start = Instant::now();
        let mut sum = Measured::default();
        while sum.rounds < method.rounds && start.elapsed().as_secs() < self.seconds {
            let ended = self.process(method, specimen, 1, &[])?;
            sum.rounds += 1;
            if is_reported(&ended.text, report) {
                sum.wrong += 1;
                sum.first.get_or_insert(sum.rounds);
                sum.seconds.get_or_insert(start.elapsed().as_secs_f64());
            }
        }
        Ok(sum)
    }

    /// A mutant, by the harness; the others are not tried.
    fn mutant(&self, mutant: &Mutant, method: &Method) -> Result<Row> {
        let known = (mutant.name, Kind::Mutant);
        if method.config != Config::Loom {
            return Ok(Row::without(known, method, Verdict::NotTried, ONLY_THE_HARNESS));
        }
        let folder = self.workspace.scratch().join("sites");
        if folder.exists() {
            fs::remove_dir_all(&folder).context("the last sites cannot be removed")?;
        }
        let results = [("SELVEDGE_SITES", "1"), ("SELVEDGE_RESULTS", &folder.to_string_lossy())];
        let unchanged = self.process(method, mutant.specimen, 1, &results)?.measured(method)?;
        ensure!(unchanged.wrong == 0, "{} goes wrong unchanged", mutant.specimen);
        let change = mutant.named_by(&folder)?;
        let changed = [("SELVEDGE_MUTANT", change.as_str())];
        let measured = self.process(method, mutant.specimen, 1, &changed)?.measured(method)?;
        Row::of(known, method, None, measured, None)
    }

    /// Runs a specimen, under the method's tool, and waits for it no longer than it may take.
    fn process(
        &self,
        method: &Method,
        specimen: &str,
        rounds: u64,
        environment: &[(&str, &str)],
    ) -> Result<Ended> {
        let binary = self.binary(method.config);
        let mut command = match method.tool() {
            None => self.workspace.child(method.config, &binary),
            Some(tool) => {
                let mut command = self.workspace.child(method.config, tool[0]);
                command.args(&tool[1..]).arg(&binary);
                command
            }
        };
        let path = self.workspace.scratch().join("specimen.txt");
        let file = File::create(&path).context("specimen.txt cannot be made")?;
        command
            .args([specimen, method.name, "--rounds", &rounds.to_string()])
            .args(["--seconds", &self.seconds.to_string()])
            .envs(environment.iter().copied())
            .stdout(file.try_clone()?)
            .stderr(file);
        let start = Instant::now();
        let mut child = command.spawn().context("a specimen does not start")?;
        // A round that has begun, and a hang that is being recognised, may take a little longer.
        let killed = child.wait_timeout(Duration::from_secs(self.seconds + 5))?.is_none();
        if killed {
            child.kill()?;
            child.wait()?;
        }
        let text = String::from_utf8_lossy(&fs::read(&path)?).into_owned();
        Ok(Ended { text, killed, seconds: start.elapsed().as_secs_f64() })
    }
}

impl Ended {
    /// What the process says. If it says nothing because its only round does not end, that is what
    /// went wrong.
    fn measured(&self, method: &Method) -> Result<Measured> {
        if let Some(line) = self.text.lines().rev().find_map(|line| serde_json::from_str(line).ok())
        {
            return Ok(line);
        }
        match (self.killed, method.way, method.rounds) {
            (false, ..) => {
                bail!("no verdict: {}", self.text.lines().last().unwrap_or("nothing said"))
            }
            (true, Way::Rounds, 1) => Ok(Measured {
                wrong: 1,
                rounds: 1,
                first: Some(1),
                seconds: Some(self.seconds),
                complete: false,
                ended_by: Some("a round that did not end".to_owned()),
                hangs: true,
            }),
            (true, ..) => bail!("no verdict in time"),
        }
    }
}

/// What a specimen does, in names of functions.
const OWN: [&str; 7] = [
    "selvedge::",
    "specimens::",
    "field::",
    "confidence::variants::",
    "confidence::pages::",
    "confidence::reported::",
    "confidence::sound::",
];
/// What the round and `std` do.
const OTHERS: [&str; 6] = [
    "std::thread::",
    "std::sys::",
    "std::sync::",
    "alloc::sync::",
    "confidence::specimen::",
    "confidence::usual::",
];

/// Whether a detector reports something that the library or a specimen does. What is reported of
/// `std`'s threads, futexes, channels and `Arc`s, which is much, is nobody's finding: `std` is not instrumented,
/// valgrind knows no futex, and neither knows the fence before an `Arc` is freed. Nor is what the round
/// does to keep what its threads return.
fn is_reported(text: &str, report: &str) -> bool {
    // The first stack ends at an empty line, before which valgrind puts `==1234== `.
    let more = |line: &&str| {
        let line = line.trim_start_matches(|c: char| c == '=' || c.is_ascii_digit());
        !line.trim().is_empty()
    };
    // A generic function names its types, which are others' than its own: the first name counts.
    let owner = |line: &str| {
        let known = OWN.into_iter().chain(OTHERS);
        known.filter_map(|name| Some((line.find(name)?, name))).min().map(|(_, name)| name)
    };
    text.split(report).skip(1).any(|rest| {
        let first = rest.lines().take_while(more).find_map(owner);
        first.is_some_and(|owner| OWN.contains(&owner))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(id: &str, text: &str, killed: bool) -> Result<Measured> {
        let method = METHODS.iter().find(|method| method.id == id).expect("a method");
        Ended { text: text.to_owned(), killed, seconds: 8.0 }.measured(method)
    }

    #[test]
    fn a_line_is_found_among_noise() {
        let line = Measured { wrong: 1, rounds: 2, first: Some(2), ..<_>::default() };
        let text = format!("WARNING: something\n{}\n", serde_json::to_string(&line).expect("JSON"));
        assert_eq!(ended("harness", &text, false).expect("a line"), line);
    }

    #[test]
    fn silence_is_no_verdict() {
        for id in ["loom", "loop-1000"] {
            let error = ended(id, "", true).expect_err("it was killed");
            assert_eq!(error.to_string(), "no verdict in time");
        }
        let error = ended("loom", "a limit of loom's\n", false).expect_err("it gave up");
        assert_eq!(error.to_string(), "no verdict: a limit of loom's");
    }

    #[test]
    fn a_unit_test_that_hangs_has_found_something() {
        let measured = ended("unit", "", true).expect("it was killed");
        assert!(measured.hangs && measured.wrong == 1 && measured.rounds == 1);
        let error = ended("unit", "", false).expect_err("it crashed");
        assert_eq!(error.to_string(), "no verdict: nothing said");
    }

    #[test]
    fn a_report_counts_if_its_first_stack_is_the_librarys() {
        let first =
            "==7== Possible data race during write\n==7==    at 0x1: specimens::racy::add\n";
        let second =
            "==7==    at 0x1: std::thread\n==7== \n==7==    by 0x2: specimens::racy::add\n";
        assert!(is_reported(first, "Possible data race"));
        assert!(!is_reported(&format!("Possible data race\n{second}"), "Possible data race"));
        assert!(!is_reported(first, "Conflicting "));
        let std = first.replace("specimens", "std::thread::drop\n==7==    by 0x1: specimens");
        assert!(!is_reported(&std, "Possible data race"));
        let channel =
            first.replace("specimens", "<std::sync::mpmc::List>::recv\n==7==  by 0x1: specimens");
        assert!(!is_reported(&channel, "Possible data race"));
        let variant =
            first.replace("specimens::racy::add", "<confidence::pages::jobs::Jobs>::next");
        assert!(is_reported(&variant, "Possible data race"));
        let generic = "<confidence::specimen::Case<confidence::pages::jobs::Jobs>>::run";
        let round = first.replace("specimens::racy::add", generic);
        assert!(!is_reported(&round, "Possible data race"));
    }
}
