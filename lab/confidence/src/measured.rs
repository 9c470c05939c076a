//! What a specimen is, and what a method saw of it: written by this package, read by `cargo lab confidence`.

use serde::{Deserialize, Serialize};

/// What kind of mistake it is, which decides who is blind to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The steps come in an order that nobody thought of.
    Order,
    /// Memory is seen in an order in which it was not written.
    WeakMemory,
    /// Plain memory is shared.
    DataRace,
    /// It is handed over, by operations that order too little.
    WeakDataRace,
    /// It is shared, and in every order the result is right.
    HarmlessRace,
    /// Threads wait for each other.
    Deadlock,
    /// None: what a tester says of it is a false alarm.
    Sound,
    /// None, until `cargo lab confidence` has one operation changed.
    Mutant,
}

/// One line of JSON.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Measured {
    /// Rounds, schedules or executions that went wrong.
    pub wrong: u64,
    /// Of how many.
    pub rounds: u64,
    /// The number of the first that went wrong, counted from 1.
    pub first: Option<u64>,
    /// How long it took until then.
    pub seconds: Option<f64>,
    /// Whether an explorer came to its end: all that it would explore was.
    pub complete: bool,
    /// What ended it before its time: a deadlock, a limit.
    pub ended_by: Option<String>,
    /// Whether the round that went wrong was one that did not end.
    pub hangs: bool,
}
