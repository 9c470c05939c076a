//! Tests that may hold models, each run in a process of its own, and what their models say.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use selvedge_results::{FOLDER, OPTIONS, Record};
use wait_timeout::ChildExt as _;

use crate::exit::Exit;
use crate::model::name_of_test;
use crate::project::{Binary, LIB, Project};
use crate::{interrupt, libtest};

/// How often a running test is looked at.
const TICK: Duration = Duration::from_millis(200);

/// A test that may be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Test {
    /// The binary that it is in.
    pub binary: Binary,
    /// Its path in there.
    pub path: String,
}

/// A test, and the results of its models.
pub type Explored = (Test, Vec<Record>);

/// How a test ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It passed.
    Passed,
    /// It failed.
    Failed,
    /// It was ended by a signal of this number.
    Crashed(i32),
    /// It is not run unless it is asked for by name.
    Ignored,
    /// All the time that it had was up.
    TimedOut,
    /// It had shown no progress for too long.
    Silent,
    /// The user interrupted.
    Interrupted,
}

/// What came of a test.
#[derive(Debug)]
pub struct Answer {
    /// How it ended.
    pub end: End,
    /// Of its models, as far as they came to an end.
    pub records: Vec<Record>,
    /// What it printed.
    pub output: String,
}

/// How to run tests.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// What to set in their environment.
    pub variables: &'a [(&'a str, &'a str)],
    /// How long one may take.
    pub patience: Option<Duration>,
    /// How long one may show no progress.
    pub silence: Duration,
}

impl End {
    /// Of a process that ended by itself, and had printed this.
    fn of(status: ExitStatus, output: &str) -> Self {
        #[cfg(unix)]
        if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
            return Self::Crashed(signal);
        }
        match status.success() {
            true if libtest::ran(output) == 1 => Self::Passed,
            true => Self::Ignored,
            false => Self::Failed,
        }
    }
}

impl Test {
    /// `ring::push_pop`: the target, and the path in it.
    #[must_use]
    pub fn name(&self) -> String {
        name_of_test(&self.binary.target, &self.path)
    }

    /// The same with the name of its package: no other test of a workspace has it.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}/{}", self.binary.package, self.name())
    }

    /// Runs it and reads its results, which are left in `folder`: no other test writes there.
    ///
    /// # Errors
    ///
    /// If it cannot be run, or its results cannot be read.
    pub fn ask(&self, project: &Project, terms: Terms<'_>, folder: &Path) -> Result<Answer> {
        empty(folder)?;
        let printed = folder.with_extension("txt");
        let file = File::create(&printed)
            .with_context(|| format!("{} cannot be made", printed.display()))?;
        let mut child = self
            .command(project)
            .args(["--exact", &self.path])
            .envs(terms.variables.iter().copied())
            .env(FOLDER, folder)
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| format!("{} cannot be run", self.name()))?;
        let start = Instant::now();
        let mut last = (0, start);
        let end = loop {
            if let Some(status) = child.wait_timeout(TICK)? {
                let output = String::from_utf8_lossy(&fs::read(&printed)?).into_owned();
                break End::of(status, &output);
            }
            let size = size(&printed) + size(folder);
            if size != last.0 {
                last = (size, Instant::now());
            }
            let end = if interrupt::requested() {
                End::Interrupted
            } else if terms.patience.is_some_and(|patience| start.elapsed() > patience) {
                End::TimedOut
            } else if last.1.elapsed() > terms.silence {
                End::Silent
            } else {
                continue;
            };
            // It may have ended by itself.
            let _ = child.kill();
            child.wait()?;
            break end;
        };
        // An interrupt of the terminal ends tests too.
        let end = if interrupt::requested() && end != End::Passed { End::Interrupted } else { end };
        let read = self.read(folder);
        // A test that was ended, or crashed, may leave half a line.
        let whole = matches!(end, End::Passed | End::Failed | End::Ignored);
        let records = if whole { read? } else { read.unwrap_or_default() };
        let output = String::from_utf8_lossy(&fs::read(&printed)?).into_owned();
        Ok(Answer { end, records, output })
    }

    /// The test binary, as cargo would run it.
    pub(crate) fn command(&self, project: &Project) -> std::process::Command {
        let Binary { executable, folder, package, .. } = &self.binary;
        let mut command = project.child(executable);
        command
            .current_dir(folder)
            .env("CARGO_MANIFEST_DIR", folder)
            .env("CARGO_PKG_NAME", package)
            .env(OPTIONS, project.typed_options());
        command
    }

    /// The results in its folder, as those of this test.
    fn read(&self, folder: &Path) -> Result<Vec<Record>> {
        let mut records = read(folder)?;
        for record in &mut records {
            record.package.clone_from(&self.binary.package);
            record.binary.clone_from(&self.binary.target);
            // A model in a thread that the test starts itself does not know the test.
            if record.test != self.path {
                record.test = format!("{}::{}", self.path, record.test);
            }
        }
        Ok(records)
    }
}

/// The size of a file, or of all files in a folder.
pub(crate) fn size(path: &Path) -> u64 {
    let of = |path: &Path| fs::metadata(path).map_or(0, |data| data.len());
    match fs::read_dir(path) {
        Ok(entries) => entries.flatten().map(|entry| of(&entry.path())).sum(),
        Err(_) => of(path),
    }
}

/// The tests of binaries that have the checker in them, but for those that settings leave out.
///
/// # Errors
///
/// If a binary does not list its tests.
pub fn tests(project: &Project, binaries: &[Binary]) -> Result<Vec<Test>> {
    let mut tests = all_tests(project, binaries)?;
    tests.retain(|test| {
        let member = project.member(&test.binary.package);
        !member.is_some_and(|member| member.settings.skips(&test.name()))
    });
    Ok(tests)
}

