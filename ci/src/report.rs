//! `cargo ci report`: what was explored and found, as pages to look at.
//!
//! Each page is a file that needs no other and no network; only links lead from one to the next. All
//! is made of what `cargo ci prove` and `cargo ci mutants` leave for machines, and of the sources.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

mod browser;
mod confidence;
mod data;
mod drawing;
mod index;
mod pages;
mod prose;
#[cfg(test)]
mod samples;
mod sources;
mod svg;
mod words;

use data::{Model, Results};
use drawing::Drawing;
use index::{Entry, Mutants};
use prose::Page;
use svg::End;

use crate::cargo::Workspace;
use crate::tally::Tally;
use crate::{mutants, prove};

/// The drawing that the README shows, and the model and the outcome that it is of.
const SHOWN: (&str, &str, &str) =
    ("docs/lost-update.svg", "counter::a_split_increment_loses_an_update", "total=1");

/// What `cargo ci prove` leaves, from the root folder.
const LEFT: &str = "target/selvedge/prove.json";

/// What is asked for.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Wish {
    /// Explore nothing: take what the last `cargo ci prove` has left, or this file of its
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = LEFT)]
    from: Option<PathBuf>,
    /// Rewrite the drawing that the README shows
    #[arg(long)]
    bless: bool,
}

impl Wish {
    /// A report of what the steps before have left.
    pub(crate) fn of_what_is_there(workspace: &Workspace) -> Self {
        Self { from: Some(workspace.scratch().join("prove.json")), bless: false }
    }
}

/// Runs the step.
pub(crate) fn run(workspace: &Workspace, wish: &Wish) -> Result<Tally> {
    let scratch = workspace.scratch();
    // If a model fails, its page is the one to look at: the report is written anyway.
    let (path, proved) = match &wish.from {
        None => (scratch.join("prove.json"), prove::run(workspace, &prove::Wish::default())),
        Some(path) => (workspace.root.join(path), Ok(Tally::default())),
    };
    if proved.is_err() && !path.exists() {
        return proved;
    }
    let results = Results::read(&path)?;
    let folder = scratch.join("report");
    if folder.exists() {
        fs::remove_dir_all(&folder).context("the last report cannot be removed")?;
    }
    fs::create_dir_all(&folder)?;

    let files = write(workspace, &results, &folder)?;
    let (mut bytes, mut drawn) = (0, 0);
    for file in &files {
        let text = fs::read_to_string(file)?;
        bytes += text.len();
        drawn += text.matches(pages::FIGURE).count();
    }
    let shown = folder.join("index.html");
    let shown = shown.strip_prefix(&workspace.root).unwrap_or(&shown);
    println!("{} pages, {} KiB: {}", files.len(), bytes / 1024, shown.display());

    let mut tally = Tally::default();
    let drawings: usize = results.models.iter().map(Model::drawings).sum();
    ensure!(
        drawn == drawings,
        "of {drawings} outcomes and failures {drawn} are drawn: traces are missing in {}, or a page \
         leaves some out",
        path.strip_prefix(&workspace.root).unwrap_or(&path).display()
    );
    tally.passed(&format!("each of {drawings} outcomes and failures has a drawing"));
    compare_with_readme(workspace, &results, wish.bless, &mut tally)?;
    let mut files = files;
    files.push(workspace.root.join(SHOWN.0));
    browser::check(workspace, &files, &mut tally)?;
    proved?;
    Ok(tally)
}

/// Writes all pages and returns their files.
fn write(workspace: &Workspace, results: &Results, folder: &Path) -> Result<Vec<PathBuf>> {
    let source = |file: &str| fs::read_to_string(workspace.root.join(file)).ok();
    let by_page = results.pages();
    let names: Vec<&str> = by_page.keys().copied().collect();
    let mut entries = Vec::new();
    for (name, models) in by_page {
        let file = models.first().map_or("", |model| model.record.file()).to_owned();
        let text = source(&file).with_context(|| format!("{file} cannot be read"))?;
        let page = Page::parse(&text).with_context(|| file)?;
        entries.push(Entry { name, page, models });
    }
    let mut pages = Vec::new();
    for Entry { name, page, models } in &entries {
        pages.push((format!("{name}.html"), pages::page(name, page, models, &names)));
    }

    let path = workspace.scratch().join("mutants.json");
    let trials = path.exists().then(|| mutants::Results::read(&path)).transpose()?;
    let accepted = mutants::accepted(workspace)?;
    let (files, changed) = match &trials {
        Some(trials) => sources::by_file(&trials.trials, source),
        None => Default::default(),
    };
    for (file, trials) in &files {
        let text = source(file).unwrap_or_default();
        let page = sources::page(file, &text, trials, &accepted, &names);
        pages.push((sources::file_name(file), page));
    }
    for file in &changed {
        println!("{file} has changed since `cargo ci mutants`: its mutants are left out");
    }
    let mutants = trials.as_ref().map(|results| Mutants {
        results,
        accepted: &accepted,
        files: &files,
        changed: &changed,
    });
    let order = source("loom-tests/README.md").unwrap_or_default();
    let confidence = source("loom-tests/confidence.md");
    if let Some(text) = &confidence {
        pages.push((confidence::FILE.to_owned(), confidence::page(text, &names)));
    }
    let index = index::page(&entries, &order, mutants.as_ref(), confidence.as_deref());
    pages.insert(0, ("index.html".to_owned(), index));

    let mut written = Vec::new();
    for (name, page) in pages {
        let path = folder.join(name);
        fs::write(&path, page.into_string())
            .with_context(|| format!("{} cannot be written", path.display()))?;
        written.push(path);
    }
    Ok(written)
}

/// The drawing in the README is what the tool draws today.
fn compare_with_readme(
    workspace: &Workspace,
    results: &Results,
    bless: bool,
    tally: &mut Tally,
) -> Result<()> {
    let (file, model, outcome) = SHOWN;
    let found = results.models.iter().find(|found| found.record.name() == model);
    let found = found.with_context(|| format!("there is no model {model}, which {file} is of"))?;
    let outcome = found.outcomes.iter().find(|found| found.text == outcome);
    let drawn = outcome.and_then(|outcome| Some((outcome, outcome.trace.as_ref()?)));
    let (outcome, trace) =
        drawn.with_context(|| format!("{model} does not reach what {file} shows"))?;
    let end = format!("{}: {}", outcome.text, outcome.reason);
    let text = svg::file(&Drawing::of(trace, &end), End::Interesting, &end);
    let path = workspace.root.join(file);
    if bless {
        fs::create_dir_all(path.parent().unwrap_or(&path))?;
        fs::write(&path, &text).with_context(|| format!("{file} cannot be written"))?;
        println!("{file} is rewritten");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    ensure!(
        committed == text,
        "{file} is not what is drawn today; if that is meant: cargo ci report --from --bless"
    );
    let readme = fs::read_to_string(workspace.root.join("README.md"))?;
    ensure!(readme.contains(&format!("]({file})")), "README.md does not show {file}");
    tally.passed(&format!("{file}, which README.md shows, is what is drawn today"));
    Ok(())
}
