//! What stands in a drawing, and how it is broken into lines.

use selvedge_results::{Kind, Picture, Row};

/// What stands in a row.
pub(super) fn text(row: &Row) -> &str {
    match row.kind {
        Kind::Preempted => "preempted",
        _ => &row.text,
    }
}

/// All that is known of a row, for whoever points at it.
pub(super) fn hint(trace: &Picture, row: &Row) -> String {
    let name = &trace.threads[row.thread];
    let (head, object, rest) = match &row.kind {
        Kind::Preempted => return format!("{name} could have gone on here"),
        Kind::Fold | Kind::Note | Kind::Phase => return row.text.clone(),
        Kind::Pending { object } => (format!("{name}: {}", row.text), *object, String::new()),
        Kind::Step(step) => {
            let order = step.order.as_ref().map(|order| format!(", {}", in_full(order)));
            let head = format!("step {}, {name}: {}", step.number, row.text.replace('\n', ", "));
            (head, step.object, order.unwrap_or_default())
        }
    };
    let mut lines = vec![format!("{head}{rest}")];
    lines.extend(row.at.clone());
    lines.extend(object.map(|object| {
        let thing = &trace.objects[object];
        format!("{}: {} made at {}", thing.label, thing.kind, thing.at)
    }));
    lines.join("\n")
}

fn in_full(order: &str) -> &str {
    match order {
        "rlx" => "Relaxed",
        "acq" => "Acquire",
        "rel" => "Release",
        "acq_rel" => "AcqRel",
        "sc" => "SeqCst",
        other => other,
    }
}

/// The last two parts of a path.
pub(super) fn short(place: &str) -> String {
    let mut parts: Vec<&str> = place.rsplit('/').take(2).collect();
    parts.reverse();
    parts.join("/")
}

/// The beginning of `text`, if it is longer than `most` characters.
pub(super) fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

/// Breaks `text` at its line ends and at spaces, and words that are too long anywhere.
pub(super) fn wrap(text: &str, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split(' ') {
            let mut word = word;
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() <= most {
                line.push(' ');
            } else if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            while word.chars().count() > most {
                let end = word.char_indices().nth(most).map_or(word.len(), |(at, _)| at);
                lines.push(word[..end].to_owned());
                word = &word[end..];
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_broken_at_spaces_if_there_are_any() {
        assert_eq!(wrap("a line\nand one more", 9), ["a line", "and one", "more"]);
        assert_eq!(wrap("extraordinarily long", 10), ["extraordin", "arily long"]);
        assert_eq!(wrap("", 5), Vec::<String>::new());
    }

    #[test]
    fn what_is_too_long_is_cut() {
        assert_eq!((cut("abc", 3), cut("abcd", 3)), ("abc".to_owned(), "ab…".to_owned()));
        assert_eq!(short("loom-tests/litmus/shape.rs:7"), "litmus/shape.rs:7");
    }
}
