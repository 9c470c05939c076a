//! The pages of the report: one for each file with models.

use std::fmt::Write as _;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use selvedge_results::advice::IDLE_TURNS;
use selvedge_results::{Outcome, Picture, Record, Scenarios};

use super::data::drawings;
use super::drawing::Drawing;
use super::prose::{Around, Page, markdown};
use super::svg::{self, End};
use crate::model;
use crate::shell::grouped;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// How a drawing begins in a page.
pub const FIGURE: &str = "<figure class=\"interleaving\"";

/// A whole file, which needs no other.
pub fn document(title: &str, home: bool, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) (PreEscaped(svg::STYLE)) }
            }
            body {
                header.top {
                    nav { @if home { "cargo selvedge report" } @else { a href="index.html" { "all pages" } } }
                }
                main { (body) }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}

/// The page of the file at `path`.
pub fn page(path: &str, page: &Page, models: &[&Record], around: &Around) -> Markup {
    let body = html! {
        h1 { (page.question) }
        @if page.question != path { p.small.muted { (path) } }
        (markdown(&page.head, around))
        (legend())
        (idle_turns(models))
        @for model in models {
            (section(model, page, around))
        }
    };
    document(&page.question, false, &body)
}

/// Where a model's section begins.
pub fn anchor(test: &str, model: usize) -> String {
    let mut anchor = test.replace("::", ".");
    if model > 1 {
        let _ = write!(anchor, "-{model}");
    }
    anchor
}

/// What a result leaves out, if one of these is complete but for idle turns.
pub(super) fn idle_turns(models: &[&Record]) -> Markup {
    let any = models.iter().any(|model| model::has_idle_turns(model));
    html! { @if any { p.small.muted { "“" (IDLE_TURNS.replacen(':', "”:", 1)) "." } } }
}

/// A model: what it says, what was found, and how.
fn section(record: &Record, page: &Page, around: &Around) -> Markup {
    let test = page.test(&record.test);
    let anchor = anchor(&record.test, record.model);
    let name = record.test.rsplit("::").next().unwrap_or_default().replace('_', " ");
    html! {
        section.model id=(anchor) data-drawings=(drawings(record)) {
            h2 {
                a href={ "#" (anchor) } { (name) @if record.model > 1 { " (" (record.model) ")" } }
            }
            @if let Some(test) = test.filter(|test| !test.doc.is_empty() && record.model == 1) {
                (markdown(&test.doc, around))
            }
            p.meta {
                (status(record))
                span { (grouped(record.executions)) (plural(record.executions, " execution")) }
                @if !record.loom.is_empty() { span { (record.loom) } }
                span.mono { (record.at) }
            }
            @if let Some(scenarios) = &record.scenarios {
                (scenarios_table(scenarios, record.executions))
            }
            @if let Some(test) = test.filter(|_| record.model == 1) {
                details.code { summary { "the test" } pre tabindex="0" { (test.code) } }
            }
            @if let Some(error) = &record.error { pre.bad tabindex="0" { (error) } }
            @if let Some(trace) = &record.trace { (failure(record, trace)) }
            @if !record.outcomes.is_empty() { (table(record)) }
            @for outcome in &record.outcomes {
                @if let Some(trace) = &outcome.trace { (witness(record, outcome, trace)) }
            }
        }
    }
}

/// Of a check of many scenarios: what they are made of, and how many there are.
fn scenarios_table(scenarios: &Scenarios, executions: u64) -> Markup {
    let size = |(threads, operations): &(usize, usize)| format!("{threads} x {operations}");
    let sizes: Vec<String> = scenarios.sizes.iter().map(size).collect();
    let start = match &*scenarios.starts {
        [] => String::new(),
        starts => format!(", from: {}", starts.join(", ")),
    };
    let cells = [
        ("threads x operations", sizes.join(", ")),
        ("scenarios", grouped(scenarios.all)),
        ("left out as the same by symmetry", grouped(scenarios.symmetric)),
        ("explored", grouped(scenarios.explored)),
        ("executions", grouped(executions)),
    ];
    html! {
        p.small { "All sequences of: " (scenarios.operations.join(", ")) (start) "." }
        table.cards {
            thead { tr { @for (label, _) in &cells { th.number { (label) } } } }
            tbody {
                tr { @for (label, text) in &cells { td.number data-label=(label) { (text) } } }
            }
        }
    }
}

fn plural(count: u64, word: &str) -> String {
    if count == 1 { word.to_owned() } else { format!("{word}s") }
}

/// How it ended.
fn status(record: &Record) -> Markup {
    let status = model::status(record);
    let (class, text) = match &*status {
        _ if !record.passed() => ("bad", "FAILED".to_owned()),
        complete if complete.starts_with("complete") => {
            ("good", status.replacen("complete", "explored completely", 1))
        }
        bounded if bounded.starts_with("bounded") => ("warn", status),
        _ => ("good", status.replacen("fails (", "fails as it should (", 1)),
    };
    html! { span class={ "chip " (class) } { (text) } }
}

