//! Tests run by cargo-nextest, where there is one: a process each, with the groups and limits of its own configuration.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use selvedge_results::{FOLDER, OPTIONS, Record};
use serde::Deserialize;

use crate::exit::Exit;
use crate::interrupt;
use crate::project::{Binary, LIB, Project};
use crate::suite::{self, Answer, End, Terms, Test};

/// How often is looked whether the user has interrupted.
const TICK: Duration = Duration::from_millis(200);

/// What nextest says of a test.
#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    #[serde(rename = "event")]
    what: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    stdout: String,
    /// How many seconds it took.
    #[serde(default)]
    exec_time: f64,
}

impl Event {
    /// How a test failed: by itself, or because all of them were stopped.
    fn failed(&self, stopped: Option<End>, silence: Duration) -> End {
        match stopped {
            Some(End::Silent) if self.exec_time >= silence.as_secs_f64() => End::Silent,
            Some(End::Interrupted) if self.stdout.is_empty() => End::Interrupted,
            _ => End::Failed,
        }
    }
}

/// Whether `cargo nextest` can be run.
pub(crate) fn is_there(project: &Project) -> bool {
    let mut command = project.cargo_alone(&["nextest", "--version"]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// What is told while tests run.
pub(crate) trait Watch {
    /// A test has started.
    fn starts(&mut self, test: &Test);
    /// A model has come to its end.
    fn found(&mut self, record: &Record) -> Result<()>;
    /// So many tests have ended.
    fn ended(&mut self, tests: usize);
}

/// Runs tests and returns what came of them. Those that were not run are left out.
pub(crate) fn run(
    project: &Project,
    tests: &[Test],
    terms: Terms<'_>,
    watch: &mut impl Watch,
) -> Result<Vec<(Test, Answer)>> {
    let folder = project.scratch()?.join("nextest");
    suite::empty(&folder)?;
    let (mut child, complaints) = start(project, tests, terms, &folder)?;
    let stdout = child.stdout.take().context("cargo nextest has no standard output")?;
    let (sender, lines) = channel();
    let reader = std::thread::spawn(move || {
        let lines = BufReader::new(stdout).lines().map_while(Result::ok);
        // The receiver is gone where the run was ended.
        lines.map_while(|line| sender.send(line).ok()).for_each(drop);
    });
    let by_name: HashMap<String, &Test> = tests.iter().map(|test| (name(test), test)).collect();
    let mut inbox = Inbox { folder, ..Inbox::default() };
    let mut ended: BTreeMap<String, (End, String)> = BTreeMap::new();
    let mut last = (0, Instant::now());
    let mut stopped = None;
    loop {
        let line = match lines.recv_timeout(TICK) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => break,
        };
        // Nextest tells of the tests of a binary when all of them have ended; the models tell of themselves.
        inbox.read(project, watch)?;
        watch.ended(inbox.tests.len().max(ended.len()));
        let size = suite::size(&inbox.folder);
        if line.is_some() || size != last.0 {
            last = (size, Instant::now());
        }
        if stopped.is_none() {
            let silent = last.1.elapsed() > terms.silence;
            stopped = if interrupt::requested() {
                Some(End::Interrupted)
            } else {
                silent.then_some(End::Silent)
            };
            if stopped.is_some() {
                // It ends its tests, and tells of all of them.
                end(&mut child);
            }
        }
        let event = line.and_then(|line| serde_json::from_str::<Event>(&line).ok());
        let Some(event) = event.filter(|event| event.kind == "test") else { continue };
        let end = match &*event.what {
            "started" => {
                by_name.get(&event.name).iter().for_each(|test| watch.starts(test));
                continue;
            }
            "ok" => End::Passed,
            "ignored" => End::Ignored,
            _ => event.failed(stopped, terms.silence),
        };
        ended.insert(event.name, (end, event.stdout));
    }
    let status = child.wait()?;
    let _ = reader.join();
    inbox.read(project, watch)?;
    if ended.is_empty() && !tests.is_empty() && !interrupt::requested() {
        let said = fs::read_to_string(complaints).unwrap_or_default();
        return Err(Exit::System.because(format!(
            "cargo nextest ran no test ({status}); --no-nextest does without it. It said:\n{}",
            said.trim()
        )));
    }
    let answers = ended.into_iter().filter_map(|(name, (end, output))| {
        let test = (*by_name.get(&name)?).clone();
        let records = inbox.take(&test);
        Some((test, Answer { end, records, output }))
    });
    Ok(answers.collect())
}

/// Starts nextest on these tests. What it complains of goes to a file.
fn start(
    project: &Project,
    tests: &[Test],
    terms: Terms<'_>,
    folder: &Path,
) -> Result<(Child, PathBuf)> {
    let complaints = folder.with_extension("txt");
    let mut command = project.cargo(&["nextest", "run", "--no-fail-fast"]);
    command.args(["--message-format", "libtest-json", "--message-format-version", "0.1"]);
    command.args(["--test-threads", &project.jobs().to_string()]);
    project.add_targets(&mut command, None)?;
    command.args(["--filterset", &filter(tests)]);
    let child = command
        .env("NEXTEST_EXPERIMENTAL_LIBTEST_JSON", "1")
        .env("NEXTEST_NO_INPUT_HANDLER", "1")
        .env("RUST_BACKTRACE", "0")
        .env(FOLDER, folder)
        .env(OPTIONS, project.typed_options())
        .envs(terms.variables.iter().copied())
        .stdout(Stdio::piped())
        .stderr(fs::File::create(&complaints)?)
        .spawn()
        .map_err(|error| Exit::System.because(format!("cargo nextest cannot be run: {error}")))?;
    Ok((child, complaints))
}

/// Ends nextest, and with it its tests.
fn end(child: &mut Child) {
    #[cfg(unix)]
    {
        let id = child.id().to_string();
        let kill = std::process::Command::new("kill").args(["-TERM", &id]).status();
        if kill.is_ok_and(|status| status.success()) {
            return;
        }
    }
    // It may have ended by itself.
    let _ = child.kill();
}

/// A test as nextest names it in its messages.
fn name(test: &Test) -> String {
    let binary = &test.binary;
    // The unit tests of a library have the name of its crate.
    let target = if binary.target == LIB { &binary.crate_name } else { &binary.target };
    format!("{}::{target}${}", binary.package, test.path)
}

/// These tests in the language of nextest.
fn filter(tests: &[Test]) -> String {
    let mut binaries: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for test in tests {
        let binary = (&*test.binary.package, &*test.binary.target);
        binaries.entry(binary).or_default().push(&test.path);
    }
    let of = |((package, target), paths): ((&str, &str), Vec<&str>)| {
        let binary =
            if target == LIB { "kind(lib)".to_owned() } else { format!("binary(={target})") };
        let paths: Vec<_> = paths.iter().map(|path| format!("test(={path})")).collect();
        format!("(package(={package}) & {binary} & ({}))", paths.join(" + "))
    };
    binaries.into_iter().map(of).collect::<Vec<_>>().join(" + ")
}

/// The results of tests that run beside each other, in one folder.
#[derive(Default)]
struct Inbox {
    folder: PathBuf,
    /// How much of each file was read.
    offsets: BTreeMap<PathBuf, u64>,
    /// What was read, by package and target and path.
    tests: HashMap<(String, String, String), Vec<Record>>,
}

impl Inbox {
    fn take(&mut self, test: &Test) -> Vec<Record> {
        let Binary { package, target, .. } = &test.binary;
        let key = (package.clone(), target.clone(), test.path.clone());
        self.tests.remove(&key).unwrap_or_default()
    }

    /// Reads what is new, up to the last whole line of each file.
    fn read(&mut self, project: &Project, watch: &mut impl Watch) -> Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            if path.extension().is_none_or(|kind| kind != "jsonl") {
                continue;
            }
            let offset = self.offsets.entry(path.clone()).or_default();
            if fs::metadata(&path)?.len() == *offset {
                continue;
            }
            let mut file = fs::File::open(&path)?;
            file.seek(SeekFrom::Start(*offset))?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
            *offset += whole as u64;
            for line in String::from_utf8_lossy(&bytes[..whole]).lines() {
                let mut record = suite::parse(line, &path)?;
                record.binary = suite::target_of(project, &record);
                watch.found(&record)?;
                let key = (record.package.clone(), record.binary.clone(), record.test.clone());
                self.tests.entry(key).or_default().push(record);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_named_and_filtered_as_nextest_has_them() {
        let test = |target: &str, path: &str| Test {
            binary: Binary {
                package: "ring-buffer".to_owned(),
                target: target.to_owned(),
                crate_name: "ring_buffer".to_owned(),
                executable: PathBuf::new(),
                folder: PathBuf::new(),
            },
            path: path.to_owned(),
        };
        let tests = [test("spsc", "a"), test("spsc", "m::b"), test(LIB, "tests::c")];
        let names =
            ["ring-buffer::spsc$a", "ring-buffer::spsc$m::b", "ring-buffer::ring_buffer$tests::c"];
        assert_eq!(tests.each_ref().map(name), names);
        assert_eq!(
            filter(&tests),
            "(package(=ring-buffer) & kind(lib) & (test(=tests::c))) + (package(=ring-buffer) & binary(=spsc) \
             & (test(=a) + test(=m::b)))"
        );
    }
}
