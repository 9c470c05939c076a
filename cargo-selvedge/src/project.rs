//! The crate that is proved, as cargo knows it: its packages, their settings, their test binaries and sources.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};
use cargo_metadata::{Artifact, Message, MetadataCommand, Package, TargetKind};

mod select;
mod sources;
mod variables;

use select::select;
use sources::compiled;
pub use variables::ignored;

use crate::exit::Exit;
use crate::options::CargoOptions;
use crate::settings::Settings;

/// The crates that bring the checker.
pub const CHECKERS: [&str; 2] = ["selvedge-model", "selvedge-loom"];

/// What the unit tests of a library are called.
pub const LIB: &str = "lib";

/// The selected packages of a workspace.
pub struct Project {
    /// The folder of the workspace, from which cargo names sources.
    pub root: PathBuf,
    /// The selected packages, each with its settings.
    pub packages: Vec<Member>,
    /// All packages of the workspace.
    workspace: Vec<Package>,
    options: CargoOptions,
    target: PathBuf,
    cargo: OsString,
}

/// A selected package.
pub struct Member {
    /// As cargo knows it.
    pub package: Package,
    /// What its manifest says about us.
    pub settings: Settings,
}

/// A test binary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binary {
    /// The name of its package.
    pub package: String,
    /// The name of its target; [`LIB`] for the unit tests of a library.
    pub target: String,
    /// The name of the crate that it is compiled from.
    pub crate_name: String,
    /// The file that runs.
    pub executable: PathBuf,
    /// The folder of its package, in which cargo runs tests.
    pub folder: PathBuf,
}

/// What was built.
#[derive(Debug, Default)]
pub struct Built {
    /// The test binaries, by package and target.
    pub binaries: Vec<Binary>,
    /// The sources of the selected packages themselves, as the compiler was given them.
    pub sources: Vec<String>,
}

