//! What is shown of an execution: the steps, who was preempted, what each load has read. As text
//! ([`text`]) and, with `SELVEDGE_TRACES`, as data for `cargo ci report`.

use serde::Serialize;

use super::place::file_and_line;
use crate::sync::checked::event::{Action, Event, Pass, Phase, Site, Trace, WRITER};

mod state;
mod text;
mod words;

use state::{Reads, Source, State};
use words::{label, words};

/// How much to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// What the declared threads did; orderings only where weak memory is at stake.
    Threads,
    /// Everything: the making of the state and the observations too, unfolded.
    Full,
}

/// An interleaving: one column a thread, time downward.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Picture {
    /// The names of those that have a column.
    threads: Vec<String>,
    /// What the steps are taken on.
    objects: Vec<SharedObject>,
    rows: Vec<Row>,
}

/// Something that threads share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct SharedObject {
    /// `a1`, `m2`, …
    label: String,
    kind: &'static str,
    /// Where it was made.
    at: String,
    /// An atomic or a lock: what it holds when the threads start.
    initial: Option<String>,
}

/// A line of the picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Row {
    /// The column.
    thread: usize,
    text: String,
    /// File and line, where they say anything.
    at: Option<String>,
    #[serde(flatten)]
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
enum Kind {
    Step(Step),
    /// Another thread takes over, although this one could have gone on.
    Preempted,
    /// No step, but a line for the reader.
    Note,
    /// The last steps, again and again.
    Fold,
    /// The step that a thread waits in, or fails in.
    Pending {
        object: Option<usize>,
    },
    /// A part of the execution begins.
    Phase,
}

/// What one thread did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Step {
    number: usize,
    object: Option<usize>,
    operation: &'static str,
    /// Its ordering, if it has one.
    order: Option<&'static str>,
    /// The value that it read, the newest at that moment, and where it comes from.
    reads: Option<Reads>,
    /// What the object holds after a step that changes it.
    after: Option<String>,
    panics: bool,
}

impl Picture {
    /// What to show of `trace`, an execution of `pass`.
    pub(crate) fn of(trace: &Trace, pass: Pass, detail: Detail) -> Self {
        let full = detail == Detail::Full;
        let mut picture = Self { rows: rows(trace, pass, detail), ..Self::default() };
        let shown = |object: usize| {
            let used =
                |event: &Event| event.phase == Phase::Parallel && event.object == Some(object);
            full || trace.pending.iter().any(|pending| pending.3 == Some(object))
                || trace.events.iter().any(used)
        };
        let mut objects = vec![None; trace.objects.len()];
        let state = State::at_start(trace);
        for (number, object) in trace.objects.iter().enumerate().filter(|(n, _)| shown(*n)) {
            objects[number] = Some(picture.objects.len());
            picture.objects.push(SharedObject {
                label: label(object),
                kind: object.kind,
                at: format!("{}:{}", file_and_line(object.site), object.site.column()),
                initial: state.of(number),
            });
        }
        let mut columns = vec![None; trace.threads.len()];
        for (number, name) in trace.threads.iter().enumerate() {
            if full || picture.rows.iter().any(|row| row.thread == number) {
                columns[number] = Some(picture.threads.len());
                picture.threads.push(name.clone());
            }
        }
        for row in &mut picture.rows {
            row.thread = columns[row.thread].unwrap_or_default();
            if let Kind::Step(Step { object, .. }) | Kind::Pending { object } = &mut row.kind {
                *object = object.and_then(|object| objects[object]);
            }
        }
        picture
    }
}

