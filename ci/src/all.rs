//! `cargo ci all`: every step, in order, up to the first that fails.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use crate::cargo::Workspace;
use crate::tally::Tally;
use crate::{bench, doc, features, lint, prove, readme, test};

type Step = (&'static str, fn(&Workspace) -> Result<Tally>);

/// In the order in which they run.
const STEPS: [Step; 7] = [
    ("lint", lint::run),
    ("features", features::run),
    ("doc", doc::run),
    ("test", test::run),
    ("bench", bench::smoke),
    ("prove", |workspace| prove::run(workspace, false, None)),
    ("readme", readme::run),
];

/// A step that was run.
struct Done {
    name: &'static str,
    result: Result<Tally>,
    time: Duration,
}

/// Runs all steps and prints what came of them.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let mut done = Vec::new();
    for (name, step) in STEPS {
        println!("\n== {name}");
        let start = Instant::now();
        let result = step(workspace).and_then(|tally| {
            ensure!(tally.checks > 0, "it made no check");
            Ok(tally)
        });
        let failed = result.is_err();
        done.push(Done { name, result, time: start.elapsed() });
        if failed {
            break;
        }
    }
    println!("\n{}", table(&done));
    for step in done {
        step.result.with_context(|| format!("the step {} failed", step.name))?;
    }
    Ok(())
}

/// One row a step, also of those that were not reached.
fn table(done: &[Done]) -> String {
    let mut rows = vec![format!(
        "{:<10}{:<10}{:>7}{:>9}{:>10}",
        "step", "result", "checks", "skipped", "time"
    )];
    let mut reasons = Vec::new();
    for (position, (name, _)) in STEPS.iter().enumerate() {
        let Some(Done { result, time, .. }) = done.get(position) else {
            rows.push(format!("{name:<10}not run"));
            continue;
        };
        let time = format!("{:.1} s", time.as_secs_f64());
        rows.push(match result {
            Ok(Tally { checks, skipped }) => {
                reasons.extend(skipped.iter().map(|why| format!("skipped in {name}: {why}")));
                format!("{name:<10}{:<10}{checks:>7}{:>9}{time:>10}", "passed", skipped.len())
            }
            Err(_) => format!("{name:<10}{:<10}{:>7}{:>9}{time:>10}", "FAILED", "", ""),
        });
    }
    rows.extend(reasons);
    rows.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_tells_passed_failed_and_not_run_apart() {
        let mut tally = Tally { checks: 3, skipped: Vec::new() };
        tally.skip("weft is not installed");
        let time = Duration::from_millis(1_500);
        let done = [
            Done { name: "lint", result: Ok(tally), time },
            Done { name: "features", result: Err(anyhow::anyhow!("no")), time },
        ];
        let text = table(&done);
        let rows: Vec<&str> = text.lines().collect();
        assert_eq!(rows[1], "lint      passed          3        1     1.5 s");
        assert_eq!(rows[2], "features  FAILED                         1.5 s");
        assert_eq!(rows[3], "doc       not run");
        assert_eq!(rows[STEPS.len() + 1], "skipped in lint: weft is not installed");
    }
}