impl Project {
    /// Asks cargo.
    ///
    /// # Errors
    ///
    /// If there is no manifest, no such package, or a setting is not understood.
    pub fn find(options: &CargoOptions) -> Result<Self> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = MetadataCommand::new();
        command.cargo_path(PathBuf::from(&cargo)).no_deps();
        if let Some(path) = &options.manifest.manifest_path {
            command.manifest_path(path);
        }
        let metadata = command.exec().map_err(|error| match error {
            cargo_metadata::Error::CargoMetadata { stderr } => Exit::Usage.because(format!(
                "cargo finds no crate here: {}",
                stderr.trim().trim_start_matches("error: ")
            )),
            error => Exit::System.because(format!(
                "cargo cannot be run: {error}; is Rust installed, and on the PATH?"
            )),
        })?;
        let target = match &options.build.target_dir {
            Some(folder) => std::path::absolute(folder)?,
            None => metadata.target_directory.clone().into_std_path_buf(),
        };
        let packages = select(&metadata, options)?
            .into_iter()
            .map(|package| Ok(Member { settings: Settings::of(&package)?, package }))
            .collect::<Result<Vec<_>>>()?;
        let root = metadata.workspace_root.clone().into_std_path_buf();
        let workspace = metadata.packages;
        Ok(Self { root, packages, workspace, options: options.clone(), target, cargo })
    }

    /// Whether a file is a source of the checker, which may be in the workspace.
    #[must_use]
    pub fn is_of_checker(&self, file: &Path) -> bool {
        let mut checkers =
            self.workspace.iter().filter(|package| CHECKERS.contains(&&**package.name));
        checkers.any(|package| {
            package.manifest_path.parent().is_some_and(|folder| file.starts_with(folder))
        })
    }

    /// Fails unless a package of the workspace depends on the checker, with its feature.
    ///
    /// # Errors
    ///
    /// If none does.
    pub fn needs_checker(&self) -> Result<()> {
        // A package may get the checker from another one of the workspace.
        let dependencies: Vec<_> = self
            .workspace
            .iter()
            .flat_map(|package| &package.dependencies)
            .filter(|dependency| CHECKERS.contains(&&*dependency.name))
            .collect();
        let names: Vec<&str> =
            self.packages.iter().map(|member| member.package.name.as_str()).collect();
        let names = names.join(", ");
        if dependencies.is_empty() {
            return Err(Exit::Usage.because(format!(
                "{names} does not use the checker: there is no dependency on selvedge-model; \
                 `cargo selvedge init` adds it, and a first model"
            )));
        }
        let checks = dependencies.iter().any(|dependency| {
            dependency.name == CHECKERS[1] || dependency.features.iter().any(|name| name == "check")
        });
        let has_feature = self.workspace.iter().any(|package| {
            package.features.values().flatten().any(|feature| feature == "selvedge-model/check")
        });
        if !checks && !has_feature {
            return Err(Exit::Usage.because(format!(
                "{names} depends on selvedge-model without its feature `check`, which the models need: \
                 write `selvedge-model = {{ version = \"…\", features = [\"check\"] }}` under \
                 [dev-dependencies], or run `cargo selvedge init`"
            )));
        }
        Ok(())
    }

    /// Whether more than one package is selected, so that names need that of their package.
    #[must_use]
    pub fn is_plural(&self) -> bool {
        self.packages.len() > 1
    }

    /// The selected package of this name.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Member> {
        self.packages.iter().find(|member| *member.package.name == name)
    }

    /// Whether options select the test target `name`.
    #[must_use]
    pub fn selects(&self, name: &str) -> bool {
        let asked = self.asked_targets();
        asked.is_empty() || asked.iter().any(|asked| asked == name)
    }

    /// The test targets that options name; all are selected where they name none.
    #[must_use]
    pub fn asked_targets(&self) -> &Vec<String> {
        &self.options.build.test
    }

    /// The folder for what the commands leave. It is made if need be.
    ///
    /// # Errors
    ///
    /// If it cannot be made.
    pub fn scratch(&self) -> Result<PathBuf> {
        let folder = self.target.join("selvedge");
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("{} cannot be made", folder.display()))?;
        Ok(folder)
    }

    /// How many processes to run at a time.
    #[must_use]
    pub fn jobs(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        self.options.build.jobs.map_or_else(cores, usize::from)
    }

    /// A path as people look for it: from the folder of the workspace.
    #[must_use]
    pub fn shown<'a>(&self, path: &'a Path) -> std::path::Display<'a> {
        path.strip_prefix(&self.root).unwrap_or(path).display()
    }

    /// A child without input, and without variables that would change what it does.
    #[must_use]
    pub fn child(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            if variables::is_removed(&name.to_string_lossy()) {
                command.env_remove(&name);
            }
        }
        command.stdin(Stdio::null());
        command
    }

    /// `cargo` with these arguments alone.
    pub(crate) fn cargo_alone(&self, arguments: &[&str]) -> Command {
        let mut command = self.child(&self.cargo);
        command.args(arguments);
        command
    }

    /// The options that say which packages and features are selected, as cargo takes them.
    fn selection(&self) -> Vec<String> {
        let CargoOptions { workspace, features, manifest, .. } = &self.options;
        let mut words: Vec<String> = Vec::new();
        for (option, values) in [
            ("--package", &workspace.package),
            ("--exclude", &workspace.exclude),
            ("--features", &features.features),
        ] {
            words.extend(values.iter().flat_map(|value| [option.to_owned(), value.clone()]));
        }
        for (flag, given) in [
            ("--workspace", workspace.workspace || workspace.all),
            ("--all-features", features.all_features),
            ("--no-default-features", features.no_default_features),
        ] {
            words.extend(given.then(|| flag.to_owned()));
        }
        if let Some(path) = &manifest.manifest_path {
            words.extend(["--manifest-path".to_owned(), path.display().to_string()]);
        }
        words
    }

    /// The same as one types it, for a command that is to select the same.
    #[must_use]
    pub fn typed_options(&self) -> String {
        let quoted = |word: String| {
            let plain = |c: char| c.is_alphanumeric() || "-_=./:,+@%".contains(c);
            if word.chars().all(plain) {
                word
            } else {
                format!("'{}'", word.replace('\'', r"'\''"))
            }
        };
        self.selection().into_iter().map(quoted).collect::<Vec<_>>().join(" ")
    }

    /// `cargo` with these arguments and the options that were given, under `--cfg loom`.
    #[must_use]
    pub fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = self.cargo_alone(arguments);
        let CargoOptions { build, manifest, .. } = &self.options;
        command.args(self.selection());
        for (flag, given) in [
            ("--release", build.release),
            ("--locked", manifest.locked),
            ("--offline", manifest.offline),
            ("--frozen", manifest.frozen),
        ] {
            command.args(given.then_some(flag));
        }
        if let Some(profile) = &build.profile {
            let nextest = arguments.first() == Some(&"nextest");
            command.args([if nextest { "--cargo-profile" } else { "--profile" }, profile]);
        }
        let flags = std::env::var("RUSTFLAGS").unwrap_or_default();
        let flags =
            if flags.contains("--cfg loom") { flags } else { format!("{flags} --cfg loom") };
        command.env("RUSTFLAGS", flags.trim()).env("CARGO_TARGET_DIR", self.target.join("loom"));
        command
    }

    /// Builds the test targets of the selected packages: those of `targets`, by name, or all. Targets that
    /// options or settings leave out are not built.
    ///
    /// # Errors
    ///
    /// If a target does not exist, or cargo fails.
    pub fn build(&self, targets: Option<&BTreeSet<String>>) -> Result<Built> {
        let mut command =
            self.cargo(&["test", "--no-run", "--message-format", "json-render-diagnostics"]);
        if let Some(jobs) = self.options.build.jobs {
            command.args(["--jobs", &jobs.to_string()]);
        }
        self.add_targets(&mut command, targets)?;
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| Exit::System.because(format!("cargo cannot be run: {error}")))?;
        let mut built = Built::default();
        let mut sources = BTreeSet::new();
        let stdout = child.stdout.take().context("cargo has no standard output")?;
        for message in Message::parse_stream(BufReader::new(stdout)) {
            if let Message::CompilerArtifact(artifact) =
                message.context("cargo is not understood")?
            {
                self.take(&artifact, &mut built, &mut sources);
            }
        }
        let status = child.wait()?;
        if crate::interrupt::requested() {
            return Err(Exit::Interrupted.because("interrupted while cargo was building"));
        }
        if !status.success() {
            return Err(Exit::Build.because(
                "the crate does not build under --cfg loom: the errors of the compiler are above",
            ));
        }
        built.sources = sources.into_iter().collect();
        built.binaries.sort_by(|a, b| (&a.package, &a.target).cmp(&(&b.package, &b.target)));
        Ok(built)
    }

    /// Says to cargo which targets to build.
    pub(crate) fn add_targets(
        &self,
        command: &mut Command,
        targets: Option<&BTreeSet<String>>,
    ) -> Result<()> {
        let asked = self.asked_targets();
        let known = self.targets();
        if let Some(unknown) = asked.iter().find(|name| !known.contains(*name)) {
            let known: Vec<_> = known.into_iter().collect();
            return Err(Exit::Usage.because(format!(
                "there is no test target `{unknown}`; there are: {}",
                known.join(", ")
            )));
        }
        let wanted = |name: &String| {
            self.selects(name) && targets.is_none_or(|targets| targets.contains(name))
        };
        let chosen: BTreeSet<String> = known.iter().filter(|name| wanted(name)).cloned().collect();
        let all = self.packages.iter().all(|member| member.settings.tests.is_empty());
        if all && chosen.len() == known.len() {
            command.arg("--tests");
            return Ok(());
        }
        for name in &chosen {
            let bin = self.packages.iter().any(|member| {
                member.package.targets.iter().any(|target| target.name == *name && target.is_bin())
            });
            match &**name {
                LIB => command.arg("--lib"),
                _ if bin => command.args(["--bin", name]),
                _ => command.args(["--test", name]),
            };
        }
        Ok(())
    }

    /// Whether a selected package has a test target of this name.
    #[must_use]
    pub fn has_target(&self, name: &str) -> bool {
        self.targets().contains(name)
    }

    /// The names of the test targets of the selected packages, but for those that settings leave out.
    fn targets(&self) -> BTreeSet<String> {
        let of = |member: &Member| {
            let tested = member.package.targets.iter().filter(|target| target.test);
            let tested = tested.filter(|target| !target.is_example() && !target.is_bench());
            tested.map(name_of).filter(|name| member.settings.has(name)).collect()
        };
        self.packages.iter().flat_map(|member| -> Vec<String> { of(member) }).collect()
    }

    /// Takes what a message of cargo's says of an artifact.
    fn take(&self, artifact: &Artifact, built: &mut Built, sources: &mut BTreeSet<String>) {
        let mut members = self.packages.iter();
        let Some(member) = members.find(|member| member.package.id == artifact.package_id) else {
            return;
        };
        let own = artifact.target.is_lib() || artifact.target.is_bin();
        if own || artifact.target.is_kind(TargetKind::ProcMacro) {
            sources.extend(compiled(artifact));
        }
        let target = name_of(&artifact.target);
        if let Some(executable) = artifact.executable.as_ref().filter(|_| artifact.profile.test)
            && member.settings.has(&target)
        {
            let folder = member
                .package
                .manifest_path
                .parent()
                .map(cargo_metadata::camino::Utf8Path::as_std_path);
            built.binaries.push(Binary {
                package: member.package.name.to_string(),
                target,
                crate_name: artifact.target.name.replace('-', "_"),
                executable: executable.as_std_path().to_owned(),
                folder: folder.unwrap_or(&self.root).to_owned(),
            });
        }
    }
}

/// What a target is called here.
fn name_of(target: &cargo_metadata::Target) -> String {
    let library =
        !(target.is_test() || target.is_bin() || target.is_bench() || target.is_example());
    if library { LIB.to_owned() } else { target.name.clone() }
}
