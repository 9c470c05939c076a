//! What the checker is expected to say.

use exercises::{Mark, mark};
use selvedge_model::{CheckError, Failure};

use exercises::checks::Question;

/// How an attempt is wrong.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Expected {
    /// An execution fails in this way.
    Fails(Failure),
    /// An execution reaches this outcome.
    Reaches(&'static str),
}

use Expected::{Fails, Reaches};

/// All promises are kept: when exploring, in every execution.
#[track_caller]
pub(crate) fn solves(questions: Vec<Question>) {
    let asked = questions.len();
    let marks = mark(questions);
    for Mark { promise, result, bound } in &marks {
        match result {
            Ok(number) => println!("{promise}: {number}"),
            Err(error) => panic!("{promise}: {error}"),
        }
        assert_eq!(*bound, None, "{promise}");
    }
    assert_eq!(marks.len(), asked);
    println!("sum: {}", marks.iter().filter_map(|mark| mark.result.as_ref().ok()).sum::<u64>());
}

/// A promise is not kept. The error, with the picture of an execution, has a line with each of the `lines`.
#[track_caller]
pub(crate) fn is_wrong(questions: Vec<Question>, expected: Expected, lines: &[&str]) {
    if !cfg!(loom) {
        return; // On real threads a wrong attempt may pass, or be undefined behaviour.
    }
    let marks = mark(questions);
    let Some(Mark { promise, result: Err(error), .. }) = marks.last() else {
        panic!("marked right, or not explored completely: {marks:#?}");
    };
    println!("{promise}\n{error}");
    match (expected, &**error) {
        (Fails(kind), CheckError::Failed { failure, .. }) if *failure == kind => {}
        (Reaches(it), CheckError::UnexpectedOutcome { outcome, .. }) if outcome == it => {}
        _ => panic!("expected {expected:?}, found {error}"),
    }
    for line in lines {
        assert!(error.to_string().contains(line), "there is no {line:?} in {error}");
    }
}
