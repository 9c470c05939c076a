//! An interleaving, drawn: one column a thread, time downward.

use std::fmt::Write as _;

use crate::sync::checked::event::{Action, Event, Object, Phase, Site, Trace, Value, WRITER};

/// How much to draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// What the declared threads did; orderings only where `weak` memory is at stake.
    Threads { weak: bool },
    /// Everything: the making of the state and the observations too, unfolded.
    Full,
}

/// The page is this wide, unless more than two threads need more.
const WIDTH: usize = 80;
/// `  12  ` before the first column.
const MARGIN: usize = 6;
/// The narrowest a column may get.
const NARROW: usize = 16;

/// One line of the picture.
struct Line {
    step: Option<usize>,
    thread: usize,
    text: String,
    site: String,
}

/// Draws `trace`.
pub(crate) fn draw(trace: &Trace, detail: Detail) -> String {
    let lines = lines(trace, detail);
    let columns = columns(trace, &lines, detail);
    let sites = lines.iter().map(|line| line.site.chars().count()).max().unwrap_or(0);
    let room = WIDTH.saturating_sub(MARGIN + sites + 1) / columns.len().max(1);
    let width = room.max(NARROW);
    let mut text = String::new();
    let mut head = " ".repeat(MARGIN);
    for &thread in &columns {
        let _ = write!(head, "{:width$}", cut(&trace.threads[thread], width - 1));
    }
    let _ = writeln!(text, "{}", head.trim_end());
    for line in &lines {
        let column = columns.iter().position(|&thread| thread == line.thread).unwrap_or(0);
        for (row, piece) in wrap(&line.text, width - 1).iter().enumerate() {
            let step = match line.step {
                Some(step) if row == 0 => format!("{step:>4}  "),
                _ => " ".repeat(MARGIN),
            };
            let mut out = format!("{step}{}{piece}", " ".repeat(column * width));
            if row == 0 && !line.site.is_empty() {
                let used = out.chars().count();
                let target = MARGIN + columns.len() * width;
                let _ = write!(out, "{}{}", " ".repeat(target.saturating_sub(used)), line.site);
            }
            let _ = writeln!(text, "{}", out.trim_end());
        }
    }
    legend(trace, detail, &mut text);
    text
}

/// The threads that have a column: in full, all; else those that did something.
fn columns(trace: &Trace, lines: &[Line], detail: Detail) -> Vec<usize> {
    (0..trace.threads.len())
        .filter(|&thread| detail == Detail::Full || lines.iter().any(|line| line.thread == thread))
        .collect()
}

/// What is to be drawn, with folds and preemptions.
fn lines(trace: &Trace, detail: Detail) -> Vec<Line> {
    let events: Vec<&Event> = trace
        .events
        .iter()
        .filter(|event| detail == Detail::Full || event.phase == Phase::Parallel)
        .filter(|event| detail == Detail::Full || event.action != Action::End)
        .filter(|event| !matches!(event.action, Action::Gives(_) | Action::Takes(_)))
        .collect();
    let mut lines: Vec<Line> = Vec::new();
    let mut step = 0;
    let mut position = 0;
    let mut phase = None;
    while position < events.len() {
        let event = events[position];
        if detail == Detail::Full && phase != Some(event.phase) {
            phase = Some(event.phase);
            let name = match event.phase {
                Phase::Setup => "-- init --",
                Phase::Parallel => "-- threads --",
                Phase::Finally => "-- finally --",
            };
            lines.push(Line { step: None, thread: 0, text: name.to_owned(), site: String::new() });
        }
        if preempted(trace, &events, position) {
            lines.push(Line {
                step: None,
                thread: events[position - 1].thread,
                text: "~~ preempted ~~".to_owned(),
                site: String::new(),
            });
        }
        let is_step = !matches!(event.action, Action::Note(_));
        step += usize::from(is_step);
        lines.push(Line {
            step: is_step.then_some(step),
            thread: event.thread,
            text: describe(trace, event, detail),
            site: place(event.site),
        });
        position += 1;
        if detail != Detail::Full {
            let (period, repeats) = repetition(&events, position);
            if repeats > 0 {
                let steps = if period == 1 { "step" } else { "steps" };
                lines.push(Line {
                    step: None,
                    thread: event.thread,
                    text: format!("… the last {period} {steps}, {repeats} more times"),
                    site: String::new(),
                });
                step += period * repeats;
                position += period * repeats;
            }
        }
    }
    for &(thread, site, what, object) in &trace.pending {
        let what = what.strip_prefix("cell ").unwrap_or(what);
        let text = match object {
            Some(object) => format!("{}.{what}: not done", label(&trace.objects[object])),
            None => format!("{what}: not done"),
        };
        lines.push(Line { step: None, thread, text, site: place(site) });
    }
    lines
}

