//! Waits with a limit that hide a lost wake-up: a patient check tells the sound program from the other.

use std::time::Duration;

use super::{Model, Mutex, PoisonError, orders};
use selvedge_model::Engine;
use selvedge_model::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use selvedge_model::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use selvedge_model::sync::{Condvar, MutexGuard, hint, thread};

const LIMIT: Duration = Duration::from_millis(1);

/// The outcomes that a check reaches, which is complete.
fn outcomes<S: Send + Sync + 'static>(model: Model<S>, patient: bool) -> Vec<String> {
    let report = if patient { model.patient() } else { model }.explore().expect("nothing fails");
    assert!(report.is_complete(), "{report}");
    let says = report.to_string().contains("waits with a limit end only when nothing else can run");
    let says_why = report.to_string().contains("loom not run: its waits with a limit may end at");
    assert_eq!((says, says_why), (patient, patient), "{report}");
    assert!(matches!(report.engine, Engine::Graphs { patient: said, .. } if said == patient));
    let mut outcomes: Vec<_> = report.outcomes.into_iter().map(|row| row.text).collect();
    outcomes.sort();
    outcomes
}

/// Each order of the threads: where time may be up at any moment both programs do the same, and where it is up
/// only when nothing else can run the wait of the sound one does not time out.
fn told_apart<S: Send + Sync + 'static>(
    init: fn() -> S,
    waits: fn(&S) -> bool,
    sound: fn(&S),
    buggy: fn(&S),
) {
    let either = ["timed_out=false", "timed_out=true"];
    for (wakes, patient) in [(sound, &either[..1]), (buggy, &either[..])] {
        for order in orders(2) {
            let model = || {
                order.iter().fold(Model::new(init), |model, at| match at {
                    0 => model.thread("timed_out", waits),
                    _ => model.thread("wakes", wakes),
                })
            };
            assert_eq!(outcomes(model(), false), either);
            assert_eq!(outcomes(model(), true), patient);
        }
    }
}

#[derive(Default)]
struct Gate {
    mutex: Mutex<()>,
    open: AtomicBool,
    changed: Condvar,
}

impl Gate {
    fn wait(&self) -> bool {
        let guard = self.mutex.lock().unwrap_or_else(PoisonError::into_inner);
        if self.open.load(Relaxed) {
            return false;
        }
        let woken = self.changed.wait_timeout(guard, LIMIT);
        woken.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    fn open(&self) {
        self.open.store(true, Relaxed);
        self.changed.notify_all();
    }
}

/// The second notifier opens the gate between the look and the wait.
#[test]
fn a_notification_without_the_lock_is_lost() {
    told_apart(
        Gate::default,
        Gate::wait,
        |gate| {
            let _held = gate.mutex.lock().unwrap_or_else(PoisonError::into_inner);
            gate.open();
        },
        Gate::open,
    );
}

/// The second sender gives up if the receiver does not wait yet.
#[test]
fn a_message_that_is_only_tried_is_lost() {
    type State = (Mutex<SyncSender<u64>>, Mutex<Option<Receiver<u64>>>);
    fn sender((sender, _): &State) -> MutexGuard<'_, SyncSender<u64>> {
        sender.lock().unwrap_or_else(PoisonError::into_inner)
    }
    told_apart::<State>(
        || {
            let (sender, receiver) = sync_channel(0);
            (Mutex::new(sender), Mutex::new(Some(receiver)))
        },
        |(_, receiver)| {
            // Dropped at the end, so that a sender that comes later does not wait for ever.
            let receiver = receiver.lock().unwrap_or_else(PoisonError::into_inner).take();
            receiver.is_some_and(|receiver| receiver.recv_timeout(LIMIT).is_err())
        },
        |state| {
            let _ = sender(state).send(1);
        },
        |state| {
            let _ = sender(state).try_send(1);
        },
    );
}

fn receive() {
    let (_sender, receiver) = channel::<()>();
    assert!(receiver.recv_timeout(LIMIT).is_err(), "nothing was sent");
}

fn park() {
    thread::park_timeout(LIMIT);
}

fn wait_on_condvar() {
    let mutex = Mutex::new(());
    let guard = mutex.lock().unwrap_or_else(PoisonError::into_inner);
    drop(Condvar::new().wait_timeout(guard, LIMIT));
}

/// What a loop finds that waits until `last` is there: each of the values before, or not if `skips`.
fn found(last: usize, skips: bool) -> Vec<Vec<usize>> {
    let sets = if skips { 0..1 << last } else { (1 << last) - 1..1 << last };
    sets.map(|set| (0..=last).filter(|&at| at == last || set >> at & 1 == 1).collect()).collect()
}

/// Loops beside several waits with a limit, of one thread or of two, each order of the threads. A wait for a message
/// ends in time only when the loops have found what came of the wait before; the others may end without a cause.
#[test]
fn loops_go_on_after_each_of_several_time_outs() {
    let waits: [(fn(), bool); 3] = [(receive, false), (park, true), (wait_on_condvar, true)];
    for (wait, without_a_cause) in waits {
        // How many loops, and how often each of the other threads waits.
        for (loops, others) in
            [(1, vec![1]), (1, vec![2]), (1, vec![3]), (1, vec![1, 1]), (2, vec![1]), (2, vec![2])]
        {
            let last: usize = others.iter().sum();
            let one = found(last, without_a_cause);
            for order in orders(loops + others.len()) {
                let init = || AtomicUsize::new(0);
                let model = order.iter().fold(Model::new(init), |model, &at| {
                    if at < loops {
                        return model.thread(["a", "b"][at], move |count| {
                            let mut found = vec![count.load(Relaxed)];
                            while found.last() != Some(&last) {
                                hint::spin_loop();
                                found.push(count.load(Relaxed));
                                found.dedup();
                            }
                            found
                        });
                    }
                    let times = others[at - loops];
                    model.thread(["c", "d"][at - loops], move |count| {
                        for _ in 0..times {
                            wait();
                            count.fetch_add(1, Relaxed);
                        }
                    })
                });
                let row = |a: &Vec<usize>, b: &Vec<usize>| {
                    let parts = order.iter().filter_map(|&at| match at {
                        0 => Some(format!("a={a:?}")),
                        1 if loops == 2 => Some(format!("b={b:?}")),
                        _ => None,
                    });
                    parts.collect::<Vec<_>>().join(" ")
                };
                let mut expected: Vec<_> =
                    one.iter().flat_map(|a| one.iter().map(|b| row(a, b))).collect();
                expected.sort();
                expected.dedup();
                assert_eq!(outcomes(model, true), expected);
            }
        }
    }
}
