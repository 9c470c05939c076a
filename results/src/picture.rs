//! An execution, one column a thread and time downward.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// An execution: one column a thread, time downward. `Display` writes it as text, for terminals.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    /// The names of the threads that have a column.
    pub threads: Vec<String>,
    /// What the steps are taken on.
    pub objects: Vec<SharedObject>,
    /// The lines.
    pub rows: Vec<Row>,
}

/// Something that threads share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedObject {
    /// `a1`, `m2`, …
    pub label: String,
    /// Its type.
    pub kind: Cow<'static, str>,
    /// Where it was made: file, line and column. Of what is made inside `std`: where it is first used.
    pub at: String,
    /// An atomic or a lock: what it holds when the threads start.
    pub initial: Option<String>,
}

/// A line of a picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The column.
    pub thread: usize,
    /// What stands there.
    pub text: String,
    /// File and line, where they say anything.
    pub at: Option<String>,
    /// What the line is.
    #[serde(flatten)]
    pub kind: Kind,
}

/// What a line of a picture is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Kind {
    /// A step.
    Step(Step),
    /// Another thread takes over, although this one could have gone on.
    Preempted,
    /// Not a step, but a line for the reader.
    Note,
    /// The last steps, repeated.
    Fold,
    /// The step that a thread is blocked in, or fails in.
    Pending {
        /// The position of its object among those of the picture.
        object: Option<usize>,
    },
    /// A part of the execution begins.
    Phase,
}

/// What one thread did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Its number in the picture, from 1 on.
    pub number: usize,
    /// The position of its object among those of the picture.
    pub object: Option<usize>,
    /// The name of the operation.
    pub operation: Cow<'static, str>,
    /// Its ordering, if it has one.
    pub order: Option<Cow<'static, str>>,
    /// Of a read of an atomic: what it found.
    pub reads: Option<Reads>,
    /// What the object holds after a step that changes it.
    pub after: Option<String>,
    /// Whether the thread panics.
    pub panics: bool,
}

/// What a step has read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reads {
    /// The value.
    pub value: String,
    /// The newest value in modification order among the writes above.
    pub newest: String,
    /// Where the value comes from.
    pub from: Option<Source>,
    /// Whether that is not the newest write above.
    pub stale: bool,
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// It was there when the threads started.
    Initial,
    /// The step in this row wrote it.
    Row(usize),
}
