//! What the reader is told.

use std::fs;
use std::path::Path;

use exercises::{EXERCISES, Exercise};

fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn every_exercise_has_three_hints_or_more_in_order() {
    for exercise in &EXERCISES {
        let hints = exercise.hints();
        assert!(hints.len() >= 3, "{}: {} hints", exercise.name, hints.len());
        let text = read(&format!("hints/{}.md", exercise.name));
        let heads: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        let numbers: Vec<_> = (1..=hints.len()).map(|level| level.to_string()).collect();
        assert_eq!(heads, numbers, "{}", exercise.name);
    }
}

#[test]
fn every_file_says_how_to_run_it_and_where_its_lesson_is() {
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let contents = read("../loom-tests/README.md");
    for Exercise { name, level, file, .. } in &EXERCISES {
        let text = read(file);
        let (number, _) = file.split_once('_').expect("a number");
        let number = number.trim_start_matches('0');
        let head = text.lines().next().unwrap_or_default();
        assert!(head.starts_with(&format!("//! # {number}. ")), "{file}: {head}");
        assert!(head.ends_with(&format!("({level})")), "{file}: {head}");
        for command in [format!("`cargo exercise {name}`"), format!("`cargo exercise hint {name}`")]
        {
            let told = text.replace("\n//!", "");
            assert!(told.contains(&command), "{file}: {command}");
        }
        let words: Vec<&str> = text.split('`').collect();
        let lessons: Vec<_> =
            words.windows(2).filter(|pair| pair[1].starts_with("loom-tests/")).collect();
        assert!(!lessons.is_empty(), "{file}: no lesson");
        for lesson in lessons {
            // As in `Lessons: 1.2 `loom-tests/…``.
            let (number, path) = (lesson[0].split_whitespace().last(), lesson[1]);
            assert!(pages.join(path).exists(), "{file}: there is no {path}");
            let place = format!("]({})", path.trim_start_matches("loom-tests/"));
            let row = contents.lines().find(|line| line.contains(&place));
            let right = row.and_then(|row| row.split_whitespace().nth(1));
            assert_eq!(number, right, "{file}: the number of {path}");
        }
    }
}

#[test]
fn the_table_of_the_readme_has_every_exercise() {
    let readme = read("README.md");
    for Exercise { name, level, file, .. } in &EXERCISES {
        let row = format!("| [`{name}`]({file}) | {level} |");
        assert!(readme.contains(&row), "README.md has no row that begins with {row:?}");
    }
}
