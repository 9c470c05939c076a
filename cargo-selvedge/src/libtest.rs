//! What a test run says of itself.

/// How many tests passed, summed over the summary lines of test binaries and doctests.
pub fn passed(output: &str) -> u64 {
    sum(output, "passed")
}

/// How many tests ran, whether they passed or failed.
pub fn ran(output: &str) -> u64 {
    passed(output) + sum(output, "failed")
}

/// How many tests libtest says it ignored, of the crate that is tested.
pub fn ignored(output: &str) -> u64 {
    sum(output, "ignored")
}

/// The names of the tests that failed.
pub fn failed(output: &str) -> Vec<String> {
    let failed = output.lines().filter_map(|line| {
        line.strip_prefix("test ")?.strip_suffix(" ... FAILED").map(str::to_owned)
    });
    failed.collect()
}

/// The first line of what the first panic says.
pub fn panic(output: &str) -> Option<&str> {
    let is_head = |line: &str| line.starts_with("thread '") && line.contains(" panicked at ");
    output.lines().skip_while(|line| !is_head(line)).nth(1)
}

/// The sum of the numbers before `word` in `test result: ok. 3 passed; 0 failed; …`.
fn sum(output: &str, word: &str) -> u64 {
    output
        .lines()
        .filter(|line| line.starts_with("test result: "))
        .flat_map(|line| line.split("; "))
        .filter_map(|part| part.strip_suffix(word)?.split_whitespace().last()?.parse::<u64>().ok())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "\
running 4 tests
test a ... ok
test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s

test result: FAILED. 10 passed; 2 failed; 0 ignored; 0 measured; 5 filtered out; finished in 0.00s
noise: 7 passed; 1 failed
";

    #[test]
    fn summaries_are_summed() {
        assert_eq!(passed(OUTPUT), 13);
        assert_eq!(ran(OUTPUT), 15);
        assert_eq!(ignored(OUTPUT), 1);
    }

    #[test]
    fn failed_tests_are_named() {
        let output = "test a::b ... FAILED\ntest c ... ok\ntest d ... FAILED\n";
        assert_eq!(failed(output), ["a::b", "d"]);
    }

    #[test]
    fn the_first_panic_is_quoted() {
        let output = "note\n\nthread 'a::b' (7) panicked at tests/a.rs:3:5:\nleft is not right\nnote\n\n\
                      thread 'c' panicked at tests/a.rs:9:5:\nanother\n";
        assert_eq!(panic(output), Some("left is not right"));
        assert_eq!(panic("test a::b ... ok\n"), None);
    }

    #[test]
    fn colour_does_not_hide_a_number() {
        let line = "test result: \u{1b}[32mok\u{1b}(B\u{1b}[m. 3 passed; 0 failed; 0 ignored";
        assert_eq!(passed(line), 3);
    }

    #[test]
    fn silence_is_no_pass() {
        assert_eq!(passed("running 0 tests\n"), 0);
        assert_eq!(ran(""), 0);
    }
}
