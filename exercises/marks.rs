//! What the checker says of an implementation.

use selvedge_model::CheckError;

use crate::checks::Question;

/// The bound of [`Model::without_spurious`](selvedge_model::Model::without_spurious), which a check may ask for.
const ASKED_FOR: &str = "no spurious failures and wake-ups";

/// A promise, and whether it is kept.
#[derive(Debug)]
pub struct Mark {
    /// The promise.
    pub promise: &'static str,
    /// The number of executions or rounds in which it is kept, or the one in which it is not.
    pub result: Result<u64, Box<CheckError>>,
    /// What was left out of the exploration because of the implementation, if anything was.
    pub bound: Option<String>,
}

impl Mark {
    /// Whether the promise is kept, in all executions that were to be explored.
    pub fn is_kept(&self) -> bool {
        self.result.is_ok() && self.bound.is_none()
    }
}

/// Asks `questions` in order, up to the first promise that is not kept.
pub fn mark(questions: Vec<Question>) -> Vec<Mark> {
    let mut marks = Vec::new();
    for (promise, ask) in questions {
        let mark = match ask() {
            Ok(report) => {
                let bound = report.bound().filter(|bound| bound != ASKED_FOR);
                Mark { promise, result: Ok(report.executions()), bound }
            }
            Err(error) => Mark { promise, result: Err(Box::new(error)), bound: None },
        };
        let kept = mark.is_kept();
        marks.push(mark);
        if !kept {
            break;
        }
    }
    marks
}

/// What to do about a bound.
pub fn advice(bound: &str) -> String {
    selvedge_results::advice::on(bound).map(|advice| format!(": {advice}")).unwrap_or_default()
}

#[cfg(all(test, loom))]
mod tests {
    use selvedge_model::Model;
    use selvedge_model::sync::atomic::{AtomicBool, Ordering::Relaxed};

    #[test]
    fn a_loop_with_the_hint_of_std_is_told_of_ours() {
        let waits = |ready: &AtomicBool| {
            while !ready.load(Relaxed) {
                std::hint::spin_loop();
            }
        };
        let model = Model::new(|| AtomicBool::new(false)).thread("waits", waits);
        let report = model.thread("sets", |ready| ready.store(true, Relaxed)).explore();
        let bound = report.expect("a bound is no failure").bound().expect("it is bounded");
        let advice = super::advice(&bound);
        assert!(advice.contains("must call `selvedge_model::sync::hint::spin_loop`"), "{advice}");
    }
}
