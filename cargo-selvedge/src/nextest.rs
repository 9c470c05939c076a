//! Tests run by cargo-nextest, where there is one: a process each, with the groups and limits of its own configuration.

use std::collections::{BTreeMap, BTreeSet, HashMap};
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
use crate::project::{LIB, Project};
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
}

/// Whether `cargo nextest` can be run.
pub(crate) fn is_there(project: &Project) -> bool {
    let mut command = project.cargo_alone(&["nextest", "--version"]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Runs tests, tells of each as it starts and as it ends, and returns what came of them. Those that were not run are
/// left out.
pub(crate) fn run(
    project: &Project,
    tests: &[Test],
    terms: Terms<'_>,
    mut starts: impl FnMut(&Test),
    mut ends: impl FnMut(&Answer) -> Result<()>,
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
    let mut running: BTreeSet<String> = BTreeSet::new();
    let mut inbox = Inbox { folder, offsets: BTreeMap::new(), waiting: HashMap::new() };
    let mut done = Vec::new();
    let mut last = (0, Instant::now());
    loop {
        let line = match lines.recv_timeout(TICK) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => break,
        };
        let size = suite::size(&inbox.folder);
        if line.is_some() || size != last.0 {
            last = (size, Instant::now());
        }
        let silent = last.1.elapsed() > terms.silence;
        if interrupt::requested() || silent {
            end(&mut child);
            for test in running.iter().filter_map(|name| by_name.get(name)) {
                let end = if silent { End::Silent } else { End::Interrupted };
                let answer =
                    Answer { end, records: inbox.take(project, test)?, output: String::new() };
                ends(&answer)?;
                done.push(((*test).clone(), answer));
            }
            break;
        }
        let event = line.and_then(|line| serde_json::from_str::<Event>(&line).ok());
        let Some(event) = event.filter(|event| event.kind == "test") else { continue };
        let Some(test) = by_name.get(&event.name) else { continue };
        let end = match &*event.what {
            "started" => {
                starts(test);
                running.insert(event.name);
                continue;
            }
            "ok" => End::Passed,
            "ignored" => End::Ignored,
            _ => End::Failed,
        };
        running.remove(&event.name);
        let answer = Answer { end, records: inbox.take(project, test)?, output: event.stdout };
        ends(&answer)?;
        done.push(((*test).clone(), answer));
    }
    let status = child.wait()?;
    let _ = reader.join();
    if done.is_empty() && !tests.is_empty() && !interrupt::requested() {
        let said = fs::read_to_string(complaints).unwrap_or_default();
        return Err(Exit::System.because(format!(
            "cargo nextest ran no test ({status}); --no-nextest does without it. It said:\n{}",
            said.trim()
        )));
    }
    Ok(done)
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
struct Inbox {
    folder: PathBuf,
    /// How much of each file was read.
    offsets: BTreeMap<PathBuf, u64>,
    /// What was read and not asked for yet, by package and target and path.
    waiting: HashMap<(String, String, String), Vec<Record>>,
}

impl Inbox {
    /// The results of a test that has ended.
    fn take(&mut self, project: &Project, test: &Test) -> Result<Vec<Record>> {
        self.read(project)?;
        let key = (test.binary.package.clone(), test.binary.target.clone(), test.path.clone());
        Ok(self.waiting.remove(&key).unwrap_or_default())
    }

    /// Reads what is new, up to the last whole line.
    fn read(&mut self, project: &Project) -> Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            if path.extension().is_none_or(|kind| kind != "jsonl") {
                continue;
            }
            let offset = self.offsets.entry(path.clone()).or_default();
            let mut file = fs::File::open(&path)?;
            file.seek(SeekFrom::Start(*offset))?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
            *offset += whole as u64;
            for line in String::from_utf8_lossy(&bytes[..whole]).lines() {
                let mut record = suite::parse(line, &path)?;
                record.binary = suite::target_of(project, &record);
                let key = (record.package.clone(), record.binary.clone(), record.test.clone());
                self.waiting.entry(key).or_default().push(record);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::Binary;

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
