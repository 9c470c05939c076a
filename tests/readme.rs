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

/// Every page has its row in the reading order, and every row its page.
#[test]
fn the_reading_order_is_complete() {
    let book = include_str!("../loom-tests/main.rs");
    let pages: Vec<&str> = book
        .lines()
        .filter_map(|line| line.strip_prefix("#[path = \"")?.strip_suffix("\"]"))
        .collect();
    for page in &pages {
        assert!(PAGES.contains(&format!("]({page})")), "{page} has no row");
    }
    let rows = PAGES.lines().filter(|line| line.starts_with('|') && line.contains(".rs) |"));
    assert_eq!(rows.count(), pages.len(), "each row has its page");
}
