//! A mutation of one operation, what became of it, and what that means.

use serde::{Deserialize, Serialize};

/// One change to one operation of the code under test.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mutant {
    /// The path of the source, as the compiler was given it.
    pub file: String,
    /// The line, from 1 on.
    pub line: usize,
    /// The column, from 1 on.
    pub column: usize,
    /// The name of the operation.
    pub operation: String,
    /// Its orderings; empty where it has none.
    pub ordering: String,
    /// What is changed; [`NOT_COVERED`] where no model executes the operation.
    pub change: String,
    /// The line of source, trimmed.
    pub source: String,
}

/// What stands for the change where no model executes the operation.
pub const NOT_COVERED: &str = "none";

impl Mutant {
    /// As `SELVEDGE_MUTANT` wants it.
    #[must_use]
    pub fn key(&self) -> String {
        let Self { file, line, column, operation, change, .. } = self;
        format!("{file}:{line}:{column}/{operation}/{change}")
    }

    /// `relaxed`, and for a `compare_exchange` `success=relaxed`, weaken an ordering.
    fn weaker(&self) -> Option<&str> {
        let order = self.change.rsplit('=').next()?;
        ["relaxed", "acquire", "release", "acq_rel"].contains(&order).then_some(order)
    }

    /// The kind of change, for the table of operators.
    #[must_use]
    pub fn operator(&self) -> &'static str {
        match self.change.as_str() {
            _ if self.weaker().is_some() => "ordering weakened",
            "split" => "read-modify-write split",
            "always" => "compare_exchange that does not compare",
            "dropped" if self.operation == "fence" => "fence dropped",
            "dropped" => "wake-up dropped",
            "one" => "notify_all to notify_one",
            "skipped" => "lock skipped",
            "ended" => "critical section ended at once",
            "read" => "write lock taken as read lock",
            "fails" => "try_lock that always fails",
            "wakes" => "wait that wakes at once",
            NOT_COVERED => "not executed",
            _ => "other",
        }
    }

    /// What to do about a change that no model notices.
    #[must_use]
    pub fn meaning(&self) -> String {
        let operation = &self.operation;
        if let Some(weaker) = self.weaker() {
            let which = self.change.split_once('=').map(|(which, _)| format!("on {which}, "));
            let which = which.unwrap_or_default();
            return format!(
                "no model needs this {operation} to be {}: add the model that does; if there is none, {which}weaken \
                 it to {weaker}",
                self.ordering
            );
        }
        match self.change.as_str() {
            "split" => format!(
                "no model has another thread write between the load and the store of this {operation}: add the \
                 model that loses an update; if there is none, make it a load and a store"
            ),
            "always" => "no model has this exchange find another value: add the model in which it must not; if \
                         there is none, store instead"
                .to_owned(),
            "dropped" if operation == "fence" => {
                "no model needs this fence: add the model that does; if there is none, drop it".to_owned()
            }
            "dropped" => format!(
                "no model waits for this {operation}: add the model that sleeps for ever; if there is none, drop it"
            ),
            "one" => "no model has two threads wait here: add the model that leaves one asleep; if there is none, \
                      notify_one"
                .to_owned(),
            "skipped" => format!(
                "in no model do two threads meet at this {operation}: add the one in which they do; if there is \
                 none, drop it"
            ),
            "ended" => format!(
                "no model needs this {operation} to be held: add the model in which another thread comes in \
                 between; if there is none, release it at once"
            ),
            "read" => "no model has a reader or a second writer meet this write lock: add the model in which they \
                       do; if there is none, read"
                .to_owned(),
            "fails" => format!(
                "no model notices whether this {operation} ever succeeds: add the model that does; if there is \
                 none, drop it"
            ),
            "wakes" => "no model needs this wait: a loop that spins instead is as right; accept the mutant with \
                        that reason, or add the model that goes wrong without the wait"
                .to_owned(),
            _ => format!("no model executes this {operation} while another thread runs: add one, or drop it"),
        }
    }
}

/// What became of a mutant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "verdict")]
pub enum Fate {
    /// A test failed.
    Killed(Kill),
    /// All tests that execute the operation passed.
    Survived {
        /// How many tests.
        judges: usize,
        /// Whether the change showed: a model took another number of executions.
        visible: bool,
    },
    /// No model executes the operation while another thread runs.
    NotCovered {
        /// How near one comes.
        reach: Reach,
    },
}

/// How near the models come to an operation that none of them executes beside another thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// It is executed, but only while no other thread runs.
    Alone,
    /// It is not executed.
    Never,
    /// It is not executed, and only its name says that it is an operation.
    Guessed,
}

/// The kinds of mutants that no model notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Survivor {
    /// No model executes the operation while another thread runs.
    NotConcurrent,
    /// The change showed in the executions, and no model needs what it broke.
    NotNeeded,
    /// The change showed in no execution.
    Invisible,
}

impl Survivor {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::NotConcurrent, Self::NotNeeded, Self::Invisible];

    /// In words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NotConcurrent => "no model executes it concurrently",
            Self::NotNeeded => "executed, and no model needs it",
            Self::Invisible => "needed by nothing that the checker can see",
        }
    }

    /// What that may mean, and what to do.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Self::NotConcurrent => {
                "Nothing is known about this operation. Add a model in which two threads reach it."
            }
            Self::NotNeeded => {
                "With the change there are other executions, and every table accepts them. Add the model that \
                 goes wrong; if there is none, weaken the operation, or accept the mutant with the reason."
            }
            Self::Invisible => {
                "With the change each model has the executions it had. Most likely no model has two threads meet \
                 here: add it. Otherwise the operation is stronger than it need be, or it orders memory that the \
                 checker does not see: use selvedge_model::sync::cell::UnsafeCell, or a lock of \
                 selvedge_model::sync, for the data."
            }
        }
    }
}