/// Whether another thread took over at `position` although the one before could have gone on.
fn preempted(trace: &Trace, events: &[&Event], position: usize) -> bool {
    let Some(before) = position.checked_sub(1).map(|before| events[before]) else {
        return false;
    };
    if before.thread == events[position].thread
        || before.phase != Phase::Parallel
        || events[position].phase != Phase::Parallel
        || matches!(
            before.action,
            Action::Wait | Action::Yield | Action::End | Action::Panic(_) | Action::Note(_)
        )
    {
        return false;
    }
    let mut later = events[position..].iter().filter(|event| event.thread == before.thread);
    let next = later.find(|event| !matches!(event.action, Action::Note(_)));
    let (action, object) = match next {
        Some(next) => (Some(&next.action), next.object),
        // It never got further: what it was about to do says whether it could have.
        None => match trace.pending.iter().find(|pending| pending.0 == before.thread) {
            Some(&(_, _, what, object)) => {
                return !(is_blocking(what) && held(events, position, object));
            }
            None => return false,
        },
    };
    match action {
        Some(Action::Lock | Action::Write | Action::Read) => !held(events, position, object),
        Some(Action::Join(_) | Action::Park { .. } | Action::End) => false,
        _ => true,
    }
}

fn is_blocking(what: &str) -> bool {
    matches!(what, "lock" | "read" | "write" | "join" | "park" | "wait")
}

/// Whether somebody held the lock `object` just before `position`.
fn held(events: &[&Event], position: usize, object: Option<usize>) -> bool {
    let mut holders = 0_usize;
    for event in &events[..position] {
        if event.object != object || object.is_none() {
            continue;
        }
        match event.action {
            Action::Lock | Action::Write | Action::TryLock(true) | Action::TryWrite(true) => {
                holders = WRITER;
            }
            Action::Unlock | Action::EndWrite => holders = 0,
            Action::Read | Action::TryRead(true) => holders += 1,
            Action::EndRead => holders = holders.saturating_sub(1),
            _ => {}
        }
    }
    holders > 0 || object.is_none()
}

/// How often the last one to eight events repeat from `position` on: (period, repeats). Fewer than
/// three repeats are not worth a fold.
fn repetition(events: &[&Event], position: usize) -> (usize, usize) {
    for period in 1..=8.min(position) {
        let cycle = &events[position - period..position];
        let mut repeats = 0;
        while events
            .get(position + period * repeats..position + period * (repeats + 1))
            .is_some_and(|next| next.iter().zip(cycle).all(|(a, b)| alike(a, b)))
        {
            repeats += 1;
        }
        if repeats >= 3 {
            return (period, repeats);
        }
    }
    (0, 0)
}

fn alike(a: &Event, b: &Event) -> bool {
    a.thread == b.thread
        && a.object == b.object
        && a.action == b.action
        && a.site.line() == b.site.line()
        && a.site.file() == b.site.file()
}

/// One step in words: `a1.load = 0`.
fn describe(trace: &Trace, event: &Event, detail: Detail) -> String {
    let object = event.object.map(|object| label(&trace.objects[object])).unwrap_or_default();
    let show = |value: Value| show(trace, value);
    let orders = detail != Detail::Threads { weak: false };
    let order = |order: &'static str| if orders { format!(" {order}") } else { String::new() };
    match &event.action {
        Action::Load { what, order: o, value, newest } if value == newest => {
            format!("{object}.{what}{} = {}", order(o), show(*value))
        }
        Action::Load { what, order: o, value, newest } => format!(
            "{object}.{what}{}\nreads {}, newest is {}",
            order(o),
            show(*value),
            show(*newest)
        ),
        Action::Store { order: o, value } => format!("{object}.store{} {}", order(o), show(*value)),
        Action::Update { name, order: o, operand, before, after } => format!(
            "{object}.{name}({}){}: {} -> {}",
            show(*operand),
            order(o),
            show(*before),
            show(*after)
        ),
        Action::CompareExchange { order: o, expected, new, found } => {
            let verdict =
                if expected == found { "ok".to_owned() } else { format!("found {}", show(*found)) };
            format!(
                "{object}.compare_exchange({}, {}){}: {verdict}",
                show(*expected),
                show(*new),
                order(o)
            )
        }
        Action::Fence { order } => format!("fence {order}"),
        Action::Lock => format!("{object}.lock"),
        Action::TryLock(true) => format!("{object}.try_lock: ok"),
        Action::TryLock(false) => format!("{object}.try_lock: taken"),
        Action::Unlock => format!("{object}.unlock"),
        Action::Read | Action::CellRead => format!("{object}.read"),
        Action::TryRead(true) => format!("{object}.try_read: ok"),
        Action::TryRead(false) => format!("{object}.try_read: taken"),
        Action::EndRead => format!("{object}.end read"),
        Action::Write | Action::CellWrite => format!("{object}.write"),
        Action::TryWrite(true) => format!("{object}.try_write: ok"),
        Action::TryWrite(false) => format!("{object}.try_write: taken"),
        Action::EndWrite => format!("{object}.end write"),
        Action::Wait => format!("{object}.wait"),
        Action::Woken(true) => format!("{object}.woken"),
        Action::Woken(false) => format!("{object}.wakes unasked"),
        Action::NotifyOne => format!("{object}.notify_one"),
        Action::NotifyAll => format!("{object}.notify_all"),
        Action::Send(true) => format!("{object}.send"),
        Action::Send(false) => format!("{object}.send: refused"),
        Action::Receive(true) => format!("{object}.recv"),
        Action::Receive(false) => format!("{object}.recv: nothing"),
        Action::CloseSender => format!("{object}.drop sender"),
        Action::CloseReceiver => format!("{object}.drop receiver"),
        Action::Clone => format!("{object}.clone"),
        Action::Drop { last: true } => format!("{object}.drop (the last)"),
        Action::Drop { last: false } => format!("{object}.drop"),
        Action::Count(count) => format!("{object}.strong_count = {count}"),
        Action::Unique(true) => format!("{object}.get_mut: ok"),
        Action::Unique(false) => format!("{object}.get_mut: shared"),
        Action::Spawn(child) => format!("spawn {}", trace.threads[*child]),
        Action::Join(child) => format!("join {}", trace.threads[*child]),
        Action::Park { woken: true } => "park".to_owned(),
        Action::Park { woken: false } => "park: returns unasked".to_owned(),
        Action::Unpark(target) => format!("unpark {}", trace.threads[*target]),
        Action::Yield => "yield".to_owned(),
        Action::Panic(message) => format!("panics: {message}"),
        Action::End => "ends".to_owned(),
        Action::Note(text) => text.clone(),
        Action::Gives(_) | Action::Takes(_) => String::new(),
    }
}

