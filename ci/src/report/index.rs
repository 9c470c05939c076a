//! The first page: all pages in their reading order, and what was found.

use maud::{Markup, html};

use super::confidence::in_short;
use super::data::Model;
use super::pages::document;
use super::prose::Page;
use super::sources::{Score, Trials, file_name};
use crate::mutants::{Accepted, Fate, Results};
use ci::grouped;

/// A page and what was found on it.
pub(crate) struct Entry<'a> {
    pub(crate) name: &'a str,
    pub(crate) page: Page,
    pub(crate) models: Vec<&'a Model>,
}

/// What `cargo ci mutants` has left.
pub(crate) struct Mutants<'a> {
    pub(crate) results: &'a Results,
    pub(crate) accepted: &'a Accepted,
    pub(crate) files: &'a Trials<'a>,
    /// Files that have changed since.
    pub(crate) changed: &'a [&'a str],
}

/// The pages under their headings, in the order of `loom-tests/README.md`.
pub(crate) fn sections(order: &str, names: &[&str]) -> Vec<(String, Vec<String>)> {
    let mut sections: Vec<(String, Vec<String>)> = Vec::new();
    let mut rest: Vec<&str> = names.to_vec();
    for line in order.lines() {
        if let Some(title) = line.strip_prefix("**").and_then(|line| line.strip_suffix("**")) {
            sections.push((title.to_owned(), Vec::new()));
        } else if line.starts_with('|') {
            let here = |name: &&str| {
                ["(", "/"].iter().any(|before| line.contains(&format!("{before}{name}.rs)")))
            };
            if let Some(position) = rest.iter().position(here) {
                let name = rest.remove(position).to_owned();
                match sections.last_mut() {
                    Some((_, names)) => names.push(name),
                    None => sections.push((String::new(), vec![name])),
                }
            }
        }
    }
    if !rest.is_empty() {
        let rest = rest.iter().map(ToString::to_string).collect();
        sections.push(("Not in the reading order".to_owned(), rest));
    }
    sections.retain(|(_, names)| !names.is_empty());
    sections
}

/// The first page.
pub(crate) fn page(
    entries: &[Entry<'_>],
    order: &str,
    mutants: Option<&Mutants<'_>>,
    confidence: Option<&str>,
) -> Markup {
    let names: Vec<&str> = entries.iter().map(|entry| entry.name).collect();
    let models: Vec<&Model> =
        entries.iter().flat_map(|entry| entry.models.iter().copied()).collect();
    let executions: u64 = models.iter().map(|model| model.record.executions).sum();
    let count = |status: &str| models.iter().filter(|model| is(model, status)).count();
    let facts = [
        ("pages", entries.len().to_string()),
        ("models", models.len().to_string()),
        ("executions", grouped(executions)),
        ("explored completely", count("complete").to_string()),
        ("bounded", count("bounded").to_string()),
        ("fail as they should", count("fails").to_string()),
        ("failed", models.iter().filter(|model| !model.record.passed()).count().to_string()),
    ];
    let body = html! {
        h1 { "What was explored, and what was found" }
        p {
            "Each page asks one question and answers it with models: tables of outcomes, held against "
            "every execution. Each outcome comes with an interleaving that reaches it."
        }
        dl.facts { @for (what, value) in &facts { div { dt { (what) } dd { (value) } } } }
        @for (title, pages) in sections(order, &names) {
            h2 { (title) }
            table.cards.pages {
                thead {
                    tr {
                        th { "question" } th { "verdict" } th.number { "models" } th.number { "executions" }
                        th.number { "mutants caught" }
                    }
                }
                tbody {
                    @for page in &pages {
                        @for entry in entries.iter().filter(|entry| entry.name == page) {
                            (row(entry, mutants))
                        }
                    }
                }
            }
        }
        (broken(mutants))
        (in_short(confidence, &names))
    };
    document("selvedge: what was explored, and what was found", true, &body)
}

fn is(model: &Model, status: &str) -> bool {
    model.record.passed() && model.record.status().starts_with(status)
}

fn row(Entry { name, page, models }: &Entry<'_>, mutants: Option<&Mutants<'_>>) -> Markup {
    let executions = models.iter().map(|model| model.record.executions).sum();
    let failed = models.iter().filter(|model| !model.record.passed()).count();
    let complete = models.iter().filter(|model| is(model, "complete")).count();
    let bounded = models.iter().filter(|model| is(model, "bounded")).count();
    let fails = models.iter().filter(|model| is(model, "fails")).count();
    html! {
        tr {
            td { a href={ (name) ".html" } { (page.question) } }
            td {
                @if failed > 0 { span.chip.bad { (failed) " FAILED" } " " }
                @if complete > 0 { span.chip.good { (complete) " complete" } " " }
                @if bounded > 0 { span.chip.warn { (bounded) " bounded" } " " }
                @if fails > 0 { span.chip { (fails) " fail as they should" } }
            }
            td.number data-label="models" { (models.len()) }
            td.number data-label="executions" { (grouped(executions)) }
            td.number data-label="mutants caught" {
                @match mutants { Some(mutants) => (caught(name, mutants)), None => "not tried" }
            }
        }
    }
}

/// How many mutants were caught first by a test of the page.
fn caught(name: &str, mutants: &Mutants<'_>) -> usize {
    let by = |fate: &Fate| match fate {
        Fate::Killed(kill) => kill.by.split_once("::").is_some_and(|(page, _)| page == name),
        _ => false,
    };
    mutants.results.trials.iter().filter(|trial| by(&trial.fate)).count()
}

/// What became of mutants.
fn broken(mutants: Option<&Mutants<'_>>) -> Markup {
    html! {
        h2 id="mutants" { "Would the suite notice?" }
        @match mutants {
            None => p.muted { "Not tried: " code { "cargo ci mutants" } " leaves what this table is made of." },
            Some(Mutants { results, accepted, files, changed }) => {
                @let score = Score::of(&results.trials, accepted);
                p {
                    "Each operation of these files was changed in every small way, one at a time. "
                    strong { (score.words()) "." }
                    @if !results.complete() {
                        " Of " (results.mutants) " mutants only " (score.tried) " were tried."
                    }
                    " “Caught” above counts those whose first killer stands on the page."
                }
                @if !changed.is_empty() {
                    p { span.chip.bad { "out of date" } " " (changed.join(", ")) " changed since: not shown." }
                }
                table.cards.files {
                    thead { tr { th { "file" } th { "verdict" } th.number { "mutants" } th.number { "killed" } th.number { "accepted" } } }
                    tbody {
                        @for (file, trials) in *files {
                            @let score = Score::of(trials.iter().copied(), accepted);
                            tr {
                                td.mono { a href=(file_name(file)) { (file) } }
                                td {
                                    @if score.is_full() { span.chip.good { "all noticed" } }
                                    @else { span.chip.bad { (score.tried - score.killed - score.accepted) " open" } }
                                }
                                td.number data-label="mutants" { (score.tried) }
                                td.number data-label="killed" { (score.killed) }
                                td.number data-label="accepted" { (score.accepted) }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_stand_in_their_reading_order_and_none_is_left_out() {
        let order = "**First**\n\n| page | question |\n|---|---|\n| [b.rs](b.rs) | B? |\n\n**Second**\n\
                     | [a.rs](a.rs) | A? |\n\n**Empty**\n";
        let sections = sections(order, &["a", "b", "c"]);
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(
            sections,
            [
                ("First".to_owned(), names(&["b"])),
                ("Second".to_owned(), names(&["a"])),
                ("Not in the reading order".to_owned(), names(&["c"])),
            ]
        );
    }
}
