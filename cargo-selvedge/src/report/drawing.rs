//! An interleaving laid out: threads as columns, time downward. Lengths are in pixels.

use selvedge_results::{Kind, Picture, Row, Source};

use super::words::{cut, hint, short, text, wrap};

/// A character of the drawing's font, at its size, is no wider.
const CHARACTER: usize = 8;
/// The same for small print: places and values.
const SMALL: usize = 7;
const LINE: usize = 17;
/// A box's text is broken after so many characters.
const LONGEST: usize = 30;
const PADDING: usize = 10;
/// Between the rows of boxes.
const GAP: usize = 10;
/// Between columns: room for arrows.
const AISLE: usize = 52;
/// For the numbers of steps.
const MARGIN: usize = 74;
const HEAD: usize = 46;
const MARK: usize = 20;
/// A value is cut off after so many characters.
const LONGEST_VALUE: usize = 14;

/// What is drawn.
#[derive(Debug)]
pub struct Drawing {
    pub width: usize,
    pub height: usize,
    /// Where the rows end and the bar begins.
    pub floor: usize,
    pub columns: Vec<Column>,
    pub lines: Vec<Line>,
    pub arrows: Vec<Arrow>,
    /// The objects whose values are shown.
    pub values: Vec<Column>,
    /// What each of them holds when the threads start.
    pub initial: Vec<Option<String>>,
    /// Where the places stand.
    pub places: usize,
    pub bar: Vec<String>,
    /// The steps at which one can stop.
    pub stops: usize,
}

/// A thread, or a shared object.
#[derive(Debug, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub middle: usize,
    pub width: usize,
    pub hint: String,
}

/// A row.
#[derive(Debug)]
pub struct Line {
    pub top: usize,
    pub height: usize,
    pub shape: Shape,
    pub number: Option<usize>,
    pub middle: usize,
    pub width: usize,
    pub text: Vec<String>,
    pub place: String,
    pub hint: String,
    /// The number of its column among the values, and what stands there.
    pub value: Option<(usize, String)>,
    /// It is shown from this stop on.
    pub stop: usize,
    /// It reads what was there when the threads started: whether that is stale.
    pub initial: Option<bool>,
}

/// How a row is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A step that changes nothing.
    Looks,
    /// A step that changes what is shared.
    Changes,
    /// A load of an older store.
    Stale,
    /// A step that fails, or is not done.
    Fails,
    Preempted,
    /// A line for the reader, or the last steps again and again.
    Remark,
}

impl Shape {
    fn of(row: &Row) -> Self {
        match &row.kind {
            Kind::Step(step) if step.panics => Self::Fails,
            Kind::Step(step) if step.reads.as_ref().is_some_and(|reads| reads.stale) => Self::Stale,
            Kind::Step(step) if step.after.is_some() => Self::Changes,
            Kind::Step(_) => Self::Looks,
            Kind::Pending { .. } => Self::Fails,
            Kind::Preempted => Self::Preempted,
            Kind::Fold | Kind::Note | Kind::Phase => Self::Remark,
        }
    }

    /// Whether it is no step, only a remark.
    pub fn is_mark(self) -> bool {
        matches!(self, Self::Preempted | Self::Remark)
    }
}

/// From a store to the step that read it.
#[derive(Debug, PartialEq, Eq)]
pub struct Arrow {
    /// The rows.
    pub from: usize,
    pub to: usize,
    pub stale: bool,
}

