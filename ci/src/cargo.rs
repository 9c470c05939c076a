//! Cargo, and other children, with the flags and the target directory of a configuration.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use cargo_metadata::{Metadata, MetadataCommand, Package};
use cargo_selvedge::options::CargoOptions;
use cargo_selvedge::project::Project;

/// How the library is compiled. Each has a target directory of its own: neither rebuilds the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Config {
    /// As users build it, on std.
    Plain,
    /// With `--cfg loom`.
    Loom,
    /// With `--cfg crossbeam_loom`, which is for other crates and must change nothing here.
    CrossbeamLoom,
    /// With `--cfg plain_loom`: on loom's own types.
    PlainLoom,
    /// With `--cfg shuttle`.
    Shuttle,
    /// With LLVM's thread sanitizer, by the nightly compiler.
    ThreadSanitizer,
}

impl Config {
    /// In words, for messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "std",
            Self::Loom => "loom",
            Self::CrossbeamLoom => "crossbeam_loom",
            Self::PlainLoom => "plain_loom",
            Self::Shuttle => "shuttle",
            Self::ThreadSanitizer => "thread_sanitizer",
        }
    }

    /// What `RUSTFLAGS` is set to; `None` if it is removed.
    fn rustflags(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Loom => Some("--cfg loom"),
            Self::CrossbeamLoom => Some("--cfg crossbeam_loom"),
            Self::PlainLoom => Some("--cfg plain_loom"),
            Self::Shuttle => Some("--cfg shuttle"),
            // The standard library is not instrumented, which the compiler takes for a mistake.
            Self::ThreadSanitizer => {
                Some("-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer")
            }
        }
    }
}

/// Inherited, these would change what is built or where.
const REMOVED: [&str; 7] = [
    "CARGO_TARGET_DIR",
    "CARGO_BUILD_TARGET_DIR",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_ENCODED_RUSTDOCFLAGS",
    "RUSTFLAGS",
    "RUSTDOCFLAGS",
];

/// So would those that begin like this, or change what is explored.
const REMOVED_PREFIXES: [&str; 4] = ["LOOM_", "ORACLE_", "SELVEDGE_", "CARGO_PKG_"];

/// The checkout that is checked.
pub struct Workspace {
    /// The folder of the root package.
    pub root: PathBuf,
    /// All packages of the workspace.
    pub packages: Vec<Package>,
    /// The target folder, which holds one for each configuration.
    target: PathBuf,
    cargo: OsString,
}

