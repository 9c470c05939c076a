//! What is shown of an execution: a picture, one column a thread and time downward, as data and as
//! text; and what its ending means.
//!
//! A sequentially consistent execution is shown as an interleaving. In any other, each load that reads
//! an old value says which, and from where; no order of its steps explains it.

mod acts;
mod arc;
mod ending;
mod kind;
mod lines;
mod names;
mod rows;
mod state;
mod steps;
mod view;
mod words;

pub use ending::describe;
pub(crate) use ending::{cause_of, describe_where};
pub(crate) use kind::kind;

use crate::engine::graph::{Action, Execution, Line};
use crate::kernel::{Access, LocationId, Site};
use names::letter_and_kind;
pub use selvedge_results::{Kind, Picture, Reads, Row, SharedObject, Source, Step};
use view::View;

/// How much to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// What the threads did; orderings only where the execution is not sequentially consistent.
    Threads,
    /// Everything: what the first thread did before and after the others too, and nothing folded.
    Full,
}

/// `src/counter.rs:12:5`
fn place(site: Site) -> Option<String> {
    let place = crate::place::in_program(site.file(), site.line())?;
    Some(format!("{place}:{}", site.column()))
}

/// Where `location` was made, which is at `made`; and where it was first used, if `made` is in `std` or does not tell
/// it from another object.
fn made_at(view: &View<'_>, location: LocationId, made: Site) -> String {
    let kind = |of| view.execution.location(of).and_then(letter_and_kind);
    let made_there = |&other: &LocationId| {
        let site = view.execution.made(other).map(|(_, site)| site);
        site == Some(made) && kind(other) == kind(location)
    };
    let at = place(made);
    if at.is_some() && view.execution.locations().into_iter().filter(made_there).count() == 1 {
        return at.unwrap_or_default();
    }
    let is_use = |line: &&Line| match line.action {
        Action::Step(operation) => operation.location() == Some(location),
        Action::Access(used, access) => used == location && access != Access::Free,
        _ => false,
    };
    let mut uses = view.trace.lines.iter().filter(is_use);
    let first = uses.find_map(|line| place(line.site));
    let first = first.map(|first| format!(" (first used at {first})")).unwrap_or_default();
    format!("{}{first}", at.as_deref().unwrap_or("std"))
}

/// What to show of `execution`.
pub fn picture(execution: &Execution<'_>, detail: Detail) -> Picture {
    let view = View::of(execution);
    let rows::Drawn { rows, used, initial } = rows::rows(&view, detail);
    let full = detail == Detail::Full;
    let mut picture = Picture::default();
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
                kind: kind.into(),
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
