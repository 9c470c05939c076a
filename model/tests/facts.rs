//! What the checker that ran on loom got wrong: a test for each. Where executions were missing, the threads are
//! declared in every order.
//!
//! | what it got wrong | test |
//! |---|---|
//! | a spawn was no step | `missed::a_spawned_thread_…`, `missed::a_thread_local_of_…` |
//! | `recv` that waits hid orders | `missed::recv_that_waits_…` |
//! | `try_lock` against a lock that a panic releases | `missed::try_…` |
//! | updates were never reordered | `missed::updates_…`, `missed::a_compare_exchange_…` |
//! | a waiting writer did not hold up readers | `missed::a_waiting_writer_…` |
//! | a drop was no access | `missed::memory_freed_too_early_…`, `missed::a_use_after_free_…` |
//! | idle calls of `spin_loop` were a wait | `missed::a_backoff_…` |
//! | `resume_unwind` did not poison | `in_model::a_resumed_panic_poisons` |
//! | a spin lock was a livelock | `alarms::a_spin_lock_…`, `alarms::a_loop_of_compare_exchange_…` |
//! | a reader that tries its own lock, `sync_channel(0)` | `alarms::a_reader_…`, `alarms::two_readers_…`, `alarms::a_rendezvous_…` |
//! | locks in destructors while a panic unwinds | `alarms::a_destructor_…`, `alarms::a_lock_…` |
//! | branching on `is_poisoned` | `in_model::a_thread_may_branch_on_is_poisoned` |
//! | stores of equal value were confused | `alarms::stores_of_equal_value_…` |
//! | a data race did not name its accesses | `alarms::a_data_race_…` |
//! | waits with a limit hid lost wake-ups | `patience::a_notification_…`, `patience::a_message_…` |
//! | waiting loops were never complete | `missed::a_waiting_loop_…` |
//! | a long check was silent | `harness::a_long_check_reports_its_progress` |

mod alarms;
mod missed;
mod patience;

use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};

use selvedge_model::sync::cell::UnsafeCell;
use selvedge_model::sync::mpsc::Receiver;
use selvedge_model::sync::{Mutex, PoisonError};
use selvedge_model::{Failure, Model};

pub(crate) type Body<S, R = ()> = fn(&S) -> R;

/// The orders in which `n` threads can be declared.
pub(crate) fn orders(n: usize) -> Vec<Vec<usize>> {
    let mut orders = vec![Vec::new()];
    for next in 0..n {
        orders = orders
            .iter()
            .flat_map(|order| {
                (0..=order.len()).map(move |at| {
                    let mut longer: Vec<usize> = order.clone();
                    longer.insert(at, next);
                    longer
                })
            })
            .collect();
    }
    orders
}

pub(crate) fn in_order<S: Send + Sync + 'static, R: Debug + 'static>(
    init: fn() -> S,
    threads: &[(&str, Body<S, R>)],
    order: &[usize],
) -> Model<S> {
    order.iter().fold(Model::new(init), |model, &at| {
        let (name, body) = threads[at];
        model.thread(name, body)
    })
}

/// Each order must show `failure`.
pub(crate) fn fails_in_every_order<S: Send + Sync + 'static, R: Debug + 'static>(
    failure: Failure,
    init: fn() -> S,
    threads: &[(&str, Body<S, R>)],
) {
    for order in orders(threads.len()) {
        in_order(init, threads, &order).fails(failure).check();
    }
}

/// Each order must be explored completely, and reach these rows and no others: what each of the threads
/// returns. The limit of steps is for a checker that comes to no end.
pub(crate) fn exact_in_every_order<S: Send + Sync + 'static, R: Debug + 'static>(
    init: fn() -> S,
    threads: &[(&str, Body<S, R>)],
    rows: &[&[R]],
) {
    for order in orders(threads.len()) {
        let model = in_order(init, threads, &order).steps(300);
        let report = rows.iter().fold(model, |model, row| {
            let parts = order.iter().map(|&at| format!("{}={:?}", threads[at].0, row[at]));
            model.acceptable(&parts.collect::<Vec<_>>().join(" "), "expected")
        });
        let report = report.check();
        assert!(report.is_complete(), "{report}");
    }
}

/// A state that lives as long as spawned threads need it.
fn leaked<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

/// Plain memory that threads share without synchronisation.
#[derive(Default)]
struct Plain(UnsafeCell<u64>);

// SAFETY: none; the tests are about whether a race is found.
unsafe impl Sync for Plain {}

impl Plain {
    fn set(&self, value: u64) {
        // SAFETY: none; as above.
        self.0.with_mut(|cell| unsafe { *cell = value });
    }

    fn get(&self) -> u64 {
        // SAFETY: none; as above.
        self.0.with(|cell| unsafe { *cell })
    }
}

/// The two ends of a channel.
struct Ends<S> {
    sender: Mutex<Option<S>>,
    receiver: Mutex<Option<Receiver<u64>>>,
}

impl<S> Ends<S> {
    fn new((sender, receiver): (S, Receiver<u64>)) -> Self {
        Self { sender: Mutex::new(Some(sender)), receiver: Mutex::new(Some(receiver)) }
    }

    fn sender(&self) -> S {
        let mut sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
        sender.take().expect("taken once")
    }

    fn receiver(&self) -> Receiver<u64> {
        let mut receiver = self.receiver.lock().unwrap_or_else(PoisonError::into_inner);
        receiver.take().expect("taken once")
    }
}

/// Calls `f`, which panics, and catches the panic.
fn panics(f: impl FnOnce()) {
    let caught = catch_unwind(AssertUnwindSafe(f));
    assert!(caught.is_err(), "it panics on purpose");
}

/// Calls a function when it is dropped.
struct OnDrop<F: Fn()>(F);

impl<F: Fn()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
