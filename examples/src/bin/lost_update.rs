//! Threads increment one number a thousand times in all, ten times over: first by a load and a store, then by a
//! [`Counter`]. The first prints less than a thousand.
//!
//! An update is lost if another thread comes between the load and the store, which is rare. So one increment in
//! sixteen yields there; with `--no-yield` none does. The loss does not come from the yield:
//! `loom-tests/1_races/4_works_on_my_machine.rs` shows that the checker reaches the same totals with it and without.
//!
//! ```text
//! cargo run -p examples --bin lost_update               # both
//! cargo run -p examples --bin lost_update -- --racy     # the load and the store alone; fails
//! cargo run -p examples --bin lost_update -- --racy --no-yield --increments 10000000
//! ```

use std::process::ExitCode;
use std::sync::Barrier;
use std::thread;

use clap::Parser;
use indicatif::HumanCount;
use selvedge::Counter;

use examples::yielding::yield_now_and_then;
use specimens::racy::SplitCounter;

/// Increments one number from several threads: by a load and a store, then by a counter.
#[derive(Parser)]
struct Args {
    /// Run the racy variant alone, and let it decide
    #[arg(long)]
    racy: bool,
    /// Threads that increment together
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(2..=64))]
    threads: u32,
    /// Increments of a run, by all threads together
    #[arg(long, default_value_t = 1_000)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    increments: u64,
    /// How often to try
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    runs: u32,
    /// Leave the racy variant alone: do not let others run between its load and its store
    #[arg(long)]
    no_yield: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    println!("{} threads, {} increments in all", args.threads, HumanCount(args.increments));
    let racy = runs("a load and a store", &args, |args| {
        let total = SplitCounter::new();
        let between = if args.no_yield { || () } else { yield_now_and_then };
        together(args, || total.increment(between));
        total.get()
    });
    let lost = if args.racy {
        racy
    } else {
        runs("a selvedge::Counter", &args, |args| {
            let total = Counter::new();
            together(args, || total.increment());
            total.get()
        })
    };
    if racy == 0 {
        println!("The load and the store lost nothing. That proves nothing: try again.");
    }
    examples::program::close("every increment is counted, in every run", lost == 0)
}

/// Prints what each run comes to, and returns how many increments were lost in all of them.
fn runs(what: &str, args: &Args, run: impl Fn(&Args) -> u64) -> u64 {
    println!("{what}:");
    let mut all_lost = 0;
    for number in 1..=args.runs {
        let total = run(args);
        let lost = args.increments - total;
        println!("  run {number:>2}: {}, {} lost", HumanCount(total), HumanCount(lost));
        all_lost += lost;
    }
    all_lost
}

/// Calls `increment` as often as is asked for, from threads that start together.
fn together(args: &Args, increment: impl Fn() + Sync) {
    let start = Barrier::new(usize::try_from(args.threads).expect("at most 64 threads"));
    thread::scope(|scope| {
        for thread in 0..args.threads {
            // What is left over after a fair division goes to the last ones.
            let share = (args.increments + u64::from(thread)) / u64::from(args.threads);
            let (start, increment) = (&start, &increment);
            scope.spawn(move || {
                start.wait();
                (0..share).for_each(|_| increment());
            });
        }
    });
}
