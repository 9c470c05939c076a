//! The command, as its users run it: on crates of others, and where something is wrong.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

mod bad_input;
mod help;
mod mutants;
mod walks;

/// One walk at a time: they share what cargo has built.
static TURN: Mutex<()> = Mutex::new(());

/// A crate that the command is tried on.
struct Crate {
    folder: PathBuf,
    target: PathBuf,
    /// What is set in the environment.
    variables: Vec<(&'static str, &'static str)>,
    _turn: MutexGuard<'static, ()>,
}

/// How the command ended.
struct Ended {
    code: Option<i32>,
    text: String,
    /// Without what goes to standard error.
    stdout: String,
}

impl Crate {
    /// A copy of the fixture in `tests/walks/<fixture>`.
    fn of(fixture: &str, name: &str) -> Self {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let scratch = Path::new(env!("CARGO_TARGET_TMPDIR")).join("walks");
        let folder = scratch.join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder).expect("it is ours");
        }
        let this =
            Self { folder, target: scratch.join("target"), variables: Vec::new(), _turn: turn };
        this.add(fixture);
        // The same versions as here. Cargo removes what is not needed.
        let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock");
        fs::copy(lock, this.folder.join("Cargo.lock")).expect("it can be written");
        let left = this.target.join("selvedge");
        if left.exists() {
            fs::remove_dir_all(left).expect("it is ours");
        }
        this
    }

    /// Puts the files of another fixture over those that are there.
    fn add(&self, fixture: &str) {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/walks").join(fixture);
        copy(&from, &self.folder);
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.join(file)
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.path(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.path(file), text).expect("it can be written");
    }

    /// What the command has left.
    fn left(&self, file: &str) -> PathBuf {
        self.target.join("selvedge").join(file)
    }

    fn command(&self, words: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-selvedge"));
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("SELVEDGE_") || text.starts_with("CARGO_") || text == "RUSTFLAGS" {
                command.env_remove(&name);
            }
        }
        command
            .arg("selvedge")
            .args(words.split_whitespace())
            .current_dir(&self.folder)
            // As `--target-dir`, which the walks would have to say each time.
            .env("CARGO_TARGET_DIR", &self.target)
            .envs(self.variables.iter().copied())
            .stdin(Stdio::null());
        if let Some(home) = std::env::var_os("CARGO_HOME") {
            command.env("CARGO_HOME", home);
        }
        command
    }

    /// Runs `cargo` with these words, and returns what it prints.
    fn cargo(&self, words: &str) -> String {
        let mut command = Command::new(env!("CARGO"));
        command.args(words.split_whitespace()).current_dir(&self.folder);
        command.env("CARGO_TARGET_DIR", &self.target).env_remove("RUSTFLAGS");
        let output = command.output().expect("cargo can be run");
        [output.stdout, output.stderr]
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .concat()
    }

    /// Runs `cargo selvedge` with these words.
    fn run(&self, words: &str) -> Ended {
        let output = self.command(words).output().expect("the command can be run");
        let streams = [output.stdout, output.stderr];
        let [stdout, stderr] = streams.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let text = [&*stdout, &*stderr].concat();
        println!("$ cargo selvedge {words}\n{text}");
        Ended { code: output.status.code(), text, stdout }
    }
}

impl Ended {
    /// It ends with this code, and prints all of these.
    #[track_caller]
    fn with(&self, code: i32, parts: &[&str]) -> &Self {
        let text = &self.text;
        assert_eq!(self.code, Some(code), "{text}");
        for part in parts {
            assert!(text.contains(part), "{part:?} is not in:\n{text}");
        }
        self
    }

    /// It does not print this.
    #[track_caller]
    fn without(&self, part: &str) -> &Self {
        assert!(!self.text.contains(part), "{part:?} is in:\n{}", self.text);
        self
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a fixture") {
        let entry = entry.expect("an entry");
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(from, to).expect("it can be copied");
        }
    }
}

/// A line that libtest does not keep to itself.
fn aloud(line: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "{line}");
}
