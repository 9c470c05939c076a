//! What does the façade cost? Time per execution of a model through `selvedge-model`, against the same
//! program in plain loom, in the same shape, paired in one run.
//!
//! ```text
//! RUSTFLAGS="--cfg loom" cargo run --profile bench -p facade
//! ```
//!
//! Both sides make the same executions, which is asserted. Times are medians over rounds in which
//! the two sides take turns; only their ratio means anything on a shared machine.

#[cfg(not(loom))]
fn main() {
    println!(
        "nothing to compare without loom: RUSTFLAGS=\"--cfg loom\" cargo run --profile bench -p facade"
    );
}

#[cfg(loom)]
fn main() {
    println!(
        "{:<24} {:>10} {:>12} {:>12} {:>7}",
        "program", "executions", "selvedge", "loom", "ratio"
    );
    for (threads, steps) in [(3, 2), (4, 2), (2, 6)] {
        let name = format!("fetch_add, {threads} x {steps}");
        compare(&name, || ours::adds(threads, steps), || plain::adds(threads, steps));
    }
    for (threads, steps) in [(3, 2), (2, 6)] {
        let name = format!("mutex, {threads} x {steps}");
        compare(&name, || ours::locks(threads, steps), || plain::locks(threads, steps));
    }
    // What a model costs before its first execution: an OS thread of its own, and the report.
    compare("one execution", || ours::adds(1, 1), || plain::adds(1, 1));
}

/// Runs both sides in turns and prints the medians, in microseconds an execution.
#[cfg(loom)]
fn compare(name: &str, ours: impl Fn() -> u64, plain: impl Fn() -> u64) {
    /// Rounds of each side; the first is for warming up.
    const ROUNDS: usize = 21;
    /// A round is repeated until it has lasted this long, in seconds.
    const ROUND: f64 = 0.03;

    fn time(f: &impl Fn() -> u64) -> (u64, f64) {
        let start = std::time::Instant::now();
        let (mut total, mut one) = (0_u64, 0);
        while start.elapsed().as_secs_f64() < ROUND {
            one = f();
            total += one;
        }
        (one, start.elapsed().as_secs_f64() * 1e6 / f64::from(u32::try_from(total).expect("few")))
    }

    let mut rows = Vec::new();
    let mut executions = 0;
    for _ in 0..ROUNDS {
        let (a, b) = (time(&ours), time(&plain));
        assert_eq!(a.0, b.0, "{name}: both sides make the same executions");
        executions = a.0;
        rows.push((a.1, b.1, a.1 / b.1));
    }
    rows.remove(0);
    let median = |pick: fn(&(f64, f64, f64)) -> f64| {
        let mut values: Vec<f64> = rows.iter().map(pick).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let (ours, plain, ratio) = (median(|row| row.0), median(|row| row.1), median(|row| row.2));
    println!("{name:<24} {executions:>10} {ours:>9.1} us {plain:>9.1} us {ratio:>7.2}");
}

#[cfg(loom)]
mod ours {
    use selvedge_model::Model;
    use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};
    use selvedge_model::sync::{Mutex, PoisonError};

    const NAMES: [&str; 4] = ["alice", "bob", "carol", "dave"];

    pub(super) fn adds(threads: usize, steps: usize) -> u64 {
        let mut model = Model::new(|| AtomicU64::new(0));
        for name in NAMES.into_iter().take(threads) {
            model = model.thread(name, move |count: &AtomicU64| {
                for _ in 0..steps {
                    count.fetch_add(1, Relaxed);
                }
            });
        }
        run(model)
    }

    pub(super) fn locks(threads: usize, steps: usize) -> u64 {
        let mut model = Model::new(|| Mutex::new(0));
        for name in NAMES.into_iter().take(threads) {
            model = model.thread(name, move |count: &Mutex<u64>| {
                for _ in 0..steps {
                    *count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
                }
            });
        }
        run(model)
    }

    fn run<S: Send + Sync + 'static>(model: Model<S>) -> u64 {
        let report = model.acceptable("()", "only the time is of interest").try_check();
        report.expect("the program is sound").executions()
    }
}

#[cfg(loom)]
mod shape;

#[cfg(loom)]
mod plain {
    use std::cell::Cell;

    use loom::sync::Mutex;
    use loom::sync::atomic::{AtomicU64, Ordering::Relaxed};

    use super::shape;

    pub(super) fn adds(threads: usize, steps: usize) -> u64 {
        let body = move |count: &AtomicU64, number: usize| {
            for step in 0..steps {
                first(number > 0 && step == 0, || count.fetch_add(1, Relaxed));
            }
        };
        shape::run(threads, || AtomicU64::new(0), body, |_| ())
    }

    pub(super) fn locks(threads: usize, steps: usize) -> u64 {
        let body = move |(count, taken): &(Mutex<u64>, Cell<bool>), number: usize| {
            for step in 0..steps {
                let lock = || count.lock().expect("no thread panics");
                // Where the lock is taken, the thread's start must stay a step of its own.
                let mut guard = first(number > 0 && step == 0 && !taken.get(), lock);
                taken.set(true);
                *guard += 1;
                taken.set(false);
                drop(guard);
            }
        };
        shape::run(threads, || (Mutex::new(0), Cell::new(false)), body, |_| ())
    }

    /// One step with the thread's start.
    fn first<R>(starts: bool, run: impl FnOnce() -> R) -> R {
        if !starts {
            return run();
        }
        loom::stop_exploring();
        let result = run();
        loom::explore();
        result
    }
}
