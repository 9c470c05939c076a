//! What the report is made of: the results of models, by the file that they stand in.

use std::collections::BTreeMap;

use selvedge_results::Record;

/// The models of a file, and what its page is called.
#[derive(Debug)]
pub struct File<'a> {
    /// Its path.
    pub path: &'a str,
    /// The name of its page, without `.html`.
    pub name: String,
    /// In their order in the file.
    pub models: Vec<&'a Record>,
}

/// The models of each file. A page has the name of its file, or that of its path where another file has the same.
#[must_use]
pub fn files(models: &[Record]) -> Vec<File<'_>> {
    let mut by_path: BTreeMap<&str, Vec<&Record>> = BTreeMap::new();
    for record in models {
        by_path.entry(record.file()).or_default().push(record);
    }
    let stem = |path: &str| {
        let name = path.rsplit('/').next().unwrap_or(path);
        name.strip_suffix(".rs").unwrap_or(name).to_owned()
    };
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    for path in by_path.keys() {
        *count.entry(stem(path)).or_default() += 1;
    }
    // `index.html` is the first page.
    count.entry("index".to_owned()).and_modify(|count| *count += 1);
    by_path
        .into_iter()
        .map(|(path, mut models)| {
            models.sort_by_key(|record| (record.line_number(), record.model));
            let name = stem(path);
            let name = if count[&name] == 1 { name } else { slug(path) };
            File { path, name, models }
        })
        .collect()
}

/// A path as the name of a file.
#[must_use]
pub fn slug(path: &str) -> String {
    path.trim_end_matches(".rs").trim_start_matches('/').replace(['/', '\\', ':'], "-")
}

/// How many drawings a model has to have: of each outcome that was reached, and of a failure.
#[must_use]
pub fn drawings(record: &Record) -> usize {
    let reached = record.outcomes.iter().filter(|outcome| outcome.trace.is_some()).count();
    reached + usize::from(record.trace.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_named_by_its_file_or_by_its_path() {
        let record = |at: &str| Record { at: at.to_owned(), ..Record::default() };
        let models = [
            record("a/src/lib.rs:3"),
            record("b/src/lib.rs:2"),
            record("tests/ring.rs:9"),
            record("tests/ring.rs:2"),
        ];
        let files = files(&models);
        let names: Vec<&str> = files.iter().map(|file| &*file.name).collect();
        assert_eq!(names, ["a-src-lib", "b-src-lib", "ring"]);
        let lines: Vec<usize> = files[2].models.iter().map(|record| record.line_number()).collect();
        assert_eq!(lines, [2, 9]);
    }
}