impl Drawing {
    /// Lays out `trace`; `end` is what stands in the bar.
    pub fn of(trace: &Picture, end: &str) -> Self {
        let texts: Vec<Vec<String>> =
            trace.rows.iter().map(|row| wrap(text(row), LONGEST)).collect();
        let widest = |lines: &[String]| {
            lines.iter().map(|line| line.chars().count() * CHARACTER).max().unwrap_or(0)
                + 2 * PADDING
        };
        let mut columns = Vec::new();
        let mut right = MARGIN;
        for (number, name) in trace.threads.iter().enumerate() {
            let rows = trace.rows.iter().zip(&texts).filter(|(row, _)| row.thread == number);
            let name = cut(name, LONGEST);
            let width = rows
                .map(|(_, lines)| widest(lines))
                .chain([widest(std::slice::from_ref(&name)), 110])
                .max()
                .unwrap_or_default();
            let middle = right + width / 2;
            columns.push(Column { name, middle, width, hint: trace.threads[number].clone() });
            right += width + AISLE;
        }
        let shown = shown(trace);
        let mut values = Vec::new();
        for &object in &shown {
            let thing = &trace.objects[object];
            let width = held(trace, object)
                .chain([&*thing.label])
                .map(|text| text.chars().count().min(LONGEST_VALUE) * SMALL);
            let width = width.max().unwrap_or_default() + 2 * PADDING;
            values.push(Column {
                name: thing.label.clone(),
                middle: right + width / 2,
                width,
                hint: format!("{}: {} made at {}", thing.label, thing.kind, thing.at),
            });
            right += width;
        }
        let places = right + if shown.is_empty() { 0 } else { 24 };

        let mut top = HEAD + if shown.is_empty() { 0 } else { LINE + GAP };
        let mut lines: Vec<Line> = Vec::new();
        let mut stop = 0;
        for (row, text) in trace.rows.iter().zip(&texts) {
            let shape = Shape::of(row);
            let height = if shape.is_mark() { MARK } else { text.len() * LINE + 12 };
            stop += usize::from(!shape.is_mark());
            let object = |object: usize| shown.iter().position(|&other| other == object);
            let (number, value, initial) = match &row.kind {
                Kind::Step(taken) => {
                    let after = taken.after.as_ref().map(|value| cut(value, LONGEST_VALUE));
                    let reads = taken.reads.as_ref();
                    let initial = reads.filter(|reads| reads.from == Some(Source::Initial));
                    (
                        Some(taken.number),
                        taken.object.and_then(object).zip(after),
                        initial.map(|reads| reads.stale),
                    )
                }
                _ => (None, None, None),
            };
            lines.push(Line {
                top,
                height,
                shape,
                number,
                middle: columns[row.thread].middle,
                width: widest(text),
                text: text.clone(),
                place: row.at.as_deref().map(short).unwrap_or_default(),
                hint: hint(trace, row),
                value,
                // What is said of a thread that was preempted is said as the next one steps in.
                stop: if shape == Shape::Preempted { stop + 1 } else { stop },
                initial,
            });
            top += height + GAP;
        }
        let place = lines.iter().map(|line| line.place.chars().count()).max().unwrap_or(0);
        let width = (places + place * SMALL + 8).max(420);
        let bar = wrap(end, (width - 2 * PADDING - 16) / CHARACTER);
        let initial = |&object: &usize| {
            trace.objects[object].initial.as_ref().map(|value| cut(value, LONGEST_VALUE))
        };
        let initial = shown.iter().map(initial).collect();
        let arrows = arrows(trace);
        let height = top + bar.len() * LINE + 2 * PADDING + 2;
        Self {
            width,
            height,
            floor: top,
            columns,
            lines,
            arrows,
            values,
            initial,
            places,
            bar,
            stops: stop,
        }
    }
}

fn arrows(trace: &Picture) -> Vec<Arrow> {
    let rows = trace.rows.iter().enumerate();
    rows.filter_map(|(to, row)| {
        let Kind::Step(step) = &row.kind else { return None };
        let reads = step.reads.as_ref()?;
        let Some(Source::Row(from)) = reads.from else { return None };
        Some(Arrow { from, to, stale: reads.stale })
    })
    .collect()
}

/// The objects whose values are worth a column: those that change.
fn shown(trace: &Picture) -> Vec<usize> {
    let touched = |number: usize| {
        trace.rows.iter().any(|row| match &row.kind {
            Kind::Step(step) => step.object == Some(number) && step.after.is_some(),
            _ => false,
        })
    };
    (0..trace.objects.len()).filter(|&object| touched(object)).collect()
}

