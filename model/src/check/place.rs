//! Where something stands in the sources, as people look for it.

use std::panic::Location;

/// `src/counter.rs:120`
pub(crate) fn file_and_line(at: &Location<'_>) -> String {
    format!("{}:{}", plain_path(at.file()), at.line())
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
    fn a_path_is_the_same_from_wherever_its_module_is_declared() {
        assert_eq!(plain_path("src/a.rs"), "src/a.rs");
        assert_eq!(plain_path("loom-tests/../specimens/src/a.rs"), "specimens/src/a.rs");
        assert_eq!(plain_path("../a/./b/../../c.rs"), "../c.rs");
        assert_eq!(plain_path(r"src\a.rs"), "src/a.rs");
    }
}
