//! loom as people write it, and with the bound that its documentation advises.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Result, bail};
use confidence::measured::Measured;

use crate::Bound;
use crate::specimen::Specimen;
use crate::tally::Tally;
use crate::usual;

/// What this build can do.
pub(crate) const METHODS: [&str; 2] = ["loom", "loom-2"];

/// Explores until the first execution that goes wrong, or to the end, or until the time is over.
pub(crate) fn run(method: &str, specimen: Specimen, bound: Bound) -> Result<Measured> {
    let preemptions = match method {
        "loom" => None,
        "loom-2" => Some(2),
        _ => bail!("{method} is no method of this build: {METHODS:?} are accepted"),
    };
    let tally = Arc::new(Tally::new());
    let counted = Arc::clone(&tally);
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = preemptions;
    builder.max_duration = Some(bound.time());
    // loom looks at its clock no more often than this.
    builder.checkpoint_interval = 100;
    // The first panic is the verdict. After a deadlock loom does not survive its own, so it ends here.
    let first = Arc::clone(&tally);
    std::panic::set_hook(Box::new(move |panic| {
        let text = panic.payload_as_str().unwrap_or("a panic");
        let line = text.lines().next().unwrap_or_default().to_owned();
        if ["exceeded maximum", "internal loom state"].iter().any(|limit| line.contains(limit)) {
            eprintln!("a limit of loom's: {line}");
            std::process::exit(1);
        }
        first.wrong();
        crate::print(&first.measured(false, Some(line)));
        std::process::exit(0);
    }));
    let start = Instant::now();
    builder.check(move || {
        counted.begin();
        assert!(usual::test(&specimen), "it went wrong");
    });
    Ok(tally.measured(start.elapsed() < bound.time(), None))
}
