//! What other ways of testing see: `loom-tests/confidence.md` as a page, and in short.

use cargo_selvedge::report::pages::document;
use cargo_selvedge::report::prose::{Around, markdown};
use maud::{Markup, PreEscaped, html};

/// The page.
pub(crate) const FILE: &str = "confidence.html";

/// What stands around the tables, as `cargo lab confidence --bless` writes them.
const TABLES: &str = "\n<!-- cargo lab confidence --bless -->\n";

/// How a cell begins, and how it is shown; any other says that the bug was seen.
const CELLS: [(&str, &str); 7] = [
    ("<td>blind", "muted"),
    ("<td>not tried", "muted"),
    ("<td>no tool", "muted"),
    ("<td>false alarm", "bad"),
    ("<td>0 of ", "warn"),
    ("<td><strong>none", "warn"),
    ("<td>not yet", "warn"),
];

/// All of it.
pub(crate) fn page(text: &str, around: &Around) -> Markup {
    let (title, rest) = text.split_once('\n').unwrap_or((text, ""));
    let title = title.trim_start_matches("# ");
    let body = html! {
        div.measured {
            h1 { (title) }
            p.small.muted { "loom-tests/confidence.md" }
            p.small {
                "In the tables: a rate, or an execution: seen; " span.chip.warn { "not seen" } " "
                span.chip.bad { "a false alarm" } " " span.muted { "blind, or not tried" }
            }
            (PreEscaped(shaded(&markdown(rest, around).into_string())))
        }
    };
    document(title, false, &body)
}

/// The first paragraph, and the first table of what was measured.
pub(crate) fn in_short(text: &str, around: &Around) -> Markup {
    let (first, table) = parts(text);
    html! {
        h2 id="confidence" { "Would the tests have seen it?" }
        (markdown(first, around))
        (PreEscaped(scrolling(&markdown(table, around).into_string())))
        p { a href=(FILE) { "Each bug by each way of testing" } ", and what to make of it." }
    }
}

/// The first paragraph below the title, and what stands between the marker and the first heading.
fn parts(text: &str) -> (&str, &str) {
    let first = text.split("\n\n").nth(1).unwrap_or_default();
    let tables = text.split_once(TABLES).map_or("", |(_, rest)| rest);
    (first, tables.split("\n### ").next().unwrap_or_default())
}

/// Tables that are too wide scroll by themselves.
fn scrolling(html: &str) -> String {
    let open =
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"a table\"><table>";
    html.replace("<table>", open).replace("</table>", "</table></div>")
}

/// Who sees a bug, and who does not, is to be seen at a glance.
fn shaded(html: &str) -> String {
    // A number is not parted from its unit.
    let mut html = scrolling(html).replace(" %", "\u{a0}%").replace(" ms", "\u{a0}ms");
    for (begin, class) in CELLS {
        html = html.replace(begin, &begin.replace("<td>", &format!("<td class=\"{class}\">")));
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Around = Around { pages: &[], folder: std::path::PathBuf::new() };

    const TEXT: &str = "# Seen?\n\nA test.\n\nMore.\n\n<!-- cargo lab confidence --bless -->\n2026, 2 cores.\n\n\
                        | way | seen |\n|---|---|\n| loom | 1 |\n\n### On real threads\n\n\
                        | bug | loop |\n|---|---|\n| Lossy | 0 of 9 (< 1 %) |\n| Torn | 5 % |\n";

    #[test]
    fn in_short_are_the_first_paragraph_and_the_first_table() {
        let html = in_short(TEXT, &NONE).into_string();
        for part in ["<p>A test.</p>", "2026, 2 cores.", "<td>loom</td><td>1</td>", FILE] {
            assert!(html.contains(part), "{html}");
        }
        assert!(!html.contains("More") && !html.contains("Lossy"), "{html}");
    }

    #[test]
    fn a_cell_shows_whether_the_bug_was_seen() {
        let html = page(TEXT, &NONE).into_string();
        assert!(html.contains("<h1>Seen?</h1>"), "{html}");
        assert!(html.contains("<td class=\"warn\">0 of 9 (&lt; 1\u{a0}%)</td>"), "{html}");
        assert!(html.contains("<td>5\u{a0}%</td>"), "{html}");
        assert_eq!(html.matches("class=\"scroll\"").count(), 2, "each table scrolls");
    }
}
