//! What a step did: the checks that it made, and those that it could not make.

/// The checks of a step. Only what was made is counted; a check that fails ends the step.
#[derive(Debug, Default)]
pub struct Tally {
    /// How many checks passed.
    pub checks: usize,
    /// Why each check that was not made was not made.
    pub skipped: Vec<String>,
}

impl Tally {
    /// Counts a check that passed, and prints it.
    pub fn passed(&mut self, what: &str) {
        println!("ok: {what}");
        self.checks += 1;
    }

    /// Counts a check that could not be made, because a tool is missing say, and says so aloud.
    pub fn skip(&mut self, why: &str) {
        println!("skipped: {why}");
        self.skipped.push(why.to_owned());
    }
}
