//! Two threads increment the counter of `01_counter.rs`, or with `plain` a number in plain memory: a program for a
//! detector of data races. `README.md` beside this file has the commands, and what the detectors say.

use std::thread;

use exercises::checks::Plain;
use exercises::checks::counter::Counter;
use exercises::counter::Total;

const THREADS: usize = 2;

/// A number in plain memory, without synchronisation.
#[derive(Default)]
struct PlainTotal(Plain);

impl Counter for PlainTotal {
    fn increment(&self) {
        self.0.set(self.0.get() + 1);
    }

    fn get(&self) -> u64 {
        self.0.get()
    }
}

fn total<C: Counter>(increments: u64) -> u64 {
    let counter = C::default();
    thread::scope(|scope| {
        // Joined one by one: how a scope waits at its end, a detector may not follow.
        let work = || (0..increments).for_each(|_| counter.increment());
        for thread in [(); THREADS].map(|()| scope.spawn(work)) {
            thread.join().expect("an increment does not panic");
        }
    });
    counter.get()
}

fn main() {
    let plain = std::env::args().nth(1).is_some_and(|arg| arg == "plain");
    // Miri interprets, and needs no more.
    let increments = if cfg!(miri) { 100 } else { 100_000 };
    let total = if plain { total::<PlainTotal>(increments) } else { total::<Total>(increments) };
    println!("{total} of {}", THREADS as u64 * increments);
}
