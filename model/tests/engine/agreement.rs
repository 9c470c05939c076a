//! The loom engine: what it finds, how it ends, and that it finds what the graph engine does.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::hint::black_box;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use Ordering::{AcqRel, Relaxed, SeqCst};
use selvedge_model::engine::agreement::{self, Extent, Outcome, Outcomes, compare};
use selvedge_model::engine::graph::{self, Action, Ending};
use selvedge_model::engine::loom::{Config, End, Report, explore, explore_results};
use selvedge_model::kernel::{self, Choice, Operation};
use selvedge_model::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use selvedge_model::sync::{Arc, Condvar, Mutex, TryLockError, hint, mpsc, thread};

/// To the end.
fn whole() -> Config {
    Config { executions: u64::MAX, ..Config::default() }
}

/// All outcomes, on which the engines must agree.
#[track_caller]
fn outcomes(program: impl Fn() -> String) -> BTreeSet<Outcome> {
    let both = agreement::explore(&graph::Config::default(), &whole(), program);
    assert_eq!(both.agreement.as_ref().ok(), Some(&Extent::Complete), "{:?}", both.agreement);
    assert_eq!(both.loom.end, End::Complete);
    both.outcomes.found().keys().cloned().collect()
}

fn complete<const N: usize>(texts: [&str; N]) -> BTreeSet<Outcome> {
    BTreeSet::from(texts.map(|text| Outcome::Complete(text.to_owned())))
}

fn count(config: &Config, program: impl Fn()) -> Report {
    explore(config, &program, &mut |_| ControlFlow::Continue(()))
}

fn end(program: impl Fn()) -> End {
    count(&whole(), program).end
}

type Body<S> = fn(&S) -> String;

/// Runs the threads, declared in the order; returns what each returned, in their own order.
fn run<S: Send + Sync + 'static>(shared: S, bodies: &[Body<S>], order: &[usize]) -> String {
    let shared = std::sync::Arc::new(shared);
    let mut results = vec![String::new(); bodies.len()];
    let threads: Vec<_> = order
        .iter()
        .map(|&number| {
            let (shared, body) = (shared.clone(), bodies[number]);
            (number, thread::spawn(move || body(&shared)))
        })
        .collect();
    for (number, thread) in threads {
        results[number] = thread.join().unwrap();
    }
    results.join(" ")
}

fn orders(n: usize) -> Vec<Vec<usize>> {
    if n == 0 {
        return vec![vec![]];
    }
    let shorter = orders(n - 1);
    let put = |order: &Vec<usize>, at| {
        let mut order = order.clone();
        order.insert(at, n - 1);
        order
    };
    shorter.iter().flat_map(|order| (0..n).map(move |at| put(order, at))).collect()
}

/// The outcomes, the same in whichever order the threads are declared.
#[track_caller]
fn in_each_order<S: Send + Sync + 'static>(
    new: fn() -> S,
    bodies: &[Body<S>],
) -> BTreeSet<Outcome> {
    let in_order = |order: &Vec<usize>| -> BTreeSet<Outcome> {
        let own = |path: Vec<u32>| match path[..] {
            [thread] => vec![u32::try_from(order[thread as usize]).unwrap()],
            _ => path,
        };
        let found = outcomes(|| run(new(), bodies, order)).into_iter();
        let own = found.map(|outcome| match outcome {
            Outcome::Deadlock(paths) => {
                let paths: BTreeSet<_> = paths.into_iter().map(own).collect();
                Outcome::Deadlock(paths.into_iter().collect())
            }
            other => other,
        });
        own.collect()
    };
    let mut found: Vec<_> = orders(bodies.len()).iter().map(in_order).collect();
    found.dedup();
    assert_eq!(found.len(), 1, "the order of declaration matters: {found:?}");
    found.remove(0)
}

#[test]
fn independent_threads_have_one_interleaving() {
    let report = count(&whole(), || {
        let threads = [(); 3].map(|()| {
            thread::spawn(|| {
                let x = AtomicUsize::new(0);
                x.fetch_add(1, Relaxed);
                x.into_inner()
            })
        });
        for thread in threads {
            assert_eq!(thread.join().unwrap(), 1);
        }
    });
    assert_eq!(report, Report { complete: 1, ..Report::default() });
}

#[test]
fn store_buffering_is_sequentially_consistent() {
    let found = in_each_order::<[AtomicUsize; 2]>(
        || [AtomicUsize::new(0), AtomicUsize::new(0)],
        &[
            |[x, y]| {
                x.store(1, Relaxed);
                y.load(Relaxed).to_string()
            },
            |[x, y]| {
                y.store(1, Relaxed);
                x.load(Relaxed).to_string()
            },
        ],
    );
    assert_eq!(found, complete(["0 1", "1 0", "1 1"]));
}

