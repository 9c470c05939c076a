//! The picture as text, for terminals.

use std::fmt::{self, Write as _};

use crate::{Kind, Picture};

/// The page is this wide, unless more than two threads need more.
const WIDTH: usize = 80;
/// `  12  ` before the first column.
const MARGIN: usize = 6;
/// The narrowest a column may get.
const NARROW: usize = 16;

impl fmt::Display for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places: Vec<String> =
            self.rows.iter().map(|row| row.at.as_deref().map(short).unwrap_or_default()).collect();
        let longest = places.iter().map(|place| place.chars().count()).max().unwrap_or(0);
        let room = WIDTH.saturating_sub(MARGIN + longest + 1) / self.threads.len().max(1);
        let width = room.max(NARROW);
        let mut head = " ".repeat(MARGIN);
        for thread in &self.threads {
            write!(head, "{:width$}", cut(thread, width - 1))?;
        }
        writeln!(f, "{}", head.trim_end())?;
        for (row, place) in self.rows.iter().zip(&places) {
            for (line, piece) in wrap(&row.text, width - 1).iter().enumerate() {
                let step = match &row.kind {
                    Kind::Step(step) if line == 0 => format!("{:>4}  ", step.number),
                    _ => " ".repeat(MARGIN),
                };
                let mut out = format!("{step}{}{piece}", " ".repeat(row.thread * width));
                if line == 0 && !place.is_empty() {
                    let used = out.chars().count();
                    let target = MARGIN + self.threads.len() * width;
                    write!(out, "{}{place}", " ".repeat(target.saturating_sub(used)))?;
                }
                writeln!(f, "{}", out.trim_end())?;
            }
        }
        for (position, object) in self.objects.iter().enumerate() {
            let gap = if position == 0 { "\n" } else { "" };
            let place = if object.at.starts_with("std") { "in" } else { "at" };
            writeln!(f, "{gap}  {}: {} made {place} {}", object.label, object.kind, object.at)?;
        }
        Ok(())
    }
}

/// Of a long place, the end.
fn short(place: &str) -> String {
    const ROOM: usize = 24;
    if place.chars().count() <= ROOM {
        return place.to_owned();
    }
    let mut short = place;
    while let Some((_, rest)) = short.split_once('/') {
        short = rest;
        if short.chars().count() + 2 <= ROOM {
            break;
        }
    }
    format!("…/{short}")
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
