//! The shards of a run, put together.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use selvedge_results::Run;

use crate::exit::Exit;

/// Reads what a run has left.
///
/// # Errors
///
/// If it cannot be read, or is of another version.
pub fn read(path: &Path) -> Result<Run> {
    let text = fs::read_to_string(path).with_context(|| {
        format!("{} cannot be read; `cargo selvedge prove` writes it", path.display())
    })?;
    selvedge_results::read(&text)
        .map_err(|error| Exit::Usage.because(format!("{} cannot be used: {error}", path.display())))
}

/// Reads what shards have left, on this machine or others, and puts it together.
///
/// # Errors
///
/// If they are not all the shards of one run.
pub(super) fn merge(paths: &[PathBuf]) -> Result<Run> {
    let parts = paths.iter().map(|path| read(path)).collect::<Result<Vec<_>>>()?;
    of_shards(parts).map_err(|message| Exit::Usage.because(message))
}

fn of_shards(parts: Vec<Run>) -> Result<Run, String> {
    let shards: Vec<_> = parts.iter().map(|part| part.shard).collect();
    check_shards(&shards)?;
    let asked = |part: &Run| (part.tests, part.filter.clone(), part.targets.clone());
    let (tests, filter, targets) = parts.first().map(asked).unwrap_or_default();
    if parts.iter().any(|part| asked(part) != (tests, filter.clone(), targets.clone())) {
        return Err("the shards are not of the same tests: each has to be run on the same sources, with the same \
                    filter and the same --test"
            .to_owned());
    }
    if let Some((shard, count)) =
        parts.iter().find(|part| !part.finished).and_then(|part| part.shard)
    {
        return Err(format!("the shard {shard}/{count} was interrupted: run it again"));
    }
    let mut whole = Run { tests, filter, targets, finished: true, ..Run::default() };
    for part in parts {
        whole.seconds = whole.seconds.max(part.seconds);
        whole.problems.extend(part.problems);
        whole.models.extend(part.models);
    }
    Ok(whole)
}

/// Whether these are all the shards of a run, once each.
///
/// # Errors
///
/// If they are not.
pub(crate) fn check_shards(shards: &[Option<(usize, usize)>]) -> Result<(), String> {
    let mut given: Vec<_> = shards.iter().flatten().copied().collect();
    given.sort_unstable();
    let count = given.first().map_or(1, |(_, count)| *count);
    let wanted: Vec<_> = (1..=count).map(|shard| (shard, count)).collect();
    if given == wanted && given.len() == shards.len() {
        return Ok(());
    }
    let given: Vec<_> = given.iter().map(|(shard, count)| format!("{shard}/{count}")).collect();
    let given = if given.is_empty() { "no shard".to_owned() } else { given.join(", ") };
    Err(format!(
        "these files are of {given}; each from 1/{count} to {count}/{count} is needed, once"
    ))
}

#[cfg(test)]
mod tests {
    use selvedge_results::Record;

    use super::*;

    fn part(shard: usize, test: &str) -> Run {
        let record = Record { test: test.to_owned(), ..Record::default() };
        Run {
            shard: Some((shard, 2)),
            tests: 2,
            finished: true,
            models: vec![record],
            ..Run::default()
        }
    }

    #[test]
    fn shards_make_a_whole_or_an_error() {
        let whole = of_shards(vec![part(2, "b"), part(1, "a")]).expect("a whole");
        assert_eq!((whole.models.len(), whole.shard, whole.finished), (2, None, true));
        let error = of_shards(vec![part(1, "a")]).expect_err("one is missing");
        assert_eq!(error, "these files are of 1/2; each from 1/2 to 2/2 is needed, once");
        assert!(of_shards(vec![part(1, "a"), part(1, "a")]).is_err(), "one is there twice");
        let other = Run { tests: 3, ..part(2, "b") };
        assert!(of_shards(vec![part(1, "a"), other]).is_err(), "another run");
        let only = |shard, test| Run { targets: vec!["ring".to_owned()], ..part(shard, test) };
        assert!(of_shards(vec![part(1, "a"), only(2, "b")]).is_err(), "other targets");
        let whole = of_shards(vec![only(1, "a"), only(2, "b")]).expect("a whole");
        assert_eq!(whole.targets, ["ring"]);
        let cut = Run { finished: false, ..part(2, "b") };
        let error = of_shards(vec![part(1, "a"), cut]).expect_err("interrupted");
        assert_eq!(error, "the shard 2/2 was interrupted: run it again");
    }
}
