//! The progress of a long check, on stderr.

use std::fmt::Display;
use std::io::Write as _;
use std::time::{Duration, Instant};

/// When the first line is printed.
const FIRST: Duration = Duration::from_secs(2);

/// The longest time between two lines.
const LONGEST: Duration = Duration::from_secs(60);

/// Prints a line after two seconds, and another whenever the time has doubled, or a minute has passed.
pub(super) struct Progress {
    start: Instant,
    next: Duration,
    has_told: bool,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self { start: Instant::now(), next: FIRST, has_told: false }
    }

    /// `so_far` is, for example, `1234 executions so far`. The line starts with the name of the thread: the
    /// test harness gives a test's thread the test's name.
    pub(super) fn tell(&mut self, so_far: impl Display) {
        let elapsed = self.start.elapsed();
        if !self.is_due(elapsed) {
            return;
        }
        let thread = std::thread::current();
        let name = thread.name().unwrap_or("selvedge");
        let mut line = format!("{name}: {so_far}, {} s\n", elapsed.as_secs());
        if !std::mem::replace(&mut self.has_told, true) {
            line += advice(env!("SELVEDGE_OPT_LEVEL"));
        }
        // Not `eprintln!`: the test harness would keep it until the test has ended. A line that cannot be
        // written is not worth a failure.
        let _ = std::io::stderr().write_all(line.as_bytes());
        #[cfg(loom)]
        note(&line);
    }

    fn is_due(&mut self, elapsed: Duration) -> bool {
        let due = elapsed >= self.next;
        if due {
            self.next = elapsed + elapsed.min(LONGEST);
        }
        due
    }
}

/// What is added to the first line if this package is built without optimisation.
fn advice(level: &str) -> &'static str {
    match level {
        "0" => {
            "selvedge-model is built without optimisation, and takes several times as long. In the manifest of the \
             workspace: [profile.dev.package.\"*\"] opt-level = 2\n"
        }
        _ => "",
    }
}

/// Writes the line beside the results, if there are any: who reads them sees that the check goes on.
#[cfg(loom)]
fn note(line: &str) {
    let Some(folder) = std::env::var_os(selvedge_results::FOLDER) else { return };
    let path = std::path::Path::new(&folder).join("progress.txt");
    let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
    // The folder is made with the first result.
    let _ = file.and_then(|mut file| file.write_all(line.as_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_is_given_on_a_build_without_optimisation() {
        assert!(advice("0").contains("opt-level = 2"));
        // That of this workspace, which follows it.
        assert_eq!(advice(env!("SELVEDGE_OPT_LEVEL")), "");
    }

    #[test]
    fn a_line_is_due_whenever_the_time_has_doubled_and_each_minute() {
        let mut progress = Progress::new();
        let due = (0..200).filter(|&seconds| progress.is_due(Duration::from_secs(seconds)));
        assert_eq!(due.collect::<Vec<_>>(), [2, 4, 8, 16, 32, 64, 124, 184]);
    }
}