fn table(record: &Record) -> Markup {
    let judged = record.expected.is_none();
    html! {
        @if !judged { p.small.muted { "Reached before it failed:" } }
        table.cards.outcomes {
            thead {
                tr {
                    th { "outcome" }
                    @if judged { th { "grade" } }
                    th.number { "executions" }
                    @if judged { th { "why" } }
                }
            }
            tbody {
                @for outcome in &record.outcomes {
                    tr {
                        td.mono { (outcome.text) }
                        @if judged { td { span class={ "chip " (grade(outcome)) } { (outcome.grade) } } }
                        td.number data-label="executions" { (grouped(outcome.seen)) }
                        @if judged {
                            td {
                                (outcome.reason)
                                @if outcome.only_weak { " " span.chip { "only under weak memory" } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn grade(outcome: &Outcome) -> &'static str {
    match &*outcome.grade {
        "acceptable" => "good",
        "interesting" => "warn",
        _ => "bad",
    }
}

/// How an outcome is reached.
fn witness(record: &Record, outcome: &Outcome, trace: &Picture) -> Markup {
    let folded = outcome.grade != "interesting";
    let (end, reason) = match &*outcome.grade {
        _ if record.expected.is_some() => (End::Acceptable, String::new()),
        "interesting" => (End::Interesting, format!(": {}", outcome.reason)),
        _ => (End::Acceptable, format!(": {}", outcome.reason)),
    };
    let end_text = format!("{}{reason}", outcome.text);
    html! {
        details.witness open data-fold[folded] {
            summary { span.mono { (outcome.text) } span.muted { " is reached like this" } }
            (figure(record, trace, &end_text, end, outcome))
        }
    }
}

fn figure(record: &Record, trace: &Picture, end_text: &str, end: End, outcome: &Outcome) -> Markup {
    let caption = html! {
        @if let Some(execution) = outcome.execution {
            "execution " (execution) ", with every step: "
            code { "cargo selvedge replay " (model::name(record)) "/" (execution) }
        }
    };
    drawn(trace, end_text, end, &outcome.text, &caption)
}

/// How a model fails.
fn failure(record: &Record, trace: &Picture) -> Markup {
    let expected = record.expected.as_deref().unwrap_or_default();
    let how = match (&record.message, &record.error) {
        (Some(message), None) => format!("{expected}: {message}"),
        (_, Some(error)) => error.lines().next().unwrap_or_default().to_owned(),
        _ => expected.to_owned(),
    };
    let caption = html! { "the first execution that fails" };
    drawn(trace, &how, End::Failure, &how, &caption)
}

fn drawn(trace: &Picture, end_text: &str, end: End, what: &str, caption: &Markup) -> Markup {
    let label = format!("how {what} comes about, step by step");
    html! {
        figure.interleaving {
            figcaption { (caption) }
            div.scroll role="region" tabindex="0" aria-label=(label) {
                (svg::inline(&Drawing::of(trace, end_text), end, &label))
            }
        }
    }
}

/// What the signs mean.
pub fn legend() -> Markup {
    let arrow = |old: bool| {
        html! {
            svg.drawing width="44" height="14" aria-hidden="true" {
                g class=(if old { "arrow old" } else { "arrow" }) {
                    path d="M0 7H36" {}
                    path.head d="M42 7L34 3L34 11Z" {}
                }
            }
        }
    };
    let bit = |class: &str| {
        html! {
            svg.drawing width="44" height="14" aria-hidden="true" {
                g class=(class) { rect.box x="1" y="1" width="40" height="12" rx="3" {} }
            }
        }
    };
    html! {
        details.code {
            summary { "how to read a drawing" }
            ul.legend {
                li { (bit("")) "a step that changes nothing that is shared" }
                li { (bit("changes")) "a step that changes something: the new value is at the side" }
                li { (arrow(false)) "from a store to the load that read it" }
                li { (arrow(true)) "the same, and a newer store was there: weak memory" }
                li {
                    svg.drawing width="44" height="14" aria-hidden="true" {
                        g.arrow {
                            circle cx="6" cy="7" r="3.5" {}
                            path d="M10 7H20" {}
                            path.head d="M26 7L18 3L18 11Z" {}
                        }
                    }
                    "it read what was there when the threads started"
                }
                li { (bit("stale")) "a load of an older value" }
                li { (bit("fails")) "a panic, or a step that is not done: the thread waits in it" }
                li { "“preempted”: the thread could have gone on, another took over" }
                li { "No arrow: two stores left the same value, and which was read is not certain." }
                li { "The buttons step through; so do ← → Home End, and Esc shows all." }
                li { "A place is where the step stands in the source; point at a box for all of it." }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_turns_are_explained_where_a_model_has_some() {
        let idle = Record { idle_turns: true, ..Record::default() };
        let html = idle_turns(&[&Record::default(), &idle]).into_string();
        assert!(html.contains("“but for idle turns”: one turn of a waiting loop"), "{html}");
        assert!(idle_turns(&[&Record::default()]).into_string().is_empty());
    }

    #[test]
    fn scenarios_are_counted_in_the_page() {
        let scenarios = Scenarios {
            promise: "linearizable".to_owned(),
            operations: vec!["add".to_owned(), "get".to_owned()],
            starts: vec!["empty".to_owned()],
            sizes: vec![(2, 2), (3, 1)],
            all: 1_764,
            symmetric: 1_500,
            explored: 12,
        };
        let html = scenarios_table(&scenarios, 5_678).into_string();
        let text = |text: &str| html.contains(&format!(">{text}<"));
        assert!(html.contains("All sequences of: add, get, from: empty."), "{html}");
        assert!(["2 x 2, 3 x 1", "1,764", "1,500", "12", "5,678"].into_iter().all(text));
    }
}
