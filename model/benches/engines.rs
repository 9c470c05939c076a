//! Both engines, and loom alone, on the same programs: `RUSTFLAGS="--cfg loom" cargo bench --bench engines`.

#[cfg(not(loom))]
fn main() {
    println!("the checker is there under `--cfg loom`");
}

#[cfg(loom)]
fn main() {
    println!("| program | graphs | us | second engine | us | loom alone | us | times | in all |");
    println!("|---|---|---|---|---|---|---|---|---|");
    for number in 0..checked::programs().len() {
        let (name, program) = checked::programs().swap_remove(number);
        times::compare(&name, &*program, checked_by_loom::programs().swap_remove(number).1);
    }
}

#[cfg(loom)]
mod times {
    #![allow(clippy::cast_precision_loss, reason = "small numbers")]

    use std::ops::ControlFlow;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
    use std::time::{Duration, Instant};

    use selvedge_model::engine::{graph, loom as second};

    /// How long a program is explored again and again by each; at least three times.
    const TIME: Duration = Duration::from_millis(300);

    /// How many interleavings are explored at most.
    const INTERLEAVINGS: usize = 200_000;

    /// The median time of an execution, and how many times as long loom alone takes for one, and for all. One explorer after the other: what loom frees, an allocator tidies up in the
    /// exploration that comes next.
    pub(super) fn compare(name: &str, program: &dyn Fn(), in_loom: Box<dyn Fn() + Send + Sync>) {
        let (graphs, us) = median_of(&|| {
            let config = graph::Config::default();
            graph::explore(&config, program, &mut |_| ControlFlow::Continue(())).runs()
        });
        let (interleavings, us_of_second) = median_of(&|| {
            let limits =
                second::Config { executions: INTERLEAVINGS as u64, ..second::Config::default() };
            second::explore(&limits, program, &mut |_| ControlFlow::Continue(())).executions()
        });
        let in_loom: Arc<dyn Fn() + Send + Sync> = in_loom.into();
        let (alone, us_of_loom) = median_of(&|| {
            let (count, in_loom) = (Arc::new(AtomicU64::new(0)), Arc::clone(&in_loom));
            let mut builder = loom::model::Builder::new();
            builder.max_permutations = Some(INTERLEAVINGS);
            let counted = Arc::clone(&count);
            builder.check(move || {
                counted.fetch_add(1, Relaxed);
                in_loom();
            });
            count.load(Relaxed)
        });
        let ratio = us_of_loom / us;
        let in_all = ratio * alone as f64 / graphs as f64;
        print!("| {name} | {graphs} | {us:.1} | {interleavings} | {us_of_second:.1} ");
        println!("| {alone} | {us_of_loom:.1} | {ratio:.0} | {in_all:.0} |");
    }

    /// Explores again and again: how many executions there are, and the microseconds of one.
    fn median_of(explore: &dyn Fn() -> u64) -> (u64, f64) {
        let (mut times, mut runs) = (Vec::new(), 0);
        let begin = Instant::now();
        while times.len() < 3 || begin.elapsed() < TIME {
            let start = Instant::now();
            runs = explore();
            times.push(start.elapsed().as_secs_f64() * 1e6 / runs as f64);
        }
        times.sort_by(f64::total_cmp);
        (runs, times[times.len() / 2])
    }
}

/// The programs in the types of `$sync`.
#[cfg(loom)]
macro_rules! programs {
    ($module:ident, $sync:path, $thread:path) => {
        mod $module {
            use sync::atomic::AtomicUsize;
            use sync::atomic::Ordering::Relaxed;
            use sync::{Arc, Mutex, RwLock};
            use $sync as sync;
            use $thread as thread;

            type Program = Box<dyn Fn() + Send + Sync>;

            /// `n` threads run `body` with what `shared` makes, which is not dropped: its counts would be steps.
            fn threads<S: Send + Sync + 'static>(
                n: usize,
                shared: fn() -> S,
                body: impl Fn(&S, usize) + Clone + Send + Sync + 'static,
            ) -> Program {
                Box::new(move || {
                    let shared: &'static S = Box::leak(Box::new(shared()));
                    let spawn = |thread| {
                        let body = body.clone();
                        thread::spawn(move || body(shared, thread))
                    };
                    let threads: Vec<_> = (0..n).map(spawn).collect();
                    for thread in threads {
                        thread.join().unwrap();
                    }
                })
            }

            pub(super) fn programs() -> Vec<(String, Program)> {
                let mut all =
                    vec![("3 threads without a step".to_owned(), threads(3, || (), |(), _| ()))];
                for (n, each) in [(2, 1), (2, 2), (3, 1), (3, 2)] {
                    let adds = threads(
                        n,
                        || AtomicUsize::new(0),
                        move |x, _| {
                            (0..each).for_each(|_| _ = x.fetch_add(1, Relaxed));
                        },
                    );
                    let locks = threads(
                        n,
                        || Mutex::new(0),
                        move |mutex, _| {
                            (0..each).for_each(|_| *mutex.lock().unwrap() += 1);
                        },
                    );
                    all.push((format!("{n} x {each} fetch_add"), adds));
                    all.push((format!("{n} x {each} mutex"), locks));
                }
                for n in 1..=3 {
                    let readers = threads(
                        n + 1,
                        || AtomicUsize::new(0),
                        |x, thread| match thread {
                            0 => x.store(1, Relaxed),
                            _ => _ = x.load(Relaxed),
                        },
                    );
                    all.push((format!("{n} readers, 1 writer"), readers));
                }
                for n in 2..=3 {
                    let copies = threads(
                        n,
                        || AtomicUsize::new(0),
                        |x, thread| {
                            x.load(Relaxed);
                            x.store(thread, Relaxed);
                        },
                    );
                    all.push((format!("{n} x (load; store)"), copies));
                }
                let locked = threads(
                    3,
                    || RwLock::new(0),
                    |lock, thread| match thread {
                        0 => *lock.write().unwrap() += 1,
                        _ => drop(*lock.read().unwrap()),
                    },
                );
                all.push(("read-write lock, 2 readers, 1 writer".to_owned(), locked));
                let dropped = Box::new(|| {
                    let arc = Arc::new(0);
                    let threads = [0, 1].map(|_| {
                        let arc = Arc::clone(&arc);
                        thread::spawn(move || drop(arc))
                    });
                    for thread in threads {
                        thread.join().unwrap();
                    }
                });
                all.push(("2 x arc dropped".to_owned(), dropped));
                all
            }
        }
    };
}

#[cfg(loom)]
programs!(checked, selvedge_model::sync, selvedge_model::sync::thread);
#[cfg(loom)]
programs!(checked_by_loom, loom::sync, loom::thread);
