//! `cargo selvedge init`: what a crate needs for its first model.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use toml_edit::DocumentMut;

mod manifest;

use crate::exit::Exit;
use crate::project::Project;
use crate::shell::{Look, Shell};
use manifest::Source;

/// What is asked for.
#[derive(Debug, Default, Clone, clap::Args)]
pub struct Options {
    /// Also write a workflow for GitHub, .github/workflows/selvedge.yml
    #[arg(long)]
    pub ci: bool,
    /// The crate has a suite on loom: let `loom` be selvedge-loom, and write no model
    #[arg(long)]
    pub loom: bool,
    /// Only show what would change
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// Take the packages from this checkout of selvedge instead of from crates.io
    #[arg(long, value_name = "DIRECTORY")]
    pub path: Option<PathBuf>,
}

/// The first model.
const FIRST_MODEL: &str = include_str!("init/first_model.rs");
/// Where it goes.
const FIRST_MODEL_FILE: &str = "tests/first_model.rs";
const WORKFLOW: &str = include_str!("init/workflow.yml");
const WORKFLOW_FILE: &str = ".github/workflows/selvedge.yml";

/// A file that is changed or made.
struct Change {
    path: PathBuf,
    /// Nothing if there is no such file.
    before: Option<String>,
    after: String,
}

/// Runs the command.
///
/// # Errors
///
/// If the manifest cannot be changed, or a file cannot be written.
pub fn run(project: &Project, options: &Options, shell: Shell) -> Result<()> {
    let [member] = &*project.packages else {
        let names: Vec<&str> =
            project.packages.iter().map(|member| member.package.name.as_str()).collect();
        return Err(Exit::Usage.because(format!(
            "`init` works on one package: select it with -p, of {}",
            names.join(", ")
        )));
    };
    let source = source(options, shell)?;
    let folder = &member.settings.folder;
    let mut changes = Vec::new();
    let root = project.root.join("Cargo.toml");
    let own = folder.join("Cargo.toml");
    let (before, mut manifest) = read(&own)?;
    if options.loom {
        let moved =
            manifest::move_loom(&mut manifest, &source).map_err(|why| by_hand(&own, &why))?;
        if !moved {
            shell.say("`loom` is selvedge-loom already.");
        }
    } else {
        if manifest::has_loom(&manifest) {
            shell.say(
                "This crate depends on loom. `cargo selvedge init --loom` moves its suite by that one line of the \
                 manifest.",
            );
        }
        manifest::add_dependencies(&mut manifest, &source).map_err(|why| by_hand(&own, &why))?;
    }
    // What holds for the whole workspace.
    let mut whole = if own == root { None } else { Some(read(&root)?) };
    let inherits = manifest::inherits_lints(&manifest);
    let place: &[&str] = if inherits { &["workspace", "lints"] } else { &["lints"] };
    match &mut whole {
        Some((_, whole)) if inherits => {
            manifest::add_lint(whole, place).map_err(|why| by_hand(&root, &why))?;
        }
        _ => manifest::add_lint(&mut manifest, place).map_err(|why| by_hand(&own, &why))?,
    }
    // A suite on loom moves by one line.
    if !options.loom {
        let profiles = whole.as_mut().map_or(&mut manifest, |(_, whole)| whole);
        manifest::add_profile(profiles).map_err(|why| by_hand(&root, &why))?;
    }
    changes.extend(whole.map(|(before, manifest)| {
        let (path, before, after) = (root, Some(before), manifest.to_string());
        Change { path, before, after }
    }));
    let after = manifest.to_string();
    let names = |folder: &PathBuf| after.contains(&*folder.to_string_lossy());
    let names_checkout = source.checkout.as_ref().is_some_and(names);
    changes.insert(0, Change { path: own, before: Some(before), after });
    let mut files = Vec::new();
    if !options.loom {
        files.push((folder.join(FIRST_MODEL_FILE), FIRST_MODEL));
    }
    if options.ci {
        files.push((project.root.join(WORKFLOW_FILE), WORKFLOW));
    }
    for (path, text) in files {
        if path.exists() {
            shell.say(format_args!(
                "{} is there already, and is left as it is.",
                project.shown(&path)
            ));
        } else {
            changes.push(Change { path, before: None, after: text.to_owned() });
        }
    }
    changes.retain(|change| change.before.as_ref() != Some(&change.after));
    for change in &changes {
        show(project, change, shell);
    }
    if changes.is_empty() {
        shell.say("Nothing to change: all is there.");
    } else if options.dry_run {
        shell.say("Nothing was written.");
        return Ok(());
    }
    for change in &changes {
        write(change)?;
    }
    if names_checkout {
        shell.say(
            "The manifest names the path of a checkout. `cargo package` does not accept the crate until the packages are \
             on crates.io.",
        );
    }
    shell.say(if options.loom {
        "Next: `cargo selvedge prove` explores the suite. Where scripts or CI run it with `cargo test`, remove the \
         variables LOOM_MAX_… and LOOM_CHECKPOINT_… there: models refuse them."
    } else {
        "Next: `cargo selvedge prove`. The first model fails, on purpose, and shows how."
    });
    Ok(())
}

