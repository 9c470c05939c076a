//! A box office: several windows sell the seats of several shows. What is sold and what is left is what
//! there was, and a reader meanwhile never sees a show with a seat too many or too few.
//!
//! Why this holds, and what goes wrong otherwise: `loom-tests/race.rs`, `loom-tests/reads_are_safe.rs`.
//!
//! ```text
//! cargo run --example seats
//! ```

use std::process::ExitCode;
use std::thread;

use selvedge::{Counter, Map};

const SHOWS: u64 = 5;
const SEATS: u64 = 2_000;
const WINDOWS: u64 = 4;

/// A show's seats. Both numbers belong together: their sum does not change.
#[derive(Debug, Clone, Copy)]
struct Show {
    free: u64,
    sold: u64,
}

fn main() -> ExitCode {
    let shows: Map<u64, Show> =
        (0..SHOWS).map(|show| (show, Show { free: SEATS, sold: 0 })).collect();
    let tickets = Counter::new();
    let (looks, wrong) = thread::scope(|scope| {
        let windows: Vec<_> =
            (0..WINDOWS).map(|_| scope.spawn(|| sell_all(&shows, &tickets))).collect();
        let (mut looks, mut wrong) = (0, 0);
        while !windows.iter().all(thread::ScopedJoinHandle::is_finished) {
            // Both numbers in one read.
            let whole = shows.values().iter().all(|show| show.free + show.sold == SEATS);
            wrong += u64::from(!whole);
            looks += 1;
        }
        (looks, wrong)
    });

    let (sold, tickets): (u64, _) =
        (shows.values().iter().map(|show| show.sold).sum(), tickets.get());
    println!("seats sold:        {sold} of {}", SHOWS * SEATS);
    println!("tickets printed:   {tickets}");
    println!("looks meanwhile:   {looks}, of which wrong: {wrong}");
    if sold == SHOWS * SEATS && tickets == sold && wrong == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Sells one seat of each show in turn, until none is left.
fn sell_all(shows: &Map<u64, Show>, tickets: &Counter) {
    let mut mine = tickets.handle();
    let mut any = true;
    while any {
        any = false;
        for show in 0..SHOWS {
            if sell(shows, show) {
                mine.increment();
                any = true;
            }
        }
    }
}

/// Looks and sells in one step.
fn sell(shows: &Map<u64, Show>, show: u64) -> bool {
    let mut sold = false;
    shows.update(&show, |show| {
        sold = show.free > 0;
        if sold { Show { free: show.free - 1, sold: show.sold + 1 } } else { *show }
    });
    sold
}
