//! What an execution showed, what one thread alone would show, and whether the one explains the
//! other.

use std::fmt;
use std::fmt::Write as _;

use super::Promise;
use super::clients::{Client, Shape};
use super::scenario::THREADS;

/// What the operations of a scenario returned, by their number, and what was observed at the end.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct History {
    pub(super) results: Vec<String>,
    pub(super) last: Option<String>,
}

/// The operations of a scenario, one after the other, on a fresh state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) operations: Vec<usize>,
    pub(super) history: History,
}

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

/// All orders of a scenario's operations: those that keep each thread's own order, or all.
pub(super) fn orders(shape: &Shape, keep: bool) -> Vec<Vec<usize>> {
    let mut found = Vec::new();
    extend(shape, &mut Vec::new(), keep, &mut found);
    found
}

fn extend(shape: &Shape, order: &mut Vec<usize>, keep: bool, found: &mut Vec<Vec<usize>>) {
    if order.len() == shape.operations() {
        found.push(order.clone());
    }
    for next in 0..shape.operations() {
        let too_early =
            keep && shape.previous(next).is_some_and(|earlier| !order.contains(&earlier));
        if !order.contains(&next) && !too_early {
            order.push(next);
            extend(shape, order, keep, found);
            order.pop();
        }
    }
}

/// Whether orders explain what executions show.
pub(super) struct Judge {
    pub(super) shape: Shape,
    pub(super) promise: Promise,
    pub(super) orders: Vec<Order>,
}

impl Judge {
    pub(super) fn explains(&self, history: &History, client: &Client) -> bool {
        self.unexplained(history, client).is_none()
    }

    /// The first observer whose results no order explains.
    fn unexplained(&self, history: &History, client: &Client) -> Option<Observer> {
        let observers = match self.promise {
            Promise::ThreadOrder => {
                (0..self.shape.threads()).map(Observer::Thread).chain([Observer::Last]).collect()
            }
            _ => vec![Observer::All],
        };
        observers.into_iter().find(|observer| {
            self.orders
                .iter()
                .all(|order| self.objection(*observer, history, client, order).is_some())
        })
    }

    /// The first thing in `order` that is not as `observer` has it.
    fn objection<'a>(
        &self,
        observer: Observer,
        history: &History,
        client: &Client,
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
        let (first, second) = client.before.broken_by(&order.operations)?;
        Some(Objection::Overtaken(first, second))
    }
}

/// A history that was not explained, in words.
pub(super) struct Story<'a> {
    pub(super) judge: &'a Judge,
    pub(super) history: &'a History,
    pub(super) client: &'a Client,
    /// The names of the operations, by number.
    pub(super) names: Vec<&'a str>,
    /// The observation at the end.
    pub(super) last: &'a str,
}

impl Story<'_> {
    /// `alice add`, or which one if she adds more than once.
    fn name(&self, operation: usize) -> String {
        let (shape, name) = (&self.judge.shape, self.names[operation]);
        let thread = shape.thread(operation);
        let mut alike = shape.of_thread(thread).filter(|other| self.names[*other] == name);
        let which = alike.position(|other| other == operation).map_or(1, |position| position + 1);
        let alone = which == 1 && alike.next().is_none();
        let number = if alone { String::new() } else { format!(" (no. {which})") };
        format!("{} {name}{number}", THREADS[thread])
    }

    /// `alice: add, get = 1; bob: take = 0; total = 1`.
    pub(super) fn results(&self) -> String {
        let thread = |thread: usize| {
            let parts: Vec<String> = (0..self.names.len())
                .filter(|operation| self.judge.shape.thread(*operation) == thread)
                .map(|operation| returned(self.names[operation], &self.history.results[operation]))
                .collect();
            format!("{}: {}", THREADS[thread], parts.join(", "))
        };
        let last = self.history.last.iter().map(|last| returned(self.last, last));
        (0..self.judge.shape.threads()).map(thread).chain(last).collect::<Vec<_>>().join("; ")
    }
}

/// Why no order explains it: what each has to keep, and where it differs.
impl fmt::Display for Story<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { judge, history, client, .. } = self;
        for (first, second) in &client.waits {
            let (first, second) = (self.name(*first), self.name(*second));
            writeln!(f, "  {first} had ended before {second} began.")?;
        }
        let observer = judge.unexplained(history, client).unwrap_or(Observer::All);
        let what = match observer {
            Observer::All => "these results".to_owned(),
            Observer::Thread(thread) => format!("what {} saw", THREADS[thread]),
            Observer::Last => format!("{} at the end", self.last),
        };
        writeln!(f, "  No order explains {what}:")?;
        for order in judge.orders.iter().take(SHOWN) {
            let names: Vec<String> = order.operations.iter().map(|n| self.name(*n)).collect();
            let mut line = format!("    {}: ", names.join(", "));
            match judge.objection(observer, history, client, order) {
                Some(Objection::Result(operation, here)) => {
                    write!(line, "would give {}", returned(&self.name(operation), here))?;
                }
                Some(Objection::Last(here)) => {
                    write!(line, "would give {}", returned(self.last, here))?;
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
