//! The lines of a trace that are shown, in words.

use super::Detail;
use super::acts::awaits_more;
use super::lines::words;
use super::state::State;
use super::view::{Phase, View};
use super::words::Words;
use crate::kernel::LocationId;

/// A line that is shown.
pub(super) struct Shown {
    /// Its position in the trace.
    pub(super) line: usize,
    pub(super) words: Words,
    /// The object that holds something else now, and what.
    pub(super) changes: Option<(LocationId, String)>,
}

/// What is shown, and what the objects hold when the threads start.
pub(super) struct Steps {
    pub(super) shown: Vec<Shown>,
    pub(super) initial: State,
}

pub(super) fn steps(view: &View<'_>, detail: Detail) -> Steps {
    let full = detail == Detail::Full;
    let orders = full || !view.trace.is_interleaving;
    let mut steps = Steps { shown: Vec::new(), initial: State::default() };
    let mut state = State::default();
    for at in 0..view.trace.lines.len() {
        let line = view.line(at);
        let words = words(view, &state, at, orders);
        let last = !awaits_more(view, at);
        let object = state.take(line, last);
        let phase = view.phase(at);
        if phase == Phase::Init {
            steps.initial.take(line, last);
        }
        let shown = full || view.is_party(at) || view.shows(phase) && !view.is_harness(at);
        let Some(words) = words.filter(|_| shown) else { continue };
        let holds = |object| state.of(view.execution, &view.names, object);
        let changes = object.and_then(|object| Some((object, holds(object)?)));
        steps.shown.push(Shown { line: at, words, changes });
    }
    steps
}
