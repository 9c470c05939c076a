//! Both engines on the same programs: `RUSTFLAGS="--cfg loom" cargo bench --bench engines`.

#[cfg(not(loom))]
fn main() {
    println!("the loom engine is there under `--cfg loom`");
}

#[cfg(loom)]
fn main() {
    both::main();
}

#[cfg(loom)]
mod both {
    #![allow(clippy::cast_precision_loss, reason = "small numbers")]

    use std::ops::ControlFlow;
    use std::time::{Duration, Instant};

    use selvedge_model::engine::{graph, loom};
    use selvedge_model::sync::atomic::AtomicUsize;
    use selvedge_model::sync::atomic::Ordering::Relaxed;
    use selvedge_model::sync::{Arc, Mutex, RwLock, thread};

    /// How long each engine explores a program again and again; at least three times.
    const TIME: Duration = Duration::from_millis(300);

    /// The median time of an execution of each engine. One after the other: what loom frees, an allocator tidies up
    /// in the exploration that comes next.
    fn bench(name: &str, program: impl Fn()) {
        let limits = loom::Config { executions: 200_000, ..loom::Config::default() };
        let (runs, graph) = timed(&|| {
            let explored = graph::explore(&graph::Config::default(), &program, &mut |_| {
                ControlFlow::Continue(())
            });
            explored.runs()
        });
        let (loom_runs, loom) = timed(&|| {
            loom::explore(&limits, &program, &mut |_| ControlFlow::Continue(())).executions()
        });
        println!(
            "| {name} | {runs} | {graph:.1} | {loom_runs} | {loom:.1} | {:.0} |",
            loom / graph
        );
    }

    /// Explores again and again: how many executions there are, and the microseconds of one.
    fn timed(explore: &dyn Fn() -> u64) -> (u64, f64) {
        let (mut times, mut runs) = (Vec::new(), 0);
        let begin = Instant::now();
        while times.len() < 3 || begin.elapsed() < TIME {
            let start = Instant::now();
            runs = explore();
            times.push(start.elapsed().as_secs_f64() * 1e6 / runs as f64);
        }
        (runs, median(times))
    }

    fn median(mut times: Vec<f64>) -> f64 {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    }

    /// Runs `body` in `n` threads, with what they share, which is not dropped: its counts would be steps.
    fn threads<S: Send + Sync + 'static>(
        n: usize,
        shared: S,
        body: impl Fn(&S, usize) + Clone + Send + 'static,
    ) {
        let shared: &'static S = Box::leak(Box::new(shared));
        let threads: Vec<_> = (0..n)
            .map(|thread| {
                let body = body.clone();
                thread::spawn(move || body(shared, thread))
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
    }

    pub(super) fn main() {
        println!("| program | graphs | us | interleavings | us | ratio |");
        println!("|---|---|---|---|---|---|");
        bench("3 independent threads", || threads(3, (), |(), _| ()));
        for n in [2, 3] {
            for each in [1, 2] {
                bench(&format!("{n} x {each} fetch_add"), || {
                    threads(n, AtomicUsize::new(0), move |x, _| {
                        (0..each).for_each(|_| _ = x.fetch_add(1, Relaxed));
                    });
                });
                bench(&format!("mutex {n} x {each}"), || {
                    threads(n, Mutex::new(0), move |mutex, _| {
                        (0..each).for_each(|_| *mutex.lock().unwrap() += 1);
                    });
                });
            }
        }
        for n in 1..=3 {
            bench(&format!("{n} readers, 1 writer"), || {
                threads(n + 1, AtomicUsize::new(0), |x, thread| match thread {
                    0 => x.store(1, Relaxed),
                    _ => _ = x.load(Relaxed),
                });
            });
        }
        bench("3 + 1 readers, 1 writer", || {
            let x: &'static AtomicUsize = Box::leak(Box::new(AtomicUsize::new(0)));
            let threads = [0, 1, 2, 3].map(|thread| {
                thread::spawn(move || match thread {
                    0 => x.store(1, Relaxed),
                    _ => _ = x.load(Relaxed),
                })
            });
            x.load(Relaxed);
            for thread in threads {
                thread.join().unwrap();
            }
        });
        bench("read-write lock, 2 readers, 1 writer", || {
            threads(3, RwLock::new(0), |lock, thread| match thread {
                0 => *lock.write().unwrap() += 1,
                _ => drop(*lock.read().unwrap()),
            });
        });
        bench("2 x arc dropped", || {
            let arc = Arc::new(0);
            let threads = [0, 1].map(|_| {
                let arc = arc.clone();
                thread::spawn(move || drop(arc))
            });
            for thread in threads {
                thread.join().unwrap();
            }
        });
        bench("2 x (load; store)", || {
            threads(2, AtomicUsize::new(0), |x, thread| {
                x.load(Relaxed);
                x.store(thread, Relaxed);
            });
        });
        bench("3 x (load; store)", || {
            threads(3, AtomicUsize::new(0), |x, thread| {
                x.load(Relaxed);
                x.store(thread, Relaxed);
            });
        });
    }
}
