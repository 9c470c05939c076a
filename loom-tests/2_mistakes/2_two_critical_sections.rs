//! # Every access is locked: is the program right?
//!
//! ```text
//! ```

use selvedge_model::Model;
use selvedge_model::sync::Mutex;

use crate::shown::assert_shown;

/// Racy: checks in one critical section, and acts in another.
fn sell_in_two_sections(seats: &Mutex<i64>) -> bool {
    let free = *seats.lock().unwrap() > 0;
    if free {
        *seats.lock().unwrap() -= 1;
    }
    free
}

/// Sound: one critical section from the check to the act.
fn sell_in_one_section(seats: &Mutex<i64>) -> bool {
    let mut seats = seats.lock().unwrap();
    let free = *seats > 0;
    if free {
        *seats -= 1;
    }
    free
}

/// Sound: looks first without blocking sellers for long, and checks again in the section that acts.
#[test]
fn check_and_act_in_two_sections_sells_one_seat_twice() {
    let report = Model::new(|| Mutex::new(1))
        .thread("alice", sell_in_two_sections)
        .thread("bob", sell_in_two_sections)
        .finally("left", |seats| *seats.lock().unwrap())
        .acceptable("alice=true bob=false left=0", "alice has the seat")
        .acceptable("alice=false bob=true left=0", "bob has the seat")
        .interesting("alice=true bob=true left=-1", "one seat is sold twice")
        .check();
    assert_shown(include_str!("2_two_critical_sections.rs"), &report.to_string());
}

#[test]
fn check_and_act_in_one_section_sells_one_seat_once() {
    Model::new(|| Mutex::new(1))
        .thread("alice", sell_in_one_section)
        .thread("bob", sell_in_one_section)
        .finally("left", |seats| *seats.lock().unwrap())
        .acceptable("alice=true bob=false left=0", "alice has the seat")
        .acceptable("alice=false bob=true left=0", "bob has the seat")
        .check();
}