/// `a1`, `m2`, …
fn label(object: &Object) -> String {
    format!("{}{}", object.letter, object.ordinal)
}

fn show(trace: &Trace, value: Value) -> String {
    match value {
        Value::Unsigned(value) => value.to_string(),
        Value::Signed(value) => value.to_string(),
        Value::Bool(value) => value.to_string(),
        Value::Pointer(0) => "null".to_owned(),
        Value::Pointer(address) => format!("p{}", 1 + ordinal(trace, address)),
    }
}

/// The position of `address` among the pointers of the trace: addresses say nothing.
fn ordinal(trace: &Trace, address: usize) -> usize {
    let mut seen = Vec::new();
    for event in &trace.events {
        let values = match &event.action {
            Action::Load { value, newest, .. } => vec![*value, *newest],
            Action::Store { value, .. } => vec![*value],
            Action::Update { operand, before, after, .. } => vec![*operand, *before, *after],
            Action::CompareExchange { expected, new, found, .. } => vec![*expected, *new, *found],
            _ => continue,
        };
        for value in values {
            if let Value::Pointer(other) = value {
                if other != 0 && !seen.contains(&other) {
                    seen.push(other);
                }
            }
        }
    }
    seen.iter().position(|&other| other == address).unwrap_or(0)
}

/// `src/racy/counter.rs:31`; of a long path, the end; of the standard library, nothing.
fn place(site: Site) -> String {
    const ROOM: usize = 24;
    // Where the standard library calls a destructor says nothing about who dropped the value.
    if site.file().starts_with("/rustc/") || site.file().contains("/library/core/") {
        return String::new();
    }
    let place = format!("{}:{}", site.file().replace('\\', "/"), site.line());
    if place.chars().count() <= ROOM {
        return place;
    }
    let mut short = place.as_str();
    while let Some((_, rest)) = short.split_once('/') {
        short = rest;
        if short.chars().count() + 2 <= ROOM {
            break;
        }
    }
    format!("…/{short}")
}

/// What the labels stand for: those that were drawn.
fn legend(trace: &Trace, detail: Detail, text: &mut String) {
    let used = |position: usize| {
        detail == Detail::Full
            || trace.pending.iter().any(|pending| pending.3 == Some(position))
            || trace
                .events
                .iter()
                .any(|event| event.phase == Phase::Parallel && event.object == Some(position))
    };
    let mut first = true;
    for (position, object) in trace.objects.iter().enumerate() {
        if used(position) {
            if first {
                text.push('\n');
                first = false;
            }
            let _ = writeln!(
                text,
                "  {}: {} made at {}:{}:{}",
                label(object),
                object.kind,
                object.site.file().replace('\\', "/"),
                object.site.line(),
                object.site.column()
            );
        }
    }
}

fn cut(text: &str, width: usize) -> String {
    text.chars().take(width).collect()
}

/// Breaks `text` at line ends, and at spaces into pieces of at most `width`; all but the first
/// piece are indented.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    for line in text.lines() {
        let mut new_line = true;
        for word in line.split(' ') {
            match pieces.last_mut() {
                Some(piece)
                    if !new_line && piece.chars().count() + 1 + word.chars().count() <= width =>
                {
                    piece.push(' ');
                    piece.push_str(word);
                }
                Some(_) => pieces.push(format!("  {word}")),
                None => pieces.push(word.to_owned()),
            }
            new_line = false;
        }
    }
    pieces
}
