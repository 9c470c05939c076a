//! Whether orders of the operations explain the results of an execution.

use std::collections::BTreeMap;
use std::fmt;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use super::Promise;
use super::constraints::{Constraints, Shape, against};
use super::history::{History, Order};
use super::scenario::THREADS;
use super::threads::{Record, lock};
#[cfg(loom)]
use crate::engine::graph::{Execution, Precedence};

/// Whose results are to be explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Observer {
    All,
    Thread(usize),
    /// Who looks at the end.
    Last,
}

/// Why an order explains nothing.
enum Objection<'a> {
    /// An operation returns something else there.
    Result(usize, &'a str),
    Last(&'a str),
    /// The second comes first, although the first had ended before it began.
    Overtaken(usize, usize),
}

/// How many orders are printed.
const SHOWN: usize = 10;

/// What the outcome of an execution is called: `results=explained`, or the results that no order
/// explains.
pub(super) const RESULTS: &str = "results";
pub(super) const EXPLAINED: &str = "explained";

/// The outcome of an execution.
pub(super) struct Verdict(Option<String>);

impl fmt::Debug for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_deref().unwrap_or(EXPLAINED))
    }
}

/// Whether orders explain what executions of one scenario show.
pub(super) struct Judge {
    pub(super) shape: Shape,
    promise: Promise,
    orders: Vec<Order>,
    /// The names of the operations, by number.
    names: Vec<String>,
    /// The observation at the end.
    last: String,
    /// By history: the least sets of constraints with which no order explains it.
    unexplained: Mutex<BTreeMap<History, Arc<[Constraints]>>>,
    newest: Mutex<Record>,
    /// By outcome: the results, and why no order explains them.
    stories: Mutex<BTreeMap<String, (String, String)>>,
}

impl Judge {
    pub(super) fn new(
        shape: Shape,
        promise: Promise,
        orders: Vec<Order>,
        names: Vec<String>,
        last: String,
    ) -> Self {
        Self {
            shape,
            promise,
            orders,
            names,
            last,
            unexplained: Mutex::default(),
            newest: Mutex::default(),
            stories: Mutex::default(),
        }
    }

    /// What an execution shows without constraints.
    pub(super) fn verdict(&self, record: Record) -> Verdict {
        let unexplained = self.unexplained(&record.history);
        let constraints = unexplained.first().filter(|constraints| constraints.waits.is_empty());
        let verdict = constraints.map(|constraints| self.tell(&record.history, constraints));
        *lock(&self.newest) = record;
        Verdict(verdict)
    }

    /// What the operations of the newest execution returned.
    #[cfg(loom)]
    pub(super) fn newest_history(&self) -> String {
        format!("{:?}", lock(&self.newest).history)
    }

    /// What the newest execution shows under constraints: the outcome, and the execution as one that
    /// keeps them.
    #[cfg(loom)]
    pub(super) fn constrained<'a>(
        &self,
        execution: &Execution<'a>,
    ) -> Option<(String, Execution<'a>)> {
        let Record { history, spans } = &*lock(&self.newest);
        let unexplained = self.unexplained(history);
        let mut all = unexplained.iter().filter(|constraints| !constraints.waits.is_empty());
        all.find_map(|constraints| {
            let waits = constraints.waits.iter().map(|&(first, second)| Precedence {
                first: spans[first].1,
                then: spans[second].0,
            });
            let execution = execution.constrained(&waits.collect::<Vec<_>>())?;
            Some((format!("{RESULTS}={}", self.tell(history, constraints)), execution))
        })
    }

    /// Keeps the story of a history that no order explains; returns what tells it from others.
    fn tell(&self, history: &History, constraints: &Constraints) -> String {
        let story = Story { judge: self, history, constraints };
        let outcome = story.outcome();
        lock(&self.stories)
            .entry(outcome.clone())
            .or_insert_with(|| (story.results(), story.to_string()));
        outcome
    }

    /// The results of an unexpected outcome, and why no order explains them.
    pub(super) fn story(&self, outcome: &str) -> (String, String) {
        let told = outcome.strip_prefix(RESULTS).and_then(|rest| rest.strip_prefix('='));
        let stories = lock(&self.stories);
        told.and_then(|told| stories.get(told)).cloned().unwrap_or_default()
    }

    /// The least sets of constraints with which no order explains the history: the empty set alone, if
    /// none explains it anyway.
    fn unexplained(&self, history: &History) -> Arc<[Constraints]> {
        let mut known = lock(&self.unexplained);
        if let Some(known) = known.get(history) {
            return Arc::clone(known);
        }
        let none = Constraints::none(self.promise, &self.shape);
        let found = if self.observer(history, &none).is_some() {
            vec![none]
        } else {
            let explains = |order: &&Order| order.history == *history;
            let orders: Vec<&[usize]> =
                self.orders.iter().filter(explains).map(|order| &*order.operations).collect();
            against(self.promise, &self.shape, &orders)
        };
        let found = Arc::from(found);
        known.insert(history.clone(), Arc::clone(&found));
        found
    }

    /// The first observer whose results no order explains.
    fn observer(&self, history: &History, constraints: &Constraints) -> Option<Observer> {
        let observers = match self.promise {
            Promise::ThreadOrder => {
                (0..self.shape.threads()).map(Observer::Thread).chain([Observer::Last]).collect()
            }
            _ => vec![Observer::All],
        };
        observers.into_iter().find(|observer| {
            self.orders
                .iter()
                .all(|order| self.objection(*observer, history, constraints, order).is_some())
        })
    }

    /// The first thing in `order` that is not as `observer` has it.
    fn objection<'a>(
        &self,
        observer: Observer,
        history: &History,
        constraints: &Constraints,
        order: &'a Order,
    ) -> Option<Objection<'a>> {
        let counts = |operation: usize| match observer {
            Observer::All => true,
            Observer::Thread(thread) => thread == self.shape.thread(operation),
            Observer::Last => false,
        };
        for &operation in &order.operations {
            let here = &order.history.results[operation];
            if counts(operation) && *here != history.results[operation] {
                return Some(Objection::Result(operation, here));
            }
        }
        let looks = matches!(observer, Observer::All | Observer::Last);
        if looks && order.history.last != history.last {
            return Some(Objection::Last(order.history.last.as_deref().unwrap_or_default()));
        }
        let (first, second) = constraints.before.broken_by(&order.operations)?;
        Some(Objection::Overtaken(first, second))
    }
}