impl Fate {
    /// Whether no other judge can say more.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        matches!(self, Self::Killed(Kill { means: Means::Model, .. }))
    }

    /// What became of it once more judges have been asked, and came to `later`.
    #[must_use]
    pub fn and(self, later: Self) -> Self {
        match (self, later) {
            (Self::Killed(kill), Self::Killed(later)) if later.means <= kill.means => {
                Self::Killed(kill)
            }
            (_, Self::Killed(kill)) | (Self::Killed(kill), _) => Self::Killed(kill),
            (
                Self::Survived { judges, visible },
                Self::Survived { judges: more, visible: also },
            ) => Self::Survived { judges: judges + more, visible: visible || also },
            (_, later) => later,
        }
    }

    /// Of which kind it is, if it was not noticed.
    #[must_use]
    pub fn survivor(&self) -> Option<Survivor> {
        match self {
            Self::Killed(_) | Self::NotCovered { reach: Reach::Guessed } => None,
            Self::NotCovered { .. } => Some(Survivor::NotConcurrent),
            Self::Survived { visible: true, .. } => Some(Survivor::NotNeeded),
            Self::Survived { visible: false, .. } => Some(Survivor::Invisible),
        }
    }
}

/// How a mutant was found out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kill {
    /// The test, as in the list of models.
    pub by: String,
    /// How the model failed, or how else the test ended.
    pub how: String,
    /// How many executions the model took; none where no model failed.
    pub executions: Option<u64>,
    /// What the kill rests on.
    pub means: Means,
}

/// What a kill rests on, the weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Means {
    /// The exploration ran away: into a limit that is generous against the clean run.
    RanAway,
    /// No model failed, but the test did: by its own assertion, or it crashed.
    Test,
    /// A model came to another verdict.
    Model,
}

/// A mutant and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    /// The mutant.
    #[serde(flatten)]
    pub mutant: Mutant,
    /// What became of it.
    #[serde(flatten)]
    pub fate: Fate,
}

/// Trials for tests.
#[doc(hidden)]
pub mod samples {
    use super::{Fate, Kill, Means, Mutant, Trial};

    /// A trial of the only change to line `line` of `src/a.rs`.
    #[must_use]
    pub fn trial(line: usize, operation: &str, change: &str, fate: Fate) -> Trial {
        let mutant = Mutant {
            file: "src/a.rs".to_owned(),
            line,
            column: 9,
            operation: operation.to_owned(),
            ordering: "acq_rel".to_owned(),
            change: change.to_owned(),
            source: format!("self.{operation}() // {line}"),
        };
        Trial { mutant, fate }
    }

    /// A kill.
    #[must_use]
    pub fn killed(means: Means) -> Fate {
        let how = "data race".to_owned();
        Fate::Killed(Kill { by: "page::test".to_owned(), how, executions: Some(3), means })
    }
}

#[cfg(test)]
mod tests {
    use super::samples::{killed, trial};
    use super::*;

    #[test]
    fn a_mutant_is_named_as_the_facade_wants_it_and_explained() {
        let Trial { mutant, .. } =
            trial(3, "swap", "relaxed", Fate::NotCovered { reach: Reach::Never });
        assert_eq!(mutant.key(), "src/a.rs:3:9/swap/relaxed");
        assert_eq!(mutant.operator(), "ordering weakened");
        assert_eq!(
            mutant.meaning(),
            "no model needs this swap to be acq_rel: add the model that does; if there is none, weaken it \
             to relaxed"
        );
        let Trial { mutant, .. } = trial(
            3,
            "compare_exchange",
            "success=acquire",
            Fate::NotCovered { reach: Reach::Never },
        );
        assert!(mutant.meaning().contains("none, on success, weaken it to acquire"));
        let Trial { mutant, .. } =
            trial(3, "fence", "dropped", Fate::NotCovered { reach: Reach::Never });
        assert_eq!(mutant.operator(), "fence dropped");
    }

    #[test]
    fn of_two_kills_the_one_that_rests_on_more_counts() {
        let survived = |judges| Fate::Survived { judges, visible: false };
        let (weak, strong) = (killed(Means::RanAway), killed(Means::Model));
        for (first, later, expected) in [
            (survived(1), survived(2), survived(3)),
            (survived(1), weak.clone(), weak.clone()),
            (weak.clone(), survived(2), weak.clone()),
            (weak.clone(), strong.clone(), strong.clone()),
            (strong.clone(), weak.clone(), strong.clone()),
        ] {
            assert_eq!(first.and(later), expected);
        }
        assert!(strong.is_settled() && !weak.is_settled() && !survived(1).is_settled());
    }

    #[test]
    fn a_trial_survives_being_written_down() {
        let fates = [
            killed(Means::Test),
            Fate::Survived { judges: 2, visible: true },
            Fate::NotCovered { reach: Reach::Alone },
        ];
        for fate in fates {
            let trial = trial(3, "swap", "relaxed", fate);
            let text = serde_json::to_string(&trial).expect("plain data");
            assert_eq!(serde_json::from_str::<Trial>(&text).expect("what was written"), trial);
        }
    }
}
