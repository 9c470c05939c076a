//! The list of specimens, held against the sources: no racy variant is forgotten.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use confidence::measured::Kind;

use crate::specimen::Specimen;

/// Variants that are no specimen, and why.
const LEFT_OUT: [(&str, &str); 1] = [("GuardedPool", "it loses time, and in no order is it wrong")];

/// Specimens that are no variant, and why.
const ADDED: [(&str, &str); 1] = [("a look that loom forgets", "it is a program, not a type")];

/// How the documentation of a variant begins.
const DEFECT: &str = "/// Defect: ";

/// How the paragraph of a suite begins that names its racy variants.
const NAMED: &str = "//! **Racy variant";

/// All Rust files in these folders of the repository.
fn sources() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut folders = ["specimens/src", "loom-tests"].map(|folder| root.join(folder)).to_vec();
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the repository") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files
}

/// What is said to have a defect: the name of the item below each such comment.
fn with_a_defect(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut lines = text.lines().map(str::trim_start);
    while lines.any(|line| line.starts_with(DEFECT)) {
        let is_item = |line: &&str| !line.starts_with("//") && !line.starts_with('#');
        let item = lines.find(is_item).unwrap_or_default();
        let name = item.split_once("struct ").or(item.split_once("fn ")).map(|(_, rest)| rest);
        names.extend(name.map(identifier));
    }
    names
}

/// The racy variants that a suite names in its head.
fn named_as_racy(text: &str) -> Vec<String> {
    let lines = text.lines().skip_while(|line| !line.starts_with(NAMED));
    let lines: Vec<&str> = lines.take_while(|line| *line != "//!").collect();
    let text = lines.join(" ");
    let named = text.split("[`").skip(1).filter_map(|rest| Some(rest.split_once("`]")?.0));
    named.map(str::to_owned).collect()
}

fn identifier(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

fn all() -> Vec<Specimen> {
    crate::all().collect()
}

#[test]
fn every_racy_variant_is_a_specimen_or_left_out_with_a_reason() {
    let sources: Vec<String> =
        sources().iter().map(|file| fs::read_to_string(file).expect("a text")).collect();
    let variants: BTreeSet<String> = sources.iter().flat_map(|text| with_a_defect(text)).collect();
    let named: BTreeSet<String> = sources.iter().flat_map(|text| named_as_racy(text)).collect();
    let unmarked: Vec<_> = named.difference(&variants).collect();
    assert!(unmarked.is_empty(), "their documentation does not begin with Defect: {unmarked:?}");

    let specimens: BTreeSet<String> = all()
        .iter()
        .filter(|one| one.kind != Kind::Sound && !one.name.contains('#'))
        .map(|one| one.name.to_owned())
        .chain(LEFT_OUT.map(|(name, _)| name.to_owned()))
        .collect();
    let forgotten: Vec<_> = variants.difference(&specimens).collect();
    assert!(forgotten.is_empty(), "racy variants without a specimen: {forgotten:?}");
    let added = ADDED.map(|(name, _)| name);
    let unknown: Vec<_> =
        specimens.difference(&variants).filter(|name| !added.contains(&name.as_str())).collect();
    assert!(unknown.is_empty(), "specimens of no variant: {unknown:?}");
}

/// Bugs from the field that are no specimen: where threads are real, they use freed memory.
const NOT_RUN: [&str; 2] = ["internment_11", "rust_98498"];

/// A file of the package `field` is named after the bug that it models: `crate_number.rs`.
#[test]
fn every_bug_from_the_field_is_a_specimen() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../field/src");
    let names = fs::read_dir(folder).expect("a folder of the repository").map(|entry| {
        entry.expect("an entry").path().file_stem().expect("a name").to_string_lossy().into_owned()
    });
    let files: BTreeSet<String> = names.filter(|name| name.ends_with(char::is_numeric)).collect();
    let specimens: BTreeSet<String> = crate::reported::all()
        .iter()
        .filter(|one| one.kind != Kind::Sound)
        .map(|one| one.name.replace(" #", "_").replace('-', "_"))
        .chain(NOT_RUN.map(str::to_owned))
        .collect();
    assert_eq!(specimens, files, "left: the specimens; right: the files of field/src");
}

#[test]
fn a_variant_is_found_by_its_documentation_and_by_its_page() {
    let text = "/// Defect: locks\n/// twice.\n#[derive(Default)]\npub(crate) struct Bell<T>(T);\n\
                    /// Defect: counts.\n    pub fn counts(n: u64) {}\n\
                    /// No defect.\nstruct Sound;\n";
    assert_eq!(with_a_defect(text), ["Bell", "counts"]);
    let page = "//! # Title\n//!\n//! **Racy variants.** [`Bell`]: deadlock.\n//! [`Gong`]: data race.\n\
                //!\n//! **Why it holds.** [`Sound`] does not.\n";
    assert_eq!(named_as_racy(page), ["Bell", "Gong"]);
}

#[test]
fn every_control_is_a_sound_specimen_and_every_name_is_given_once() {
    let all = all();
    let names: BTreeSet<&str> = all.iter().map(|one| one.name).collect();
    assert_eq!(names.len(), all.len(), "two specimens have one name");
    for one in &all {
        let Some(control) = one.control else { continue };
        let sound = all.iter().any(|other| other.name == control && other.kind == Kind::Sound);
        assert!(sound, "the control of {} is {control}, which is no sound specimen", one.name);
    }
}
