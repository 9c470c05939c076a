//! What the tests of this package assert of a report. On real threads, where nothing is explored, they assert nothing.

use selvedge_model::{Failure, Model, Report};

/// The model fails in this way, first in this execution, with a message that contains `says`.
pub(crate) fn fails<S: Send + Sync + 'static>(
    model: impl Fn() -> Model<S>,
    failure: Failure,
    execution: u64,
    says: &str,
) {
    let report = model().fails(failure).check();
    if cfg!(loom) {
        let expected = report.failure.expect("the model expects a failure");
        assert!(expected.message.contains(says), "the message is {:?}", expected.message);
        let found = model().explore().expect_err("it fails").to_string();
        let text = format!("Execution {execution}. ");
        assert!(found.contains(&text), "{found}");
    }
}

/// The outcome is reached first in this execution. `sequential`: in an interleaving of the threads, without weak memory.
pub(crate) fn reached(report: &Report, outcome: &str, execution: u64, sequential: bool) {
    if cfg!(loom) {
        let row = report.outcomes.iter().find(|row| row.text == outcome);
        let witness = row.and_then(|row| row.witness.as_ref()).expect("an execution reaches it");
        assert_eq!((witness.execution, witness.sequential), (execution, sequential));
    }
}

/// Every execution was explored, and there are so many.
pub(crate) fn complete(report: &Report, executions: u64) {
    if cfg!(loom) {
        assert!(report.is_complete(), "{:?}", report.bound());
        assert_eq!(report.executions(), executions, "the number of executions");
    }
}
