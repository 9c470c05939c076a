//! Whether the declarations of a check make sense.

use super::constraints::MAX_OPERATIONS;
use super::declared::Declared;
use super::scenario::Size;
use crate::check::{CheckError, MAX_THREADS};

/// The most orders of a scenario's operations that are tried.
const MAX_ORDERS: u128 = 5_040;

/// The most scenarios that a check may have.
const MAX_SCENARIOS: u128 = 1_000_000;

impl Declared {
    /// Whether the declarations make sense.
    pub(super) fn validate(&self) -> Result<(), CheckError> {
        let wrong = |message: String| Err(CheckError::wrong_model(message));
        if let Some(mistake) = &self.mistake {
            return wrong(mistake.clone());
        }
        if self.operations.is_empty() {
            return wrong(
                "the check has no operations: add at least one with .operation(name, f)".to_owned(),
            );
        }
        let operations = self.operations.iter().map(|piece| (&piece.name, piece.against.is_some()));
        let starts = self.starts.iter().map(|piece| (&piece.name, piece.against.is_some()));
        let last = self.last.iter().map(|piece| (&piece.name, piece.against.is_some()));
        let mut names: Vec<&str> = Vec::new();
        for (name, has_reference) in operations.chain(starts).chain(last) {
            if name.trim().is_empty() || [", ", "||", ": ", "\n"].iter().any(|s| name.contains(s)) {
                return wrong(format!(
                    "a name must not be empty and must not contain \", \", \": \", \"||\" or line breaks, \
                     got {name:?}"
                ));
            }
            if names.contains(&name.as_str()) {
                return wrong(format!(
                    "the names of operations, initial states and observations must be unique, got \
                     {name:?} twice"
                ));
            }
            names.push(name);
            match (self.reference.is_some(), has_reference) {
                (true, false) => {
                    return wrong(format!(
                        "the reference does not define {name:?}: add .against(f) after it"
                    ));
                }
                (false, true) => {
                    return wrong(format!(
                        ".against(f) of {name:?} requires a reference: add .reference(init) after \
                         linearizable(init)"
                    ));
                }
                _ => {}
            }
        }
        // One scenario alone is of a size of its own.
        if self.only.is_some() { Ok(()) } else { self.validate_sizes() }
    }

    fn validate_sizes(&self) -> Result<(), CheckError> {
        let wrong = |message: String| Err(CheckError::wrong_model(message));
        let n = self.operations.len() as u128;
        let mut scenarios = 0_u128;
        for Size { threads, operations } in &self.sizes {
            if !(2..=MAX_THREADS).contains(threads) {
                return wrong(format!(
                    ".size(threads, operations) must have 2 to {MAX_THREADS} threads, got {threads}"
                ));
            }
            if *operations == 0 {
                return wrong(
                    ".size(threads, operations) must have at least 1 operation a thread, got 0"
                        .to_owned(),
                );
            }
            self.validate_shape(&vec![*operations; *threads])?;
            let choices = |of: u128, n: usize| (0..n).fold(1_u128, |all, _| all.saturating_mul(of));
            let sequences: u128 = (1..=*operations).map(|length| choices(n, length)).sum();
            scenarios = scenarios.saturating_add(choices(sequences, *threads));
        }
        scenarios = scenarios.saturating_mul(self.starts.len().max(1) as u128);
        if scenarios > MAX_SCENARIOS {
            return wrong(format!(
                "a check can have at most {MAX_SCENARIOS} scenarios, got {scenarios}"
            ));
        }
        Ok(())
    }

    /// Whether operations as many as these, by thread, are few enough.
    pub(super) fn validate_shape(&self, lengths: &[usize]) -> Result<(), CheckError> {
        let wrong = |message: String| Err(CheckError::wrong_model(message));
        if lengths.len() > MAX_THREADS {
            return wrong(format!(
                "a scenario can have at most {MAX_THREADS} threads, got {}",
                lengths.len()
            ));
        }
        let operations = lengths.iter().sum::<usize>();
        if operations > MAX_OPERATIONS {
            return wrong(format!(
                "a scenario can have at most {MAX_OPERATIONS} operations, got {operations}"
            ));
        }
        let factorial = |n: usize| (1..=n as u128).product::<u128>();
        let mut orders = factorial(operations);
        if self.promise.keeps_threads() {
            orders /= lengths.iter().map(|n| factorial(*n)).product::<u128>();
        }
        if orders > MAX_ORDERS {
            return wrong(format!(
                "a scenario can have at most {MAX_ORDERS} sequential orders, got {orders} for \
                 {lengths:?} operations by thread"
            ));
        }
        Ok(())
    }
}
