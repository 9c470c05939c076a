//! Where something stands in the sources, as people look for it.

use std::panic::Location;

/// `src/counter.rs:120`
pub(crate) fn file_and_line(at: &Location<'_>) -> String {
    file_and_line_of(at.file(), at.line())
}

pub(crate) fn file_and_line_of(file: &str, line: u32) -> String {
    format!("{}:{line}", plain_path(file))
}

/// The same, unless it is in the standard library, or where the checker starts the declared threads: where these call a
/// destructor, or spawn, does not tell who dropped the value, or declared the thread.
#[cfg(loom)]
pub(crate) fn in_program(file: &str, line: u32) -> Option<String> {
    let in_std = file.starts_with("/rustc/") || file.contains("/library/");
    (!in_std && !is_in_check(file)).then(|| file_and_line_of(file, line))
}

/// Whether a file is in `check/` of this crate.
#[cfg(loom)]
fn is_in_check(file: &str) -> bool {
    let sources = file!().trim_end_matches("place.rs");
    file.strip_prefix(sources).is_some_and(|rest| rest.starts_with("check"))
}

/// `path` without `folder/..`, as of a module whose `#[path]` leads out of its folder.
pub(crate) fn plain_path(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split(['/', '\\']) {
        match part {
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            "." => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(loom)]
    fn a_place_in_the_checker_is_not_told() {
        assert_eq!(in_program(&file!().replace("place.rs", "check/explore.rs"), 7), None);
        assert_eq!(
            in_program("src/check/explore.rs", 7),
            Some("src/check/explore.rs:7".to_owned())
        );
    }

    #[test]
    fn a_path_is_the_same_from_wherever_its_module_is_declared() {
        assert_eq!(plain_path("src/a.rs"), "src/a.rs");
        assert_eq!(plain_path("loom-tests/../specimens/src/a.rs"), "specimens/src/a.rs");
        assert_eq!(plain_path("../a/./b/../../c.rs"), "../c.rs");
        assert_eq!(plain_path(r"src\a.rs"), "src/a.rs");
    }
}
