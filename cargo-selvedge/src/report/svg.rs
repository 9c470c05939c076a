//! A drawing as SVG: in a page, whose style it takes, or as a file of its own.

use maud::{Markup, PreEscaped, html};

use super::drawing::{Arrow, Drawing, Line, Shape};

/// The style of drawings.
pub const STYLE: &str = include_str!("drawing.css");

/// The light colours of `drawing.css`, as attributes: for viewers that know no CSS variables.
mod paint {
    pub(super) const PAPER: &str = "#ffffff";
    pub(super) const MUTED: &str = "#626c7c";
    pub(super) const HAIR: &str = "#dde2ea";
    pub(super) const WARN: &str = "#8f5a00";
    pub(super) const GOOD: &str = "#14804a";
    pub(super) const BAD: &str = "#c62a2f";
    pub(super) const WARN_PAPER: &str = "#fff3d6";
    /// Of a box: what fills it, and its border.
    pub(super) const BOX: (&str, &str) = ("#f5f7fa", "#aab4c3");
    pub(super) const CHANGES: (&str, &str) = ("#e6edff", "#6d8fe8");
    pub(super) const FAILS: (&str, &str) = ("#fdebec", BAD);
    pub(super) const PASSES: (&str, &str) = ("#e3f5ea", GOOD);
    pub(super) const WARNS: (&str, &str) = (WARN_PAPER, WARN);
}

/// How a drawing ends: the colour of its bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Acceptable,
    Interesting,
    Failure,
}

impl End {
    fn class(self) -> &'static str {
        match self {
            Self::Acceptable => "bar acceptable",
            Self::Interesting => "bar interesting",
            Self::Failure => "bar failure",
        }
    }

    fn paint(self) -> (&'static str, &'static str) {
        match self {
            Self::Acceptable => paint::PASSES,
            Self::Interesting => paint::WARNS,
            Self::Failure => paint::FAILS,
        }
    }
}

/// A file of its own.
pub fn file(drawing: &Drawing, end: End, title: &str) -> String {
    let style = html! { style { (PreEscaped(STYLE)) } };
    svg(drawing, end, title, &style).into_string() + "\n"
}

/// For a page.
pub fn inline(drawing: &Drawing, end: End, title: &str) -> Markup {
    svg(drawing, end, title, &html! {})
}

fn svg(drawing: &Drawing, end: End, title: &str, style: &Markup) -> Markup {
    let Drawing { width, height, floor, .. } = *drawing;
    html! {
        svg.drawing xmlns="http://www.w3.org/2000/svg" role="img" aria-label=(title)
            viewBox={ "0 0 " (width) " " (height) } width=(width) height=(height)
            data-stops=(drawing.stops) {
            (style)
            rect.paper fill=(paint::PAPER) width=(width) height=(height) rx="6" {}
            @for column in &drawing.columns {
                g {
                    title { (column.hint) }
                    line.life stroke=(paint::BOX.1) x1=(column.middle) x2=(column.middle) y1="34" y2=(floor) {}
                    rect.thread fill=(paint::BOX.0) stroke=(paint::BOX.1) x=(column.middle - column.width / 2) y="8"
                        width=(column.width) height="26" rx="13" {}
                    text.name x=(column.middle) y="26" { (column.name) }
                }
            }
            @for (number, column) in drawing.values.iter().enumerate() {
                g {
                    title { (column.hint) }
                    rect.holds fill="none" stroke=(paint::HAIR) x=(column.middle - column.width / 2) y="8" width=(column.width)
                        height=(floor - 14) {}
                    text.object x=(column.middle) y="26" { (column.name) }
                    @if let Some(value) = &drawing.initial[number] {
                        text.value x=(column.middle) y="54" { (value) }
                    }
                }
            }
            @if !drawing.values.is_empty() {
                text.number fill=(paint::MUTED) x="42" y="54" { "start" }
            }
            @for line in drawing.lines.iter().filter(|line| !line.shape.is_mark()) {
                rect.row.band fill="none" data-stop=(line.stop) x="0" y=(line.top - 5)
                    width=(drawing.width) height=(line.height + 10) {}
            }
            @for arrow in &drawing.arrows {
                (draw(drawing, arrow))
            }
            @for line in &drawing.lines {
                (row(drawing, line))
            }
            g.row data-stop=(drawing.stops) {
                rect class=(end.class()) fill=(end.paint().0) stroke=(end.paint().1) x="8" y=(floor) width=(width - 16)
                    height=(height - floor - 8) rx="6" {}
                @for (position, text) in drawing.bar.iter().enumerate() {
                    text.end x="20" y=(floor + 20 + position * 17) { (text) }
                }
            }
        }
    }
}

