//! The book: a module a lesson, in reading order. `README.md` beside this file is the table of contents.

mod shown;

// What a race is.
#[path = "1_races/1_data_race.rs"]
mod data_race;
#[path = "1_races/2_lost_update.rs"]
mod lost_update;
#[path = "1_races/3_race_condition.rs"]
mod race_condition;
#[path = "1_races/4_works_on_my_machine.rs"]
mod works_on_my_machine;

// Mistakes.
#[path = "2_mistakes/4_contention.rs"]
mod contention;
#[path = "2_mistakes/3_deadlock.rs"]
mod deadlock;
#[path = "2_mistakes/1_reads_are_safe.rs"]
mod reads_are_safe;
#[path = "2_mistakes/2_two_critical_sections.rs"]
mod two_critical_sections;

#[path = "7_jobs/4_wakers.rs"]
mod wakers;
