//! The rows of a picture: steps with their numbers, folds, preemptions, and what is left pending.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use super::ending::waits_in;
use super::state::State;
use super::steps::{Shown, Steps, steps};
use super::view::{Phase, View};
use super::{Detail, Kind, Reads, Row, Source, Step};
use crate::engine::graph::{Action, Ending};
use crate::kernel::{LocationId, Operation, ThreadId};

pub(super) struct Drawn {
    /// Threads and objects are numbered as in the execution.
    pub(super) rows: Vec<Row>,
    /// The objects that the rows are about.
    pub(super) used: HashSet<LocationId>,
    /// What they hold when the threads start.
    pub(super) initial: State,
}

/// The rows so far.
struct Builder<'a> {
    view: &'a View<'a>,
    rows: Vec<Row>,
    used: HashSet<LocationId>,
    /// How many steps there are so far.
    number: usize,
    /// Of each line shown, its row and its number.
    row_of: HashMap<usize, (usize, usize)>,
}

pub(super) fn rows(view: &View<'_>, detail: Detail) -> Drawn {
    let full = detail == Detail::Full;
    let Steps { shown, initial } = steps(view, detail);
    let mut builder =
        Builder { view, rows: Vec::new(), used: HashSet::new(), number: 0, row_of: HashMap::new() };
    let mut phase = None;
    let mut position = 0;
    while position < shown.len() {
        let step = &shown[position];
        if full && phase != Some(view.phase(step.line)) {
            phase = Some(view.phase(step.line));
            builder.mark(0, phase_name(view.phase(step.line)), Kind::Phase);
        }
        if let Some(before) = preempted(view, &shown, position) {
            builder.mark(before, "~~ preempted ~~", Kind::Preempted);
        }
        builder.step(step);
        position += 1;
        if !full {
            let (period, repeats) = repetition(view, &shown, position);
            if repeats > 0 {
                let last = if period == 1 { "step".to_owned() } else { format!("{period} steps") };
                let text = format!("… the last {last}, {repeats} more times");
                builder.mark(view.line(step.line).thread, &text, Kind::Fold);
                for folded in &shown[position..position + period * repeats] {
                    builder.number += 1;
                    let row = builder.rows.len() - 1;
                    builder.row_of.insert(folded.line, (row, builder.number));
                }
                position += period * repeats;
            }
        }
    }
    builder.pending(full);
    Drawn { rows: builder.rows, used: builder.used, initial }
}

fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Init => "-- init --",
        Phase::Threads => "-- threads --",
        Phase::Finally => "-- finally --",
    }
}