/// FACTS 1.
#[test]
fn a_spawned_thread_can_run_at_once() {
    let spawns: Body<std::sync::Arc<AtomicBool>> = |ready| {
        let there = ready.clone();
        let child = thread::spawn(move || there.swap(true, AcqRel));
        let parent = ready.swap(true, AcqRel);
        format!("{parent}, {}", child.join().unwrap())
    };
    let new = || std::sync::Arc::new(AtomicBool::new(false));
    let found = in_each_order(new, &[|_| String::new(), spawns]);
    assert_eq!(found, complete([" false, true", " true, false"]));
    // Also where the child is spawned between two steps, and beside another thread.
    let found = in_each_order::<std::sync::Arc<AtomicUsize>>(
        || std::sync::Arc::new(AtomicUsize::new(0)),
        &[
            |x| x.fetch_add(1, SeqCst).to_string(),
            |x| {
                let before = x.fetch_add(10, SeqCst);
                let there = x.clone();
                let child = thread::spawn(move || there.fetch_add(100, SeqCst));
                let after = x.fetch_add(1_000, SeqCst);
                format!("{before} {after} {}", child.join().unwrap())
            },
        ],
    );
    // 4 steps of which one comes first of the last three: 12 orders.
    assert_eq!(found.len(), 4 * 3 * 2 / 3);
}

/// FACTS 2.
#[test]
fn a_recv_that_waits_loses_no_order_of_others() {
    struct Shared {
        a: AtomicUsize,
        sender: std::sync::Mutex<Option<mpsc::Sender<u32>>>,
        receiver: std::sync::Mutex<Option<mpsc::Receiver<u32>>>,
    }
    let found = in_each_order::<Shared>(
        || {
            let (sender, receiver) = mpsc::channel();
            let (sender, receiver) = (Some(sender).into(), Some(receiver).into());
            Shared { a: AtomicUsize::new(0), sender, receiver }
        },
        &[
            |shared| {
                let receiver = shared.receiver.lock().unwrap().take().unwrap();
                receiver.recv().unwrap();
                shared.a.fetch_add(0, SeqCst).to_string()
            },
            |shared| {
                shared.a.swap(4, SeqCst);
                String::new()
            },
            |shared| {
                let sender = shared.sender.lock().unwrap().take().unwrap();
                sender.send(1).unwrap();
                String::new()
            },
        ],
    );
    assert_eq!(found, complete(["0  ", "4  "]));
}

/// FACTS 3.
#[test]
fn a_try_lock_fails_beside_a_lock_that_a_panic_releases() {
    let found = in_each_order::<Mutex<()>>(
        || Mutex::new(()),
        &[
            |mutex| {
                let panics = || {
                    let _guard = mutex.lock();
                    panic!("while it is held");
                };
                catch_unwind(AssertUnwindSafe(panics)).is_err().to_string()
            },
            |mutex| match mutex.try_lock() {
                Ok(_) => "free".to_owned(),
                Err(TryLockError::WouldBlock) => "held".to_owned(),
                Err(TryLockError::Poisoned(_)) => "poisoned".to_owned(),
            },
        ],
    );
    assert_eq!(found, complete(["true free", "true held", "true poisoned"]));
}

/// FACTS 7.
#[test]
fn idle_turns_lose_no_order() {
    let found = in_each_order::<AtomicUsize>(
        || AtomicUsize::new(0),
        &[
            |x| {
                (0..9).for_each(|_| hint::spin_loop());
                x.swap(2, SeqCst).to_string()
            },
            |x| x.swap(1, SeqCst).to_string(),
        ],
    );
    assert_eq!(found, complete(["0 2", "1 0"]));
}

#[test]
fn a_deadlock_ends_an_execution_and_not_the_exploration() {
    let found = in_each_order::<[Mutex<u32>; 2]>(
        || [Mutex::new(0), Mutex::new(0)],
        &[
            |[a, b]| {
                let _a = a.lock().unwrap();
                *b.lock().unwrap() += 1;
                String::new()
            },
            |[a, b]| {
                let _b = b.lock().unwrap();
                *a.lock().unwrap() += 1;
                String::new()
            },
        ],
    );
    assert_eq!(
        found,
        BTreeSet::from([
            Outcome::Complete(" ".to_owned()),
            Outcome::Deadlock(vec![vec![], vec![0], vec![1]]),
        ])
    );
}

