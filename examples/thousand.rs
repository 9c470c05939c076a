//! The tutorial's program: threads add to one number, and what it prints should be a thousand. Once
//! with an increment that is a load and a store, once with a `Counter`.
//!
//! Why the first prints less, or does not: `loom-tests/works_on_my_machine.rs`.
//!
//! ```text
//! cargo run --example thousand
//! ```

use std::process::ExitCode;
use std::sync::Barrier;
use std::thread;

use selvedge::Counter;
use selvedge::racy::LossyCounter;

const THREADS: u64 = 10;
const INCREMENTS: u64 = 100;
const ROUNDS: u64 = 100;

fn main() -> ExitCode {
    let expected = THREADS * INCREMENTS;
    let (mut lossy, mut least, mut wrong) = (0, expected, 0);
    for _ in 0..ROUNDS {
        let racy = LossyCounter::new();
        count(|| racy.increment());
        lossy += u64::from(racy.get() != expected);
        least = least.min(racy.get());

        let sound = Counter::new();
        count(|| sound.increment());
        wrong += u64::from(sound.get() != expected);
    }
    println!("load and store: {lossy} of {ROUNDS} rounds lost updates; least printed: {least}");
    println!("Counter:        {wrong} of {ROUNDS} rounds lost updates");
    println!("a round without a loss proves nothing: the checker goes through all executions");
    if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Calls `increment` a thousand times, from threads that start together.
fn count(increment: impl Fn() + Sync) {
    let start = Barrier::new(usize::try_from(THREADS).expect("a few threads"));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                start.wait();
                (0..INCREMENTS).for_each(|_| increment());
            });
        }
    });
}
