//! Counts what worker threads do, while a reporter takes the counts: nothing is lost, nothing is
//! counted twice.
//!
//! ```text
//! cargo run --example requests
//! ```

use std::process::ExitCode;
use std::thread;

use selvedge::Counter;

const WORKERS: u64 = 4;
const REQUESTS: u64 = 250_000;

fn main() -> ExitCode {
    let requests = Counter::new();
    let reported: u64 = thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS)
            .map(|_| {
                scope.spawn(|| {
                    // A handle costs a store; `requests.increment()` would do as well.
                    let mut mine = requests.handle();
                    for _ in 0..REQUESTS {
                        mine.increment();
                    }
                })
            })
            .collect();
        let mut reported = 0;
        while !workers.iter().all(thread::ScopedJoinHandle::is_finished) {
            reported += requests.take();
            thread::yield_now();
        }
        reported
    });
    let rest = requests.take();
    let (total, expected) = (reported + rest, WORKERS * REQUESTS);
    println!("reported while they ran: {reported}");
    println!("left to report:          {rest}");
    println!("every request was counted once: {total} of {expected}");
    if total == expected { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
