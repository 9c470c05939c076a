//! `cargo selvedge report`: what was explored and found, as pages to look at.
//!
//! Each page is a file that needs no other and no network; only links lead from one to the next. All of it is made
//! of what `prove` and `mutants` leave, and of the sources.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use maud::Markup;
use selvedge_results::Run;

pub mod browser;
pub mod data;
pub mod drawing;
mod index;
pub mod pages;
pub mod prose;
#[cfg(test)]
mod samples;
mod sources;
pub mod svg;
mod words;

use index::{Entry, Mutants};
use prose::{Around, Page};
use sources::Links;

use crate::exit::Exit;
use crate::project::Project;
use crate::shell::{Shell, counted};
use crate::{model, mutants, prove};

/// What is asked for.
#[derive(Debug, Default, Clone, clap::Args)]
pub struct Options {
    /// Open the report in a browser
    #[arg(long)]
    pub open: bool,
    /// Take this file that `cargo selvedge prove` has left
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
}

/// What is added to the report, by those who have more to tell.
#[derive(Debug, Default)]
pub struct Extras {
    /// Markdown whose tables link to the files, in the order in which they are to be read.
    pub order: String,
    /// More pages, by the name of their file.
    pub pages: Vec<(String, Markup)>,
    /// The end of the first page.
    pub tail: Markup,
}

/// What was written.
#[derive(Debug)]
pub struct Written {
    /// The results that it is made of.
    pub run: Run,
    /// All files; the first is the one to open.
    pub files: Vec<PathBuf>,
    /// How many drawings are in them.
    pub drawings: usize,
}

/// Runs the command.
///
/// # Errors
///
/// If there are no results, or the report cannot be written.
pub fn run(project: &Project, options: &Options, extras: Extras, shell: Shell) -> Result<Written> {
    let scratch = project.scratch()?;
    let path = options.from.clone().unwrap_or_else(|| scratch.join("prove.json"));
    if !path.exists() {
        return Err(Exit::Usage.because(format!(
            "there is nothing to report: {} is missing; `cargo selvedge prove` writes it",
            project.shown(&path)
        )));
    }
    let run = prove::read(&path)?;
    if run.models.is_empty() {
        return Err(Exit::Found.because(format!("{} holds no model", project.shown(&path))));
    }
    let folder = scratch.join("report");
    if folder.exists() {
        fs::remove_dir_all(&folder).context("the last report cannot be removed")?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let files = write(project, &run, extras, &folder, shell)?;
    let (mut bytes, mut drawn) = (0, 0);
    for file in &files {
        let text = fs::read_to_string(file)?;
        bytes += text.len();
        drawn += text.matches(pages::FIGURE).count();
    }
    let shown = project.shown(&files[0]);
    shell.say(format_args!("{}, {} KiB: {shown}", counted(files.len(), "page"), bytes / 1024));
    let drawings: usize = run.models.iter().map(data::drawings).sum();
    ensure!(
        drawn == drawings,
        "of {drawings} drawings {drawn} are in the pages: please report this"
    );
    if options.open {
        open::that_detached(&files[0]).map_err(|error| {
            Exit::System.because(format!("no browser opens: {error}; open {shown} yourself"))
        })?;
    }
    Ok(Written { run, files, drawings })
}

/// Writes all pages and returns their files.
fn write(
    project: &Project,
    run: &Run,
    extras: Extras,
    folder: &Path,
    shell: Shell,
) -> Result<Vec<PathBuf>> {
    let source = |file: &str| fs::read_to_string(project.root.join(file)).ok();
    let mut entries = Vec::new();
    for file in data::files(&run.models) {
        let page = Page::parse(&source(file.path).unwrap_or_default(), file.path);
        entries.push(Entry { file, page });
    }
    let names: Vec<&str> = entries.iter().map(|entry| &*entry.file.name).collect();
    let mut links = Links::new();
    let mut pages = Vec::new();
    for Entry { file, page } in &entries {
        for record in &file.models {
            let anchor = pages::anchor(&record.test, 1);
            links.insert(model::test_name(record), format!("{}.html#{anchor}", file.name));
        }
        let folder = project.root.join(file.path).parent().unwrap_or(&project.root).to_owned();
        let around = Around { pages: &names, folder };
        let html = pages::page(file.path, page, &file.models, &around);
        pages.push((format!("{}.html", file.name), html));
    }

    let path = project.scratch()?.join("mutants.json");
    let trials = path.exists().then(|| mutants::read(&path)).transpose()?;
    let accepted = mutants::accepted(project)?;
    let (files, changed) = match &trials {
        Some(trials) => sources::by_file(&trials.trials, source),
        None => Default::default(),
    };
    for (file, trials) in &files {
        let text = source(file).unwrap_or_default();
        let page = sources::page(file, &text, trials, &accepted, &links);
        pages.push((sources::file_name(file), page));
    }
    for file in &changed {
        shell.say(format_args!(
            "{file} has changed since `cargo selvedge mutants`: its mutants are left out"
        ));
    }
    let mutants = trials.as_ref().map(|results| Mutants {
        results,
        accepted: &accepted,
        files: &files,
        changed: &changed,
    });
    let title = project.packages.iter().map(|member| member.package.name.to_string());
    let title =
        format!("{}: what was explored, and what was found", title.collect::<Vec<_>>().join(", "));
    let Extras { order, pages: more, tail } = extras;
    let index = index::page(&title, &entries, &order, run, mutants.as_ref(), &links, &tail);
    pages.insert(0, ("index.html".to_owned(), index));
    pages.extend(more);

    let mut written = Vec::new();
    for (name, page) in pages {
        let path = folder.join(name);
        fs::write(&path, page.into_string()).with_context(|| {
            format!("{} cannot be written; make room there, or use --target-dir", path.display())
        })?;
        written.push(path);
    }
    Ok(written)
}
