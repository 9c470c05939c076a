//! Precedence constraints: a finished execution with happens-before edges added to it.
//!
//! A constraint makes one thread block until another has come so far, with a happens-before edge. In a
//! program it would be two acts on an object of its own, here a [`Token`]: an `Unpark` where the one
//! thread has taken so many steps, and a `Park` before the step of the other that has to wait. So the
//! graph is rebuilt with these acts, and its consistency is checked from the axioms.
//!
//! # Why no other exploration is needed
//!
//! Let `P` be a program, and `Q` the same with the acts of some constraints. **The graphs of complete
//! executions of `Q` are those of `P` to which the acts can be added consistently, each once.**
//!
//! - *Of `Q` to `P`.* Leave out the acts from a graph of `Q`. No thread reads what they return, so what
//!   remains is what the threads of `P` do with the same reads-from. Happens-before and the SC axiom relate
//!   fewer events, and no more pairs of those that remain. Reads-from, modification order, and the order of
//!   the acts on each other object are the same. So it is consistent.
//! - *Of `P` to `Q`.* An act is enabled or not by the acts before it on its object. These are the same for
//!   the objects of `P`, and the token of a constraint has one order: `Unpark`, `Park`. So if the causes
//!   are acyclic, the steps can be taken in an order that agrees with them.
//! - *Each once.* The acts of the constraints have no choice but that order.
//!
//! A complete execution of `Q` has none that `P` lacks by the stutter rule: a turn that is left out of a graph
//! of `P` can be left out of that graph with the acts. A race in `Q` is a race in `P`, where no more is ordered.

use super::Execution;
use super::event::{Event, INIT, Id, Kind, NONE};
use super::relations::Graph;
use super::sc_order::ScOrder;
use crate::kernel::object::{Token, TokenAct};
use crate::kernel::{Act, Edges, LocationId, Object, Operation, ThreadId};

/// So many steps of a thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// The thread.
    pub thread: ThreadId,
    /// How many steps it has taken there: [`Engine::steps`](crate::kernel::Engine::steps).
    pub steps: u16,
}

/// A constraint: a thread has come to one point before another goes on from a second.
///
/// Of the constraints at one point of a thread, those that it lets others go on by come first, and
/// then those that it waits for. So what follows from two constraints at one point has to be given as a
/// third.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Precedence {
    /// All steps up to here happen before
    pub first: Point,
    /// all steps from here on.
    pub then: Point,
}

impl Execution<'_> {
    /// The same as an execution of the program in which threads wait for each other as `constraints`
    /// say, if it is one.
    #[must_use]
    pub fn constrained(&self, constraints: &[Precedence]) -> Option<Self> {
        let constraints = [self.constraints(), constraints].concat();
        let consistent = self.with(&constraints).is_some_and(|graph| graph.is_consistent());
        consistent.then(|| Self::under(self, constraints))
    }

    /// The graph with the acts of `constraints`, unless these are causes of themselves.
    pub(super) fn with(&self, constraints: &[Precedence]) -> Option<Graph> {
        let mut rebuilt = Rebuilt::new(self, constraints);
        let threads = rebuilt.steps.len();
        let mut next = vec![0; threads];
        // An order that agrees with the causes: whatever can be added is.
        while let Some(thread) = (0..threads).find(|&thread| {
            rebuilt.steps[thread].get(next[thread]).is_some_and(|&step| rebuilt.is_ready(step))
        }) {
            rebuilt.add(thread, rebuilt.steps[thread][next[thread]]);
            next[thread] += 1;
        }
        let complete = rebuilt.steps.iter().zip(next).all(|(steps, next)| steps.len() == next);
        complete.then(|| rebuilt.finish())
    }
}

/// A step of the graph that is built.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// An event of the old graph.
    Old(Id),
    /// What a constraint adds at its first point, or its second.
    First(usize),
    Then(usize),
}

struct Rebuilt<'a> {
    old: &'a Execution<'a>,
    /// By thread.
    steps: Vec<Vec<Step>>,
    new: Graph,
    /// By event of the new graph: the state after an act.
    states: Vec<Option<Object>>,
    /// By event of the old graph: the new one, or `NONE`.
    events: Vec<Id>,
    /// By constraint: the event at its first point, or `NONE`.
    firsts: Vec<Id>,
}

