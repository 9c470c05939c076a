//! What the README, the table of contents and the glossary show is what there is.

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

/// The book shows the picture of lesson 1.2, which the lesson asserts, with the lines of its two steps.
#[test]
fn the_interleaving_in_the_book_is_that_of_the_lesson() {
    let lesson = include_str!("../loom-tests/1_races/2_lost_update.rs");
    let (_, rest) = PAGES.split_once("```text\n").expect("the book has a picture");
    let (shown, _) = rest.split_once("```").expect("the picture ends");
    assert_eq!(shown.lines().count(), 6, "{shown}");
    let mut in_lesson = lesson.lines();
    for line in shown.lines() {
        let (step, place) = line.split_once('…').unwrap_or((line, ""));
        let step = format!("//! {}", step.trim_end());
        assert!(in_lesson.any(|line| line == step), "{step:?} is not in the lesson");
        if let Some(number) = place.strip_prefix("/2_lost_update.rs:") {
            let number: usize = number.parse().expect("the number of a line");
            let code = lesson.lines().nth(number - 1).unwrap_or_default();
            let call = if step.contains("load") { "total.load(" } else { "total.store(" };
            assert!(code.contains(call), "{place} is {code:?}");
        }
    }
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
    let rows = PAGES.lines().filter(|line| {
        line.starts_with("| ") && line.split(" |").next().is_some_and(|cell| cell.ends_with(".rs)"))
    });
    assert_eq!(rows.count(), files.len(), "each row has its file");
}

use std::path::{Path, PathBuf};

const GLOSSARY: &str = include_str!("../loom-tests/glossary.md");

/// The files of `folder`, with those of its folders.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder of the repository");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// The targets of the links in `text`.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0))
}

/// Each entry has a link, each link leads to a file, and the number of a lesson is that of its file.
#[test]
fn the_links_of_the_glossary_lead_to_files() {
    let folder = Path::new("loom-tests");
    for row in GLOSSARY.lines().filter(|line| line.starts_with("| **")) {
        assert!(links(row).next().is_some(), "no link in {row}");
        for link in links(row) {
            assert!(folder.join(link).is_file(), "{link} is no file: {row}");
            let label =
                row.split(&format!("]({link})")).next().and_then(|text| text.rsplit('[').next());
            let numbered = PAGES.lines().find(|line| line.contains(&format!("]({link})")));
            let number = numbered.and_then(|row| row.strip_prefix("| ")?.split(' ').next());
            if number.is_some_and(|number| number.starts_with(char::is_numeric)) {
                assert_eq!(label, number, "the number of {link}");
            }
        }
    }
}

/// The terms of the reports that are no names of variants.
const REPORTED: [&str; 18] = [
    "explored completely",
    "but for idle turns",
    "bounded",
    "turns change something",
    "limit of steps",
    "only under weak memory",
    "newest is",
    "in modification order",
    "preempted",
    "not completed",
    "loom agrees",
    "loom not run",
    "fails as expected",
    "the engines disagree",
    "wrong model",
    "limit exceeded",
    "not run on threads",
    "rounds on real threads",
];

/// The strings in the `Display` of `type_name`.
fn displayed<'a>(source: &'a str, type_name: &str) -> Vec<&'a str> {
    let (_, rest) = source
        .split_once(&format!("impl fmt::Display for {type_name} {{"))
        .unwrap_or_else(|| panic!("{type_name} has a Display"));
    let (block, _) = rest.split_once("\n}").expect("the block ends");
    block.split("=> \"").skip(1).filter_map(|rest| Some(rest.split_once('"')?.0)).collect()
}

/// What the checker prints, and what lessons print in bold, has an entry.
#[test]
fn the_glossary_has_each_term() {
    let read = |path: &PathBuf| std::fs::read_to_string(path).expect("a text");
    let source: String = files(Path::new("model/src")).iter().map(read).collect();
    let entries: Vec<String> = GLOSSARY
        .lines()
        .filter_map(|line| Some(line.strip_prefix("| **")?.split_once("**")?.0.to_lowercase()))
        .collect();
    let mut terms: Vec<String> = Vec::new();
    for (type_name, variants) in [("Grade", 3), ("Failure", 6), ("Promise", 4)] {
        let words = displayed(&source, type_name);
        assert!(words.len() >= variants, "{type_name}: {words:?}");
        terms.extend(words.into_iter().map(str::to_owned));
    }
    for term in REPORTED {
        assert!(source.contains(term), "the checker does not print {term:?}");
        terms.push(term.to_owned());
    }
    let parts = ["guess:", "output.", "why.", "fix.", "break it yourself.", "no data race"];
    let lessons = files(Path::new("loom-tests")).into_iter().filter(|path| {
        path.components().nth(1).is_some_and(|folder| {
            folder.as_os_str().to_string_lossy().starts_with(char::is_numeric)
        })
    });
    for lesson in lessons {
        let text = read(&lesson);
        let head: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("//!")).collect();
        let head = head.concat();
        let bold = head.split("**").skip(1).step_by(2).map(str::to_lowercase);
        terms.extend(bold.filter(|term| !parts.contains(&term.as_str())));
    }
    assert!(terms.len() > 40, "{terms:?}");
    for term in &terms {
        let term = term.trim_end_matches('.');
        let has_entry = entries.iter().any(|entry| entry.contains(term));
        assert!(has_entry, "{term:?} has no entry in loom-tests/glossary.md");
    }
}