/// The lines, with folds and preemptions. Threads and objects are numbered as in `trace`.
fn rows(trace: &Trace, pass: Pass, detail: Detail) -> Vec<Row> {
    let full = detail == Detail::Full;
    let events: Vec<&Event> = trace
        .events
        .iter()
        .filter(|event| full || event.phase == Phase::Parallel && event.action != Action::End)
        .filter(|event| !matches!(event.action, Action::Gives(_) | Action::Takes(_)))
        .collect();
    let mark = |thread, text, kind| Row { thread, text, at: None, kind };
    let mut state = if full { State::before(trace) } else { State::at_start(trace) };
    let mut rows: Vec<Row> = Vec::new();
    // For each event the row that shows it.
    let mut shown = vec![None; events.len()];
    let mut number = 0;
    let mut position = 0;
    let mut phase = None;
    while position < events.len() {
        let event = events[position];
        if full && phase != Some(event.phase) {
            phase = Some(event.phase);
            let name = match event.phase {
                Phase::Setup => "-- init --",
                Phase::Parallel => "-- threads --",
                Phase::Finally => "-- finally --",
            };
            rows.push(mark(0, name.to_owned(), Kind::Phase));
        }
        if preempted(trace, &events, position) {
            let before = events[position - 1].thread;
            rows.push(mark(before, "~~ preempted ~~".to_owned(), Kind::Preempted));
        }
        if let Action::Note(text) = &event.action {
            let note = mark(event.thread, text.clone(), Kind::Note);
            rows.push(Row { at: place(event.site), ..note });
            position += 1;
            continue;
        }
        number += 1;
        let (operation, rest) = words(trace, event, full || pass == Pass::WeakMemory);
        let reads = state.reads(event, pass).map(|reads| Reads {
            from: match reads.from {
                Some(Source::Row(store)) => shown[store].map(Source::Row),
                from => from,
            },
            ..reads
        });
        shown[position] = Some(rows.len());
        rows.push(Row {
            thread: event.thread,
            text: on(trace, event.object, operation, &rest),
            at: place(event.site),
            kind: Kind::Step(Step {
                number,
                object: event.object,
                operation,
                order: event.action.order(),
                reads,
                after: state.take(event, position),
                panics: matches!(event.action, Action::Panic(_)),
            }),
        });
        position += 1;
        if !full {
            let (period, repeats) = repetition(&events, position);
            if repeats > 0 {
                let steps = if period == 1 { "step" } else { "steps" };
                let text = format!("… the last {period} {steps}, {repeats} more times");
                rows.push(mark(event.thread, text, Kind::Fold));
                number += period * repeats;
                for _ in 0..period * repeats {
                    state.take(events[position], position);
                    position += 1;
                }
            }
        }
    }
    for &(thread, site, what, object) in &trace.pending {
        let what = what.strip_prefix("cell ").unwrap_or(what);
        let text = on(trace, object, what, ": not completed");
        rows.push(Row { thread, text, at: place(site), kind: Kind::Pending { object } });
    }
    rows
}

/// `a1.load = 0`
fn on(trace: &Trace, object: Option<usize>, operation: &str, rest: &str) -> String {
    match object {
        Some(object) => format!("{}.{operation}{rest}", label(&trace.objects[object])),
        None => format!("{operation}{rest}"),
    }
}

/// Where a step was taken. Where the standard library calls a destructor says nothing about who
/// dropped the value.
fn place(site: Site) -> Option<String> {
    let known = !site.file().starts_with("/rustc/") && !site.file().contains("/library/core/");
    known.then(|| file_and_line(site))
}

/// Whether another thread took over at `position` although the one before could have gone on.
fn preempted(trace: &Trace, events: &[&Event], position: usize) -> bool {
    let Some(before) = position.checked_sub(1).map(|before| events[before]) else {
        return false;
    };
    if before.thread == events[position].thread
        || before.phase != Phase::Parallel
        || events[position].phase != Phase::Parallel
        || matches!(
            before.action,
            Action::Wait { .. } | Action::Yield | Action::End | Action::Panic(_) | Action::Note(_)
        )
    {
        return false;
    }
    let mut later = events[position..].iter().filter(|event| event.thread == before.thread);
    let next = later.find(|event| !matches!(event.action, Action::Note(_)));
    let (action, object) = match next {
        Some(next) => (Some(&next.action), next.object),
        // It never got further: what it was about to do says whether it could have.
        None => match trace.pending.iter().find(|pending| pending.0 == before.thread) {
            Some(&(_, _, what, object)) => {
                return !(is_blocking(what) && held(events, position, object));
            }
            None => return false,
        },
    };
    match action {
        Some(Action::Lock | Action::Write | Action::Read) => !held(events, position, object),
        Some(Action::Join(_) | Action::Park { .. } | Action::End) => false,
        _ => true,
    }
}

fn is_blocking(what: &str) -> bool {
    matches!(what, "lock" | "read" | "write" | "join" | "park" | "wait")
}

/// Whether somebody held the lock `object` just before `position`.
fn held(events: &[&Event], position: usize, object: Option<usize>) -> bool {
    let mut holders = 0_usize;
    for event in &events[..position] {
        if event.object != object || object.is_none() {
            continue;
        }
        match event.action {
            Action::Lock | Action::Write | Action::TryLock(true) | Action::TryWrite(true) => {
                holders = WRITER;
            }
            Action::Unlock | Action::EndWrite => holders = 0,
            Action::Read | Action::TryRead(true) => holders += 1,
            Action::EndRead => holders = holders.saturating_sub(1),
            _ => {}
        }
    }
    holders > 0 || object.is_none()
}

/// How often the last one to eight events repeat from `position` on: (period, repeats). Fewer than
/// three repeats are not worth a fold.
fn repetition(events: &[&Event], position: usize) -> (usize, usize) {
    for period in 1..=8.min(position) {
        let cycle = &events[position - period..position];
        let mut repeats = 0;
        while events
            .get(position + period * repeats..position + period * (repeats + 1))
            .is_some_and(|next| next.iter().zip(cycle).all(|(a, b)| alike(a, b)))
        {
            repeats += 1;
        }
        if repeats >= 3 {
            return (period, repeats);
        }
    }
    (0, 0)
}

fn alike(a: &Event, b: &Event) -> bool {
    a.thread == b.thread
        && a.object == b.object
        && a.action == b.action
        && a.site.line() == b.site.line()
        && a.site.file() == b.site.file()
}
