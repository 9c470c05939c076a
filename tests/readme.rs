//! What the README shows is what comes out.

#[cfg(loom)]
const README: &str = include_str!("../README.md");
const PAGES: &str = include_str!("../loom-tests/README.md");

#[cfg(loom)]
/// The fenced block of `text` that contains `line`.
fn block<'a>(text: &'a str, line: &str) -> &'a str {
    text.split("```")
        .find(|part| part.contains(line))
        .and_then(|part| part.split_once('\n'))
        .map_or_else(|| panic!("no block with {line:?}"), |(_, block)| block)
}

/// On loom, where the failing execution is always the same one.
#[cfg(loom)]
#[test]
fn the_failure_in_the_readme_is_the_real_one() {
    use selvedge_model::Model;
    use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};

    fn increment(total: &AtomicU64) {
        let seen = total.load(Relaxed);
        total.store(seen + 1, Relaxed);
    }
    let error = Model::new(|| AtomicU64::new(0))
        .thread("alice", increment)
        .thread("bob", increment)
        .finally("total", |total| total.load(Relaxed))
        .acceptable("total=2", "no update is lost")
        .try_check()
        .expect_err("an update is lost");
    let text = error.to_string();
    let shown = block(README, "~~ preempted ~~");
    assert!(text.starts_with(shown), "the README shows\n{shown}\nand it is\n{text}");
}

/// The pages show the same for `LossyCounter`.
#[cfg(loom)]
#[test]
fn the_interleaving_in_the_book_is_the_real_one() {
    use selvedge_model::Model;
    use specimens::racy::LossyCounter;

    let error = Model::new(LossyCounter::new)
        .thread("alice", LossyCounter::increment)
        .thread("bob", LossyCounter::increment)
        .finally("total", LossyCounter::get)
        .acceptable("total=2", "no update is lost")
        .try_check()
        .expect_err("an update is lost");
    let (shown, text) = (block(PAGES, "~~ preempted ~~"), error.to_string());
    assert!(text.contains(shown), "the pages show\n{shown}\nand it is\n{text}");
}

/// Every lesson and every suite has its row, and every row its file.
#[test]
fn the_table_of_contents_is_complete() {
    let book = include_str!("../loom-tests/book.rs");
    let lesson =
        |line: &str| Some(line.strip_prefix("#[path = \"")?.strip_suffix("\"]")?.to_owned());
    let mut files: Vec<String> = book.lines().filter_map(lesson).collect();
    for (folder, list) in [
        ("suites", include_str!("../loom-tests/suites/main.rs")),
        ("suites/checker", include_str!("../loom-tests/suites/checker.rs")),
    ] {
        let module = |line: &str| {
            let name = line.strip_prefix("mod ")?.strip_suffix(';')?;
            let is_suite = !matches!(name, "support" | "checker");
            is_suite.then(|| format!("{folder}/{name}.rs"))
        };
        files.extend(list.lines().filter_map(module));
    }
    for file in &files {
        assert!(PAGES.contains(&format!("]({file})")), "{file} has no row");
    }
    let rows = PAGES.lines().filter(|line| line.starts_with('|') && line.contains(".rs) |"));
    assert_eq!(rows.count(), files.len(), "each row has its file");
}
