//! Three counters, two threads, and a total that is right or wrong: what a detector of data races says
//! of each. `loom-tests/suites/exercise_counter.rs` has the answer.
//!
//! ```text
//! cargo run --release -p examples --bin exercise_counter              # a load and a store of an atomic
//! cargo run --release -p examples --bin exercise_counter -- plain     # the same in plain memory
//! cargo run --release -p examples --bin exercise_counter -- sound     # selvedge::Counter
//! ```

use std::process::ExitCode;
use std::thread;

use selvedge::Counter;
use specimens::racy::{LossyCounter, UnsyncCounter};

const THREADS: usize = 2;
const INCREMENTS: u64 = 100_000;

/// Increments from all threads, and then asks for the total.
fn total_of<C: Sync>(counter: &C, increment: impl Fn(&C) + Sync, get: impl Fn(&C) -> u64) -> u64 {
    thread::scope(|scope| {
        // Joined one by one: what the scope does itself at its end, a detector may not follow.
        let work = || (0..INCREMENTS).for_each(|_| increment(counter));
        for thread in [(); THREADS].map(|()| scope.spawn(work)) {
            thread.join().expect("an increment does not panic");
        }
    });
    get(counter)
}

fn main() -> ExitCode {
    let which = std::env::args().nth(1).unwrap_or_else(|| "split".to_owned());
    let total = match which.as_str() {
        "split" => total_of(&LossyCounter::new(), LossyCounter::increment, LossyCounter::get),
        "plain" => total_of(&UnsyncCounter::new(), UnsyncCounter::increment, UnsyncCounter::get),
        "sound" => total_of(&Counter::new(), Counter::increment, Counter::get),
        _ => {
            eprintln!("the counter must be split, plain or sound, got {which:?}");
            return ExitCode::FAILURE;
        }
    };
    println!("{which}: {total} of {}", THREADS as u64 * INCREMENTS);
    ExitCode::SUCCESS
}
