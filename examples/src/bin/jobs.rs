//! A pool of workers that share one lock, the one around the receiver, and count without any: every
//! job is done once, those that panic are counted, and the statistics add up at any time.
//!
//! ```text
//! cargo run --release -p examples --bin jobs
//! cargo run --release -p examples --bin jobs -- --racy     # the three racy variants; fails
//! ```
//!
//! The pool and its racy variants are in `specimens/src/jobs.rs`. `loom-tests/suites/jobs.rs` and
//! `loom-tests/suites/job_statistics.rs` prove the pool for few jobs, and show how each variant fails.
//!
//! Two of the variants take two steps for what should be one. They yield in between, so that every run fails; the
//! suites show that they fail without it too.

use std::cmp::Ordering;
use std::hint::black_box;
use std::panic;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use selvedge::Stats;
use selvedge::stats::Snapshot;

use examples::cores::all_cores;
use specimens::jobs::racy::{LookThenClaimJobs, StopFlagJobs, TwoAtomicTally};
use specimens::jobs::{Closed, JobChannel, Jobs, OwnedTally, Pool, Tally, Totals};

/// How much work a job is: so many numbers, mixed into one.
const WORK: u64 = 10_000;

/// How often the progress bar moves.
const MOVE: Duration = Duration::from_millis(50);

/// Does jobs in a pool, some of which panic, and checks that each is counted once.
#[derive(Parser)]
struct Args {
    /// Run the racy variants instead
    #[arg(long)]
    racy: bool,
    /// Threads that do jobs
    #[arg(long, default_value_t = all_cores(), value_parser = clap::value_parser!(u32).range(2..=64))]
    workers: u32,
    /// Jobs to be done
    #[arg(long, default_value_t = 50_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    jobs: u64,
    /// One job in so many panics; 0: none does
    #[arg(long, default_value_t = 1_000)]
    panic_every: u64,
}

/// What a job panics with.
struct Broken;

fn main() -> ExitCode {
    let args = Args::parse();
    be_quiet_about_broken_jobs();
    println!(
        "{} workers, {} jobs of {} units of work, {} of which panic\n",
        args.workers,
        HumanCount(args.jobs),
        HumanCount(WORK),
        HumanCount(args.jobs.checked_div(args.panic_every).unwrap_or(0))
    );
    let held = if args.racy { run_variants(&args) } else { run_pool(&args) };
    examples::program::close(
        "submitted = done + panicked, and work = units x done in every report",
        held,
    )
}

fn run_pool(args: &Args) -> bool {
    let pool = (JobChannel::new(), OwnedTally::default());
    run("the pool", args, pool, JobChannel::submit, JobChannel::close)
}

fn run_variants(args: &Args) -> bool {
    let list = LookThenClaimJobs::new((1..=args.jobs).collect(), thread::yield_now);
    let pool = (list, OwnedTally::default());
    let no_job_twice = run("a list, looked at and then claimed", args, pool, |_, _| Ok(()), |_| ());

    let pool = (StopFlagJobs::new(), OwnedTally::default());
    let no_job_lost =
        run("a flag that stops the workers", args, pool, StopFlagJobs::submit, StopFlagJobs::close);

    let pool = (JobChannel::new(), TwoAtomicTally::new(thread::yield_now));
    let adds_up =
        run("statistics in two atomics", args, pool, JobChannel::submit, JobChannel::close);

    no_job_twice && no_job_lost && adds_up
}

/// Panics are counted, and the program says how many there were. Others are reported as ever.
fn be_quiet_about_broken_jobs() {
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if !panic.payload().is::<Broken>() {
            report(panic);
        }
    }));
}

/// Does a job, and returns how much work it was.
fn work_on(job: u64, panic_every: u64) -> u64 {
    if job.checked_rem(panic_every) == Some(0) {
        panic::panic_any(Broken);
    }
    black_box((0..WORK).fold(job, |mixed, number| mixed.rotate_left(5) ^ black_box(number)));
    WORK
}

