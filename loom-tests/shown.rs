//! Holds the output that a lesson shows against the real output.

/// Asserts that each line of the first `text` block in the head of `page` is in `text`, in the same order.
///
/// `page` is the source of the lesson, by `include_str!`; `text` is a report or an error. The block leaves out the
/// paths at the ends of lines. Asserts nothing on real threads, where a report has no execution.
#[track_caller]
pub(crate) fn assert_shown(page: &str, text: &str) {
    if cfg!(loom) {
        let missing = first_missing(page, text).unwrap_or_default();
        assert!(missing.is_empty(), "the lesson shows {missing:?}, which is not there in\n{text}");
    }
}

fn first_missing<'a>(page: &'a str, text: &str) -> Option<&'a str> {
    let (_, rest) =
        page.split_once("//! ```text\n").expect("the head of the page has a text block");
    let (block, _) = rest.split_once("//! ```\n").expect("the text block ends");
    let mut lines = text.lines();
    let mut shown = block.lines().filter_map(|line| Some(line.strip_prefix("//! ")?.trim_end()));
    shown.find(|shown| !lines.any(|line| line.contains(shown)))
}

#[test]
fn a_line_that_is_not_in_the_output_is_found() {
    let page = "//! # Title\n//!\n//! ```text\n//! first\n//!   second\n//! ```\n";
    assert_eq!(first_missing(page, "first\n  second  a.rs:1\n"), None);
    assert_eq!(first_missing(page, "first\nsecond\n"), Some("  second"), "indented otherwise");
    assert_eq!(first_missing(page, "  second\nfirst\n"), Some("  second"), "in another order");
}
