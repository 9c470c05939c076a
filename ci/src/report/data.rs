//! What the report is made of: the results of models, with their traces.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

use crate::explore::Record;

/// What `cargo ci prove` leaves.
#[derive(Debug, Deserialize)]
pub(crate) struct Results {
    /// Missing where all models were run.
    filter: Option<String>,
    pub(crate) models: Vec<Model>,
}

/// The result of a model.
#[derive(Debug, Deserialize)]
pub(crate) struct Model {
    #[serde(flatten)]
    pub(crate) record: Record,
    /// What the second engine explored, in words.
    pub(crate) loom: String,
    pub(crate) outcomes: Vec<Outcome>,
    /// Why it did not pass.
    pub(crate) error: Option<String>,
    /// Of an expected failure: what happened.
    pub(crate) message: Option<String>,
    /// Of a failure: how it came.
    pub(crate) trace: Option<Trace>,
}

/// A row of a table.
#[derive(Debug, Deserialize)]
pub(crate) struct Outcome {
    pub(crate) text: String,
    pub(crate) grade: String,
    pub(crate) reason: String,
    pub(crate) seen: u64,
    pub(crate) only_weak: bool,
    /// An execution that reached it.
    pub(crate) execution: Option<u64>,
    pub(crate) trace: Option<Trace>,
}

/// An interleaving: `model/src/render/mod.rs` says what is in it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Trace {
    pub(crate) threads: Vec<String>,
    pub(crate) objects: Vec<Thing>,
    pub(crate) rows: Vec<Row>,
}

/// Something that threads share.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Thing {
    pub(crate) label: String,
    pub(crate) kind: String,
    pub(crate) at: String,
    /// An atomic or a lock: what it holds when the threads start.
    pub(crate) initial: Option<String>,
}

/// A line.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Row {
    pub(crate) thread: usize,
    pub(crate) text: String,
    pub(crate) at: Option<String>,
    #[serde(flatten)]
    pub(crate) kind: Kind,
}

/// What a line is.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub(crate) enum Kind {
    Step(Step),
    Preempted,
    Note,
    Fold,
    Pending { object: Option<usize> },
}

/// What one thread did.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Step {
    pub(crate) number: usize,
    pub(crate) object: Option<usize>,
    pub(crate) order: Option<String>,
    pub(crate) reads: Option<Reads>,
    /// What the object holds after a step that changes it.
    pub(crate) after: Option<String>,
    pub(crate) panics: bool,
}

/// What a step has read.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Reads {
    pub(crate) value: String,
    pub(crate) newest: String,
    /// Where it comes from, as far as that is certain.
    pub(crate) from: Option<Source>,
}

impl Reads {
    /// Whether there was a newer value.
    pub(crate) fn is_stale(&self) -> bool {
        self.value != self.newest
    }
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Source {
    /// It was there when the threads started.
    Initial,
    /// This row's step stored it.
    Row(usize),
}

impl Results {
    /// Reads the file.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| {
            format!("{} cannot be read; `cargo ci prove` writes it", path.display())
        })?;
        let results: Self = serde_json::from_str(&text)
            .with_context(|| format!("{} is not what `cargo ci prove` writes", path.display()))?;
        ensure!(
            results.filter.is_none(),
            "{} holds some models only: run `cargo ci prove` without a filter",
            path.display()
        );
        ensure!(!results.models.is_empty(), "{} holds no model", path.display());
        Ok(results)
    }

    /// The models of each page.
    pub(crate) fn pages(&self) -> BTreeMap<&str, Vec<&Model>> {
        let mut pages: BTreeMap<&str, Vec<&Model>> = BTreeMap::new();
        for model in &self.models {
            pages.entry(&model.record.page).or_default().push(model);
        }
        for models in pages.values_mut() {
            models.sort_by_key(|model| model.record.line_number());
        }
        pages
    }
}

impl Model {
    /// Whether it has a table of outcomes, and is not to fail.
    pub(crate) fn has_table(&self) -> bool {
        self.record.expected == "table"
    }

    /// How many drawings it has to have: of each outcome that was reached, and of a failure.
    pub(crate) fn drawings(&self) -> usize {
        let fails = !self.has_table() || self.error.is_some() && self.trace.is_some();
        self.outcomes.iter().filter(|outcome| outcome.seen > 0).count() + usize::from(fails)
    }
}