/// Runs a pool of workers from its start to its end, and says what was done, and whether all that was
/// submitted was, once, and every report added up.
fn run<Q, T>(
    what: &str,
    args: &Args,
    (jobs, tally): (Q, T),
    submit: impl Fn(&Q, u64) -> Result<(), Closed>,
    close: impl Fn(&Q),
) -> bool
where
    Q: Jobs<u64> + 'static,
    T: Tally + 'static,
{
    let started = Instant::now();
    let durations = Arc::new(Stats::new());
    let (timed, panic_every) = (Arc::clone(&durations), args.panic_every);
    let pool = Pool::start(args.workers as usize, jobs, tally, move |job| {
        timed.time(|| work_on(job, panic_every))
    });
    let over = AtomicBool::new(false);
    let (totals, reports) = thread::scope(|scope| {
        let report = pool.reporter();
        let watcher = scope.spawn(|| watch(args.jobs, report, &over));
        for job in 1..=args.jobs {
            submit(pool.jobs(), job).expect("it is open");
        }
        close(pool.jobs());
        let totals = pool.join();
        // Relaxed: the totals of the workers do not pass this way.
        over.store(true, Relaxed);
        (totals, watcher.join().expect("the watcher does not panic"))
    });

    println!("{what}, in {:.2?}", started.elapsed());
    let row = |name, value: u64| println!("  {name:<9} {:>12}", HumanCount(value).to_string());
    row("submitted", args.jobs);
    row("done", totals.done);
    row("panicked", totals.panicked);
    row("units", u64::try_from(totals.work).unwrap_or(u64::MAX));
    row("reports", reports.taken);
    println!("  time of a job: {}", quantiles(&durations.snapshot()));

    let ended = totals.done + totals.panicked;
    match ended.cmp(&args.jobs) {
        Ordering::Less => println!("  {} jobs were lost", HumanCount(args.jobs - ended)),
        Ordering::Equal => println!("  each job was done once"),
        Ordering::Greater => {
            println!("  {} jobs too many were done", HumanCount(ended - args.jobs));
        }
    }
    match reports.torn {
        0 => println!("  each report was of whole jobs\n"),
        torn => println!("  {} reports did not add up: half a job\n", HumanCount(torn)),
    }
    ended == args.jobs && whole(&totals) && reports.torn == 0
}

fn quantiles(durations: &Snapshot) -> String {
    let [half, most, all] =
        [0.5, 0.99, 1.0].map(|q| Duration::from_nanos(durations.quantile(q).unwrap_or(0)));
    format!("half up to {half:.1?}, 99 % up to {most:.1?}, all up to {all:.1?}")
}

/// Reports while the workers work, and those that were not of whole jobs.
struct Reports {
    taken: u64,
    torn: u64,
}

/// Each job that was done is in the report with all of its work.
fn whole(totals: &Totals) -> bool {
    totals.work == u128::from(WORK) * u128::from(totals.done)
}

/// Asks for reports all the time until it is `over`, and shows the last one on a terminal.
fn watch(jobs: u64, report: impl Fn() -> Totals, over: &AtomicBool) -> Reports {
    let style = ProgressStyle::with_template("{bar:40} {human_pos} of {human_len}, {msg}");
    let bar = ProgressBar::new(jobs).with_style(style.expect("the template is well-formed"));
    let (mut reports, mut moved) = (Reports { taken: 0, torn: 0 }, Instant::now());
    while !over.load(Relaxed) {
        let totals = report();
        reports.taken += 1;
        reports.torn += u64::from(!whole(&totals));
        if moved.elapsed() >= MOVE {
            moved = Instant::now();
            bar.set_message(format!("{} panicked", HumanCount(totals.panicked)));
            bar.set_position(totals.done + totals.panicked);
        }
        thread::yield_now();
    }
    bar.finish_and_clear();
    reports
}