/// A row: its number, its box, what it leaves behind, and where it stands in the source.
fn row(drawing: &Drawing, line: &Line) -> Markup {
    let class = match line.shape {
        Shape::Looks => "looks",
        Shape::Changes => "changes",
        Shape::Stale => "stale",
        Shape::Fails => "fails",
        Shape::Preempted => "preempted",
        Shape::Remark => "said",
    };
    let (fill, stroke) = match line.shape {
        Shape::Changes => paint::CHANGES,
        Shape::Stale | Shape::Fails => paint::FAILS,
        _ => paint::BOX,
    };
    let (mark, remark) = match line.shape {
        Shape::Preempted => (paint::WARN_PAPER, paint::WARN),
        _ => (paint::PAPER, paint::MUTED),
    };
    let left = line.middle - line.width / 2;
    let first = line.top + 18;
    html! {
        g class={ "row " (class) } data-stop=(line.stop) data-mark=[line.shape.is_mark().then_some("1")] {
            title { (line.hint) }
            @if line.shape.is_mark() {
                rect.mark fill=(mark) x=(left) y=(line.top) width=(line.width) height=(line.height) rx="3" {}
                text.remark fill=(remark) x=(line.middle) y=(line.top + 14) { (line.text.join(" ")) }
            } @else {
                @if let Some(number) = line.number {
                    text.number fill=(paint::MUTED) x="42" y=(first) { (number) }
                }
                @if let Some(stale) = line.initial {
                    g class=(if stale { "arrow old" } else { "arrow" }) {
                        circle fill=(paint::PAPER) stroke=(line_of(stale)) cx=(left - 20) cy=(line.top + 14) r="3.5" {}
                        path fill="none" stroke=(line_of(stale)) d={ "M" (left - 16) " " (line.top + 14) "H" (left - 6) } {}
                        (head(left, line.top + 14, true, stale))
                    }
                }
                rect.box fill=(fill) stroke=(stroke) x=(left) y=(line.top) width=(line.width) height=(line.height) rx="5" {}
                @for (position, text) in line.text.iter().enumerate() {
                    text.step x=(line.middle) y=(first + position * 17) { (text) }
                }
                @if let Some((column, value)) = &line.value {
                    text.value x=(drawing.values[*column].middle) y=(first) { (value) }
                }
                text.place fill=(paint::MUTED) x=(drawing.places) y=(first) { (line.place) }
            }
        }
    }
}

/// From the side of a store's box to the side of a load's.
fn draw(drawing: &Drawing, arrow: &Arrow) -> Markup {
    let (from, to) = (&drawing.lines[arrow.from], &drawing.lines[arrow.to]);
    let (y1, y2) = (from.top + from.height / 2, to.top + to.height / 2);
    let right = |line: &Line| line.middle + line.width / 2;
    let left = |line: &Line| line.middle - line.width / 2;
    // Where it leaves, where it arrives, and from which side.
    let (x1, x2, rightward) = match from.middle.cmp(&to.middle) {
        std::cmp::Ordering::Less => (right(from), left(to), true),
        std::cmp::Ordering::Greater => (left(from), right(to), false),
        std::cmp::Ordering::Equal => (right(from), right(to), false),
    };
    let tip = if rightward { x2 - 6 } else { x2 + 6 };
    let bend = if from.middle == to.middle {
        let out = x1.max(x2) + 26;
        format!("C{out} {y1} {out} {y2} {tip} {y2}")
    } else {
        let half = x1.abs_diff(x2) / 2;
        let (out, into) = if rightward { (x1 + half, x2 - half) } else { (x1 - half, x2 + half) };
        format!("C{out} {y1} {into} {y2} {tip} {y2}")
    };
    html! {
        g class=(if arrow.stale { "row arrow old" } else { "row arrow" }) data-stop=(to.stop)
            data-arrow={ (arrow.from) "-" (arrow.to) } {
            path fill="none" stroke=(line_of(arrow.stale)) d={ "M" (x1) " " (y1) (bend) } {}
            (head(x2, y2, rightward, arrow.stale))
        }
    }
}

/// The colour of an arrow.
fn line_of(stale: bool) -> &'static str {
    if stale { paint::BAD } else { paint::GOOD }
}

/// The head of an arrow that ends at (`x`, `y`).
fn head(x: usize, y: usize, rightward: bool, stale: bool) -> Markup {
    let back = if rightward { x - 8 } else { x + 8 };
    html! { path.head fill=(line_of(stale)) d={ "M" (x) " " (y) "L" (back) " " (y - 4) "L" (back) " " (y + 4) "Z" } {} }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn each_arrow_and_each_place_is_in_the_file() {
        let drawing = Drawing::of(&samples::stale(), "1 was read after 2 was written");
        let text = file(&drawing, End::Failure, "a stale read");
        assert_eq!(text.matches("data-arrow=").count(), 2, "{text}");
        assert!(text.contains(r#"class="row arrow old" data-stop="3" data-arrow="0-2""#), "{text}");
        assert!(text.contains(r#"class="row arrow" data-stop="4" data-arrow="1-3""#), "{text}");
        assert_eq!(text.matches(r#"class="box""#).count(), 4, "{text}");
        // A viewer that knows no CSS variables paints what the attributes say.
        for shape in ["rect class=\"", "path ", "circle ", "line class=\""] {
            let start = format!("<{shape}");
            let shapes = text.split(&start).skip(1);
            for element in
                shapes.filter_map(|rest| rest.split_once('>')).map(|(element, _)| element)
            {
                assert!(element.contains("fill=\"") || element.contains("stroke=\""), "{element}");
            }
        }
        assert!(
            text.contains("specimens/src/racy/counter.rs:26") && text.contains("1 was read after")
        );
        assert!(text.contains("prefers-color-scheme"));
    }

    #[test]
    fn what_was_there_at_the_start_comes_from_a_dot() {
        let drawing = Drawing::of(&samples::lost_update(), "total=1");
        let text = inline(&drawing, End::Interesting, "a lost update").into_string();
        assert_eq!(text.matches("<circle").count(), 2, "{text}");
        assert!(!text.contains("<style"));
    }
}
