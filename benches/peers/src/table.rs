//! The table: a comparison a row, and what is asked of it.

use crate::rounds::{Compared, Side, compare};

/// What a row is held against. It is printed, and nothing fails by it.
#[derive(Clone, Copy)]
pub(crate) enum Goal {
    /// The median ratio is at most this.
    AtMost(f64),
    /// The same as the peer, within what the same code differs from itself by.
    NoSlower,
    /// Less than the peer.
    Faster,
}

/// How far a ratio may be above 1 and still count as the same; see the rows that compare a side with
/// itself.
const SAME: f64 = 1.05;

impl Goal {
    fn text(self) -> String {
        match self {
            Self::AtMost(ratio) => format!("<= {ratio}"),
            Self::NoSlower => format!("<= {SAME}"),
            Self::Faster => "< 1".to_owned(),
        }
    }

    fn met(self, ratio: f64) -> bool {
        match self {
            Self::AtMost(most) => ratio <= most,
            Self::NoSlower => ratio <= SAME,
            Self::Faster => ratio < 1.0,
        }
    }
}

type Sides = Box<dyn Fn() -> (Side<'static>, Side<'static>)>;

/// A row before it is run.
pub(crate) struct Row {
    group: &'static str,
    work: &'static str,
    threads: usize,
    goal: Option<Goal>,
    sides: Sides,
}

impl Row {
    pub(crate) fn new(
        group: &'static str,
        work: &'static str,
        threads: usize,
        goal: Option<Goal>,
        sides: impl Fn() -> (Side<'static>, Side<'static>) + 'static,
    ) -> Self {
        Self { group, work, threads, goal, sides: Box::new(sides) }
    }
}

/// Runs the rows whose text contains `filter` and prints a line for each. Returns how many there
/// were.
pub(crate) fn print(rows: &[Row], filter: &str, smoke: bool) -> usize {
    let (mut count, mut goals, mut met) = (0, 0, 0);
    for row in rows {
        let (ours, peer) = (row.sides)();
        let name = format!("{} {} {} {}", row.group, row.work, ours.name, peer.name);
        if !name.to_lowercase().contains(filter) {
            continue;
        }
        if count == 0 {
            println!(
                "| {:<13} | {:<23} | {:<19} | thr | {:>8} | {:>8} | {:>6} | {:<12} | {:<7} | {:<3} |",
                "ours", "work", "peer", "ours ns", "peer ns", "ratio", "quartiles", "goal", "met"
            );
            println!("|---|---|---|---|---|---|---|---|---|---|");
        }
        count += 1;
        let found = compare(&ours, &peer, row.threads, smoke);
        let (goal, verdict) = row.goal.map_or_else(Default::default, |goal| {
            goals += 1;
            let is_met = goal.met(found.ratio);
            met += usize::from(is_met);
            (goal.text(), if is_met { "yes" } else { "NO" })
        });
        println!(
            "| {:<13} | {:<23} | {:<19} | {:>3} | {} | {:<7} | {:<3} |{}",
            ours.name,
            row.work,
            peer.name,
            row.threads,
            figures(&found),
            goal,
            verdict,
            if found.disturbed { " disturbed" } else { "" },
        );
    }
    if goals > 0 {
        println!("\n{met} of {goals} goals met");
    }
    count
}

fn figures(found: &Compared) -> String {
    let quartiles = format!("{:.2} to {:.2}", found.quartiles.0, found.quartiles.1);
    format!("{:>8.2} | {:>8.2} | {:>6.2} | {quartiles:<12}", found.ours, found.peer, found.ratio)
}
