//! The loom engine: what it finds, how it ends, and that it finds what the graph engine does.

mod compared;
mod ends;

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

pub(crate) fn orders(n: usize) -> Vec<Vec<usize>> {
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
