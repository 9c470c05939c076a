//! `cargo ci oracle N`: both oracles on N times as many programs, each time with other seeds: that of
//! loads, stores, updates and fences, and that of all of `std`, by family.

use anyhow::{Context as _, Result, ensure};

use crate::cargo::{Config, Workspace};
use crate::tally::Tally;

/// The seed of the first round: that of the ordinary suite.
const FIRST_SEED: u8 = 7;

/// The test binaries, and whether each prints a row for each family.
const ORACLES: [(&str, bool); 2] = [("oracle", false), ("std_oracle", true)];

/// Runs so many rounds and prints the sums of their rows.
pub(crate) fn run(workspace: &Workspace, rounds: u8) -> Result<Tally> {
    ensure!(
        (1..=200).contains(&rounds),
        "{rounds} rounds cannot be run: it must be 1 to 200, of 5,400 programs and 1,000 a family each"
    );
    let mut tally = Tally::default();
    for (oracle, counts) in ORACLES {
        let sums = sums(workspace, oracle, counts, rounds)?;
        for row in &sums {
            println!("{row}");
        }
        if let [first, rest @ ..] = sums.as_slice() {
            let total = rest.iter().try_fold(first.clone(), |sum, row| add_row(&sum, row))?;
            let counts = total.splitn(3, " | ").last().unwrap_or_default();
            println!("| all | all | {counts}");
        }
        tally.passed(&format!(
            "the harness missed nothing in {rounds} rounds of model/tests/{oracle}"
        ));
    }
    Ok(tally)
}

/// The sums of the rows that so many rounds of one oracle print.
fn sums(workspace: &Workspace, oracle: &str, counts: bool, rounds: u8) -> Result<Vec<String>> {
    let mut sums: Vec<String> = Vec::new();
    for round in 0..rounds {
        let args = ["test", "-p", "selvedge-model", "--test", oracle, "--", "--nocapture"];
        let mut command = workspace.cargo(Config::Loom, &args);
        command.env("ORACLE_SEED", (FIRST_SEED + round).to_string());
        let output = workspace.output(command)?;
        let mut rows: Vec<String> = output.lines().filter_map(row).collect();
        rows.sort();
        ensure!(!counts || !rows.is_empty(), "model/tests/{oracle} printed no row");
        sums = if sums.is_empty() { rows } else { add(&sums, &rows)? };
        println!("{oracle}: {} of {rounds} rounds", round + 1);
    }
    Ok(sums)
}

/// The row in a line of output: libtest writes `test … ... ` before it, where it does.
fn row(line: &str) -> Option<String> {
    let row = &line[line.find("| ")?..];
    row.ends_with(" |").then(|| row.to_owned())
}

/// Adds rows of the same families.
fn add(sums: &[String], rows: &[String]) -> Result<Vec<String>> {
    ensure!(sums.len() == rows.len(), "a round printed {} rows, not {}", rows.len(), sums.len());
    sums.iter().zip(rows).map(|(sum, row)| add_row(sum, row)).collect()
}

/// Adds up all counts of two rows: those cells behind the family's name.
fn add_row(sum: &str, row: &str) -> Result<String> {
    let cells = |row: &str| row.split(" | ").map(str::to_owned).collect::<Vec<_>>();
    let (mut sum, row) = (cells(sum), cells(row));
    ensure!(sum.len() == row.len(), "rows of {} and {} cells", sum.len(), row.len());
    for (cell, other) in sum.iter_mut().zip(&row).skip(2) {
        let added: Vec<String> = cell
            .split(' ')
            .zip(other.split(' '))
            .map(|(word, other)| match (word.parse::<u64>(), other.parse::<u64>()) {
                (Ok(count), Ok(more)) => Ok((count + more).to_string()),
                // `-` stands for a count that is not taken.
                _ if word == other => Ok(word.to_owned()),
                _ => Err(()),
            })
            .collect::<Result<_, _>>()
            .ok()
            .with_context(|| format!("{cell:?} and {other:?} do not add up"))?;
        *cell = added.join(" ");
    }
    Ok(sum.join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_and_added_cell_by_cell() {
        let first = row("test a ... | 2 x 3 | load, store | 900 | 1 | 2 of 90 | - | 5 / 6 |");
        let second = row("| 2 x 3 | load, store | 900 | 4 | 1 of 90 | - | 10 / 20 |");
        assert_eq!(
            add_row(&first.expect("a row"), &second.expect("a row")).expect("the same cells"),
            "| 2 x 3 | load, store | 1800 | 5 | 3 of 180 | - | 15 / 26 |"
        );
        assert_eq!(row("running 17 tests"), None);
        assert!(add_row("| a | b | 1 |", "| a | b | - |").is_err());
    }
}