impl<'a> Rebuilt<'a> {
    fn new(old: &'a Execution<'a>, constraints: &[Precedence]) -> Self {
        let graph = old.graph();
        let mut steps: Vec<Vec<Step>> = vec![Vec::new(); graph.threads.len()];
        for (thread, steps) in steps.iter_mut().enumerate() {
            let events = graph.of(thread);
            let at = |point: Point, count| {
                point.thread == thread && usize::from(point.steps).min(events.len()) == count
            };
            for count in 0..=events.len() {
                let all = || constraints.iter().enumerate();
                let firsts = all().filter(|(_, edge)| at(edge.first, count));
                steps.extend(firsts.map(|(number, _)| Step::First(number)));
                let thens = all().filter(|(_, edge)| at(edge.then, count));
                steps.extend(thens.map(|(number, _)| Step::Then(number)));
                steps.extend(events.get(count).map(|&id| Step::Old(id)));
            }
        }
        let events = vec![NONE; graph.events.len()];
        let firsts = vec![NONE; constraints.len()];
        Self { old, steps, new: Graph::default(), states: Vec::new(), events, firsts }
    }

    /// Whether the causes of the next step of its thread are there, apart from those in its thread.
    fn is_ready(&self, step: Step) -> bool {
        let old = self.old.graph();
        let id = match step {
            Step::First(_) => return true,
            Step::Then(number) => return self.firsts[number] != NONE,
            Step::Old(id) => id,
        };
        let event = old.at(id);
        let there = |id: Id| self.events[id as usize] != NONE;
        let spawned = event.index > 0 || old.spawned_by(event.thread()).is_none_or(there);
        spawned
            && match event.kind {
                // All that is added to the child too.
                Kind::Join => {
                    self.steps[event.location()].len() == self.new.of(event.location()).len()
                }
                _ => event.rf == INIT || there(event.rf),
            }
    }

    fn add(&mut self, thread: ThreadId, step: Step) {
        let old = self.old.graph();
        let index = self.new.of(thread).len();
        let event = match step {
            Step::Old(id) => {
                let event = *old.at(id);
                let rf = if event.rf == INIT { INIT } else { self.events[event.rf as usize] };
                Event { index: index as u16, rf, ..event }
            }
            Step::First(number) => self.token(thread, number, TokenAct::Unpark, INIT),
            Step::Then(number) => self.token(thread, number, TokenAct::Park, self.firsts[number]),
        };
        let id = self.new.push(event);
        match step {
            Step::Old(old) => self.events[old as usize] = id,
            Step::First(number) => self.firsts[number] = id,
            Step::Then(_) => {}
        }
        self.new.fill(id);
        let state = event.act.map(|act| {
            let before = match (event.rf, step) {
                (INIT, Step::Old(_)) => self.old.made_as(event.location),
                (INIT, _) => Some(Token::default().into()),
                (act, _) => self.states[act as usize].clone(),
            };
            let mut state = before.expect("an object of this execution");
            let past = &mut self.new.pasts[id as usize].hb;
            state.apply(act, thread, &mut Edges { past });
            state
        });
        self.states.push(state);
    }

    /// An act on the token of a constraint, which has a location of its own.
    fn token(&self, thread: ThreadId, number: usize, act: TokenAct, rf: Id) -> Event {
        let location = (self.old.graph().locations.len() + number) as u32;
        let operation = Operation::Act { object: LocationId::default(), act: Act::Token(act) };
        let site = std::panic::Location::caller();
        let index = self.new.of(thread).len();
        Event { rf, todo: false, ..Event::new(&operation, location, thread, index, site) }
    }

    fn finish(mut self) -> Graph {
        for (location, known) in self.old.graph().locations.iter().enumerate() {
            let order = known.order.iter().map(|&id| self.events[id as usize]);
            if !known.order.is_empty() {
                self.new.locations[location].order = order.collect();
            }
        }
        self.new
    }
}

impl Graph {
    /// Coherence and the SC axiom. Atomicity does not depend on happens-before.
    fn is_consistent(&self) -> bool {
        (0..self.len()).all(|id| self.is_coherent(id))
            && (!self.sc_matters(true) || ScOrder::default().holds(self))
    }

    /// Whether `id` reads or writes behind all that happens before it.
    fn is_coherent(&self, id: Id) -> bool {
        let event = self.at(id);
        let at = match event.kind {
            Kind::Load => self.after(event.rf),
            Kind::Store | Kind::Update => event.place as usize,
            _ => return true,
        };
        let mut before = self.past(id).hb;
        before.set(event.thread(), event.index);
        self.bound(event.location, &before) <= at
    }
}
