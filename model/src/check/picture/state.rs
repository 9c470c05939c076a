//! What the shared objects hold as an execution goes on, and which store each load has read.

use serde::Serialize;

use super::words::show;
use crate::check::coherence::{Kind, access};
use crate::sync::checked::event::{Action, Event, Pass, Phase, Trace, Value};

/// What a step has read. `from` is missing where more than one store can have been it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Reads {
    pub(super) value: String,
    pub(super) newest: String,
    pub(super) from: Option<Source>,
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Source {
    /// It was there when the threads started.
    Initial,
    /// The step in this row stored it; as long as there are no rows, the step at this position.
    Row(usize),
}

/// The objects between two steps.
pub(super) struct State<'a> {
    trace: &'a Trace,
    /// Of each atomic, the values stored, the one that threads start with first.
    stores: Vec<Vec<(Value, Source)>>,
    /// Of each object, the threads that hold it as a lock, and whether one of them may write.
    holders: Vec<(Vec<usize>, bool)>,
}

impl<'a> State<'a> {
    /// The objects as they were made.
    pub(super) fn before(trace: &'a Trace) -> Self {
        let stores =
            trace.objects.iter().map(|object| object.initial.map(|value| (value, Source::Initial)));
        Self {
            trace,
            stores: stores.map(|store| store.into_iter().collect()).collect(),
            holders: vec![(Vec::new(), false); trace.objects.len()],
        }
    }

    /// The objects as the threads find them.
    pub(super) fn at_start(trace: &'a Trace) -> Self {
        let mut state = Self::before(trace);
        for event in trace.events.iter().filter(|event| event.phase == Phase::Setup) {
            state.take(event, 0);
            // Whatever came before, threads find what was last: it happened before them.
            for stores in &mut state.stores {
                let last = stores.last().map(|(value, _)| (*value, Source::Initial));
                *stores = last.into_iter().collect();
            }
        }
        state
    }

    /// What `object` holds, if it is an atomic or a lock.
    pub(super) fn of(&self, object: usize) -> Option<String> {
        if let Some((value, _)) = self.stores[object].last() {
            return Some(show(self.trace, *value));
        }
        let lock = matches!(self.trace.objects[object].letter, 'm' | 'w');
        lock.then(|| match &self.holders[object] {
            (threads, false) if threads.len() > 1 => format!("{} read", threads.len()),
            (threads, writes) => match threads.first() {
                None => "free".to_owned(),
                Some(&thread) => {
                    let reads = if *writes { "" } else { " reads" };
                    format!("{}{reads}", self.trace.threads[thread])
                }
            },
        })
    }

    /// What `event` reads.
    pub(super) fn reads(&self, event: &Event, pass: Pass) -> Option<Reads> {
        let stores = &self.stores[event.object?];
        let (Kind::Read(value) | Kind::Update(value, _)) = access(event, &mut Vec::new())?.0 else {
            return None;
        };
        let newest = match event.action {
            Action::Load { newest, .. } => newest,
            _ => value,
        };
        let mut candidates = stores.iter().filter(|(stored, _)| *stored == value);
        let from = match pass {
            // Every access is a read-modify-write there, and reads the last store.
            Pass::Interleaving => stores.last().filter(|(stored, _)| *stored == value),
            Pass::WeakMemory => candidates.next().filter(|_| candidates.next().is_none()),
        };
        let show = |value| show(self.trace, value);
        Some(Reads {
            value: show(value),
            newest: show(newest),
            from: from.map(|(_, source)| *source),
        })
    }

    /// Takes the step at `position`. Returns what its object holds, if the step changes that.
    pub(super) fn take(&mut self, event: &Event, position: usize) -> Option<String> {
        if let Action::Wait { gives_back } = event.action {
            self.holders[gives_back] = (Vec::new(), false);
        }
        let object = event.object?;
        let (threads, writes) = &mut self.holders[object];
        match event.action {
            Action::Lock | Action::TryLock(true) | Action::Write | Action::TryWrite(true) => {
                (*threads, *writes) = (vec![event.thread], true);
            }
            Action::Read | Action::TryRead(true) => {
                *writes = false;
                threads.push(event.thread);
            }
            Action::Unlock | Action::EndWrite => threads.clear(),
            Action::EndRead => {
                let mine = threads.iter().position(|&thread| thread == event.thread);
                mine.map(|mine| threads.remove(mine));
            }
            _ => {
                let mut stored = Vec::new();
                access(event, &mut stored)?;
                self.stores[object].push((stored.pop()?, Source::Row(position)));
            }
        }
        self.of(object)
    }
}

#[cfg(test)]
mod tests {
    use std::panic::Location;

    use super::*;
    use crate::sync::checked::event::Object;

    const fn value(value: u64) -> Value {
        Value::Unsigned(value)
    }

    fn event(thread: usize, object: usize, action: Action) -> Event {
        let site = Location::caller();
        Event { thread, site, object: Some(object), action, phase: Phase::Parallel }
    }

    fn object(letter: char) -> Object {
        Object::new(letter, 1, "object", Location::caller(), 0)
    }

    fn store(stored: u64) -> Event {
        event(0, 0, Action::Store { order: "rlx", value: value(stored) })
    }

    /// What a load of `read` reads, if it is certain, after `stores` to an atomic that began as 0.
    fn source(pass: Pass, stores: &[u64], read: u64) -> Option<Source> {
        let mut object = object('a');
        object.initial = Some(value(0));
        let trace =
            Trace { threads: vec!["t".to_owned()], objects: vec![object], ..Trace::default() };
        let mut state = State::at_start(&trace);
        for (position, stored) in stores.iter().enumerate() {
            assert_eq!(state.take(&store(*stored), position), Some(stored.to_string()));
        }
        let newest = value(*stores.last().unwrap_or(&0));
        let load = Action::Load { what: "load", order: "rlx", value: value(read), newest };
        state.reads(&event(0, 0, load), pass).and_then(|reads| reads.from)
    }

    #[test]
    fn a_load_has_read_the_one_store_of_its_value() {
        assert_eq!(source(Pass::WeakMemory, &[1, 2], 1), Some(Source::Row(0)));
        assert_eq!(source(Pass::WeakMemory, &[1, 2], 0), Some(Source::Initial));
    }

    #[test]
    fn which_of_two_equal_stores_was_read_is_not_guessed() {
        assert_eq!(source(Pass::WeakMemory, &[1, 1], 1), None);
        assert_eq!(source(Pass::WeakMemory, &[0], 0), None);
        assert_eq!(source(Pass::Interleaving, &[1, 1], 1), Some(Source::Row(1)), "the last");
    }

    #[test]
    fn a_lock_is_held_until_it_is_given_back_also_by_a_wait() {
        let threads = ["alice", "bob"].map(str::to_owned).to_vec();
        let objects = ['m', 'w', 'v'].map(object).to_vec();
        let trace = Trace { threads, objects, ..Trace::default() };
        let mut state = State::at_start(&trace);
        let mut take = |thread, object, action| state.take(&event(thread, object, action), 0);
        assert_eq!(take(0, 0, Action::Lock).as_deref(), Some("alice"));
        assert_eq!(take(0, 2, Action::Wait { gives_back: 0 }), None);
        assert_eq!(take(1, 1, Action::Read).as_deref(), Some("bob reads"));
        assert_eq!(take(0, 1, Action::Read).as_deref(), Some("2 read"));
        assert_eq!(take(1, 1, Action::EndRead).as_deref(), Some("alice reads"));
        assert_eq!(state.of(0).as_deref(), Some("free"));
        assert_eq!(state.of(2), None);
    }
}
