//! What the tests of this package assert of a report. On real threads, where nothing is explored, they assert nothing.

use selvedge_model::Report;

/// The exploration failed in this execution, with a message that contains `says`.
pub(crate) fn failed(report: &Report, execution: u64, says: &str) {
    if cfg!(loom) {
        let failure = report.failure.as_ref().expect("the model expects a failure");
        assert!(failure.message.contains(says), "the message is {:?}", failure.message);
        assert_eq!(report.executions(), execution, "the execution that fails");
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
