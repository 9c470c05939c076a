//! `cargo lab sabotage`: breakages that somebody wrote down, one at a time.
//!
//! The edits are made in a copy of the checkout, with target directories of its own.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Deserialize;

use crate::cargo::{Config, Workspace};
use crate::git;
use crate::libtest;
use crate::tally::Tally;

/// The list, from the root folder.
const LIST: &str = "lab/sabotage.toml";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    breakage: Vec<Breakage>,
}

/// One edit, and the test that must turn red.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Breakage {
    name: String,
    file: String,
    /// Stands exactly once in the file.
    find: String,
    replace: String,
    on: On,
    /// A test binary, or a module of one: `suites::counter`.
    test: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
enum On {
    Std,
    Loom,
}

impl On {
    fn config(self) -> Config {
        match self {
            Self::Std => Config::Plain,
            Self::Loom => Config::Loom,
        }
    }
}

impl Breakage {
    /// The text with the edit made.
    fn edit(&self, text: &str) -> Result<String> {
        let places = text.matches(&self.find).count();
        ensure!(
            places == 1,
            "{:?}: what is to be replaced stands {places} times in {}, not once",
            self.name,
            self.file
        );
        ensure!(self.find != self.replace, "{:?} changes nothing", self.name);
        Ok(text.replacen(&self.find, &self.replace, 1))
    }
}

/// Makes each breakage whose name contains `filter` and sees its test turn red.
pub(crate) fn run(workspace: &Workspace, filter: &str) -> Result<Tally> {
    let list = fs::read_to_string(workspace.root.join(LIST))
        .with_context(|| format!("{LIST} cannot be read"))?;
    let List { mut breakage } =
        toml::from_str(&list).with_context(|| format!("{LIST} is malformed"))?;
    breakage.retain(|breakage| breakage.name.contains(filter));
    ensure!(!breakage.is_empty(), "no breakage of {LIST} has a name that contains {filter:?}");
    let copy = Copy::of(workspace)?;

    let bar = ProgressBar::new(breakage.len() as u64);
    bar.set_style(ProgressStyle::with_template("{bar:30} {pos} of {len}, {elapsed}, {msg}")?);
    let mut green = BTreeSet::new();
    let mut unnoticed = Vec::new();
    for breakage in &breakage {
        bar.set_message(breakage.name.clone());
        let (on, test) = (breakage.on, &*breakage.test);
        if green.insert((on, test)) {
            let failed = copy.failing(on, test)?;
            ensure!(failed.is_empty(), "{test} fails without a breakage: {}", failed.join(", "));
        }
        let path = copy.workspace.root.join(&breakage.file);
        let sound = fs::read_to_string(&path)
            .with_context(|| format!("{:?}: {} cannot be read", breakage.name, breakage.file))?;
        fs::write(&path, breakage.edit(&sound)?)?;
        let failed = copy.failing(on, test);
        fs::write(&path, sound)?;
        let failed = failed.with_context(|| format!("{:?}", breakage.name))?;
        let result = match &*failed {
            [] => {
                unnoticed.push(&breakage.name);
                "NOT NOTICED".to_owned()
            }
            [one] => format!("red: {test}::{one}"),
            [one, others @ ..] => format!("red: {test}::{one} and {} more", others.len()),
        };
        bar.suspend(|| println!("{:<68}{result}", breakage.name));
        bar.inc(1);
    }
    bar.finish_and_clear();
    ensure!(unnoticed.is_empty(), "breakages that nothing notices: {unnoticed:?}");
    let mut tally = Tally::default();
    tally.passed(&format!("{} breakages turn a test red, each its own", breakage.len()));
    Ok(tally)
}

/// A copy of the checkout.
struct Copy {
    workspace: Workspace,
}

impl Copy {
    /// As it stands, with what is not committed. Only files that differ are written, so that what
    /// was built for the last copy is still good.
    fn of(workspace: &Workspace) -> Result<Self> {
        let root = workspace.scratch().join("sabotage");
        let files = git::files(&workspace.root)?;
        for file in &files {
            let from = workspace.root.join(file);
            // One that was removed and not committed.
            if !from.exists() {
                continue;
            }
            let (to, bytes) = (root.join(file), fs::read(&from)?);
            if fs::read(&to).is_ok_and(|old| old == bytes) {
                continue;
            }
            fs::create_dir_all(to.parent().unwrap_or(&root))?;
            fs::write(&to, bytes).with_context(|| format!("{file} cannot be copied"))?;
        }
        remove_strangers(&root, &root, &files)?;
        Ok(Self { workspace: workspace.moved(root) })
    }

    /// Builds the test and runs it; the names of those that fail.
    fn failing(&self, on: On, test: &str) -> Result<Vec<String>> {
        // A page is a module of the binary of all pages: all of its tests.
        let (binary, filter) = test.split_once("::").map_or((test, None), |(b, f)| (b, Some(f)));
        let args = ["test", "--test", binary];
        let filter = filter.map(|module| format!("{module}::"));
        let command = |more: &[&str]| {
            let mut command = self.workspace.cargo(on.config(), &args);
            command.args(more);
            command
        };
        let built = command(&["--no-run", "--quiet"]).output()?;
        ensure!(
            built.status.success(),
            "{test} cannot be built:\n{}",
            String::from_utf8_lossy(&built.stderr)
        );
        let mut run = command(&["--"]);
        run.args(&filter);
        let output = run.output()?;
        let printed = String::from_utf8_lossy(&output.stdout);
        ensure!(libtest::ran(&printed) > 0 || !output.status.success(), "{test} ran no test");
        let failed = libtest::failed(&printed);
        match output.status.success() {
            true if failed.is_empty() => Ok(failed),
            false if !failed.is_empty() => Ok(failed),
            _ => bail!("{test} ended with {} and without a summary:\n{printed}", output.status),
        }
    }
}

/// Removes files from the copy that are not in the checkout any more.
fn remove_strangers(root: &Path, folder: &Path, files: &[String]) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path: PathBuf = entry?.path();
        let relative = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
        if path.is_dir() {
            if relative != "target" {
                remove_strangers(root, &path, files)?;
            }
        } else if !files.contains(&relative) {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breakage(find: &str, replace: &str) -> Breakage {
        Breakage {
            name: "a slip".to_owned(),
            file: "a.rs".to_owned(),
            find: find.to_owned(),
            replace: replace.to_owned(),
            on: On::Std,
            test: "a".to_owned(),
        }
    }

    #[test]
    fn an_edit_is_made_in_exactly_one_place() {
        assert_eq!(breakage("b", "x").edit("abc").expect("once"), "axc");
        let error = breakage("b", "x").edit("abcb").expect_err("twice").to_string();
        assert!(error.contains("stands 2 times in a.rs"), "{error}");
        assert!(breakage("d", "x").edit("abc").is_err());
        assert!(breakage("b", "b").edit("abc").is_err());
    }

    #[test]
    fn every_breakage_of_the_list_applies() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let text = fs::read_to_string(root.join(LIST)).expect("it is committed");
        let List { breakage } = toml::from_str(&text).expect("well formed");
        assert!(breakage.len() >= 20);
        for breakage in breakage {
            let text = fs::read_to_string(root.join(&breakage.file)).expect("the file is there");
            breakage.edit(&text).expect("the edit can be made");
        }
    }
}
