//! A cell of the table: a bug, a method, and what came of it.

use anyhow::{Result, ensure};
use serde::Serialize;

use super::interval::wilson;
use super::method::{Method, Way};
use cargo_selvedge::shell::grouped;
use confidence::measured::{Kind, Measured};

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verdict {
    /// The bug was seen.
    Found,
    /// It was not, though it might have been.
    NotFound,
    /// It cannot be, and was not.
    Blind,
    /// The sound type with the same threads is reported as well.
    FalseAlarm,
    /// The tool is not on this machine.
    Missing,
    /// The method cannot be tried on this bug, or came to no verdict.
    NotTried,
}

/// One cell, as it stands in `confidence.json`.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Row {
    pub(crate) bug: String,
    pub(crate) kind: Kind,
    pub(crate) method: &'static str,
    pub(crate) verdict: Verdict,
    /// Why, where it is not plain.
    pub(crate) reason: Option<String>,
    #[serde(flatten)]
    pub(crate) measured: Option<Measured>,
    /// `wrong / rounds`, where a rate can be told, and its 95 % interval.
    pub(crate) rate: Option<[f64; 3]>,
}

impl Row {
    /// Of what was measured, for the bug and for its control.
    ///
    /// # Errors
    ///
    /// If a method has seen what it is held to be blind to.
    pub(crate) fn of(
        (bug, kind): (&str, Kind),
        method: &Method,
        blind: Option<&str>,
        measured: Measured,
        control: Option<&Measured>,
    ) -> Result<Self> {
        // Reported no more surely than what is sound: the intervals meet.
        let interval = |seen: &Measured| wilson(seen.wrong, seen.rounds);
        let alarm = control
            .filter(|control| control.wrong > 0 && interval(control).1 >= interval(&measured).0);
        let (verdict, reason) = match (measured.wrong > 0, alarm, blind) {
            (true, Some(control), _) => {
                let Measured { wrong, rounds, .. } = control;
                let reason = format!("so is the sound type, in {wrong} of {rounds}");
                (Verdict::FalseAlarm, Some(reason))
            }
            // There is no data race, so that any report of one is false.
            (true, None, Some(why)) if matches!(method.way, Way::Detects { .. }) => {
                (Verdict::FalseAlarm, Some(why.to_owned()))
            }
            (found, _, Some(why)) => {
                ensure!(!found, "{} has seen {bug}, to which it is blind: {why}", method.id);
                (Verdict::Blind, Some(why.to_owned()))
            }
            (true, None, None) => (Verdict::Found, measured.ended_by.clone()),
            (false, _, None) => (Verdict::NotFound, None),
        };
        let rate = (method.way != Way::Explores).then(|| rate(&measured));
        let (bug, method) = (bug.to_owned(), method.id);
        Ok(Self { bug, kind, method, verdict, reason, measured: Some(measured), rate })
    }

    /// Of a method that could not be tried.
    pub(crate) fn without(
        (bug, kind): (&str, Kind),
        method: &Method,
        verdict: Verdict,
        reason: &str,
    ) -> Self {
        let (bug, method, reason) = (bug.to_owned(), method.id, Some(reason.to_owned()));
        Self { bug, kind, method, verdict, reason, measured: None, rate: None }
    }

    /// As it stands in a table for people.
    pub(crate) fn text(&self) -> String {
        let rounds = self.measured.as_ref().map_or(0, |measured| measured.rounds);
        let wrong = self.measured.as_ref().map_or(0, |measured| measured.wrong);
        match self.verdict {
            Verdict::Missing => "no tool".to_owned(),
            Verdict::NotTried => "not tried".to_owned(),
            Verdict::Blind => "blind".to_owned(),
            Verdict::FalseAlarm if self.rate.is_none() => {
                format!("false alarm, execution {}", grouped(self.first()))
            }
            Verdict::FalseAlarm => format!("false alarm, {wrong} of {rounds}"),
            Verdict::Found | Verdict::NotFound => match (self.rate, wrong) {
                (None, 0) if self.is_complete() => format!("**none** of {}", grouped(rounds)),
                (None, 0) => format!("not yet after {}", grouped(rounds)),
                (None, _) => format!("execution {}, {}", grouped(self.first()), self.time()),
                (Some([_, _, high]), 0) => {
                    format!("0 of {} (< {})", grouped(rounds), percent(high))
                }
                (Some([rate, low, high]), _) => format!(
                    "{} ({} to {}), {}",
                    percent(rate),
                    percent(low),
                    percent(high),
                    self.time()
                ),
            },
        }
    }

    /// Whether an explorer came to its end.
    fn is_complete(&self) -> bool {
        self.measured.as_ref().is_some_and(|measured| measured.complete)
    }

    fn first(&self) -> u64 {
        self.measured.as_ref().and_then(|measured| measured.first).unwrap_or_default()
    }

