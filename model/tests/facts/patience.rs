//! Waits with a limit that hide a lost wake-up: a patient check tells the sound program from the other.

use std::time::Duration;

use super::{Model, Mutex, PoisonError, orders};
use selvedge_model::Engine;
use selvedge_model::sync::atomic::{AtomicBool, Ordering::Relaxed};
use selvedge_model::sync::mpsc::{Receiver, SyncSender, sync_channel};
use selvedge_model::sync::{Condvar, MutexGuard};

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
