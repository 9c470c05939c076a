//! The first page: all files with models, and what was found.

use maud::{Markup, html};
use selvedge_results::{Fate, Record, Run, Survivor, Trials};

use super::data::File;
use super::pages::{document, idle_turns};
use super::prose::Page;
use super::sources::{Links, Score, file_name};
use crate::model;
use crate::mutants::{Accepted, Summary};
use crate::shell::grouped;

/// A file and what its head says.
pub(crate) struct Entry<'a> {
    /// The file and its models.
    pub(crate) file: File<'a>,
    /// What it says.
    pub(crate) page: Page,
}

/// What `mutants` has left.
pub(crate) struct Mutants<'a> {
    /// All of it.
    pub(crate) results: &'a Trials,
    /// What is accepted.
    pub(crate) accepted: &'a Accepted,
    /// By file.
    pub(crate) files: &'a super::sources::Trials<'a>,
    /// Files that have changed since.
    pub(crate) changed: &'a [&'a str],
}

/// The pages under their headings, in the order in which a text links to them; the others follow.
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
        let title = if order.is_empty() { "All models" } else { "Not in the reading order" };
        sections.push((title.to_owned(), rest));
    }
    sections.retain(|(_, names)| !names.is_empty());
    sections
}

/// The first page; `tail` ends it.
#[must_use]
pub(crate) fn page(
    title: &str,
    entries: &[Entry<'_>],
    order: &str,
    run: &Run,
    mutants: Option<&Mutants<'_>>,
    links: &Links,
    tail: &Markup,
) -> Markup {
    let names: Vec<&str> = entries.iter().map(|entry| &*entry.file.name).collect();
    let executions: u64 = run.models.iter().map(|record| record.executions).sum();
    let count = |status: &str| run.models.iter().filter(|record| is(record, status)).count();
    let facts = [
        ("files", entries.len().to_string()),
        ("models", run.models.len().to_string()),
        ("executions", grouped(executions)),
        ("explored completely", count("complete").to_string()),
        ("bounded", count("bounded").to_string()),
        ("fail as they should", count("fails").to_string()),
        ("failed", run.models.iter().filter(|record| !record.passed()).count().to_string()),
    ];
    let body = html! {
        h1 { "What was explored, and what was found" }
        p {
            "Each model is a table of outcomes, held against every execution. Each outcome comes with an execution "
            "that reaches it."
        }
        @if let Some(filter) = &run.filter {
            p { span.chip.warn { "not all" } " Only tests whose name contains " code { (filter) } "." }
        }
        @if !run.targets.is_empty() {
            p { span.chip.warn { "not all" } " Only the test targets " code { (run.targets.join(", ")) } "." }
        }
        @if !run.finished { p { span.chip.warn { "not all" } " The run was interrupted." } }
        dl.facts { @for (what, value) in &facts { div { dt { (what) } dd { (value) } } } }
        (idle_turns(&run.models.iter().collect::<Vec<_>>()))
        @for problem in &run.problems { p { span.chip.bad { "problem" } " " (problem) } }
        @for (title, pages) in sections(order, &names) {
            h2 { (title) }
            table.cards.pages {
                thead {
                    tr {
                        th { "file" } th { "verdict" } th.number { "models" } th.number { "executions" }
                        th.number { "mutants caught" }
                    }
                }
                tbody {
                    @for page in &pages {
                        @for entry in entries.iter().filter(|entry| entry.file.name == *page) {
                            (row(entry, mutants, links))
                        }
                    }
                }
            }
        }
        (broken(mutants))
        (tail)
    };
    document(title, true, &body)
}

fn is(record: &Record, status: &str) -> bool {
    record.passed() && model::status(record).starts_with(status)
}

fn row(Entry { file, page }: &Entry<'_>, mutants: Option<&Mutants<'_>>, links: &Links) -> Markup {
    let File { name, models, .. } = file;
    let executions = models.iter().map(|record| record.executions).sum();
    let failed = models.iter().filter(|record| !record.passed()).count();
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
                @match mutants { Some(mutants) => (caught(name, mutants, links)), None => "not tried" }
            }
        }
    }
}

/// How many mutants were caught first by a test of the page.
fn caught(name: &str, mutants: &Mutants<'_>, links: &Links) -> usize {
    let start = format!("{name}.html#");
    let by = |fate: &Fate| match fate {
        Fate::Killed(kill) => links.get(&kill.by).is_some_and(|link| link.starts_with(&start)),
        _ => false,
    };
    mutants.results.trials.iter().filter(|trial| by(&trial.fate)).count()
}

/// What survived, by kind.
fn survivors(results: &Trials, accepted: &Accepted) -> Markup {
    let open = Summary::new(&results.trials, accepted).open();
    let of = |kind| open.iter().filter(move |trial| trial.fate.survivor() == Some(kind));
    html! {
        @for kind in Survivor::ALL {
            @let count = of(kind).count();
            @if count > 0 {
                h3 { span.chip.bad { (count) } " " (kind.name()) }
                p.small { (kind.advice()) }
                ul.small {
                    @for trial in of(kind) {
                        @let mutant = &trial.mutant;
                        li {
                            a.mono href={ (file_name(&mutant.file)) "#L" (mutant.line) } { (mutant.file) ":" (mutant.line) }
                            " " (mutant.operation) ": " (mutant.operator())
                        }
                    }
                }
            }
        }
    }
}

/// What became of mutants.
fn broken(mutants: Option<&Mutants<'_>>) -> Markup {
    html! {
        h2 id="mutants" { "Would the suite notice?" }
        @match mutants {
            None => p.muted { "Not tried: " code { "cargo selvedge mutants" } " leaves what this table is made of." },
            Some(Mutants { results, accepted, files, changed }) => {
                @let score = Score::of(&results.trials, accepted);
                @let complete = results.trials.len() == results.mutants;
                p {
                    "Each operation of these files was changed in every small way, one at a time. "
                    strong { (score.words()) "." }
                    @if !complete {
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
                (survivors(results, accepted))
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
