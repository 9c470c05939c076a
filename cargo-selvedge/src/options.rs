//! The options that people know from cargo, and those that the commands share.

use std::path::PathBuf;
use std::time::Duration;

/// Which packages, how they are built, and where.
#[derive(Debug, Default, Clone, clap::Args)]
pub struct CargoOptions {
    #[command(flatten, next_help_heading = "Package selection")]
    pub workspace: clap_cargo::Workspace,
    #[command(flatten, next_help_heading = "Features")]
    pub features: clap_cargo::Features,
    #[command(flatten)]
    pub build: BuildOptions,
    #[command(flatten, next_help_heading = "Manifest")]
    pub manifest: ManifestOptions,
}

/// How it is built.
#[derive(Debug, Default, Clone, clap::Args)]
#[command(next_help_heading = "Build")]
pub struct BuildOptions {
    /// Build with optimisations: long explorations are faster, and the build takes longer
    #[arg(short, long, conflicts_with = "profile")]
    pub release: bool,
    /// Build with this profile
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Directory for what is built and found, instead of `target`
    #[arg(long, value_name = "DIRECTORY")]
    pub target_dir: Option<PathBuf>,
    /// So many jobs at a time, of the build and of the tests
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// Only the test target NAME; `lib` are the unit tests of the library
    #[arg(long, value_name = "NAME")]
    pub test: Vec<String>,
}

/// Where the manifest is, and what cargo may do beside it.
#[derive(Debug, Default, Clone, clap::Args)]
pub struct ManifestOptions {
    /// Path to Cargo.toml
    #[arg(long, value_name = "PATH")]
    pub manifest_path: Option<PathBuf>,
    /// Require Cargo.lock to be up to date
    #[arg(long)]
    pub locked: bool,
    /// Do not use the network
    #[arg(long)]
    pub offline: bool,
    /// The same as --locked --offline
    #[arg(long)]
    pub frozen: bool,
}

/// Tests that do not come to an end.
#[derive(Debug, Clone, clap::Args)]
pub struct TimeOptions {
    /// End a test that has shown no progress for so long
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..))]
    pub timeout: u64,
}

impl Default for TimeOptions {
    fn default() -> Self {
        Self { timeout: 300 }
    }
}

impl TimeOptions {
    /// How long a test may be silent.
    #[must_use]
    pub fn silence(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }
}

/// `2/3` as (2, 3).
///
/// # Errors
///
/// If the text is no such part.
pub fn shard(text: &str) -> Result<(usize, usize), String> {
    let parse = || {
        let (shard, count) = text.split_once('/')?;
        let (shard, count) = (shard.parse().ok()?, count.parse().ok()?);
        (1..=count).contains(&shard).then_some((shard, count))
    };
    parse().ok_or_else(|| "must be I/N with I from 1 to N, such as 1/3".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_one_of_so_many() {
        assert_eq!(shard("2/3"), Ok((2, 3)));
        for text in ["0/3", "4/3", "2", "a/b", "1/0"] {
            assert!(shard(text).is_err(), "{text}");
        }
    }
}
