//! The sources of a package, as the compiler was given them.

use std::path::Path;

use cargo_metadata::Artifact;

/// The Rust files that an artifact was compiled from, as the compiler was given them.
pub(super) fn compiled(artifact: &Artifact) -> Vec<String> {
    let files = artifact.filenames.iter().chain(&artifact.executable);
    let mut notes = files.filter_map(|file| {
        let stem = file.file_stem()?;
        let stem = if file.extension().is_some_and(|kind| kind == "rmeta") {
            stem.strip_prefix("lib")?
        } else {
            stem
        };
        std::fs::read_to_string(file.with_file_name(format!("{stem}.d"))).ok()
    });
    notes.next().map(|text| dependencies(&text)).unwrap_or_default()
}

/// The Rust files that a compiler's note names. Each has a line of its own there.
fn dependencies(note: &str) -> Vec<String> {
    let files = note.lines().filter_map(|line| line.strip_suffix(':'));
    let rust = files.filter(|file| Path::new(file).extension().is_some_and(|kind| kind == "rs"));
    rust.map(|file| file.replace("\\ ", " ").replace('\\', "/")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_of_the_compiler_names_the_sources() {
        let note = "\
/t/debug/deps/ring-1.d: src/lib.rs src/spsc.rs src/a\\ b.rs data.txt

/t/debug/deps/libring-1.rmeta: src/lib.rs src/spsc.rs src/a\\ b.rs data.txt

src/lib.rs:
src/spsc.rs:
src/a\\ b.rs:
data.txt:

# env-dep:CARGO_PKG_NAME=ring
";
        assert_eq!(dependencies(note), ["src/lib.rs", "src/spsc.rs", "src/a b.rs"]);
    }
}