/// A history that no order explains, in words.
struct Story<'a> {
    judge: &'a Judge,
    history: &'a History,
    constraints: &'a Constraints,
}

impl Story<'_> {
    /// `alice add`, or which one if she adds more than once.
    fn name(&self, operation: usize) -> String {
        let Judge { shape, names, .. } = self.judge;
        let name = &names[operation];
        let thread = shape.thread(operation);
        let mut alike = shape.of_thread(thread).filter(|other| names[*other] == *name);
        let which = alike.position(|other| other == operation).map_or(1, |position| position + 1);
        let alone = which == 1 && alike.next().is_none();
        let number = if alone { String::new() } else { format!(" (no. {which})") };
        format!("{} {name}{number}", THREADS[thread])
    }

    /// `alice: add, get = 1; bob: take = 0; total = 1`.
    fn results(&self) -> String {
        let Judge { shape, names, last, .. } = self.judge;
        let thread = |thread: usize| {
            let parts: Vec<String> = shape
                .of_thread(thread)
                .map(|operation| returned(&names[operation], &self.history.results[operation]))
                .collect();
            format!("{}: {}", THREADS[thread], parts.join(", "))
        };
        let last = self.history.last.iter().map(|seen| returned(last, seen));
        (0..shape.threads()).map(thread).chain(last).collect::<Vec<_>>().join("; ")
    }

    /// `alice add had ended before bob get began`.
    fn waits(&self) -> impl Iterator<Item = String> {
        self.constraints.waits.iter().map(|(first, second)| {
            format!("{} had ended before {} began", self.name(*first), self.name(*second))
        })
    }

    /// What tells this story from others of the scenario: results and constraints.
    fn outcome(&self) -> String {
        [self.results()].into_iter().chain(self.waits()).collect::<Vec<_>>().join("; ")
    }
}

/// Why no order explains it: what each has to keep, and where it differs.
impl fmt::Display for Story<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { judge, history, constraints } = self;
        for wait in self.waits() {
            writeln!(f, "  {wait}.")?;
        }
        let observer = judge.observer(history, constraints).unwrap_or(Observer::All);
        let what = match observer {
            Observer::All => "these results".to_owned(),
            Observer::Thread(thread) => format!("what {} saw", THREADS[thread]),
            Observer::Last => format!("{} at the end", judge.last),
        };
        writeln!(f, "  No order explains {what}:")?;
        for order in judge.orders.iter().take(SHOWN) {
            let names: Vec<String> = order.operations.iter().map(|n| self.name(*n)).collect();
            let mut line = format!("    {}: ", names.join(", "));
            match judge.objection(observer, history, constraints, order) {
                Some(Objection::Result(operation, here)) => {
                    write!(line, "would give {}", returned(&self.name(operation), here))?;
                }
                Some(Objection::Last(here)) => {
                    write!(line, "would give {}", returned(&judge.last, here))?;
                }
                Some(Objection::Overtaken(first, second)) => {
                    write!(line, "{} is not before {}", self.name(first), self.name(second))?;
                }
                None => {}
            }
            writeln!(f, "{line}")?;
        }
        let more = judge.orders.len().saturating_sub(SHOWN);
        if more > 0 {
            writeln!(f, "    and {more} more orders, none of which explains them")?;
        }
        Ok(())
    }
}

/// `get = 1`; of what returns nothing, the name.
fn returned(name: &str, result: &str) -> String {
    if result == "()" { name.to_owned() } else { format!("{name} = {result}") }
}
