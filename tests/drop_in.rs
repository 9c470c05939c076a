//! The primitives are built on `selvedge_model::sync` alone: the checker sees every operation.

use std::fs;
use std::path::{Path, PathBuf};

/// All Rust files below `folder`.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder of this package can be read");
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.expect("its entries too").path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The lines of `text` that bypass `selvedge_model::sync`, comments apart.
fn stray(text: &str) -> Vec<&str> {
    // A brace could hide any of them.
    let doors = [
        "std::sync",
        "core::sync",
        "std::thread",
        "std::cell::UnsafeCell",
        "std::{",
        "core::{",
        "loom::",
    ];
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .filter(|line| doors.iter().any(|door| line.contains(door)))
        .collect()
}

#[test]
fn primitives_use_nothing_but_the_drop_in() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut looked_at = 0;
    for file in sources(&src) {
        let inside = file.strip_prefix(&src).expect("it was found there");
        looked_at += 1;
        let text = fs::read_to_string(&file).expect("a source file can be read");
        let found = stray(&text);
        assert!(found.is_empty(), "{} bypasses selvedge_model::sync: {found:?}", inside.display());
    }
    assert!(looked_at >= 4, "only {looked_at} files were looked at");
}

#[test]
fn a_stray_use_would_be_found() {
    assert_eq!(stray("use std::sync::Mutex;").len(), 1);
    assert_eq!(stray("use std::{fmt, sync::Mutex};").len(), 1);
    assert_eq!(stray("    loom::model(|| ());").len(), 1);
    assert_eq!(stray("/// like `std::sync::Mutex`\nuse selvedge_model::sync::Mutex;").len(), 0);
}
