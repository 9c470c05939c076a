//! What the README shows is what comes out.

use selvedge::model::Model;
use selvedge::racy::LossyCounter;

const README: &str = include_str!("../README.md");
const PAGES: &str = include_str!("../loom-tests/README.md");

/// The fenced block of `text` that contains `line`.
fn block<'a>(text: &'a str, line: &str) -> &'a str {
    text.split("```")
        .find(|part| part.contains(line))
        .and_then(|part| part.split_once('\n'))
        .map_or_else(|| panic!("no block with {line:?}"), |(_, block)| block)
}

#[test]
fn the_failure_in_the_readme_is_the_real_one() {
    let error = Model::new(LossyCounter::new)
        .thread("alice", LossyCounter::increment)
        .thread("bob", LossyCounter::increment)
        .finally("total", LossyCounter::get)
        .acceptable("total=2", "no update is lost")
        .rounds(1_000_000)
        .try_check()
        .expect_err("an update is lost");
    let text = error.to_string();
    let verdict = text.lines().next().unwrap_or_default();
    assert_eq!(block(README, "~~ preempted ~~").lines().next(), Some(verdict));
    if cfg!(loom) {
        let shown = block(README, "~~ preempted ~~");
        assert!(text.starts_with(shown), "the README shows\n{shown}\nand it is\n{text}");
        let shown = block(PAGES, "~~ preempted ~~");
        assert!(text.contains(shown), "the pages show\n{shown}\nand it is\n{text}");
    }
}

/// Every page has its row in the reading order, and every row its page.
#[test]
fn the_reading_order_is_complete() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/loom-tests");
    let mut pages = 0;
    for entry in std::fs::read_dir(folder).expect("the pages are there") {
        let name = entry.expect("and can be listed").file_name();
        let name = name.to_string_lossy();
        if name.ends_with(".rs") {
            pages += 1;
            assert!(PAGES.contains(&format!("[{name}]({name})")), "{name} has no row");
        }
    }
    assert_eq!(PAGES.matches(".rs](").count(), pages, "each row has its page");
}
