//! What a check declares, without the types of the state, of what a thread owns, and of the reference: so
//! that all that follows is compiled once, not once a type.

use std::any::Any;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use super::scenario::Size;
use super::{Promise, ScenariosReport};
use crate::check::identity::Identity;
use crate::check::plan::AnyState;
use crate::check::{CheckError, check_environment};

/// What a thread owns.
pub(super) type AnyLocal = dyn Any + Send;

/// The state of the reference.
pub(super) type AnyReference = dyn Any;

/// Makes a fresh state.
pub(super) type Init = dyn Fn() -> AnyState + Send + Sync;

/// Calls code under test with the state, and returns its result in words.
pub(super) type Shared = dyn Fn(&AnyState) -> String + Send + Sync;

/// Calls an operation with the state and, where the thread has one, with what the thread owns.
pub(super) type Run = dyn Fn(&AnyState, Option<&mut AnyLocal>) -> String + Send + Sync;

/// Makes what a thread owns.
pub(super) type Local = dyn Fn(&AnyState) -> Box<AnyLocal> + Send + Sync;

/// What the reference does in place of something.
pub(super) type Against = dyn Fn(&mut AnyReference) -> String;

/// An operation of the alphabet.
pub(super) struct Operation {
    pub(super) name: String,
    #[cfg_attr(not(loom), expect(dead_code, reason = "there is no picture to show it in"))]
    pub(super) at: &'static Location<'static>,
    /// Whether it needs what the thread owns.
    pub(super) owns: bool,
    pub(super) run: Box<Run>,
}

/// Something that is declared under a name, and what the reference does in its place.
pub(super) struct Named<T> {
    pub(super) name: String,
    pub(super) what: T,
    pub(super) against: Option<Box<Against>>,
}

/// Something that a reference can stand in for.
#[derive(Debug, Clone, Copy)]
enum Piece {
    Operation,
    Start,
    Last,
}

/// What a check declares.
pub(super) struct Declared {
    pub(super) identity: Identity,
    pub(super) init: Arc<Init>,
    pub(super) local: Arc<Local>,
    pub(super) reference: Option<Box<dyn Fn() -> Box<AnyReference>>>,
    pub(super) operations: Vec<Named<Arc<Operation>>>,
    pub(super) starts: Vec<Named<Arc<Shared>>>,
    pub(super) last: Option<Named<Arc<Shared>>>,
    /// What `against` speaks of.
    newest: Option<Piece>,
    pub(super) promise: Promise,
    pub(super) sizes: Vec<Size>,
    pub(super) symmetric: bool,
    pub(super) executions: Option<u64>,
    pub(super) rounds: Option<u64>,
    pub(super) fails: Option<String>,
    pub(super) only: Option<String>,
    /// A declaration that came too late or for nothing.
    pub(super) mistake: Option<String>,
}

impl Declared {
    /// Of a check that declares nothing else yet.
    pub(super) fn new(at: &'static Location<'static>, init: Arc<Init>) -> Self {
        Self {
            identity: Identity::of_caller(at),
            init,
            local: Arc::new(|_| Box::new(())),
            reference: None,
            operations: Vec::new(),
            starts: Vec::new(),
            last: None,
            newest: None,
            promise: Promise::default(),
            sizes: Vec::new(),
            symmetric: true,
            executions: None,
            rounds: None,
            fails: None,
            only: None,
            mistake: None,
        }
    }

    /// `method` changes a type: what has been declared with the old one is a mistake.
    pub(super) fn forget(&mut self, method: &str) {
        if self.newest.take().is_some() {
            self.mistake.get_or_insert_with(|| {
                format!(
                    ".{method} must come right after linearizable(init), before operations, initial \
                     states and .finally(…)"
                )
            });
        }
        self.operations.clear();
        self.starts.clear();
        self.last = None;
    }

    #[track_caller]
    pub(super) fn operation(&mut self, name: &str, closure: &str, owns: bool, run: Box<Run>) {
        self.identity.hint(closure);
        let operation = Operation { name: name.to_owned(), at: Location::caller(), owns, run };
        self.operations.push(Named::new(name, Arc::new(operation)));
        self.newest = Some(Piece::Operation);
    }

    pub(super) fn start(&mut self, name: &str, prepare: Arc<Shared>) {
        self.starts.push(Named::new(name, prepare));
        self.newest = Some(Piece::Start);
    }

    pub(super) fn finally(&mut self, name: &str, observe: Arc<Shared>) {
        if self.last.is_some() {
            self.mistake.get_or_insert_with(|| {
                format!("a check can have one .finally(…), got a second one, {name:?}")
            });
        }
        self.last = Some(Named::new(name, observe));
        self.newest = Some(Piece::Last);
    }

    pub(super) fn against(&mut self, instead: Box<Against>) {
        let against = match self.newest {
            Some(Piece::Operation) => self.operations.last_mut().map(|last| &mut last.against),
            Some(Piece::Start) => self.starts.last_mut().map(|last| &mut last.against),
            Some(Piece::Last) => self.last.as_mut().map(|last| &mut last.against),
            None => None,
        };
        if let Some(against) = against {
            *against = Some(instead);
        } else {
            self.mistake.get_or_insert_with(|| {
                ".against(…) must follow an operation, an initial state or .finally(…)".to_owned()
            });
        }
    }

    /// The names of the operations.
    pub(super) fn operations(&self) -> Vec<String> {
        self.operations.iter().map(|operation| operation.name.clone()).collect()
    }

    /// The names of the initial states.
    pub(super) fn starts(&self) -> Vec<String> {
        self.starts.iter().map(|start| start.name.clone()).collect()
    }

    #[track_caller]
    pub(super) fn check(mut self) -> ScenariosReport {
        self.identity.at = Location::caller();
        let name = self.identity.name();
        match self.judge_all() {
            Ok(report) => {
                println!("{report}");
                report
            }
            Err(error) => crate::check::fail(&format!("{name}: {error}")),
        }
    }

    #[track_caller]
    pub(super) fn try_check(mut self) -> Result<ScenariosReport, CheckError> {
        // The alphabet may stand in a file of its own.
        self.identity.at = Location::caller();
        self.judge_all()
    }

    fn judge_all(mut self) -> Result<ScenariosReport, CheckError> {
        self.identity.count();
        if self.sizes.is_empty() {
            self.sizes =
                [(2, 2), (3, 1)].map(|(threads, operations)| Size { threads, operations }).to_vec();
        }
        self.validate()?;
        check_environment()?;
        self.explore()
    }
}

impl<T> Named<T> {
    fn new(name: &str, what: T) -> Self {
        Self { name: name.to_owned(), what, against: None }
    }
}

/// A result in words.
pub(super) fn words(result: &dyn fmt::Debug) -> String {
    format!("{result:?}")
}

/// What was found with the type that it was declared with.
pub(super) fn cast<T>(found: Option<T>) -> T {
    match found {
        Some(found) => found,
        None => unreachable!("a check has one type of each"),
    }
}