/// All tests of binaries that have the checker in them. Others cannot have a model, and are not run.
///
/// # Errors
///
/// If one does not list its tests.
pub fn all_tests(project: &Project, binaries: &[Binary]) -> Result<Vec<Test>> {
    let mut tests = Vec::new();
    for binary in binaries {
        if !has_checker(&binary.executable)? {
            continue;
        }
        let of = Test { binary: binary.clone(), path: String::new() };
        let output = of
            .command(project)
            .args(["--list", "--format", "terse"])
            .output()
            .with_context(|| format!("{} cannot be run", binary.target))?;
        if !output.status.success() {
            return Err(Exit::Usage.because(format!(
                "the test target {} of {} does not list its tests as libtest does: if it has a harness of \
                 its own, leave it out with `tests = [\"…\"]` under [package.metadata.selvedge]",
                binary.target, binary.package
            )));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let paths = text.lines().filter_map(|line| line.strip_suffix(": test"));
        tests.extend(paths.map(|path| Test { path: path.to_owned(), ..of.clone() }));
    }
    Ok(tests)
}

/// Whether the checker is linked into an executable: it has the name of the variable that it reads.
fn has_checker(executable: &Path) -> Result<bool> {
    let bytes =
        fs::read(executable).with_context(|| format!("{} cannot be read", executable.display()))?;
    Ok(contains(&bytes, FOLDER.as_bytes()))
}

fn contains(bytes: &[u8], text: &[u8]) -> bool {
    // The first byte is looked for by itself: a window for each position takes seconds without optimisation.
    let mut rest = bytes;
    while let Some(position) = rest.iter().position(|byte| *byte == text[0]) {
        rest = &rest[position..];
        if rest.starts_with(text) {
            return true;
        }
        rest = &rest[1..];
    }
    false
}

/// Empties a folder, and makes it if need be.
///
/// # Errors
///
/// If that fails.
pub fn empty(folder: &Path) -> Result<()> {
    let empty = || {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        fs::create_dir_all(folder)
    };
    empty().with_context(|| format!("{} cannot be emptied", folder.display()))
}

/// All results in a folder.
fn read(folder: &Path) -> Result<Vec<Record>> {
    let mut records = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|kind| kind == "jsonl") {
            for line in fs::read_to_string(&path)?.lines() {
                records.push(parse(line, &path)?);
            }
        }
    }
    Ok(records)
}

/// A line of a file of results.
pub(crate) fn parse(line: &str, path: &Path) -> Result<Record> {
    Record::parse(line)
        .map_err(|error| Exit::Usage.because(format!("{} cannot be used: {error}", path.display())))
}

/// The results that a run of `cargo test` has left in a folder: those of the selected packages and test targets, with
/// the names of the targets, but for tests that settings leave out.
///
/// # Errors
///
/// If the folder cannot be read.
pub fn left(project: &Project, folder: &Path) -> Result<Vec<Record>> {
    let mut records =
        read(folder).with_context(|| format!("{} cannot be read", folder.display()))?;
    for record in &mut records {
        record.binary = target_of(project, record);
    }
    records.retain(|record| {
        project.member(&record.package).is_some_and(|member| {
            let name = name_of_test(&record.binary, &record.test);
            member.settings.has(&record.binary)
                && project.selects(&record.binary)
                && !member.settings.skips(&name)
        })
    });
    Ok(records)
}

/// The name of the test target that has left a record.
pub(crate) fn target_of(project: &Project, record: &Record) -> String {
    let stem = record.binary.rsplit_once('-').map_or(&*record.binary, |(name, _)| name);
    let is_lib = project.member(&record.package).is_some_and(|member| {
        let targets = &member.package.targets;
        !targets.iter().any(|target| target.name == stem && target.is_test())
            && targets.iter().any(|target| target.name.replace('-', "_") == stem)
    });
    if is_lib { LIB.to_owned() } else { stem.to_owned() }
}

/// Does the work on all items, so many at a time, until one fails or the user interrupts. What came of those that
/// were done is in their order; each worker has a folder of its own.
///
/// # Errors
///
/// The first that the work had.
pub fn each<T: Sync, R: Send>(
    project: &Project,
    items: &[T],
    work: impl Fn(&T, &Path) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let scratch = project.scratch()?;
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let worker = |folder: PathBuf| {
        let mut done = Vec::new();
        while !failed.load(Relaxed) && !interrupt::requested() {
            let position = next.fetch_add(1, Relaxed);
            let Some(item) = items.get(position) else { break };
            let result = work(item, &folder).inspect_err(|_| failed.store(true, Relaxed))?;
            done.push((position, result));
        }
        anyhow::Ok(done)
    };
    let mut done = thread::scope(|scope| {
        let folder = |number| scratch.join(format!("worker-{number}"));
        let worker = &worker;
        let start = |number| {
            let folder = folder(number);
            scope.spawn(move || worker(folder))
        };
        let workers: Vec<_> = (0..project.jobs().min(items.len())).map(start).collect();
        let mut done = Vec::new();
        for worker in workers {
            done.extend(worker.join().map_err(|_| anyhow!("a worker panicked"))??);
        }
        anyhow::Ok(done)
    })?;
    done.sort_by_key(|(position, _)| *position);
    Ok(done.into_iter().map(|(_, result)| result).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_among_bytes() {
        assert!(contains(b"xxSESELVx", b"SELV") && contains(b"SELV", b"SELV"));
        assert!(!contains(b"SEL", b"SELV") && !contains(b"", b"SELV"));
    }
}
