//! What one thread alone gets: the type itself, or the reference.

use super::constraints::Shape;
use super::declared::{AnyLocal, AnyReference, Declared, Named};
use super::engine;
use super::history::{History, Order, orders};
use super::scenario::Scenario;
use crate::check::{CheckError, panics};

/// Why one thread alone gets nothing.
pub(super) enum Alone {
    /// It panics.
    Panics(String),
    /// It waits for ever.
    #[cfg_attr(not(loom), expect(dead_code, reason = "real threads are not asked"))]
    Blocks(String),
    /// Something else is wrong.
    #[cfg_attr(not(loom), expect(dead_code, reason = "real threads are not asked"))]
    Fails(String),
}

impl Declared {
    /// By thread: whether it has an operation that owns something.
    pub(super) fn owners(&self, scenario: &Scenario) -> Vec<bool> {
        let owns = |number: &usize| self.operations[*number].what.owns;
        scenario.threads.iter().map(|thread| thread.iter().any(owns)).collect()
    }

    /// All orders that may explain a scenario, and what one thread alone gets in each.
    pub(super) fn orders(
        &self,
        scenario: &Scenario,
        shape: &Shape,
        text: &str,
    ) -> Result<Vec<Order>, CheckError> {
        let alone = |order: &[usize]| {
            let fails = |how: &str, message: &str| {
                let names = order.iter().map(|&number| self.called(scenario, number));
                let order = names.collect::<Vec<_>>().join(", ");
                CheckError::wrong_model(format!(
                    "the sequential specification {how} in the scenario `{text}`, in the order {order}: {message}"
                ))
            };
            let history = match &self.reference {
                Some(reference) => {
                    panics::catch(|| self.of_reference(scenario, order, reference()))
                        .map_err(Alone::Panics)
                }
                None => engine::alone(|| self.of_type(scenario, shape, order)),
            };
            history.map_err(|error| match error {
                Alone::Panics(message) => fails("panics", &message),
                Alone::Blocks(message) => fails(
                    "blocks",
                    &format!("{message}; say what each operation does instead, by `against` and `reference`"),
                ),
                Alone::Fails(message) => fails("fails", &message),
            })
        };
        let mut found = Vec::new();
        for operations in orders(shape, self.promise.keeps_threads()) {
            let (history, again) = (alone(&operations)?, alone(&operations)?);
            if history != again {
                return Err(CheckError::wrong_model(format!(
                    "the sequential specification must be deterministic: in the scenario `{text}` it \
                     gives {history:?}, and then {again:?}"
                )));
            }
            found.push(Order { operations, history });
        }
        Ok(found)
    }

    /// The name of an operation of a scenario.
    fn called(&self, scenario: &Scenario, number: usize) -> &str {
        let operation = scenario.threads.iter().flatten().nth(number);
        operation.map_or("", |&operation| &self.operations[operation].name)
    }

    /// What the reference gives if one thread calls the operations in this order.
    fn of_reference(
        &self,
        scenario: &Scenario,
        order: &[usize],
        mut state: Box<AnyReference>,
    ) -> History {
        let all: Vec<usize> = scenario.threads.iter().flatten().copied().collect();
        let mut results = vec![String::new(); all.len()];
        if let Some(start) = self.starts.get(scenario.start) {
            start.instead(state.as_mut());
        }
        for &number in order {
            results[number] = self.operations[all[number]].instead(state.as_mut());
        }
        History { results, last: self.last.as_ref().map(|last| last.instead(state.as_mut())) }
    }

    /// What the type gives if one thread calls the operations in this order.
    fn of_type(&self, scenario: &Scenario, shape: &Shape, order: &[usize]) -> History {
        let all: Vec<usize> = scenario.threads.iter().flatten().copied().collect();
        let mut results = vec![String::new(); all.len()];
        let shared = (self.init)();
        if let Some(start) = self.starts.get(scenario.start) {
            (start.what)(&shared);
        }
        let owners = self.owners(scenario);
        let mut locals: Vec<Option<Box<AnyLocal>>> =
            owners.iter().map(|owns| owns.then(|| (self.local)(&shared))).collect();
        for &number in order {
            let local = locals[shape.thread(number)].as_deref_mut();
            results[number] = (self.operations[all[number]].what.run)(&shared, local);
        }
        History { results, last: self.last.as_ref().map(|last| (last.what)(&shared)) }
    }
}

impl<T> Named<T> {
    /// What the reference does in place of this.
    fn instead(&self, state: &mut AnyReference) -> String {
        match &self.against {
            Some(against) => against(state),
            None => unreachable!("a reference without it is refused"),
        }
    }
}
