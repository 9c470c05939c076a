//! The tables for people, and where they stand in `loom-tests/confidence.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};
use serde::Serialize;

use super::method::{METHODS, Method, Way};
use super::row::{Row, Verdict};
use crate::cargo::Workspace;
use confidence::measured::Kind;

const PAGE: &str = "loom-tests/confidence.md";
const BEGIN: &str = "<!-- cargo lab confidence --bless -->\n";
const END: &str = "<!-- end -->\n";

/// What it was measured on.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    date: String,
    processor: String,
    cores: usize,
    rustc: String,
    nightly: String,
    valgrind: String,
    load: String,
}

impl Machine {
    pub(crate) fn this() -> Self {
        let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        Self {
            date: said_by("date", &["-u", "+%Y-%m-%d"]).unwrap_or_else(|| "no date".to_owned()),
            processor: model.map_or("processor unknown", |(_, name)| name).to_owned(),
            cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            rustc: version("rustc", &[]).unwrap_or_else(|| "no rustc".to_owned()),
            nightly: version("rustup", &NIGHTLY).unwrap_or_else(|| NO_NIGHTLY.to_owned()),
            valgrind: version("valgrind", &[]).unwrap_or_else(|| NO_VALGRIND.to_owned()),
            load: load.split_whitespace().next().unwrap_or("unknown").to_owned(),
        }
    }
}

/// What runs the nightly compiler.
pub(crate) const NIGHTLY: [&str; 3] = ["run", "nightly", "rustc"];

/// Why a method cannot be tried.
pub(crate) const NO_NIGHTLY: &str = "no nightly compiler";
pub(crate) const NO_VALGRIND: &str = "no valgrind";

/// What a program says of itself, if it is there.
pub(crate) fn version(program: &str, args: &[&str]) -> Option<String> {
    said_by(program, &[args, &["--version"]].concat())
}

fn said_by(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    output.status.success().then_some(text)
}

/// A table for real threads, one for the rest, and why who is blind.
pub(crate) fn tables(machine: &Machine, seconds: u64, minutes: u64, rows: &[Row]) -> String {
    let Machine { date, processor, cores, rustc, nightly, valgrind, load } = machine;
    let mut text = format!(
        "{date}, {cores} cores ({processor}), load {load}; {rustc}; {nightly}; {valgrind}.\n\
         `cargo lab confidence --bless --seconds {seconds}`, at most {seconds} s a cell, {minutes} \
         minutes in all.\n"
    );
    text += &in_short(rows);
    let real = |method: &&Method| {
        method.way == Way::Rounds && !method.id.starts_with('r') && method.id != "pct"
    };
    for (title, methods) in [
        ("On real threads", METHODS.iter().filter(real).collect::<Vec<_>>()),
        (
            "By a detector, a random scheduler, an explorer",
            METHODS.iter().filter(|m| !real(m)).collect(),
        ),
    ] {
        let heads: Vec<_> = methods.iter().map(|method| method.title).collect();
        let _ = writeln!(text, "\n### {title}\n\n| bug | {} |", heads.join(" | "));
        let _ = writeln!(text, "|---|{}", "---|".repeat(heads.len()));
        let mut bugs: Vec<&str> = rows.iter().map(|row| row.bug.as_str()).collect();
        bugs.dedup();
        for bug in bugs {
            let cells: Vec<String> = methods
                .iter()
                .filter_map(|method| {
                    rows.iter().find(|row| row.bug == bug && row.method == method.id)
                })
                .map(Row::text)
                .collect();
            let _ = writeln!(text, "| {bug} | {} |", cells.join(" | "));
        }
    }
    let mut reasons: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for row in rows {
        let what = match row.verdict {
            Verdict::Blind => "blind",
            Verdict::Missing => "no tool",
            Verdict::NotTried => "not tried",
            _ => continue,
        };
        let method = METHODS.iter().find(|method| method.id == row.method);
        let title = method.map_or(row.method, |method| method.title);
        let reason = row.reason.as_deref().unwrap_or("no reason");
        reasons.entry((what, reason)).or_default().insert(title);
    }
    text.push('\n');
    for ((what, reason), titles) in reasons {
        let titles: Vec<_> = titles.into_iter().collect();
        let _ = writeln!(text, "- {what}: {reason} ({})", titles.join("; "));
    }
    text
}

/// How many of the bugs each method sees, mutants apart: those are not tried by all.
fn in_short(rows: &[Row]) -> String {
    let verdicts = |method: &Method| {
        let rows = rows.iter().filter(|row| row.kind != Kind::Mutant && row.method == method.id);
        rows.map(|row| row.verdict).collect::<Vec<_>>()
    };
    let mut text = format!(
        "\n| of {} bugs, mutants apart | seen | not seen | blind | false alarm | not tried, or no tool |\n\
         |---|---|---|---|---|---|\n",
        verdicts(&METHODS[0]).len()
    );
    for method in &METHODS {
        let verdicts = verdicts(method);
        let count = |wanted: &[Verdict]| verdicts.iter().filter(|one| wanted.contains(one)).count();
        let columns = [
            &[Verdict::Found][..],
            &[Verdict::NotFound],
            &[Verdict::Blind],
            &[Verdict::FalseAlarm],
            &[Verdict::NotTried, Verdict::Missing],
        ];
        let counts = columns.map(|column| count(column).to_string());
        let _ = writeln!(text, "| {} | {} |", method.title, counts.join(" | "));
    }
    text
}

/// Puts the tables where the last ones are.
pub(crate) fn rewrite(root: &Path, tables: &str) -> Result<()> {
    let path = root.join(PAGE);
    let page = fs::read_to_string(&path).with_context(|| format!("{PAGE} cannot be read"))?;
    let new = between(&page, tables).with_context(|| format!("{PAGE} has no place for tables"))?;
    fs::write(path, new).with_context(|| format!("{PAGE} cannot be written"))
}

fn between(page: &str, tables: &str) -> Option<String> {
    let (head, rest) = page.split_once(BEGIN)?;
    let (_, tail) = rest.split_once(END)?;
    Some(format!("{head}{BEGIN}{tables}{END}{tail}"))
}

/// A path as it is typed in the root folder.
pub(crate) fn shown(workspace: &Workspace, path: &Path) -> String {
    path.strip_prefix(&workspace.root).unwrap_or(path).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bug_is_counted_once_a_method() {
        let row = |kind, verdict| Row::without(("a bug", kind), &METHODS[0], verdict, "why");
        let (found, blind) = (Verdict::Found, Verdict::Blind);
        let rows = [(Kind::Order, found), (Kind::Deadlock, found), (Kind::WeakMemory, blind)];
        let rows: Vec<Row> = rows.map(|(kind, verdict)| row(kind, verdict)).into();
        let mutant = row(Kind::Mutant, Verdict::NotTried);
        let text = in_short(&[rows, vec![mutant]].concat());
        assert!(text.contains("| of 3 bugs, mutants apart |"), "{text}");
        assert!(text.contains("| one unit test | 2 | 0 | 1 | 0 | 0 |"), "{text}");
    }

    #[test]
    fn tables_go_where_the_last_ones_were() {
        let page = format!("before\n{BEGIN}old\n{END}after\n");
        let new = between(&page, "new\n").expect("a place");
        assert_eq!(new, format!("before\n{BEGIN}new\n{END}after\n"));
        assert_eq!(between("no place", "new"), None);
    }
}
