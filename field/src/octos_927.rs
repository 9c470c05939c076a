//! # octos #927: a task looks at a flag, and waits for a notification that came in between
//!
//! **Source.** <https://github.com/octos-org/octos/issues/927>, its third instance.
//!
//! **Kind.** Lost wake-up: check, then register.
//!
//! **What happened.** `cancel` set a flag and called `notify_waiters` of tokio's `Notify`, which wakes the tasks that wait
//! and keeps nothing for others. `cancelled` looked at the flag and then created the future `notified()`. If `cancel` ran
//! in between, the future knew nothing of it and the task waited for ever. Three places had this pattern. The fix
//! creates the future first, and then looks at the flag: the future completes after each call since it was created.
//!
//! **What the checker says.** `broken`: a deadlock, found in execution 2: the task is blocked in `park`. `fixed` is
//! explored completely, in 8 executions.
//!
//! **Assumed.** `Notify` is a counter of the calls and a list of wakers, under a mutex. An executor that parks its thread.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use selvedge_model::sync::atomic::{AtomicBool, Ordering::Relaxed};
use selvedge_model::sync::{Mutex, thread};

/// Calls so far, and the tasks that wait for the next one.
#[derive(Default)]
struct Notify(Mutex<(u64, Vec<Waker>)>);

impl Notify {
    fn notify_waiters(&self) {
        let mut state = self.0.lock().unwrap();
        state.0 += 1;
        let wakers = std::mem::take(&mut state.1);
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Completes after the first call since now.
    fn notified(&self) -> impl Future<Output = ()> {
        let seen = self.0.lock().unwrap().0;
        poll_fn(move |context| {
            let mut state = self.0.lock().unwrap();
            if state.0 != seen {
                return Poll::Ready(());
            }
            if !state.1.iter().any(|waker| waker.will_wake(context.waker())) {
                state.1.push(context.waker().clone());
            }
            Poll::Pending
        })
    }
}

/// Whether a task is cancelled.
#[derive(Default)]
pub struct Token {
    is_cancelled: AtomicBool,
    notify: Notify,
}

impl Token {
    /// Cancels the task.
    pub fn cancel(&self) {
        self.is_cancelled.store(true, Relaxed); // the mutex of `notify` makes it visible
        self.notify.notify_waiters();
    }
}

/// Waits until the task is cancelled: looks, and then registers.
pub fn broken(token: &Token) {
    if !token.is_cancelled.load(Relaxed) {
        block_on(token.notify.notified());
    }
}

/// Waits until the task is cancelled: registers, and then looks.
pub fn fixed(token: &Token) {
    let notified = token.notify.notified();
    if !token.is_cancelled.load(Relaxed) {
        block_on(notified);
    }
}

struct Unpark(thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on(future: impl Future<Output = ()>) {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    while future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
        thread::park();
    }
}

#[cfg(test)]
mod tests {
    use super::{Token, broken, fixed};
    use crate::expect;
    use selvedge_model::{Failure, Model};

    #[test]
    fn a_notification_before_the_wait_is_lost() {
        expect::fails(
            || Model::new(Token::default).thread("task", broken).thread("canceller", Token::cancel),
            Failure::Deadlock,
            2,
            "task is blocked in park",
        );
    }

    #[test]
    fn a_future_that_is_made_first_misses_nothing() {
        let model = Model::new(Token::default).thread("task", fixed);
        let report = model.thread("canceller", Token::cancel).acceptable("()", "it ends").check();
        expect::complete(&report, 8);
    }
}
