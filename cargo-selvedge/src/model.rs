//! The result of a model, as it is named and told here.

use selvedge_results::{Record, Scenarios};

use crate::shell::{Look, grouped};

/// `ring::push_pop`: the test target, and the path of the test in it.
#[must_use]
pub fn name_of_test(target: &str, path: &str) -> String {
    format!("{target}::{path}")
}

/// The name of the test of a model.
#[must_use]
pub fn test_name(record: &Record) -> String {
    name_of_test(&record.binary, &record.test)
}

/// The name of the test, and `#2` if it is the test's second model.
#[must_use]
pub fn name(record: &Record) -> String {
    match (test_name(record), record.model) {
        (test, 1) => test,
        (test, model) => format!("{test}#{model}"),
    }
}

/// How it ended, as in the list.
#[must_use]
pub fn status(record: &Record) -> String {
    if !record.passed() {
        return format!("FAILED ({})", record.failure.as_deref().unwrap_or("failed"));
    }
    let how = match (&record.expected, &record.bound) {
        (Some(failure), _) => return format!("fails ({failure})"),
        (None, None) if record.idle_turns => "complete but for idle turns".to_owned(),
        (None, None) => "complete".to_owned(),
        (None, Some(bound)) => format!("bounded ({bound})"),
    };
    match &record.scenarios {
        None => how,
        Some(Scenarios { promise, explored, .. }) => {
            format!("{how}, {promise} on {} scenarios", grouped(*explored))
        }
    }
}

/// Whether a bound cut the exploration, of a model that is not to fail.
#[must_use]
pub fn is_bounded(record: &Record) -> bool {
    record.expected.is_none() && record.bound.is_some()
}

/// Whether it is complete but for idle turns.
#[must_use]
pub fn has_idle_turns(record: &Record) -> bool {
    status(record).starts_with("complete but")
}

/// A line for people, the name padded to `width`.
#[must_use]
pub fn line(record: &Record, name: &str, width: usize) -> String {
    let status = match status(record) {
        status if !record.passed() => Look::Bad.paint(status),
        status if record.expected.is_some() => {
            Look::Good.paint(status.replacen("fails (", "fails as expected (", 1))
        }
        status if record.bound.is_some() => Look::Warn.paint(status),
        status => Look::Good.paint(status),
    };
    let executions = grouped(record.executions);
    let s = if record.executions == 1 { " " } else { "s" };
    let loom = if record.loom.is_empty() { String::new() } else { format!("; {}", record.loom) };
    let milliseconds = record.seconds * 1e3;
    format!("{name:<width$}  {executions:>9} execution{s}  {status}, {milliseconds:.1} ms{loom}")
}

#[cfg(test)]
mod tests {
    use selvedge_results::Verdict;

    use super::*;

    fn record() -> Record {
        Record {
            binary: "book".to_owned(),
            test: "counter::loses".to_owned(),
            model: 1,
            executions: 1_203,
            seconds: 0.0012,
            ..Record::default()
        }
    }

    fn plain(record: &Record, width: usize) -> String {
        anstream::adapter::strip_str(&line(record, &name(record), width)).to_string()
    }

    #[test]
    fn a_line_tells_how_the_model_ended() {
        let one = "book::counter::loses        1,203 executions  complete, 1.2 ms";
        assert_eq!(plain(&record(), 22), one);
        assert_eq!(name(&Record { model: 2, ..record() }), "book::counter::loses#2");
        let idle = Record { idle_turns: true, ..record() };
        assert_eq!(status(&idle), "complete but for idle turns");
        assert!(has_idle_turns(&idle) && !has_idle_turns(&record()));
        let bounded = Record { bound: Some("2 preemptions".to_owned()), ..record() };
        assert_eq!(status(&bounded), "bounded (2 preemptions)");
        assert!(is_bounded(&bounded));
        let fails = Record { expected: Some("data race".to_owned()), ..bounded };
        assert_eq!(status(&fails), "fails (data race)");
        assert!(plain(&fails, 0).contains("fails as expected (data race), 1.2 ms"));
        assert!(!is_bounded(&fails));
        let failed =
            Record { verdict: Verdict::Failed, failure: Some("deadlock".into()), ..record() };
        assert!(plain(&failed, 0).contains("FAILED (deadlock)"));
    }

    #[test]
    fn a_check_of_many_scenarios_says_what_was_held_against_them() {
        let scenarios = Scenarios {
            promise: "linearizable".to_owned(),
            operations: vec!["add".to_owned()],
            starts: Vec::new(),
            sizes: vec![(2, 2)],
            all: 1_764,
            symmetric: 3,
            explored: 1_764,
        };
        let all = Record { scenarios: Some(scenarios), ..record() };
        assert_eq!(status(&all), "complete, linearizable on 1,764 scenarios");
    }
}
