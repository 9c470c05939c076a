//! The message of a data race: loom names neither of the two accesses.

use super::event::{Action, Site};
use super::record::{self, Recorder};
use crate::check::place::file_and_line;

/// Both accesses, as far as they were recorded; otherwise what loom says.
pub(super) fn message(loom_says: &str) -> String {
    record::with(|recorder| describe(recorder))
        .flatten()
        .unwrap_or_else(|| loom_says.lines().next().unwrap_or_default().to_owned())
}

fn describe(recorder: &Recorder) -> Option<String> {
    let me = recorder.current();
    let (site, what, object) = recorder.threads[me].pending?;
    let object = object?;
    let writes = what.starts_with("cell write");
    let access = |thread: usize, verb: &str, site: Site| {
        format!("{} {verb} at {}", recorder.threads[thread].name, file_and_line(site))
    };
    // If an access of another thread is not ordered before this one, the last one of that thread is not.
    let last_of = |other: usize| {
        let events = recorder.events().iter().rev();
        let mut theirs =
            events.filter(|event| (event.thread, event.object) == (other, Some(object)));
        theirs.find_map(|event| match event.action {
            Action::CellWrite => Some(access(other, "writes", event.site)),
            Action::CellRead if writes => Some(access(other, "reads", event.site)),
            _ => None,
        })
    };
    let others = (0..recorder.threads.len()).filter(|other| *other != me);
    let theirs: Vec<String> = others.filter_map(last_of).collect();
    let made = &recorder.objects[object];
    let theirs = if theirs.is_empty() {
        format!("made at {}", file_and_line(made.site))
    } else {
        theirs.join(" or ")
    };
    let verb = match what {
        _ if writes => "writes",
        "cell read" | "cell read ends" => "reads",
        _ => "uses it",
    };
    let mine = access(me, verb, site);
    let (letter, ordinal) = (made.letter, made.ordinal);
    Some(format!("{letter}{ordinal}: {theirs}, {mine}, and no happens-before edge orders the two"))
}
