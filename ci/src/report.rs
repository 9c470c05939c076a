//! `cargo ci report`: the report of `cargo selvedge`, with what only this repository has: the reading order of the
//! book, the comparison with other ways of testing, and the drawing in the README.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use cargo_selvedge::model;
use cargo_selvedge::report::drawing::Drawing;
use cargo_selvedge::report::prose::Around;
use cargo_selvedge::report::svg::{self, End};
use cargo_selvedge::report::{self, Extras, Options, Written, browser, data};
use cargo_selvedge::shell::Shell;
use selvedge_results::Run;

use crate::cargo::Workspace;
use crate::tally::Tally;

mod confidence;

/// The drawing that the README shows, and the model and the outcome that it is of.
const SHOWN: (&str, &str, &str) =
    ("docs/lost-update.svg", "suites::counter::split_increment_loses_an_update", "total=1");

/// Runs the step; with `bless` it rewrites the drawing that the README shows.
pub(crate) fn run(workspace: &Workspace, bless: bool) -> Result<Tally> {
    let project = workspace.project()?;
    let read = |file: &str| fs::read_to_string(workspace.root.join(file)).unwrap_or_default();
    let file = project.scratch()?.join("prove.json");
    let models = cargo_selvedge::prove::read(&file)?.models;
    let names: Vec<String> = data::files(&models).into_iter().map(|file| file.name).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let around = Around { pages: &names, folder: workspace.root.join("loom-tests") };
    let measured = read("loom-tests/confidence.md");
    let extras = Extras {
        order: read("loom-tests/README.md"),
        pages: vec![(confidence::FILE.to_owned(), confidence::page(&measured, &around))],
        tail: confidence::in_short(&measured, &around),
    };
    let written = report::run(&project, &Options::default(), extras, Shell::default())?;
    let Written { run, mut files, drawings } = written;
    let mut tally = Tally::default();
    tally.passed(&format!("each of {drawings} outcomes and failures has a drawing"));
    compare_with_readme(workspace, &run, bless, &mut tally)?;
    files.push(workspace.root.join(SHOWN.0));
    match browser::check(&project.scratch()?, &files)? {
        None => tally.skip("no Chromium: the report was not looked at in a browser"),
        Some(figures) => tally.passed(&format!(
            "{} files in Chromium at 1280 and 400 pixels, light and dark: no error, nothing sticks out, \
             {figures} drawings can be stepped through",
            files.len()
        )),
    }
    Ok(tally)
}

/// The drawing in the README is what the tool draws today.
fn compare_with_readme(
    workspace: &Workspace,
    run: &Run,
    bless: bool,
    tally: &mut Tally,
) -> Result<()> {
    let (file, name, outcome) = SHOWN;
    let found = run.models.iter().find(|record| model::name(record) == name);
    let found = found.with_context(|| format!("there is no model {name}, which {file} is of"))?;
    let outcome = found.outcomes.iter().find(|found| found.text == outcome);
    let drawn = outcome.and_then(|outcome| Some((outcome, outcome.trace.as_ref()?)));
    let (outcome, trace) =
        drawn.with_context(|| format!("{name} does not reach what {file} shows"))?;
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
        "{file} is not what is drawn today; if that is meant: cargo ci report --bless"
    );
    let readme = fs::read_to_string(workspace.root.join("README.md"))?;
    ensure!(readme.contains(&format!("]({file})")), "README.md does not show {file}");
    tally.passed(&format!("{file}, which README.md shows, is what is drawn today"));
    Ok(())
}