/// Where the packages come from: a checkout that is named, or that this tool was built from; or crates.io.
fn source(options: &Options, shell: Shell) -> Result<Source> {
    let version = concat!(env!("CARGO_PKG_VERSION_MAJOR"), ".", env!("CARGO_PKG_VERSION_MINOR"));
    let is_checkout = |folder: &Path| folder.join("model/Cargo.toml").exists();
    if let Some(folder) = &options.path {
        let folder = std::path::absolute(folder)?;
        if !is_checkout(&folder) {
            return Err(Exit::Usage.because(format!(
                "{} is no checkout of selvedge: it has no model/Cargo.toml",
                folder.display()
            )));
        }
        return Ok(Source { version, checkout: Some(folder) });
    }
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).parent().filter(|folder| is_checkout(folder));
    if let Some(folder) = built {
        shell.say(format_args!(
            "This cargo-selvedge was built from {}, and the packages are taken from there.",
            folder.display()
        ));
    }
    Ok(Source { version, checkout: built.map(Path::to_owned) })
}

/// A manifest, and its text.
fn read(path: &Path) -> Result<(String, DocumentMut)> {
    let text =
        fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let manifest = text.parse().with_context(|| format!("{} is not TOML", path.display()))?;
    Ok((text, manifest))
}

/// What to do where a manifest cannot be changed.
fn by_hand(path: &Path, why: &str) -> anyhow::Error {
    Exit::Usage.because(format!("{} is not changed: {why}", path.display()))
}

/// Prints what is to change.
fn show(project: &Project, change: &Change, shell: Shell) {
    let before = change.before.as_deref();
    let what = if before.is_some() { "changed" } else { "new" };
    shell.say(format_args!("{} ({what})", project.shown(&change.path)));
    let diff = similar::TextDiff::from_lines(before.unwrap_or_default(), &change.after);
    for part in diff.iter_all_changes() {
        let line = part.value().trim_end();
        match part.tag() {
            similar::ChangeTag::Insert => shell.say(Look::Good.paint(format!("  + {line}"))),
            similar::ChangeTag::Delete => shell.say(Look::Bad.paint(format!("  - {line}"))),
            similar::ChangeTag::Equal => {}
        }
    }
}

/// Writes a change. A new file never replaces one.
fn write(change: &Change) -> Result<()> {
    let write = || {
        if change.before.is_some() {
            return fs::write(&change.path, &change.after);
        }
        if let Some(folder) = change.path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::File::create_new(&change.path)?.write_all(change.after.as_bytes())
    };
    write().with_context(|| format!("{} cannot be written", change.path.display()))
}