/// All that `object` holds in the course of the execution.
fn held(trace: &Picture, object: usize) -> impl Iterator<Item = &str> {
    let after = trace.rows.iter().filter_map(move |row| match &row.kind {
        Kind::Step(step) if step.object == Some(object) => step.after.as_deref(),
        _ => None,
    });
    trace.objects[object].initial.as_deref().into_iter().chain(after)
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn a_lost_update_is_four_boxes_and_a_preemption() {
        let drawing = Drawing::of(&samples::lost_update(), "total=1");
        let shapes: Vec<Shape> = drawing.lines.iter().map(|line| line.shape).collect();
        let (looks, changes) = (Shape::Looks, Shape::Changes);
        assert_eq!(shapes, [looks, Shape::Preempted, looks, changes, changes]);
        let texts: Vec<String> = drawing.lines.iter().map(|line| line.text.join("|")).collect();
        assert_eq!(texts, ["a1.load = 0", "preempted", "a1.load = 0", "a1.store 1", "a1.store 1"]);
        let columns: Vec<&str> = drawing.columns.iter().map(|column| &*column.name).collect();
        assert_eq!(columns, ["alice", "bob"]);
        let of_bob = drawing.lines.iter().map(|line| line.middle == drawing.columns[1].middle);
        assert_eq!(of_bob.collect::<Vec<_>>(), [false, false, true, true, false]);
        let values: Vec<_> = drawing.lines.iter().map(|line| line.value.clone()).collect();
        let one = Some((0, "1".to_owned()));
        assert_eq!(values, [None, None, None, one.clone(), one]);
        assert_eq!(drawing.lines.iter().map(|l| l.stop).collect::<Vec<_>>(), [1, 2, 2, 3, 4]);
        assert_eq!(drawing.stops, 4);
        assert_eq!(drawing.bar, ["total=1"]);
        let hint = &drawing.lines[3].hint;
        assert!(
            hint.contains("specimens/src/racy/counter.rs:26") && hint.contains("Relaxed"),
            "{hint}"
        );
    }

    #[test]
    fn both_loads_of_a_lost_update_read_what_was_there_at_the_start() {
        let drawing = Drawing::of(&samples::lost_update(), "total=1");
        assert_eq!(drawing.arrows, []);
        let initial: Vec<_> = drawing.lines.iter().map(|line| line.initial).collect();
        assert_eq!(initial, [Some(false), None, Some(false), None, None]);
    }

    #[test]
    fn an_arrow_leads_from_a_store_to_its_load_and_is_dashed_where_a_newer_one_was_there() {
        let drawing = Drawing::of(&samples::stale(), "");
        let arrow = |from, to, stale| Arrow { from, to, stale };
        assert_eq!(drawing.arrows, [arrow(0, 2, true), arrow(1, 3, false)]);
        assert_eq!(drawing.lines[2].shape, Shape::Stale);
        assert_eq!(drawing.lines[2].text, ["a1.load rlx", "reads 1, newest is 2"]);
    }

    #[test]
    fn rows_and_columns_do_not_meet() {
        for trace in [samples::lost_update(), samples::stale()] {
            let drawing = Drawing::of(&trace, "an end that is a rather long one ".repeat(9).trim());
            for pair in drawing.lines.windows(2) {
                assert!(pair[0].top + pair[0].height < pair[1].top);
            }
            for line in &drawing.lines {
                let longest = line.text.iter().map(|text| text.chars().count()).max();
                assert!(longest.unwrap_or(0) * CHARACTER < line.width);
                assert!(line.top + line.height < drawing.floor);
            }
            let all: Vec<&Column> = drawing.columns.iter().chain(&drawing.values).collect();
            for pair in all.windows(2) {
                assert!(pair[0].middle + pair[0].width / 2 <= pair[1].middle - pair[1].width / 2);
            }
            let bar = drawing.bar.iter().map(|line| line.chars().count()).max().unwrap_or(0);
            assert!(bar * CHARACTER < drawing.width);
        }
    }
}