impl Workspace {
    /// The workspace of the current directory.
    ///
    /// # Errors
    ///
    /// If cargo cannot be run.
    pub fn find() -> Result<Self> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = MetadataCommand::new();
        // What the gate itself is built in is one of the folders in the target folder.
        command.cargo_path(PathBuf::from(&cargo)).no_deps().env_remove("CARGO_TARGET_DIR");
        command.env_remove("CARGO_BUILD_TARGET_DIR");
        let Metadata { workspace_root, target_directory, packages, .. } = command.exec()?;
        Ok(Self { root: workspace_root.into(), packages, target: target_directory.into(), cargo })
    }

    /// The root package, as `cargo selvedge` sees it.
    ///
    /// # Errors
    ///
    /// If its settings are not understood.
    pub fn project(&self) -> Result<Project> {
        let mut options = CargoOptions::default();
        options.build.target_dir = Some(self.target.clone());
        options.manifest.manifest_path = Some(self.root.join("Cargo.toml"));
        Project::find(&options)
    }

    /// The same in another folder, with target directories in there.
    #[must_use]
    pub fn moved(&self, root: PathBuf) -> Self {
        let packages = self.packages.clone();
        Self { target: root.join("target"), root, packages, cargo: self.cargo.clone() }
    }

    /// The folder for what the gate itself writes.
    pub fn scratch(&self) -> PathBuf {
        self.target.join("selvedge")
    }

    /// The target folder of a configuration.
    pub fn target_of(&self, config: Config) -> PathBuf {
        self.target.join(config.name())
    }

    /// Where `.ci/run` puts the tools that the machine does not have.
    fn tools(&self) -> PathBuf {
        self.target.join("tools/bin")
    }

    /// Fails unless `cargo <name>` can be run.
    ///
    /// # Errors
    ///
    /// If there is no such tool.
    pub fn needs(&self, name: &str) -> Result<()> {
        let version = self.cargo(Config::Plain, &[name, "--version"]).output();
        ensure!(
            version.is_ok_and(|output| output.status.success()),
            "cargo-{name} is not installed: `cargo install --locked cargo-{name}`, or `.ci/run`, which \
             brings it along"
        );
        Ok(())
    }

    /// A child that runs in the root folder, without input and without inherited flags.
    pub fn child(&self, config: Config, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if REMOVED.contains(&&*text) || REMOVED_PREFIXES.iter().any(|p| text.starts_with(p)) {
                command.env_remove(&name);
            }
        }
        command
            .current_dir(&self.root)
            .env("CARGO_TARGET_DIR", self.target_of(config))
            .env("CARGO_MANIFEST_DIR", &self.root)
            .stdin(Stdio::null());
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(self.tools()).chain(std::env::split_paths(&path));
        // It fails for a folder with a colon in its name, and then there are only the machine's tools.
        if let (true, Ok(path)) = (self.tools().exists(), std::env::join_paths(folders)) {
            command.env("PATH", path);
        }
        command
    }

    /// `cargo` with `args` and the flags of `config`.
    pub fn cargo(&self, config: Config, args: &[&str]) -> Command {
        let mut command = self.child(config, &self.cargo);
        if config == Config::ThreadSanitizer {
            command = self.child(config, "rustup");
            command.args(["run", "nightly", "cargo"]);
        }
        command.args(args);
        if let Some(flags) = config.rustflags() {
            command.env("RUSTFLAGS", flags);
        }
        command
    }

    /// The command as it could be typed in the root folder.
    fn line(&self, command: &Command) -> String {
        let mut words = Vec::new();
        if let Some(folder) = command.get_current_dir().filter(|folder| *folder != self.root) {
            words.push(format!("cd {} &&", self.shown(folder.as_os_str())));
        }
        for (name, value) in command.get_envs() {
            // Cargo sets the first itself.
            if let Some(value) = value.filter(|_| name != "CARGO_MANIFEST_DIR" && name != "PATH") {
                words.push(format!("{}={}", name.to_string_lossy(), self.shown(value)));
            }
        }
        let program = command.get_program();
        words.push(if program == self.cargo { "cargo".to_owned() } else { self.shown(program) });
        words.extend(command.get_args().map(|arg| self.shown(arg)));
        words.join(" ")
    }

    /// A word of a command line: paths relative to the root, and quoted if need be.
    fn shown(&self, word: &OsStr) -> String {
        let word = Path::new(word).strip_prefix(&self.root).map_or(word, Path::as_os_str);
        let word = word.to_string_lossy();
        let plain = |c: char| c.is_alphanumeric() || "-_=./:,+@%".contains(c);
        if !word.is_empty() && word.chars().all(plain) {
            word.into_owned()
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    }

    /// Prints the command that is about to run.
    pub fn announce(&self, command: &Command) {
        println!("$ {}", self.line(command));
    }

    /// Runs a command that prints for itself.
    ///
    /// # Errors
    ///
    /// If it cannot be started, or fails.
    pub fn run(&self, mut command: Command) -> Result<()> {
        self.announce(&command);
        let line = self.line(&command);
        let status = command.status().with_context(|| format!("`{line}` cannot be started"))?;
        ensure!(status.success(), "`{line}` failed: {status}");
        Ok(())
    }

    /// Runs a command, prints what it prints, and returns its standard output.
    ///
    /// # Errors
    ///
    /// If it cannot be started, or fails.
    pub fn tee(&self, command: Command) -> Result<String> {
        self.read(command, |line| println!("{line}"))
    }

    /// Runs a command and returns its standard output without printing it.
    ///
    /// # Errors
    ///
    /// If it cannot be started, or fails.
    pub fn output(&self, command: Command) -> Result<String> {
        self.read(command, |_| ())
    }

    fn read(&self, mut command: Command, each: impl Fn(&str)) -> Result<String> {
        self.announce(&command);
        let line = self.line(&command);
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("`{line}` cannot be started"))?;
        let Some(stdout) = child.stdout.take() else { bail!("`{line}` has no standard output") };
        let mut all = String::new();
        for bytes in BufReader::new(stdout).split(b'\n') {
            let text = bytes.with_context(|| format!("the output of `{line}` cannot be read"))?;
            let text = String::from_utf8_lossy(&text);
            each(&text);
            all.push_str(&text);
            all.push('\n');
        }
        let status = child.wait().with_context(|| format!("`{line}` cannot be waited for"))?;
        ensure!(status.success(), "`{line}` failed: {status}");
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace() -> Workspace {
        Workspace {
            root: PathBuf::from("/checkout"),
            packages: Vec::new(),
            target: PathBuf::from("/checkout/target"),
            cargo: "/toolchain/bin/cargo".into(),
        }
    }

    #[test]
    fn a_command_is_shown_as_it_could_be_typed() {
        let command = workspace().cargo(Config::Loom, &["test", "it's"]);
        assert_eq!(
            workspace().line(&command),
            r"CARGO_TARGET_DIR=target/loom RUSTFLAGS='--cfg loom' cargo test 'it'\''s'",
        );
    }

    #[test]
    fn the_plain_configuration_sets_no_flags() {
        let command = workspace().cargo(Config::Plain, &["test"]);
        assert!(!command.get_envs().any(|(name, value)| name == "RUSTFLAGS" && value.is_some()));
        assert_eq!(workspace().line(&command), "CARGO_TARGET_DIR=target/std cargo test");
    }

    #[test]
    fn another_folder_is_shown() {
        let mut command = workspace().child(Config::Plain, "bash");
        command.current_dir("/checkout/target/x");
        assert_eq!(workspace().line(&command), "cd target/x && CARGO_TARGET_DIR=target/std bash");
    }
}
