//! Exercises: files with a defect to repair, and models that mark the repair. `README.md` beside this file says how to
//! do them.

use std::fmt;

pub mod checks;

#[path = "07_cache.rs"]
pub mod cache;
#[path = "01_counter.rs"]
pub mod counter;
#[path = "13_jobs.rs"]
pub mod jobs;
#[path = "04_latch.rs"]
pub mod latch;
#[path = "02_lazy.rs"]
pub mod lazy;
#[path = "09_publish.rs"]
pub mod publish;
#[path = "08_queue.rs"]
pub mod queue;
#[path = "06_rate_limiter.rs"]
pub mod rate_limiter;
#[path = "05_readers.rs"]
pub mod readers;
#[path = "12_seqlock.rs"]
pub mod seqlock;
#[path = "10_ticket_lock.rs"]
pub mod ticket_lock;
#[path = "03_transfer.rs"]
pub mod transfer;
#[path = "11_wake_up.rs"]
pub mod wake_up;

mod marks;

pub use marks::{Mark, advice, mark};

use checks::Question;

/// How hard an exercise is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// One change.
    Easy,
    /// More than one thing to see.
    Medium,
    /// Memory orderings, or several parts that must fit.
    Hard,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Easy => "easy",
            Self::Medium => "medium",
            Self::Hard => "hard",
        })
    }
}

/// An exercise: what the reader's file is, and what marks it.
#[derive(Debug, Clone, Copy)]
pub struct Exercise {
    /// Its name, as in `cargo exercise counter`.
    pub name: &'static str,
    /// How hard it is.
    pub level: Level,
    /// The file to edit, in this folder.
    pub file: &'static str,
    /// The hints: sections that begin with `## 1`, `## 2` and so on.
    hints: &'static str,
    /// The models of the reader's type.
    pub questions: fn() -> Vec<Question>,
}

impl Exercise {
    /// The hints, from the faintest to the plainest.
    pub fn hints(&self) -> Vec<&'static str> {
        let sections = self.hints.split("## ").skip(1);
        sections
            .filter_map(|section| section.split_once('\n'))
            .map(|(_, text)| text.trim())
            .collect()
    }
}

macro_rules! exercise {
    ($level:ident, $file:literal, $name:ident :: $type:ident) => {
        Exercise {
            name: stringify!($name),
            level: Level::$level,
            file: $file,
            hints: include_str!(concat!("hints/", stringify!($name), ".md")),
            questions: checks::$name::check::<$name::$type>,
        }
    };
}

/// All exercises, from easy to hard.
pub const EXERCISES: [Exercise; 13] = [
    exercise!(Easy, "01_counter.rs", counter::Total),
    exercise!(Easy, "02_lazy.rs", lazy::Config),
    exercise!(Easy, "03_transfer.rs", transfer::Accounts),
    exercise!(Easy, "04_latch.rs", latch::Gate),
    exercise!(Medium, "05_readers.rs", readers::Table),
    exercise!(Medium, "06_rate_limiter.rs", rate_limiter::Latest),
    exercise!(Medium, "07_cache.rs", cache::Values),
    exercise!(Medium, "08_queue.rs", queue::Bounded),
    exercise!(Medium, "09_publish.rs", publish::Slot),
    exercise!(Hard, "10_ticket_lock.rs", ticket_lock::Tickets),
    exercise!(Hard, "11_wake_up.rs", wake_up::Semaphore),
    exercise!(Hard, "12_seqlock.rs", seqlock::Words),
    exercise!(Hard, "13_jobs.rs", jobs::Pool),
];
