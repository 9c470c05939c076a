//! What is known of one execution: its trace, its number, whether it is sequentially consistent; and
//! that a program must be deterministic.

#![allow(
    clippy::cast_possible_truncation,
    clippy::needless_for_each,
    reason = "small numbers; a line each"
)]

use std::cell::Cell;
use std::ops::ControlFlow;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};

use crate::support::{Atomic, Cell as Plain, Thing, choose, explore, explore_with, spawn, threads};
use selvedge_model::engine::graph::{
    Action, Config, Ending, Source, explore as explore_all, explore_results,
};
use selvedge_model::kernel::Operation;

#[test]
fn sequentially_consistent_executions_are_told_from_others() {
    let found = explore(|| {
        let (x, y) = (Atomic::new(0), Atomic::new(0));
        threads(2, move |thread| {
            let (mine, other) = if thread == 0 { (x, y) } else { (y, x) };
            mine.store(1, Relaxed);
            other.load(Relaxed)
        })
    });
    assert_eq!(found.results.len(), 4);
    assert!(!found.sequential.contains(&vec![0, 0]) && found.sequential.len() == 3);
}

#[test]
fn a_trace_says_what_was_read_from_where() {
    let mut old = 0;
    explore_results(
        &Config::default(),
        || {
            let x = Atomic::new(5);
            let child = spawn(move || x.store(7, Release));
            let seen = x.load(Acquire);
            child.join();
            seen
        },
        |execution, seen| {
            let trace = execution.trace().lines;
            let load = trace
                .iter()
                .find(|line| matches!(line.action, Action::Step(Operation::Load { .. })))
                .expect("a load");
            let seen = seen.expect("the first thread has ended");
            assert_eq!((load.result, load.order), (seen, Some(Acquire)));
            assert!(load.site.file().ends_with("executions.rs"));
            match load.source {
                Some(Source::Line(at)) => {
                    assert_eq!(
                        (trace[at].written, trace[at].thread, load.newest),
                        (Some(7), 1, true)
                    );
                }
                Some(Source::Initial) => {
                    assert_eq!((seen, load.newest), (5, false));
                    old += 1;
                }
                None => panic!("a source"),
            }
            ControlFlow::Continue(())
        },
    );
    assert_eq!(old, 1);
}

#[test]
fn an_execution_has_the_same_number_each_time() {
    let run = |config: &Config| {
        let mut all = Vec::new();
        explore_all(config, &|| drop(threads(3, |_| choose(2))), &mut |execution| {
            all.push((execution.number(), execution.signature()));
            ControlFlow::Continue(())
        });
        all
    };
    let all = run(&Config::default());
    assert_eq!(all, run(&Config::default()));
    assert_eq!(
        all.iter().map(|(number, _)| *number).collect::<Vec<_>>(),
        (1..=8).collect::<Vec<_>>()
    );
}

/// A thread that only spawns and joins does something if its children do. One does nothing.
#[test]
fn it_is_known_which_threads_do_something() {
    let found = explore_with(&Config::default(), || {
        let (x, cell) = (Atomic::new(0), Plain::new());
        threads(4, move |thread| match thread {
            0 => (),
            1 => x.store(1, Relaxed),
            2 => cell.read(),
            // Only if it comes second.
            _ => {
                if x.load(Relaxed) == 1 {
                    spawn(move || x.load(Relaxed)).join();
                }
            }
        });
    });
    assert_eq!(found.report.stepped, 0b11_1101);
    let report = explore_with(&Config::default(), || threads(2, |_| ())).report;
    assert_eq!(report.stepped, 0);
}

/// Each execution adds its share of the search tree.
#[test]
fn the_estimate_of_what_is_explored_grows_to_one() {
    let check = |program: &dyn Fn()| {
        for reversed in [false, true] {
            let mut explored = vec![0.0];
            let config = Config { reversed, ..Config::default() };
            let report = explore_all(&config, program, &mut |execution| {
                explored.push(execution.explored());
                ControlFlow::Continue(())
            });
            assert_eq!(report.runs(), report.executions());
            assert!(explored.windows(2).all(|two| two[0] < two[1]), "{explored:?}");
            assert!((explored[explored.len() - 1] - 1.0).abs() < 1e-9);
            println!("a tenth is estimated to be {}", explored[explored.len().div_ceil(10)]);
        }
    };
    check(&|| {
        let x = Atomic::new(0);
        threads(3, move |_| x.fetch_add(1, Relaxed));
    });
    check(&|| {
        let x = Atomic::new(0);
        threads(3, move |thread| (0..3).map(|_| x.fetch_add(thread, Relaxed)).max());
    });
    check(&|| {
        let x = Atomic::new(0);
        threads(4, move |thread| (x.load(Relaxed), x.store(thread, Relaxed)));
    });
    check(&|| {
        let mutex = Thing::mutex();
        threads(4, move |_| (0..2).for_each(|_| (mutex.lock(), mutex.unlock()).1));
    });
    // A deadlock, in which blocked threads displace.
    check(&|| {
        let (a, b) = (Thing::mutex(), Thing::mutex());
        threads(2, move |thread| {
            let (first, second) = if thread == 0 { (a, b) } else { (b, a) };
            first.lock();
            second.lock();
            choose(2);
            second.unlock();
            first.unlock();
        });
    });
}

