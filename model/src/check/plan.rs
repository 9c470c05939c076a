//! What a model declares, and whether the declarations make sense.

use std::any::{Any, TypeId};
use std::collections::HashSet;
use std::fmt;

#[cfg(loom)]
use crate::engine::graph::Execution;

use super::relation::{Relation, Returned};
use super::{
    CheckError, DEFAULT_STEPS, Failure, Grade, MAX_STACK, MAX_STEPS, MAX_THREADS, MIN_STACK,
};

/// A row as declared.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) outcome: String,
    pub(super) grade: Grade,
    pub(super) reason: String,
}

/// The state of a model without its type, so that the engines are compiled once, not once a type.
pub(super) struct AnyState(Box<dyn Any + Send + Sync>);

impl AnyState {
    pub(super) fn new<S: Send + Sync + 'static>(state: S) -> Self {
        Self(Box::new(state))
    }

    /// The state, to a part that was declared with its type.
    pub(super) fn get<S: 'static>(&self) -> &S {
        match self.0.downcast_ref() {
            Some(state) => state,
            None => unreachable!("a model has one type of state"),
        }
    }
}

/// Calls code under test with the state, and returns its part of the outcome: `name=…`, if there is a
/// name.
type Run = dyn Fn(&AnyState, Option<&str>) -> Option<String> + Send + Sync;

/// What is called with the state: a thread's body, or an observation. Returns its part of the
/// outcome, unless it is `()`.
pub(super) struct Part {
    pub(super) name: String,
    /// Whether it returns `()`, and so has no part in the outcome.
    unit: bool,
    run: Box<Run>,
}

impl Part {
    pub(super) fn new<S: 'static, R: fmt::Debug + 'static>(
        name: &str,
        run: impl Fn(&S) -> R + Send + Sync + 'static,
    ) -> Self {
        let run =
            Box::new(move |state: &AnyState, name: Option<&str>| shown(name, &run(state.get())));
        Self::of(name, TypeId::of::<R>() == TypeId::of::<()>(), run)
    }

    fn of(name: &str, unit: bool, run: Box<Run>) -> Self {
        Self { name: name.to_owned(), unit, run }
    }

    /// Calls it, and returns its part of the outcome.
    pub(super) fn run(&self, state: &AnyState) -> Option<String> {
        (self.run)(state, (!self.unit).then_some(&self.name))
    }
}

/// A part of an outcome.
fn shown(name: Option<&str>, result: &dyn fmt::Debug) -> Option<String> {
    name.map(|name| format!("{name}={result:?}"))
}

/// What a complete execution shows besides what its threads have observed: an outcome in place of theirs,
/// and the execution that shows it, which may be under constraints.
#[cfg(loom)]
pub(super) type Judge =
    dyn for<'a> Fn(&Execution<'a>) -> Option<(String, Execution<'a>)> + Send + Sync;

/// What `init` is to the first thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum First {
    /// It makes the state.
    Init,
    /// It is the whole program, which spawns its threads itself.
    Main,
}

/// What is declared: shared by the engines.
#[expect(clippy::struct_excessive_bools, reason = "each is declared by itself")]
pub(super) struct Plan {
    pub(super) init: Box<dyn Fn() -> AnyState + Send + Sync>,
    pub(super) threads: Vec<Part>,
    pub(super) observations: Vec<Part>,
    pub(super) table: Vec<Row>,
    pub(super) relations: Vec<Relation>,
    pub(super) fails: Option<Failure>,
    #[cfg_attr(not(loom), allow(dead_code, reason = "real threads have rounds"))]
    pub(super) executions: Option<u64>,
    #[cfg_attr(not(loom), allow(dead_code, reason = "real threads fail spuriously by themselves"))]
    pub(super) spurious: bool,
    #[cfg_attr(not(loom), allow(dead_code, reason = "real threads have time"))]
    pub(super) patient: bool,
    #[cfg_attr(not(loom), allow(dead_code, reason = "real threads have one engine"))]
    pub(super) loom: Option<u64>,
    #[cfg_attr(not(loom), allow(dead_code, reason = "the system preempts real threads"))]
    pub(super) preemptions: Option<u8>,
    #[cfg_attr(not(loom), allow(dead_code, reason = "real threads have no step limit"))]
    pub(super) steps: usize,
    /// The size of a thread's stack in bytes.
    pub(super) stack: Option<usize>,
    pub(super) rounds: Option<u64>,
    /// Whether outcomes are held against the table.
    pub(super) judges: bool,
    #[cfg(loom)]
    pub(super) judge: Option<Box<Judge>>,
    /// What the newest execution has shown to that.
    #[cfg(loom)]
    pub(super) shown: Option<Box<dyn Fn() -> String + Send + Sync>>,
    pub(super) first: First,
    /// Whether it is wrong that two threads take no step that the checker can see.
    #[cfg_attr(not(loom), allow(dead_code, reason = "steps of real threads are not seen"))]
    pub(super) needs_steps: bool,
}

