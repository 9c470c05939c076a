//! What one thread alone gets: the type itself, or the reference.

use super::constraints::Shape;
use super::declared::{AnyLocal, AnyReference, Declared, Named};
use super::history::{History, Order, orders};
use super::scenario::Scenario;
use crate::check::{CheckError, panics};

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
            panics::catch(|| self.alone(scenario, shape, order)).map_err(|message| {
                CheckError::wrong_model(format!(
                    "the sequential specification panics in the scenario `{text}`: {message}"
                ))
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

    /// What one thread alone gets that calls the operations in this order.
    fn alone(&self, scenario: &Scenario, shape: &Shape, order: &[usize]) -> History {
        let all: Vec<usize> = scenario.threads.iter().flatten().copied().collect();
        let mut results = vec![String::new(); all.len()];
        let start = self.starts.get(scenario.start);
        if let Some(reference) = &self.reference {
            let mut state = reference();
            if let Some(start) = start {
                start.instead(state.as_mut());
            }
            for &number in order {
                results[number] = self.operations[all[number]].instead(state.as_mut());
            }
            let last = self.last.as_ref().map(|last| last.instead(state.as_mut()));
            return History { results, last };
        }
        let shared = (self.init)();
        if let Some(start) = start {
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
