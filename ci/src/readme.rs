//! `cargo ci readme`: the README's commands, by the letter.
//!
//! The one on loom explores every model of the pages; what it finds is left for `prove`, `mutants` and
//! `report`, so that none of them has to explore again.

use anyhow::{Context as _, Result, ensure};
use cargo_selvedge::prove::ALL_OF_IT;
use cargo_selvedge::{libtest, suite};
use selvedge_results::FOLDER;

use crate::cargo::{Config, Workspace};
use crate::left;
use crate::tally::Tally;

/// How the README tells readers to run the models.
const PROVE: &str = r#"RUSTFLAGS="--cfg loom" cargo test"#;
/// How it tells them to run the rest.
const TEST: &str = "cargo test";

/// Runs the step.
pub(crate) fn run(workspace: &Workspace) -> Result<Tally> {
    let path = workspace.root.join("README.md");
    let readme = std::fs::read_to_string(path).context("README.md cannot be read")?;
    let commands = commands(&readme).with_context(|| {
        format!("README.md has no fenced code block with both the lines `{TEST}` and `{PROVE}`")
    })?;
    let left = left::folder(workspace);
    suite::empty(&left)?;
    let mut tally = Tally::default();
    for line in commands {
        let config = if line.contains("--cfg loom") { Config::Loom } else { Config::Plain };
        let mut command = workspace.child(config, "bash");
        command.args(["-c", line]);
        if config == Config::Loom {
            command.env(FOLDER, &left).envs(ALL_OF_IT);
        }
        let output = workspace.tee(command)?;
        let (passed, ignored) = (libtest::passed(&output), libtest::ignored(&output));
        ensure!(passed > 0, "`{line}` ran no test: at least one has to pass");
        ensure!(ignored == 0, "`{line}` ignored {ignored} tests");
        tally.passed(&format!("`{line}` as in README.md: {passed} tests passed"));
    }
    Ok(tally)
}

/// The lines of the first fenced block that has both commands, without comments.
fn commands(readme: &str) -> Option<Vec<&str>> {
    blocks(readme)
        .into_iter()
        .map(|block| block.into_iter().map(without_comment).filter(|l| !l.is_empty()).collect())
        .find(|lines: &Vec<&str>| lines.contains(&PROVE) && lines.contains(&TEST))
}

/// The lines of each fenced code block.
fn blocks(text: &str) -> Vec<Vec<&str>> {
    let mut blocks = Vec::new();
    let mut open: Option<(&str, Vec<&str>)> = None;
    for line in text.lines() {
        let trimmed = line.trim();
        let fence = fence(trimmed);
        match &mut open {
            None => open = fence.map(|fence| (fence, Vec::new())),
            Some((opened, _)) if fence == Some(trimmed) && trimmed.starts_with(*opened) => {
                blocks.extend(open.take().map(|(_, lines)| lines));
            }
            Some((_, lines)) => lines.push(trimmed),
        }
    }
    blocks
}

/// The backticks or tildes that a line begins with, if they open or close a block.
fn fence(line: &str) -> Option<&str> {
    let first = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let end = line.find(|c| c != first).unwrap_or(line.len());
    (end >= 3).then(|| &line[..end])
}

/// A line up to a `#` that starts a word.
fn without_comment(line: &str) -> &str {
    let start = line
        .match_indices('#')
        .map(|(at, _)| at)
        .find(|&at| line[..at].chars().next_back().is_none_or(char::is_whitespace));
    line[..start.unwrap_or(line.len())].trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_block_with_both_commands_is_found() {
        let readme = "\
# Title
cargo test
```sh
cargo test
```
~~~~text
```
RUSTFLAGS=\"--cfg loom\" cargo test
~~~~
```sh
# on real threads
cargo test             # quick
  RUSTFLAGS=\"--cfg loom\" cargo test
```
```sh
cargo test --later
RUSTFLAGS=\"--cfg loom\" cargo test
```
";
        assert_eq!(commands(readme), Some(vec![TEST, PROVE]));
    }

    #[test]
    fn the_loom_command_alone_is_not_both() {
        assert_eq!(commands(&format!("```\n{PROVE}\n```\n")), None);
        assert_eq!(commands(&format!("{TEST}\n{PROVE}\n")), None);
        assert_eq!(commands(&format!("```\n{TEST}\n{PROVE}\n")), None);
    }

    #[test]
    fn a_hash_inside_a_word_is_no_comment() {
        assert_eq!(without_comment("cargo test a#2 # two"), "cargo test a#2");
        assert_eq!(without_comment("# all"), "");
    }
}