/// Threads that borrow are unwound before the thread that they borrow from; destructors run once.
#[test]
fn the_threads_of_a_deadlock_are_unwound_the_newest_first() {
    struct Logs<'a>(&'a Cell<Vec<u32>>, u32);
    impl Drop for Logs<'_> {
        fn drop(&mut self) {
            let mut log = self.0.take();
            log.push(self.1);
            self.0.set(log);
        }
    }
    // SAFETY: the threads of an exploration share an OS thread.
    unsafe impl Send for Logs<'_> {}
    let log = Rc::new(Cell::new(Vec::new()));
    let there = log.clone();
    let mut deadlocks = 0;
    let program = move || {
        let _first = Logs(&there, 1);
        let mutex = Mutex::new(vec![7; 100]);
        let _held = mutex.lock().unwrap();
        let logs = [Logs(&there, 2), Logs(&there, 3)];
        thread::scope(|scope| {
            for logs in logs {
                let mutex = &mutex;
                scope.spawn(move || {
                    let _logs = logs;
                    mutex.lock().unwrap().push(1);
                });
            }
        });
    };
    let report = explore(&whole(), &program, &mut |execution| {
        deadlocks += u32::from(matches!(execution.ending(), Ending::Deadlock(_)));
        assert_eq!(log.take(), [3, 2, 1]);
        ControlFlow::Continue(())
    });
    assert_eq!((report.complete, &report.end), (0, &End::Complete));
    assert_eq!(u64::from(deadlocks), report.deadlocks);
}

#[test]
fn a_lost_wake_up_is_a_deadlock() {
    let found = in_each_order::<(AtomicBool, Mutex<()>, Condvar)>(
        || (AtomicBool::new(false), Mutex::new(()), Condvar::new()),
        &[
            |(ready, mutex, condvar)| {
                if !ready.load(SeqCst) {
                    let guard = mutex.lock().unwrap();
                    drop(condvar.wait(guard).unwrap());
                }
                String::new()
            },
            |(ready, _, condvar)| {
                ready.store(true, SeqCst);
                condvar.notify_one();
                String::new()
            },
        ],
    );
    let expected = [Outcome::Complete(" ".to_owned()), Outcome::Deadlock(vec![vec![], vec![0]])];
    assert_eq!(found, BTreeSet::from(expected));
}

/// Of two threads that wait, either takes the one notification.
#[test]
fn either_of_two_waiting_threads_is_notified() {
    type Shared = (Mutex<u32>, Condvar);
    let waits: Body<Shared> = |(mutex, condvar)| {
        let mut waiting = mutex.lock().unwrap();
        *waiting += 1;
        drop(condvar.wait(waiting).unwrap());
        String::new()
    };
    let notifies: Body<Shared> = |(mutex, condvar)| {
        let waiting = mutex.lock().unwrap();
        if *waiting == 2 {
            condvar.notify_one();
        } else {
            condvar.notify_all();
        }
        waiting.to_string()
    };
    let bodies = [waits, waits, notifies];
    let found = outcomes(|| run((Mutex::new(0), Condvar::new()), &bodies, &[0, 1, 2]));
    let deadlock = |threads: &[u32]| {
        let threads = threads.iter().map(|&thread| vec![thread]);
        Outcome::Deadlock([vec![]].into_iter().chain(threads).collect())
    };
    assert_eq!(found, [&[0][..], &[1], &[0, 1]].map(deadlock).into());
}

/// The thread that ends last notices it too.
#[test]
fn a_thread_that_waits_for_ever_beside_others_is_a_deadlock() {
    let found = in_each_order::<AtomicUsize>(
        || AtomicUsize::new(0),
        &[
            |_| {
                thread::park();
                String::new()
            },
            |x| x.fetch_add(1, SeqCst).to_string(),
            |x| x.fetch_add(1, SeqCst).to_string(),
        ],
    );
    assert_eq!(found, BTreeSet::from([Outcome::Deadlock(vec![vec![], vec![0]])]));
}

#[test]
fn a_panic_that_no_thread_is_told_of_is_an_outcome() {
    let found = outcomes(|| {
        let x = Arc::new(AtomicUsize::new(0));
        let there = x.clone();
        thread::spawn(move || assert_eq!(there.swap(1, SeqCst), 0, "second"));
        x.swap(1, SeqCst).to_string()
    });
    let [Outcome::Complete(one), Outcome::Panic(message)] = &found.iter().collect::<Vec<_>>()[..]
    else {
        panic!("{found:?}")
    };
    assert!(one == "1" && message.contains("second"), "{found:?}");
}

