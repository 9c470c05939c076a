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

// Cures.
#[path = "2_mistakes/3_deadlock.rs"]
mod deadlock;
#[path = "3_cures/2_less_shared_state.rs"]
mod less_shared_state;
#[path = "3_cures/4_message_passing.rs"]
mod message_passing;
#[path = "3_cures/3_one_owner.rs"]
mod one_owner;
#[path = "3_cures/1_protect_all_access.rs"]
mod protect_all_access;
#[path = "2_mistakes/1_reads_are_safe.rs"]
mod reads_are_safe;
#[path = "2_mistakes/2_two_critical_sections.rs"]
mod two_critical_sections;

#[path = "7_jobs/4_wakers.rs"]
mod wakers;
