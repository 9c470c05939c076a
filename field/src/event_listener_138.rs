//! # event-listener #138: a notification is dropped during initialisation
//!
//! **Source.** <https://github.com/smol-rs/event-listener/issues/138>, mended in
//! <https://github.com/smol-rs/event-listener/pull/139>.
//!
//! **Kind.** Lost wake-up; weak memory (store buffering).
//!
//! **What happened.** The state of an event is allocated by its first listener. `notify` issues a `SeqCst` fence, and returns
//! at once if the pointer to that state is still null. `listen` allocates the state and inserts the listener, without
//! such a fence. The listener then looks at a flag of the caller, and may read its old value although `notify` has read the old
//! pointer. So it waits, and the notification is lost. A second short cut, a count of those notified, has the same flaw.
//!
//! **What the checker says.** Deadlock in execution 3, which takes weak memory: `notify` reads the null pointer, and the listener
//! reads the flag as it was. The fixed one is explored completely, in 6 executions.
//!
//! **Assumed.** The report gives the steps and no orderings; they were read from the sources it links to. The list is one
//! listener. The fix is that of the crate: the short cuts are gone, and `notify` always takes the lock of the list.

use selvedge_model::sync::atomic::Ordering::{Acquire, Release, SeqCst};
use selvedge_model::sync::atomic::{AtomicBool, fence};
use selvedge_model::sync::{Condvar, Mutex};

/// `notify` returns early.
pub type Broken = Event<false>;
/// `notify` looks into the list.
pub type Fixed = Event<true>;

/// An event, and the flag of the caller that it is about.
#[derive(Default)]
pub struct Event<const FIXED: bool> {
    flag: AtomicBool,
    /// Whether the state is allocated.
    is_made: AtomicBool,
    list: Mutex<Listeners>,
    notified: Condvar,
}

#[derive(Default)]
struct Listeners {
    is_listening: bool,
    is_notified: bool,
}

impl<const FIXED: bool> Event<FIXED> {
    /// Sets the flag, and notifies.
    pub fn set(&self) {
        self.flag.store(true, Release);
        // SeqCst: there is no other fence that it could pair with, and that is the defect.
        fence(SeqCst);
        if FIXED || self.is_made.load(Acquire) {
            let mut list = self.list.lock().unwrap();
            list.is_notified = list.is_listening;
            self.notified.notify_one();
        }
    }

    /// Listens, looks at the flag, and waits if it is not set.
    pub fn wait(&self) {
        // Release: as the compare-and-swap of the crate; pairs with the load of `set`.
        self.is_made.store(true, Release);
        self.list.lock().unwrap().is_listening = true;
        if !self.flag.load(Acquire) {
            let mut list = self.list.lock().unwrap();
            while !list.is_notified {
                list = self.notified.wait(list).unwrap();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use selvedge_model::{Failure, Model};

    use super::{Broken, Event, Fixed};
    use crate::expect;

    fn model<const FIXED: bool>() -> Model<Event<FIXED>> {
        Model::new(Event::default).thread("listener", Event::wait).thread("setter", Event::set)
    }

    #[test]
    fn an_early_return_loses_the_notification() {
        let broken: fn() -> Model<Broken> = model;
        expect::fails(broken, Failure::Deadlock, 3, "listener is blocked");
    }

    #[test]
    fn through_the_lock_every_notification_arrives() {
        let model: Model<Fixed> = model();
        let report = model.acceptable("()", "it found the flag, or was notified").check();
        expect::complete(&report, 6);
    }
}