#[test]
fn a_race_names_both_accesses() {
    let found = explore_with(&Config::default(), || {
        let cell = Plain::new();
        let child = spawn(move || cell.write());
        cell.read();
        child.join();
    });
    let Some(Ending::Race { first, second, .. }) = found.endings.first() else { panic!("a race") };
    assert_eq!((first.thread + second.thread, found.complete()), (1, 0));
    assert_ne!(first.site.line(), second.site.line());
}

#[test]
fn a_program_that_is_not_deterministic_is_refused_with_the_place() {
    let runs = Cell::new(0);
    let mut endings = Vec::new();
    explore_all(
        &Config::default(),
        &|| {
            runs.set(runs.get() + 1);
            let (x, y) = (Atomic::new(0), Atomic::new(0));
            let chosen = if runs.get() == 1 { x } else { y };
            chosen.store(1, SeqCst);
            choose(2);
        },
        &mut |execution| {
            endings.push(execution.ending().clone());
            ControlFlow::Continue(())
        },
    );
    let Ending::Nondeterministic { before: Some(before), now: Some(now), thread: 0 } = &endings[1]
    else {
        panic!("{endings:?}")
    };
    assert_ne!(before.1, now.1);
}

/// Which thread comes first in what the engine cannot see depends on nothing but the order in which it runs them.
#[test]
fn an_execution_is_run_again_the_other_way_round() {
    for extra in [0, 1] {
        let mut endings = Vec::new();
        explore_all(
            &Config::default(),
            &|| {
                let invisible: &Cell<u64> = Box::leak(Box::new(Cell::new(extra)));
                let seen = Atomic::new(0);
                let children = [0, 1].map(|_| {
                    spawn(move || {
                        Atomic::new(0).store(1, SeqCst);
                        if invisible.replace(2) == 1 {
                            seen.store(1, SeqCst);
                        }
                    })
                });
                children.into_iter().for_each(|child| child.join());
            },
            &mut |execution| {
                endings.push(execution.ending().clone());
                ControlFlow::Continue(())
            },
        );
        if extra == 0 {
            assert_eq!(endings, [Ending::Complete]);
        } else {
            let [Ending::Complete, Ending::Nondeterministic { thread: 2, before: None, .. }] =
                &endings[..]
            else {
                panic!("{endings:?}")
            };
        }
    }
}

#[test]
fn choices_multiply() {
    let found = explore(|| {
        let child = spawn(|| choose(3));
        (choose(4), child.join())
    });
    assert_eq!((found.complete(), found.results.len()), (12, 12));
}

#[test]
fn sixteen_threads_are_enough_and_seventeen_are_refused() {
    let count = |n| {
        explore_with(&Config::default(), move || {
            let x = Atomic::new(0);
            threads(n, move |thread| {
                if thread == 14 {
                    x.store(1, Relaxed);
                } else {
                    x.load(Relaxed);
                }
            });
        })
    };
    // The first thread counts.
    assert_eq!(count(15).complete(), 1 << 14);
    let endings = count(16).endings;
    assert!(matches!(endings[..], [Ending::Misuse(_), ..]), "{endings:?}");
}

/// Far more events than one word has bits.
#[test]
fn the_sc_axiom_holds_over_many_events() {
    let found = explore_with(&Config::default(), || {
        let (x, y) = (Atomic::new(0), Atomic::new(0));
        threads(2, move |thread| {
            let (mine, other) = if thread == 0 { (x, y) } else { (y, x) };
            let own = Atomic::new(0);
            (0..100).for_each(|n| own.store(n, SeqCst));
            mine.store(1, SeqCst);
            let seen = other.load(SeqCst);
            (0..100).for_each(|n| own.store(n, SeqCst));
            seen
        })
    });
    assert_eq!((found.complete(), found.report.inconsistent), (3, 0));
    assert!(!found.results.contains(&vec![0, 0]));
}
