//! What the README shows is what comes out.

const README: &str = include_str!("../README.md");
const PAGES: &str = include_str!("../loom-tests/README.md");

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
    use selvedge::model::Model;
    use selvedge::racy::LossyCounter;

    let error = Model::new(LossyCounter::new)
        .thread("alice", LossyCounter::increment)
        .thread("bob", LossyCounter::increment)
        .finally("total", LossyCounter::get)
        .acceptable("total=2", "no update is lost")
        .try_check()
        .expect_err("an update is lost");
    let text = error.to_string();
    let shown = block(README, "~~ preempted ~~");
    assert!(text.starts_with(shown), "the README shows\n{shown}\nand it is\n{text}");
    let shown = block(PAGES, "~~ preempted ~~");
    assert!(text.contains(shown), "the pages show\n{shown}\nand it is\n{text}");
}

/// What the README shows is what the pages show, in either configuration.
#[test]
fn both_pages_show_the_same_picture() {
    assert!(block(README, "~~ preempted ~~").contains(block(PAGES, "~~ preempted ~~")));
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
    let rows = PAGES.lines().filter(|line| line.starts_with('|') && line.contains(".rs]("));
    assert_eq!(rows.count(), pages, "each row has its page");
}