#[test]
fn a_thread_that_waits_in_a_destructor_while_it_unwinds_panics_alone() {
    struct Locks<'a>(&'a Mutex<u32>);
    impl Drop for Locks<'_> {
        fn drop(&mut self) {
            *self.0.lock().unwrap() += 1;
        }
    }
    let found = in_each_order::<Mutex<u32>>(
        || Mutex::new(0),
        &[
            |mutex| {
                let panics = || {
                    let _locks = Locks(mutex);
                    panic!("unwinds");
                };
                format!("{:?}", catch_unwind(AssertUnwindSafe(panics)).is_err())
            },
            |mutex| {
                let seen = *mutex.lock().unwrap();
                format!("{seen} {}", std::thread::panicking())
            },
        ],
    );
    assert_eq!(found, complete(["true 0 false", "true 1 false"]));
}

#[test]
fn loops_that_may_wait_are_left_to_graphs() {
    let waits: [fn(&AtomicBool); 3] = [
        |x| {
            while !x.load(SeqCst) {
                hint::spin_loop();
            }
        },
        |x| hint::wait_until(|| x.load(SeqCst)),
        |x| {
            for _ in 0..4 {
                if x.load(SeqCst) {
                    break;
                }
                thread::yield_now();
            }
        },
    ];
    for waits in waits {
        let x = || Arc::new(AtomicBool::new(false));
        let left = end(move || {
            let x = x();
            let there = x.clone();
            thread::spawn(move || there.store(true, SeqCst));
            waits(&x);
        });
        let End::Unable(reason) = left else { panic!("{left:?}") };
        assert!(
            reason.starts_with("a loop may wait at ") && reason.contains("agreement.rs:"),
            "{reason}"
        );
    }
    let blocks = end(|| {
        let shared = Arc::new((Mutex::new(0), Condvar::new()));
        let there = shared.clone();
        thread::spawn(move || {
            for _ in 0..2 {
                *there.0.lock().unwrap() += 1;
                there.1.notify_one();
            }
        });
        let mut count = shared.0.lock().unwrap();
        while *count < 2 {
            count = shared.1.wait(count).unwrap();
        }
    });
    assert_eq!(blocks, End::Complete);
}

#[test]
fn what_the_engine_cannot_run_is_named() {
    let spawns = |n: usize| {
        move || {
            for thread in (0..n).map(|_| thread::spawn(|| ())).collect::<Vec<_>>() {
                thread.join().unwrap();
            }
        }
    };
    assert_eq!(end(spawns(4)), End::Complete);
    assert_eq!(end(spawns(5)), End::Unable("more than 5 threads".to_owned()));
    let config = Config { steps: 10, ..whole() };
    let report = count(&config, || {
        let x = AtomicUsize::new(0);
        (0..11).for_each(|_| x.store(1, SeqCst));
    });
    assert!(matches!(report.end, End::Unable(reason) if reason.contains("10 steps")));
    let outside = AtomicUsize::new(0);
    let misused = end(|| _ = outside.load(SeqCst));
    assert!(matches!(misused, End::Unable(reason) if reason.contains("outside any model")));
    // A thread that is in the middle of its steps, and one that has not begun, are unwound too.
    let while_others_run = end(|| {
        let x = Arc::new(AtomicUsize::new(0));
        for _ in 0..3 {
            let x = x.clone();
            thread::spawn(move || (0..2).for_each(|_| _ = x.fetch_add(1, SeqCst)));
        }
        x.store(1, SeqCst);
        let threads = [(); 2].map(|()| thread::spawn(|| ()));
        for thread in threads {
            thread.join().unwrap();
        }
    });
    assert_eq!(while_others_run, End::Unable("more than 5 threads".to_owned()));
}

