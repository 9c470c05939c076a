//! What is shown of an execution: a picture, one column a thread and time downward, as data and as
//! text; and what its ending means.
//!
//! A sequentially consistent execution is shown as an interleaving. In any other, each load that reads
//! an old value says which, and from where; no order of its steps explains it.

use serde::Serialize;

mod acts;
mod arc;
mod ending;
mod names;
mod rows;
mod state;
mod steps;
mod text;
mod view;
mod words;

pub use ending::describe;
pub(crate) use ending::{cause_of, describe_where};

use crate::engine::graph::{Action, Execution, Line};
use crate::kernel::{Access, LocationId, Site};
use names::letter_and_kind;
use view::View;

/// How much to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// What the threads did; orderings only where the execution is not sequentially consistent.
    Threads,
    /// Everything: what the first thread did before and after the others too, and nothing folded.
    Full,
}

/// An execution: one column a thread, time downward.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Picture {
    /// The names of the threads that have a column.
    pub threads: Vec<String>,
    /// What the steps are taken on.
    pub objects: Vec<SharedObject>,
    /// The lines.
    pub rows: Vec<Row>,
}

/// Something that threads share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SharedObject {
    /// `a1`, `m2`, …
    pub label: String,
    /// Its type.
    pub kind: &'static str,
    /// Where it was made: file, line and column. Of what is made inside `std`: where it is first used.
    pub at: String,
    /// An atomic or a lock: what it holds when the threads start.
    pub initial: Option<String>,
}

/// A line of a picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The column.
    pub thread: usize,
    /// What stands there.
    pub text: String,
    /// File and line, where they say anything.
    pub at: Option<String>,
    /// What the line is.
    #[serde(flatten)]
    pub kind: Kind,
}

/// What a line of a picture is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Kind {
    /// A step.
    Step(Step),
    /// Another thread takes over, although this one could have gone on.
    Preempted,
    /// Not a step, but a line for the reader.
    Note,
    /// The last steps, repeated.
    Fold,
    /// The step that a thread is blocked in, or fails in.
    Pending {
        /// The position of its object among those of the picture.
        object: Option<usize>,
    },
    /// A part of the execution begins.
    Phase,
}

/// What one thread did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Its number in the picture, from 1 on.
    pub number: usize,
    /// The position of its object among those of the picture.
    pub object: Option<usize>,
    /// The name of the operation.
    pub operation: &'static str,
    /// Its ordering, if it has one.
    pub order: Option<&'static str>,
    /// Of a read of an atomic: what it found.
    pub reads: Option<Reads>,
    /// What the object holds after a step that changes it.
    pub after: Option<String>,
    /// Whether the thread panics.
    pub panics: bool,
}

/// What a step has read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reads {
    /// The value.
    pub value: String,
    /// The newest value in modification order among the writes above.
    pub newest: String,
    /// Where the value comes from.
    pub from: Option<Source>,
    /// Whether that is not the newest write above.
    pub stale: bool,
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// It was there when the threads started.
    Initial,
    /// The step in this row wrote it.
    Row(usize),
}

/// `src/counter.rs:12:5`
fn place(site: Site) -> Option<String> {
    let place = crate::place::in_program(site.file(), site.line())?;
    Some(format!("{place}:{}", site.column()))
}

/// Where `location` was made, which is at `made`.
fn made_at(view: &View<'_>, location: LocationId, made: Site) -> String {
    place(made).unwrap_or_else(|| {
        let is_use = |line: &&Line| match line.action {
            Action::Step(operation) => operation.location() == Some(location),
            Action::Access(used, access) => used == location && access != Access::Free,
            _ => false,
        };
        let mut uses = view.trace.lines.iter().filter(is_use);
        match uses.find_map(|line| place(line.site)) {
            Some(first) => format!("std (first used at {first})"),
            None => "std".to_owned(),
        }
    })
}

impl Picture {
    /// What to show of `execution`.
    pub fn of(execution: &Execution<'_>, detail: Detail) -> Self {
        let view = View::of(execution);
        let rows::Drawn { rows, used, initial } = rows::rows(&view, detail);
        let full = detail == Detail::Full;
        let mut picture = Self::default();
        let mut columns = Vec::new();
        for (thread, _) in execution.threads() {
            if full || rows.iter().any(|row| row.thread == thread) {
                columns.push(thread);
                picture.threads.push(view.names.thread(thread).to_owned());
            }
        }
        let mut objects: Vec<LocationId> = Vec::new();
        for location in execution.locations() {
            let made = execution.location(location).and_then(letter_and_kind);
            let (Some((_, kind)), Some((_, site))) = (made, execution.made(location)) else {
                continue;
            };
            if full || used.contains(&location) {
                objects.push(location);
                picture.objects.push(SharedObject {
                    label: view.names.label(location),
                    kind,
                    at: made_at(&view, location, site),
                    initial: initial.of(execution, &view.names, location),
                });
            }
        }
        let column = |thread| columns.iter().position(|&other| other == thread).unwrap_or(0);
        let place = |object: usize| objects.iter().position(|&other| other.index() == object);
        picture.rows = rows;
        for row in &mut picture.rows {
            row.thread = column(row.thread);
            if let Kind::Step(Step { object, .. }) | Kind::Pending { object } = &mut row.kind {
                *object = object.and_then(place);
            }
        }
        picture
    }
}
