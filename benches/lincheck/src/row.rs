//! A row of the table: what it took to the first failure.

use std::time::Duration;

/// What it took.
pub(crate) struct Found {
    /// The failing scenario, as it is written here; `None` if there was no failure.
    pub(crate) scenario: Option<String>,
    pub(crate) scenarios: u64,
    pub(crate) executions: u64,
    pub(crate) elapsed: Duration,
}

impl Found {
    pub(crate) fn print(&self, name: &str, who: &str) {
        let scenario = match &self.scenario {
            Some(scenario) => format!("`{}`", scenario.replace("||", "\\|\\|")),
            None => "none".to_owned(),
        };
        let Self { scenarios, executions, .. } = self;
        let milliseconds = self.elapsed.as_secs_f64() * 1e3;
        println!(
            "| {name} | {who} | {scenario} | {scenarios} | {executions} | {milliseconds:.1} |"
        );
    }
}
