//! Feel the problem: threads increment one number a thousand times in all, ten times over. First by a
//! load and a store, then by a [`Counter`]. The first prints less than a thousand.
//!
//! Honestly: without help it seldom does. An update is lost if a thread is preempted between its load
//! and its store, and these are a nanosecond apart. So here one increment in `--yield-every` lets the
//! others run at just that place; `--yield-every 0` does not. That the loss does not come from the
//! yield is shown in `loom-tests/works_on_my_machine.rs`: the checker reaches the same totals with it
//! and without.
//!
//! ```text
//! cargo run --example lost_update               # both
//! cargo run --example lost_update -- --racy     # the load and the store alone; fails
//! ```

use std::process::ExitCode;
use std::sync::Barrier;
use std::thread;

use clap::Parser;
use selvedge::Counter;

#[path = "support/program.rs"]
mod program;
#[path = "support/split_counter.rs"]
mod split_counter;

use split_counter::SplitCounter;

/// Increments one number from several threads: by a load and a store, then by a counter.
#[derive(Parser)]
struct Args {
    /// Run the racy twin alone, and let it decide
    #[arg(long)]
    racy: bool,
    /// Threads that increment together
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(2..=64))]
    threads: u32,
    /// Increments of each thread
    #[arg(long, default_value_t = 250, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    increments: u32,
    /// How often to try
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    runs: u32,
    /// The racy twin lets others run between load and store, in one increment of so many; 0: never
    #[arg(long, default_value_t = 50)]
    yield_every: u32,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let racy_lost = report("a load and a store", &args, racy_total);
    let lost = if args.racy {
        racy_lost
    } else {
        println!();
        report("Counter", &args, sound_total)
    };
    println!();
    if racy_lost == 0 {
        println!("No update was lost by the load and the store. That proves nothing: try again.");
    }
    program::close("every increment is counted, in every run", lost == 0)
}

/// What one run of the racy twin prints in the end.
fn racy_total(args: &Args) -> u64 {
    let total = SplitCounter::new();
    together(args, |n| {
        total.increment(|| {
            if n.checked_rem(args.yield_every) == Some(0) {
                thread::yield_now();
            }
        });
    });
    total.get()
}

/// What one run of the sound one prints in the end.
fn sound_total(args: &Args) -> u64 {
    let total = Counter::new();
    together(args, |_| total.increment());
    total.get()
}

/// Prints what each run comes to, and returns how many increments all of them lost.
fn report(what: &str, args: &Args, total: impl Fn(&Args) -> u64) -> u64 {
    let all = u64::from(args.threads) * u64::from(args.increments);
    println!("{what}: {} threads x {} increments", args.threads, args.increments);
    let mut lost = 0;
    for run in 1..=args.runs {
        let total = total(args);
        println!("  run {run:>2}: {total} of {all}, {} lost", all - total);
        lost += all - total;
    }
    lost
}

/// Calls `increment` with the numbers from 1, from threads that start together.
fn together(args: &Args, increment: impl Fn(u32) + Sync) {
    let start = Barrier::new(usize::try_from(args.threads).expect("at most 64 threads"));
    thread::scope(|scope| {
        for _ in 0..args.threads {
            scope.spawn(|| {
                start.wait();
                (1..=args.increments).for_each(&increment);
            });
        }
    });
}
