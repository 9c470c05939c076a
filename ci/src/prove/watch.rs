//! Runs the pages and shows each model as it ends.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use anyhow::{Context as _, Result};
use indicatif::{ProgressBar, ProgressStyle};

use super::list::List;
use super::record::Record;
use crate::binaries::Binary;
use crate::cargo::{Config, Workspace};
use crate::libtest;

/// How often to look for results.
const PAUSE: Duration = Duration::from_millis(20);

/// The pages as they run: a progress bar on a terminal, and lines in any case.
pub(crate) struct Watch<'a> {
    workspace: &'a Workspace,
    filter: Option<&'a str>,
    bar: ProgressBar,
    /// For the names of models.
    width: usize,
    results: Results,
    records: Vec<Record>,
}

impl<'a> Watch<'a> {
    /// Of those tests that match, with the committed list as a forecast.
    pub(crate) fn new(
        workspace: &'a Workspace,
        filter: Option<&'a str>,
        committed: &List,
    ) -> Result<Self> {
        let results = Results::new(workspace)?;
        // It hides itself where standard error is no terminal.
        let bar = ProgressBar::new(committed.len() as u64);
        bar.set_style(ProgressStyle::with_template(
            "{bar:30} {pos} of {len} models, {elapsed}, {msg}",
        )?);
        bar.enable_steady_tick(Duration::from_millis(100));
        let width = committed.width();
        Ok(Self { workspace, filter, bar, width, results, records: Vec::new() })
    }

    /// Runs a page's tests, or those that match, and returns what went wrong.
    pub(crate) fn run(&mut self, page: &Binary) -> Result<Vec<String>> {
        let name = &page.name;
        let all = page.tests(self.workspace)?;
        if all.is_empty() {
            return Ok(vec![format!("the page {name} has no test")]);
        }
        let matches = |test: &&String| {
            self.filter.is_none_or(|filter| format!("{name}::{test}").contains(filter))
        };
        let tests: Vec<&String> = all.iter().filter(matches).collect();
        if tests.is_empty() {
            return Ok(Vec::new());
        }

        let mut command = self.workspace.child(Config::Loom, &page.executable);
        // Two at once are slower: each execution maps its stacks anew, and threads of one process wait
        // for each other to do that.
        command.arg("--test-threads=1");
        if tests.len() < all.len() {
            command.arg("--exact").args(&tests);
        }
        command.env("SELVEDGE_RESULTS", &self.results.folder).env("SELVEDGE_TRACES", "1");
        self.bar.set_message(name.clone());
        self.bar.suspend(|| self.workspace.announce(&command));
        let before = self.records.len();
        let (status, output) = self.follow(command, page)?;

        let mut problems = Vec::new();
        if !status.success() {
            self.bar.suspend(|| println!("{output}"));
            problems.push(format!("the page {name} failed, {status}: its output is above"));
        }
        let ran = libtest::ran(&output);
        if ran < tests.len() as u64 {
            problems.push(format!("the page {name} ran {ran} of its {} tests", tests.len()));
        }
        if self.records.len() == before {
            problems.push(format!("the page {name} ran no model; tests that ran: {ran}"));
        }
        Ok(problems)
    }

    /// Removes the bar and returns all results.
    pub(crate) fn end(self) -> Vec<Record> {
        self.bar.finish_and_clear();
        self.records
    }

    /// Runs the command to its end, shows each model, and returns all that was printed.
    fn follow(&mut self, mut command: Command, page: &Binary) -> Result<(ExitStatus, String)> {
        // A file, so that neither stream has to be drained while we look at the results.
        let path = self.results.logs.join(format!("{}.txt", page.name));
        let log = File::create(&path)?;
        let mut child = command.stdout(log.try_clone()?).stderr(log).spawn()?;
        let status = loop {
            let status = child.try_wait()?;
            match self.results.read(status.is_some()) {
                Ok(records) => records.into_iter().for_each(|record| self.add(record)),
                Err(error) => {
                    // It may have ended by itself.
                    let _ = child.kill();
                    child.wait()?;
                    return Err(error);
                }
            }
            match status {
                Some(status) => break status,
                None => std::thread::sleep(PAUSE),
            }
        };
        Ok((status, String::from_utf8_lossy(&fs::read(path)?).into_owned()))
    }

    fn add(&mut self, record: Record) {
        self.bar.suspend(|| println!("{}", record.line(self.width)));
        self.records.push(record);
        self.bar.set_length(self.bar.length().unwrap_or(0).max(self.records.len() as u64));
        self.bar.inc(1);
    }
}

/// The files that models append to.
struct Results {
    folder: PathBuf,
    /// Beside it, for what the pages print.
    logs: PathBuf,
    /// How much of each file was read.
    read: HashMap<PathBuf, u64>,
}

impl Results {
    /// In folders that are emptied.
    fn new(workspace: &Workspace) -> Result<Self> {
        let [folder, logs] = ["results", "logs"].map(|name| workspace.scratch().join(name));
        for folder in [&folder, &logs] {
            let empty = || {
                if folder.exists() {
                    fs::remove_dir_all(folder)?;
                }
                fs::create_dir_all(folder)
            };
            empty().with_context(|| format!("{} cannot be emptied", folder.display()))?;
        }
        Ok(Self { folder, logs, read: HashMap::new() })
    }

    /// The results that were written since the last call. Once the page has `ended`, a line
    /// without its end is an error.
    fn read(&mut self, ended: bool) -> Result<Vec<Record>> {
        let mut records = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            let mut file = File::open(&path)?;
            let start = self.read.entry(path).or_default();
            file.seek(SeekFrom::Start(*start))?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            let newline = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            bytes.truncate(if ended { bytes.len() } else { newline });
            *start += bytes.len() as u64;
            let text = String::from_utf8_lossy(&bytes);
            for line in text.lines() {
                records.push(Record::parse(line)?);
            }
        }
        Ok(records)
    }
}
