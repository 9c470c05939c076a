//! `cargo ci all`: every step, in order, up to the first that fails.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use crate::cargo::Workspace;
use crate::tally::Tally;
use crate::{deny, doc, features, left, lint, readme, report, test};

type Step = (&'static str, fn(&Workspace) -> Result<Tally>);

/// In the order in which they run. `prove`, `mutants` and `report` are about what `readme` has explored.
const STEPS: [Step; 9] = [
    ("lint", lint::run),
    ("deny", deny::run),
    ("doc", doc::run),
    ("features", features::run),
    ("readme", readme::run),
    ("test", test::run),
    ("prove", left::prove),
    ("mutants", left::mutants),
    ("report", |workspace| report::run(workspace, false)),
];

/// The names of the steps.
pub(crate) fn names() -> [&'static str; STEPS.len()] {
    STEPS.map(|(name, _)| name)
}

/// A step and what came of it.
struct Done {
    name: &'static str,
    /// `None` if it was left out on purpose.
    result: Option<Result<Tally>>,
    time: Duration,
}

/// Runs all steps but those `without`, and prints what came of them.
pub(crate) fn run(workspace: &Workspace, without: &[String]) -> Result<()> {
    let left = left::folder(workspace);
    if left.exists() {
        std::fs::remove_dir_all(left).context("the last results cannot be removed")?;
    }
    let mut done = Vec::new();
    for (name, step) in STEPS {
        if without.iter().any(|left_out| left_out == name) {
            done.push(Done { name, result: None, time: Duration::ZERO });
            continue;
        }
        println!("\n== {name}");
        let start = Instant::now();
        let result = step(workspace).and_then(|tally| {
            ensure!(tally.checks > 0, "it made no check");
            Ok(tally)
        });
        let failed = result.is_err();
        done.push(Done { name, result: Some(result), time: start.elapsed() });
        if failed {
            break;
        }
    }
    println!("\n{}", table(&done));
    for Done { name, result, .. } in done {
        result.transpose().with_context(|| format!("the step {name} failed"))?;
    }
    Ok(())
}

/// One row a step, also of those that were not reached.
fn table(done: &[Done]) -> String {
    let mut rows = vec![format!(
        "{:<11}{:<10}{:>7}{:>9}{:>10}",
        "step", "result", "checks", "skipped", "time"
    )];
    let mut reasons = Vec::new();
    for (position, (name, _)) in STEPS.iter().enumerate() {
        let Some(Done { result, time, .. }) = done.get(position) else {
            rows.push(format!("{name:<11}not run"));
            continue;
        };
        let time = format!("{:.1} s", time.as_secs_f64());
        rows.push(match result {
            None => format!("{name:<11}left out"),
            Some(Ok(Tally { checks, skipped })) => {
                reasons.extend(skipped.iter().map(|why| format!("skipped in {name}: {why}")));
                format!("{name:<11}{:<10}{checks:>7}{:>9}{time:>10}", "passed", skipped.len())
            }
            Some(Err(_)) => format!("{name:<11}{:<10}{:>7}{:>9}{time:>10}", "FAILED", "", ""),
        });
    }
    rows.extend(reasons);
    rows.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_tells_passed_failed_left_out_and_not_run_apart() {
        let mut tally = Tally { checks: 3, skipped: Vec::new() };
        tally.skip("weft is not installed");
        let time = Duration::from_millis(1_500);
        let done = [
            Done { name: "lint", result: Some(Ok(tally)), time },
            Done { name: "deny", result: Some(Err(anyhow::anyhow!("no"))), time },
            Done { name: "doc", result: None, time },
        ];
        let text = table(&done);
        let rows: Vec<&str> = text.lines().collect();
        assert_eq!(rows[1], "lint       passed          3        1     1.5 s");
        assert_eq!(rows[2], "deny       FAILED                         1.5 s");
        assert_eq!(rows[3], "doc        left out");
        assert_eq!(rows[4], "features   not run");
        assert_eq!(rows[STEPS.len() + 1], "skipped in lint: weft is not installed");
    }
}
