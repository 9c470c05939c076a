//! The sources that `cargo selvedge mutants` has changed: next to each line, what became of its mutants.

use std::collections::BTreeMap;

use maud::{Markup, html};
use selvedge_results::{Fate, Reach, Survivor, Trial};

use super::data::slug;
use super::pages::document;
use crate::mutants::Accepted;

/// Where the section of a test begins, by its name.
pub(crate) type Links = BTreeMap<String, String>;

/// The trials of each file.
pub(crate) type Trials<'a> = BTreeMap<&'a str, Vec<&'a Trial>>;

/// How many mutants there are, are killed, and are accepted.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Score {
    pub(crate) tried: usize,
    pub(crate) killed: usize,
    pub(crate) accepted: usize,
}

impl Score {
    pub(crate) fn of<'a>(trials: impl IntoIterator<Item = &'a Trial>, accepted: &Accepted) -> Self {
        let mut score = Self::default();
        for trial in trials {
            if trial.fate == (Fate::NotCovered { reach: Reach::Guessed }) {
                continue;
            }
            score.tried += 1;
            if matches!(trial.fate, Fate::Killed(_)) {
                score.killed += 1;
            } else if accepted.reason(&trial.mutant).is_some() {
                score.accepted += 1;
            }
        }
        score
    }

    /// `62 of 62 killed`, and what is accepted.
    pub(crate) fn words(self) -> String {
        let Self { tried, killed, accepted } = self;
        let rest = if accepted > 0 { format!(", {accepted} accepted") } else { String::new() };
        format!("{killed} of {tried} killed{rest}")
    }

    /// Whether each one is killed or accepted.
    pub(crate) fn is_full(self) -> bool {
        self.killed + self.accepted == self.tried
    }
}

/// The trials by file, without files that are no longer as they were then: their lines would be
/// put beside the wrong fates. The second are the names of those.
pub(crate) fn by_file(
    trials: &[Trial],
    source: impl Fn(&str) -> Option<String>,
) -> (Trials<'_>, Vec<&str>) {
    let mut files = Trials::new();
    for trial in trials {
        files.entry(&trial.mutant.file).or_default().push(trial);
    }
    let mut changed = Vec::new();
    files.retain(|file, trials| {
        let text = source(file).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let same = trials.iter().all(|Trial { mutant, .. }| {
            lines.get(mutant.line.wrapping_sub(1)).is_some_and(|line| line.trim() == mutant.source)
        });
        if !same {
            changed.push(*file);
        }
        same
    });
    (files, changed)
}

/// The name of a file's page.
pub(crate) fn file_name(file: &str) -> String {
    format!("mutants-{}.html", slug(file))
}

/// The page of a file.
pub(crate) fn page(
    file: &str,
    source: &str,
    trials: &[&Trial],
    accepted: &Accepted,
    tests: &Links,
) -> Markup {
    let score = Score::of(trials.iter().copied(), accepted);
    let mut lines: Vec<usize> = trials.iter().map(|trial| trial.mutant.line).collect();
    lines.dedup();
    let body = html! {
        h1.mono { (file) }
        p {
            "Each mutant is one small change to one operation. " (score.words()) ". A mutant is killed by "
            "the first test that turns red with it; others may too."
        }
        p.small {
            "Lines with mutants: "
            @for (position, line) in lines.iter().enumerate() {
                @if position > 0 { ", " }
                a href={ "#L" (line) } { (line) }
            }
        }
        div.source {
            @for (line, number) in source.lines().zip(1..) {
                @let here: Vec<&&Trial> = trials.iter().filter(|t| t.mutant.line == number).collect();
                div.line.changed[!here.is_empty()] id={ "L" (number) } {
                    span { (number) }
                    code { (line) }
                }
                @if !here.is_empty() {
                    ul.fates { @for trial in here { (fate(trial, accepted, tests)) } }
                }
            }
        }
    };
    document(file, false, &body)
}

fn fate(Trial { mutant, fate }: &Trial, accepted: &Accepted, tests: &Links) -> Markup {
    let change = format!("{}: {}", mutant.operator(), mutant.operation);
    let detail = match &*mutant.ordering {
        "" => String::new(),
        ordering if mutant.change == "split" => format!(" ({ordering})"),
        ordering => format!(" ({ordering} → {})", mutant.change),
    };
    html! {
        li {
            @match (fate, accepted.reason(mutant)) {
                (Fate::Killed(kill), _) => {
                    span.chip.good { "killed" } " " (change) (detail)
                    span.muted {
                        " — " (kill.how)
                        @if let Some(executions) = kill.executions { ", execution " (executions) }
                        ", " (by(&kill.by, tests))
                    }
                }
                (_, Some(reason)) => {
                    span.chip.warn { "accepted" } " " (change) (detail) span.muted { " — " (reason) }
                }
                (Fate::Survived { judges, .. }, None) => {
                    span.chip.bad { "survived" } " " (change) (detail)
                    @if let Some(kind) = fate.survivor() { " " span.chip { (kind.name()) } }
                    span.muted { " — " (judges) " tests stay green: " (mutant.meaning()) }
                }
                (Fate::NotCovered { reach: Reach::Guessed }, None) => {
                    span.chip { "perhaps not covered" } " " (mutant.operation)
                    span.muted { " — a guess: the type of what is called is not known" }
                }
                (Fate::NotCovered { .. }, None) => {
                    span.chip.bad { "not covered" } " " (mutant.operation)
                    " " span.chip { (Survivor::NotConcurrent.name()) }
                    span.muted { " — " (mutant.meaning()) }
                }
            }
        }
    }
}

/// The test, with a link if it has a page.
fn by(test: &str, tests: &Links) -> Markup {
    html! {
        @match tests.get(test) {
            Some(link) => a href=(link) { (test) },
            None => (test),
        }
    }
}

#[cfg(test)]
mod tests {
    use selvedge_results::{Means, samples};

    use super::*;

    fn all() -> Vec<Trial> {
        vec![
            samples::trial(1, "swap", "relaxed", samples::killed(Means::Model)),
            samples::trial(2, "lock", "ended", Fate::Survived { judges: 2, visible: false }),
        ]
    }

    #[test]
    fn each_line_has_the_fates_of_its_mutants() {
        let trials = all();
        let here: Vec<&Trial> = trials.iter().collect();
        let links = Links::from([("page::test".to_owned(), "page.html#test".to_owned())]);
        let text = page("src/a.rs", "one\ntwo\nthree", &here, &Accepted::default(), &links);
        let text = text.into_string();
        let position = |what: &str| text.find(what).unwrap_or_else(|| panic!("{what}: {text}"));
        let marks = ["id=\"L1\"", "page.html#test", "id=\"L2\"", "2 tests stay green", "id=\"L3\""];
        assert!(marks.map(position).is_sorted(), "{text}");
        assert!(text.contains("1 of 2 killed"));
        assert!(!Score::of(&trials, &Accepted::default()).is_full());
    }

    #[test]
    fn a_file_that_has_changed_since_is_left_out() {
        let trials = all();
        let was = "self.swap() // 1\n    self.lock() // 2\n".to_owned();
        let (files, changed) = by_file(&trials, |_| Some(was.clone()));
        assert_eq!((files.len(), changed.len()), (1, 0));
        let (files, changed) = by_file(&trials, |_| Some(format!("\n{was}")));
        assert_eq!((files.len(), changed), (0, vec!["src/a.rs"]));
        assert_eq!(by_file(&trials, |_| None).1, ["src/a.rs"]);
    }
}