impl Plan {
    /// Of a model that declares nothing else yet.
    pub(super) fn new<S: Send + Sync + 'static>(
        init: impl Fn() -> S + Send + Sync + 'static,
    ) -> Self {
        Self::of(Box::new(move || AnyState::new(init())))
    }

    fn of(init: Box<dyn Fn() -> AnyState + Send + Sync>) -> Self {
        Self {
            init,
            threads: Vec::new(),
            observations: Vec::new(),
            table: Vec::new(),
            relations: Vec::new(),
            fails: None,
            executions: None,
            spurious: true,
            patient: false,
            loom: None,
            preemptions: None,
            steps: DEFAULT_STEPS,
            stack: None,
            rounds: None,
            judges: true,
            #[cfg(loom)]
            judge: None,
            #[cfg(loom)]
            shown: None,
            first: First::Init,
            needs_steps: true,
        }
    }

    /// Adds a row to the table.
    pub(super) fn declare(&mut self, outcome: &str, grade: Grade, reason: &str) {
        let (outcome, reason) = (outcome.to_owned(), reason.to_owned());
        self.table.push(Row { outcome, grade, reason });
    }

    /// Whether the declarations make sense.
    pub(super) fn validate(&self) -> Result<(), CheckError> {
        let wrong = |message: String| Err(CheckError::wrong_model(message));
        if self.threads.is_empty() && self.first == First::Init {
            return wrong(
                "the model has no threads: add at least one with .thread(name, body)".to_owned(),
            );
        }
        if self.threads.len() > MAX_THREADS {
            return wrong(format!(
                "a model can have at most {MAX_THREADS} threads, got {}",
                self.threads.len()
            ));
        }
        let mut names = HashSet::new();
        for part in self.threads.iter().chain(&self.observations) {
            let name = &part.name;
            if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c == '=') {
                return wrong(format!(
                    "a name must not be empty and must not contain white space or '=', got {name:?}"
                ));
            }
            if !names.insert(name) {
                return wrong(format!(
                    "the names of threads and observations must be unique, got {name:?} twice"
                ));
            }
        }
        self.validate_table()?;
        self.validate_relations()?;
        self.validate_bounds()
    }

    fn validate_table(&self) -> Result<(), CheckError> {
        let wrong = |message: String| Err(CheckError::wrong_model(message));
        if let (Some(failure), Some(row)) = (self.fails, self.table.first()) {
            return wrong(format!(
                "a model must have either a table or .fails(…), got the outcome {:?} and .fails({failure})",
                row.outcome
            ));
        }
        if let (Some(failure), Some(relation)) = (self.fails, self.relations.first()) {
            return wrong(format!(
                "a model must have either relations or .fails(…), got .always({:?}, …) and .fails({failure})",
                relation.name
            ));
        }
        if self.judges
            && self.fails.is_none()
            && self.relations.is_empty()
            && self.table.iter().all(|row| row.grade == Grade::Forbidden)
        {
            return wrong(
                "the model declares no outcome that may be reached: add .acceptable(outcome, reason), \
                 .always(name, relation), or .fails(failure) if it is expected to fail"
                    .to_owned(),
            );
        }
        let mut outcomes = HashSet::new();
        for row in &self.table {
            if !outcomes.insert(&row.outcome) {
                return wrong(format!(
                    "the outcome {:?} is declared twice: each outcome must have one row",
                    row.outcome
                ));
            }
            if !self.could_be(&row.outcome) {
                let form: Vec<_> = self.observed().map(|name| Some(format!("{name}=…"))).collect();
                return wrong(format!(
                    "the outcome {:?} can never be reached: outcomes of this model have the form \
                     {:?}",
                    row.outcome,
                    outcome_of(&form)
                ));
            }
        }
        Ok(())
    }

    fn validate_relations(&self) -> Result<(), CheckError> {
        let wrong = |message: String| Err(CheckError::wrong_model(message));
        let mut names = HashSet::new();
        for Relation { name, .. } in &self.relations {
            if name.is_empty() || !names.insert(name) {
                return wrong(format!(
                    "the names of relations must be unique and not empty, got {name:?}"
                ));
            }
        }
        match self.relations.first() {
            Some(Relation { name, .. }) if self.observed().next().is_none() => wrong(format!(
                "the relation {name:?} has nothing to hold of: no thread and no observation returns a value"
            )),
            _ => Ok(()),
        }
    }

    fn validate_bounds(&self) -> Result<(), CheckError> {
        let wrong = |message: String| Err(CheckError::wrong_model(message));
        if !(1..=MAX_STEPS).contains(&self.steps) {
            return wrong(format!(".steps(n) must be 1 to {MAX_STEPS}, got {}", self.steps));
        }
        if let Some(stack) = self.stack.filter(|stack| !(MIN_STACK..=MAX_STACK).contains(stack)) {
            return wrong(format!(".stack(bytes) must be {MIN_STACK} to {MAX_STACK}, got {stack}"));
        }
        if self.executions == Some(0) {
            return wrong(".executions(n) must be at least 1, got 0".to_owned());
        }
        if self.rounds == Some(0) {
            return wrong(".rounds(n) must be at least 1, got 0".to_owned());
        }
        Ok(())
    }

    /// The names that an outcome shows, in order.
    fn observed(&self) -> impl Iterator<Item = &str> {
        let parts = self.threads.iter().chain(&self.observations);
        parts.filter(|part| !part.unit).map(|part| part.name.as_str())
    }

    /// Whether `outcome` shows the right names in the right order. What stands behind a name is the
    /// `Debug` text of anything, and is not looked at.
    fn could_be(&self, outcome: &str) -> bool {
        let mut rest = outcome;
        let mut first = true;
        for name in self.observed() {
            let sought = if first { format!("{name}=") } else { format!(" {name}=") };
            match rest.find(&sought) {
                Some(0) if first => rest = &rest[sought.len()..],
                Some(at) if !first => rest = &rest[at + sought.len()..],
                _ => return false,
            }
            first = false;
        }
        !first || outcome == "()"
    }

    /// What the table declares.
    pub(super) fn declared(&self) -> Vec<String> {
        self.table.iter().map(|row| row.outcome.clone()).collect()
    }

    /// The row of `outcome`, if the table has one.
    pub(super) fn find(&self, outcome: &str) -> Option<&Row> {
        self.table.iter().find(|row| row.outcome == outcome)
    }

    /// Whether the table allows `outcome`; a model that is to fail, or that only explores, allows any.
    pub(super) fn allows(&self, outcome: &str) -> bool {
        let open = || self.table.iter().all(|row| row.grade == Grade::Forbidden);
        !self.judges
            || self.fails.is_some()
            || self.find(outcome).map_or_else(
                || !self.relations.is_empty() && open(),
                |row| row.grade != Grade::Forbidden,
            )
    }

    /// Why an outcome is accepted that no table speaks of: the relations, or `otherwise`.
    pub(super) fn reason(&self, otherwise: &str) -> String {
        let names: Vec<&str> = self.relations.iter().map(|relation| &*relation.name).collect();
        if names.is_empty() { otherwise.to_owned() } else { names.join("; ") }
    }

    /// The first relation that does not hold of what was returned.
    ///
    /// # Errors
    ///
    /// If one panicked: its name, and what it said.
    pub(super) fn broken(&self, returned: &[Option<String>]) -> Result<Option<&str>, String> {
        if self.relations.is_empty() {
            return Ok(None);
        }
        let parts = self.threads.iter().chain(&self.observations);
        let returned = Returned::new(parts.map(|part| part.name.as_str()), returned);
        for relation in &self.relations {
            let holds = relation.holds(&returned);
            let says = |message| format!("the relation {:?} panicked: {message}", relation.name);
            if !holds.map_err(says)? {
                return Ok(Some(&relation.name));
            }
        }
        Ok(None)
    }
}

/// The parts of an outcome as one text; `()` where nothing was returned.
pub(super) fn outcome_of(parts: &[Option<String>]) -> String {
    let parts: Vec<&str> = parts.iter().flatten().map(String::as_str).collect();
    if parts.is_empty() { "()".to_owned() } else { parts.join(" ") }
}