impl Builder<'_> {
    fn mark(&mut self, thread: ThreadId, text: &str, kind: Kind) {
        self.rows.push(Row { thread, text: text.to_owned(), at: None, kind });
    }

    fn step(&mut self, shown: &Shown) {
        let (view, words) = (self.view, &shown.words);
        let line = view.line(shown.line);
        let at = words.at.clone();
        let thread = line.thread;
        if let Action::Note(_) = line.action {
            self.rows.push(Row { thread, text: words.rest.clone(), at, kind: Kind::Note });
            return;
        }
        let object = words.object.map(|object| view.owner(object));
        self.used.extend(object);
        let mut text = view.names.on(words.object, words.operation);
        if view.fails(shown.line) {
            let what = match view.execution.ending() {
                Ending::Race { .. } => "data race",
                _ => "use after free",
            };
            let kind = Kind::Pending { object: object.map(LocationId::index) };
            text = format!("{text}: {what}");
            self.rows.push(Row { thread, text, at, kind });
            return;
        }
        self.number += 1;
        text.push_str(&words.rest);
        let reads = words.reads.as_ref().map(|reads| {
            let source = reads.from.map(|source| self.source(source));
            let (from, number) = source.unzip();
            if !reads.is_newest {
                let from = number.flatten().map(|number| format!(" from step {number}"));
                let from = from.unwrap_or_default();
                let (value, newest) = (&reads.value, &reads.newest);
                // Writing to a string cannot fail.
                let _ = write!(text, "\nreads {value}{from}, newest is {newest}");
            } else if words.is_load {
                let _ = write!(text, " = {}", reads.value);
            }
            Reads {
                value: reads.value.clone(),
                newest: reads.newest.clone(),
                from,
                stale: !reads.is_newest,
            }
        });
        // A wait is about the condition variable, and changes the mutex.
        let (object, after) = match &shown.changes {
            Some((object, after)) => (Some(*object), Some(after.clone())),
            None => (object, None),
        };
        self.used.extend(object);
        self.row_of.insert(shown.line, (self.rows.len(), self.number));
        let kind = Kind::Step(Step {
            number: self.number,
            object: object.map(LocationId::index),
            operation: words.operation.into(),
            order: words.order.map(Into::into),
            reads,
            after,
            panics: matches!(line.action, Action::Panic(_)),
        });
        self.rows.push(Row { thread, text, at, kind });
    }

    /// The row that wrote a value, and its number; a line that is not shown came before the threads.
    fn source(&self, source: crate::engine::graph::Source) -> (Source, Option<usize>) {
        use crate::engine::graph::Source::{Initial, Line};
        match source {
            Line(line) => match self.row_of.get(&line) {
                Some(&(row, number)) => (Source::Row(row), Some(number)),
                None => (Source::Initial, None),
            },
            Initial => (Source::Initial, None),
        }
    }

    /// The steps in which threads are blocked.
    fn pending(&mut self, full: bool) {
        let Ending::Deadlock(blocked) = self.view.execution.ending() else { return };
        for waiting in blocked {
            let joins = matches!(waiting.operation, Operation::Join { .. });
            if waiting.thread == 0 && joins && !full {
                continue;
            }
            let (object, operation) = waits_in(self.view, waiting);
            self.used.extend(object);
            let rest = match (waiting.spins, waiting.until) {
                (true, _) => "waits in a loop",
                (_, true) => "waits in wait_until",
                _ => "not completed",
            };
            self.rows.push(Row {
                thread: waiting.thread,
                text: format!("{}: {rest}", self.view.names.on(object, &operation)),
                at: crate::place::in_program(waiting.site.file(), waiting.site.line()),
                kind: Kind::Pending { object: object.map(LocationId::index) },
            });
        }
    }
}

/// The thread that took the step before `position`, if it could have gone on, and has to.
fn preempted(view: &View<'_>, shown: &[Shown], position: usize) -> Option<ThreadId> {
    let (before, now) = (shown[position.checked_sub(1)?].line, shown[position].line);
    let thread = view.line(before).thread;
    let in_threads = |line| view.phase(line) == Phase::Threads;
    if thread == view.line(now).thread || !in_threads(before) || !in_threads(now) {
        return None;
    }
    let more = shown[position..].iter().any(|later| view.line(later.line).thread == thread);
    let goes_on = more || !view.execution.has_ended(thread);
    (goes_on && view.is_preempted(thread, now)).then_some(thread)
}

/// How often the last one to eight steps repeat from `position` on: (period, repeats). Fewer than
/// three repeats are not worth a fold.
fn repetition(view: &View<'_>, shown: &[Shown], position: usize) -> (usize, usize) {
    for period in 1..=8.min(position) {
        let cycle = &shown[position - period..position];
        let mut repeats = 0;
        while shown
            .get(position + period * repeats..position + period * (repeats + 1))
            .is_some_and(|next| next.iter().zip(cycle).all(|(a, b)| alike(view, a, b)))
        {
            repeats += 1;
        }
        if repeats >= 3 {
            return (period, repeats);
        }
    }
    (0, 0)
}

fn alike(view: &View<'_>, a: &Shown, b: &Shown) -> bool {
    let is_step = !view.fails(a.line) && !matches!(view.line(a.line).action, Action::Note(_));
    let key = |shown: &Shown| {
        let line = view.line(shown.line);
        (line.thread, line.action, line.result, line.site.line(), line.site.file())
    };
    is_step && key(a) == key(b) && a.words.rest == b.words.rest
}
