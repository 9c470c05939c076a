//! The packages that options select.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use cargo_metadata::{Metadata, Package};

use crate::exit::Exit;
use crate::options::CargoOptions;

/// The packages that the options select, as cargo does.
pub(super) fn select(metadata: &Metadata, options: &CargoOptions) -> Result<Vec<Package>> {
    let members: BTreeMap<&str, &Package> = metadata
        .workspace_packages()
        .into_iter()
        .map(|package| (package.name.as_str(), package))
        .collect();
    let flags = &options.workspace;
    for name in flags.package.iter().chain(&flags.exclude) {
        if !members.contains_key(&**name) {
            let known: Vec<&str> = members.keys().copied().collect();
            return Err(Exit::Usage.because(format!(
                "there is no package `{name}` in this workspace; there are: {}",
                known.join(", ")
            )));
        }
    }
    let chosen: Vec<&Package> = if !flags.package.is_empty() {
        flags.package.iter().map(|name| members[&**name]).collect()
    } else if flags.workspace || flags.all {
        members.values().copied().filter(|package| !flags.exclude.contains(&package.name)).collect()
    } else {
        let here = match &options.manifest.manifest_path {
            Some(path) => Some(std::path::absolute(path)?),
            None => nearest(&std::env::current_dir()?),
        };
        let here = here.and_then(|path| path.canonicalize().ok());
        let root = metadata.workspace_root.as_std_path().join("Cargo.toml");
        let own = members.values().find(|package| {
            let path = package.manifest_path.as_std_path();
            here.as_deref() == path.canonicalize().ok().as_deref() && path != root
        });
        match own {
            Some(package) => vec![package],
            None => metadata.workspace_default_packages(),
        }
    };
    if chosen.is_empty() {
        return Err(Exit::Usage.because("no package is selected"));
    }
    Ok(chosen.into_iter().cloned().collect())
}

/// The manifest of the nearest folder that has one.
fn nearest(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().map(|folder| folder.join("Cargo.toml")).find(|path| path.exists())
}
