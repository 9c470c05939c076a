//! Executions a second of the graph engine.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::too_many_lines,
    reason = "small numbers, and a list"
)]

use std::ops::ControlFlow;
use std::rc::Rc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use std::time::{Duration, Instant};

use crate::support::{Atomic, Thing, spin, threads, wait_until};
use selvedge_model::engine::graph::{Config, Report, explore};
use selvedge_model::sync::atomic::AtomicU64;
use selvedge_model::sync::{Mutex, thread};

fn bench(name: &str, program: impl Fn()) {
    let wanted = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    if !wanted.is_none_or(|wanted| name.contains(&wanted)) {
        return;
    }
    let start = Instant::now();
    let (mut rounds, mut report) = (0, Report::default());
    while rounds == 0 || start.elapsed() < Duration::from_millis(200) {
        report = explore(&Config::default(), &program, &mut |_| ControlFlow::Continue(()));
        rounds += 1;
    }
    let total = start.elapsed().as_secs_f64() / f64::from(rounds);
    let runs = report.runs() as f64;
    println!(
        "| {name} | {} | {} | {:.1} | {:.2} | {:.3} |",
        report.executions(),
        report.runs() - report.executions(),
        report.events as f64 / runs,
        total * 1e6 / runs,
        total * 1e3,
    );
}

pub(crate) fn main() {
    println!("| program | executions | given up | events | us/run | ms in all |");
    println!("|---|---|---|---|---|---|");
    for n in 2..=5 {
        bench(&format!("{n} x fetch_add"), move || {
            let x = Atomic::new(0);
            threads(n, move |_| x.fetch_add(1, Relaxed));
        });
    }
    for n in [1, 4, 6] {
        bench(&format!("{n} readers, 1 writer"), move || {
            let x = Atomic::new(0);
            threads(n + 1, move |thread| match thread {
                0 => x.store(1, Relaxed),
                _ => {
                    x.load(Relaxed);
                }
            });
        });
    }
    for order in [Relaxed, SeqCst] {
        bench(&format!("store buffering, {order:?}"), move || {
            let (x, y) = (Atomic::new(0), Atomic::new(0));
            threads(2, move |thread| {
                let (mine, other) = if thread == 0 { (x, y) } else { (y, x) };
                mine.store(1, order);
                other.load(order)
            });
        });
    }
    for n in 2..=4 {
        bench(&format!("{n} x (load; store)"), move || {
            let x = Atomic::new(0);
            threads(n, move |thread| {
                x.load(Relaxed);
                x.store(thread + 1, Relaxed);
            });
        });
    }
    for order in [Relaxed, SeqCst] {
        bench(&format!("4 x (store own; load next), {order:?}"), move || {
            let x: Rc<Vec<Atomic>> = Rc::new((0..4).map(|_| Atomic::new(0)).collect());
            threads(4, move |thread| {
                x[thread as usize].store(1, order);
                x[(thread as usize + 1) % 4].load(order)
            });
        });
        bench(&format!("4 x (fetch_add; load), {order:?}"), move || {
            let x = Atomic::new(0);
            threads(4, move |_| {
                x.fetch_add(1, order);
                x.load(order)
            });
        });
    }
    for (n, each) in [(3, 2), (4, 2), (3, 4)] {
        bench(&format!("{n} x {each} fetch_add"), move || {
            let x = Atomic::new(0);
            threads(n, move |_| {
                (0..each).for_each(|_| {
                    x.fetch_add(1, Relaxed);
                });
            });
        });
        bench(&format!("mutex {n} x {each}"), move || {
            let mutex = Thing::mutex();
            threads(n, move |_| {
                for _ in 0..each {
                    mutex.lock();
                    mutex.unlock();
                }
            });
        });
    }
    for n in 2..=4 {
        bench(&format!("spin lock by compare_exchange, {n} threads, spin"), move || {
            let x = Atomic::new(0);
            threads(n, move |_| {
                while x.compare_exchange(0, 1, Acquire, Relaxed).is_err() {
                    spin();
                }
                x.store(0, Release);
            });
        });
        bench(&format!("spin lock by compare_exchange, {n} threads, wait_until"), move || {
            let x = Atomic::new(0);
            threads(n, move |_| {
                wait_until(|| x.compare_exchange(0, 1, Acquire, Relaxed).is_ok());
                x.store(0, Release);
            });
        });
        bench(&format!("spin lock by swap, {n} threads, wait_until"), move || {
            let x = Atomic::new(0);
            threads(n, move |_| {
                wait_until(|| x.swap(1, Acquire) == 0);
                x.store(0, Release);
            });
        });
    }
    for stores in [5, 20, 80] {
        bench(&format!("2 x (fetch_add; {stores} own stores)"), move || {
            let x: Rc<Vec<Atomic>> = Rc::new((0..3).map(|_| Atomic::new(0)).collect());
            threads(2, move |thread| {
                x[2].fetch_add(1, Relaxed);
                (0..stores).for_each(|value| x[thread as usize].store(value, Relaxed));
            });
        });
    }
    on_the_facade();
}

/// The same by way of the types shaped like those of `std`.
fn on_the_facade() {
    bench("facade: 4 x (fetch_add; load)", || {
        let x = AtomicU64::new(0);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    x.fetch_add(1, Relaxed);
                    x.load(Relaxed)
                });
            }
        });
    });
    bench("facade: 2 x (fetch_add; 80 own stores)", || {
        let (x, own) = (AtomicU64::new(0), [AtomicU64::new(0), AtomicU64::new(0)]);
        thread::scope(|scope| {
            for own in &own {
                scope.spawn(|| {
                    x.fetch_add(1, Relaxed);
                    (0..80).for_each(|value| own.store(value, Relaxed));
                });
            }
        });
    });
    bench("facade: mutex 4 x 2", || {
        let mutex = Mutex::new(0);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..2).for_each(|_| *mutex.lock().expect("no panic") += 1));
            }
        });
    });
}