    /// To the first that went wrong; and whether that is because it was given up.
    fn time(&self) -> String {
        let time = match self.measured.as_ref().and_then(|measured| measured.seconds) {
            None => "time unknown".to_owned(),
            Some(seconds) if seconds < 0.01 => format!("{:.1} ms", seconds * 1e3),
            Some(seconds) if seconds < 1.0 => format!("{:.0} ms", seconds * 1e3),
            Some(seconds) => format!("{seconds:.1} s"),
        };
        let hangs = self.measured.as_ref().is_some_and(|measured| measured.hangs);
        if hangs { format!("hangs, {time}") } else { time }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn rate(measured: &Measured) -> [f64; 3] {
    let (low, high) = wilson(measured.wrong, measured.rounds);
    [measured.wrong as f64 / measured.rounds as f64, low, high]
}

/// Two digits that say something.
fn percent(rate: f64) -> String {
    let percent = rate * 100.0;
    let digits = match percent {
        p if p >= 10.0 => 0,
        p if p >= 1.0 => 1,
        p if p >= 0.1 => 2,
        p if p >= 0.01 => 3,
        _ => 4,
    };
    format!("{percent:.digits$} %")
}

#[cfg(test)]
mod tests {
    use super::super::method::METHODS;
    use super::*;

    fn measured(wrong: u64, rounds: u64) -> Measured {
        let seconds = (wrong > 0).then_some(0.25);
        Measured { wrong, rounds, first: Some(7).filter(|_| wrong > 0), seconds, ..<_>::default() }
    }

    fn row(
        id: &str,
        blind: Option<&str>,
        bug: Measured,
        control: Option<&Measured>,
    ) -> Result<Row> {
        let method = METHODS.iter().find(|method| method.id == id).expect("a method");
        Row::of(("LossyCounter", Kind::Order), method, blind, bug, control)
    }

    #[test]
    fn a_rate_has_an_interval_and_an_exploration_a_number() {
        let found = row("loop-1000", None, measured(20, 1_000), None).expect("a row");
        assert_eq!(found.verdict, Verdict::Found);
        assert_eq!(found.text(), "2.0 % (1.3 % to 3.1 %), 250 ms");
        let explored = row("harness", None, measured(24, 30), None).expect("a row");
        assert_eq!(explored.text(), "execution 7, 250 ms");
        assert_eq!(explored.rate, None);
    }

    #[test]
    fn a_round_that_does_not_end_is_said_to_hang() {
        let stuck = Measured { hangs: true, ..measured(1, 1) };
        let found = row("unit", None, stuck, None).expect("a row");
        assert_eq!(found.text(), "100 % (21 % to 100 %), hangs, 250 ms");
    }

    #[test]
    fn nothing_found_says_of_how_many() {
        let none = row("loop-100000", None, measured(0, 100_000), None).expect("a row");
        assert_eq!(none.verdict, Verdict::NotFound);
        assert_eq!(none.text(), "0 of 100,000 (< 0.0038 %)");
        let all = Measured { complete: true, ..measured(0, 9) };
        let none = row("loom", None, all, None).expect("a row");
        assert_eq!(none.text(), "**none** of 9");
        let none = row("loom", None, measured(0, 9_000), None).expect("a row");
        assert_eq!(none.text(), "not yet after 9,000", "the time was over first");
    }

    #[test]
    fn what_the_sound_type_does_too_is_a_false_alarm() {
        let alarm = row("helgrind", None, measured(3, 3), Some(&measured(2, 3))).expect("a row");
        assert_eq!(alarm.verdict, Verdict::FalseAlarm);
        assert_eq!(alarm.reason.as_deref(), Some("so is the sound type, in 2 of 3"));
        let alarm = row("loom", None, measured(1, 7), Some(&measured(1, 9))).expect("a row");
        assert_eq!(alarm.text(), "false alarm, execution 7");
        let found = row("helgrind", None, measured(3, 3), Some(&measured(0, 3))).expect("a row");
        assert_eq!(found.verdict, Verdict::Found);
        let found = row("tsan", None, measured(10, 10), Some(&measured(1, 20))).expect("a row");
        assert_eq!(found.verdict, Verdict::Found, "far more often than the sound type");
    }

    #[test]
    fn who_is_blind_and_sees_was_not_blind() {
        let blind = row("tsan", Some("no race"), measured(0, 9), None).expect("a row");
        assert_eq!((blind.verdict, blind.text()), (Verdict::Blind, "blind".to_owned()));
        let alarm = row("tsan", Some("no race"), measured(1, 9), None).expect("a row");
        assert_eq!(alarm.text(), "false alarm, 1 of 9", "a race that is none");
        let error = row("pct", Some("no race"), measured(1, 9), None).expect_err("it has seen");
        assert_eq!(error.to_string(), "pct has seen LossyCounter, to which it is blind: no race");
    }
}
