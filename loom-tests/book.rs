//! The book: a module a lesson, in reading order. `README.md` beside this file is the table of contents.

#[path = "1_races/4_works_on_my_machine.rs"]
mod works_on_my_machine;

#[path = "7_jobs/4_wakers.rs"]
mod wakers;