fn three_updates() {
    let x = Arc::new(AtomicUsize::new(0));
    let threads = [(); 3].map(|()| {
        let x = x.clone();
        thread::spawn(move || x.fetch_add(1, SeqCst))
    });
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn an_exploration_ends_at_its_cap_or_when_the_caller_ends_it() {
    for cap in [1, 5] {
        let report = count(&Config { executions: cap, ..Config::default() }, three_updates);
        assert_eq!((report.executions(), report.end), (cap, End::Capped));
    }
    let mut numbers = Vec::new();
    let report = explore(&whole(), &three_updates, &mut |execution| {
        numbers.push(execution.number());
        if numbers.len() == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!((numbers, report.end), (vec![1, 2, 3], End::Stopped));
    assert_eq!(count(&whole(), three_updates).end, End::Complete);
}

#[test]
fn a_bound_on_preemptions_is_a_cap() {
    let bounded = Config { preemptions: Some(0), ..whole() };
    let report = count(&bounded, three_updates);
    assert_eq!(report.end, End::Capped);
    assert!(report.complete < count(&whole(), three_updates).complete);
}

#[test]
fn many_locations_and_deep_stacks_are_no_limit() {
    fn deep(levels: usize) -> usize {
        let room = black_box([levels; 1_000]);
        if levels == 0 { 0 } else { deep(levels - 1) + room[levels] / levels }
    }
    let found = outcomes(|| {
        let many: Vec<_> = (0..100).map(AtomicUsize::new).collect();
        let many = std::sync::Arc::new(many);
        let there = many.clone();
        let other = thread::spawn(move || {
            (0..100).for_each(|at| there[at].store(0, SeqCst));
            deep(15)
        });
        let seen = many[99].load(SeqCst);
        format!("{seen} {} {}", deep(15), other.join().unwrap())
    });
    assert_eq!(found, complete(["0 15 15", "99 15 15"]));
}

/// What makes the agreement worth something: it notices, both ways.
#[test]
fn outcomes_that_differ_are_reported_with_their_witnesses() {
    let program = |stores: usize| {
        move || {
            let x = Arc::new(AtomicUsize::new(0));
            let there = x.clone();
            thread::spawn(move || (1..=stores).for_each(|n| there.store(n, SeqCst)));
            x.load(SeqCst).to_string()
        }
    };
    let graphs = |stores| {
        let mut outcomes = Outcomes::default();
        let config = graph::Config::default();
        let report = graph::explore_results(&config, program(stores), |execution, result| {
            outcomes.add_graph(execution, result);
            ControlFlow::Continue(())
        });
        (outcomes, report)
    };
    let loom = |stores, executions| {
        let mut outcomes = Outcomes::default();
        let config = Config { executions, ..Config::default() };
        let report = explore_results(&config, program(stores), |execution, result| {
            outcomes.add_loom(execution, result);
            ControlFlow::Continue(())
        });
        (outcomes, report)
    };
    let difference = |graphs: (Outcomes, graph::Report), loom: (Outcomes, Report)| {
        let difference = compare((&graphs.0, &graphs.1), (&loom.0, &loom.1))?;
        Ok::<_, Box<agreement::Difference>>(difference)
    };
    assert_eq!(difference(graphs(1), loom(1, 1_000)).unwrap(), Extent::Complete);
    let more = difference(graphs(2), loom(1, 1_000)).unwrap_err();
    let only: BTreeSet<_> = more.only_graphs.keys().cloned().collect();
    assert_eq!((only, more.only_loom.len()), (complete(["2"]), 0));
    let witness = more.only_graphs.values().next().unwrap();
    assert!(witness.trace.lines.len() >= 4 && witness.number > 0);
    let less = difference(graphs(1), loom(2, 1_000)).unwrap_err();
    let only: BTreeSet<_> = less.only_loom.keys().cloned().collect();
    assert_eq!((only, less.only_graphs.len()), (complete(["2"]), 0));
    let lines = &less.only_loom.values().next().unwrap().trace.lines;
    assert!(lines.iter().any(|line| {
        matches!(line.action, Action::Step(Operation::Load { .. })) && line.result == 2
    }));
    // Cut short, loom may lack outcomes, and must not have others.
    assert_eq!(difference(graphs(2), loom(2, 1)).unwrap(), Extent::OneWay);
    let cut_short = loom(2, loom(2, 1_000).1.executions() - 1);
    assert_eq!(cut_short.1.end, End::Capped);
    assert!(!difference(graphs(0), cut_short).unwrap_err().only_loom.is_empty());
}

#[test]
fn choices_take_the_first_branch() {
    let found = outcomes(|| {
        let choice = Operation::Choose { what: Choice::Program, options: 3 };
        let site = std::panic::Location::caller();
        kernel::with(|engine| engine.step(choice, site)).unwrap().to_string()
    });
    assert_eq!(found, complete(["0"]));
}

/// Weak outcomes, and those of choices that are not the first, are the graphs' alone.
#[test]
fn only_what_both_engines_explore_is_compared() {
    let found = outcomes(|| {
        let (x, y) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (x2, y2) = (x.clone(), y.clone());
        let other = thread::spawn(move || {
            y2.store(1, Relaxed);
            x2.load(Relaxed)
        });
        x.store(1, Relaxed);
        let failed = x.compare_exchange_weak(1, 2, Relaxed, Relaxed).is_err();
        format!("{failed} {} {}", y.load(Relaxed), other.join().unwrap())
    });
    assert!(found.iter().all(|outcome| {
        matches!(outcome, Outcome::Complete(text) if text.starts_with("false") && !text.ends_with("0 0"))
    }));
    assert!(found.len() >= 4, "{found:?}");
}
