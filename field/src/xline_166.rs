//! # Xline #166: an event between the snapshot and the subscription is lost
//!
//! **Source.** <https://github.com/xline-kv/Xline/issues/166>; closed by commit 34eac41b.
//!
//! **Kind.** Check-then-act: snapshot, then subscribe.
//!
//! **What happened.** `watch` first read the events of the past, and then registered the watcher for those to come. An event
//! that occurred in between was in neither part, so the watcher never saw it. The reporter found it in the code; it had
//! not been observed. The fix does both under one lock, which a new event has to take too.
//!
//! **What the checker says.** `Broken`: the event is in neither part, in execution 3, an interleaving. It can also be in
//! both parts. `Fixed` is explored completely, in 2 executions.
//!
//! **Assumed.** One event and one watcher. An event in both parts does no harm, since it bears a revision.

use selvedge_model::sync::Mutex;

/// What a watcher has received since it subscribed; `None` before.
type Inbox = Option<Vec<u64>>;

/// History and subscription have a lock each.
#[derive(Default)]
pub struct Broken {
    history: Mutex<Vec<u64>>,
    inbox: Mutex<Inbox>,
}

impl Broken {
    /// Stores an event, and delivers it to the watcher.
    pub fn put(&self) {
        self.history.lock().unwrap().push(1);
        if let Some(inbox) = &mut *self.inbox.lock().unwrap() {
            inbox.push(1);
        }
    }

    /// Returns the past events, and subscribes.
    pub fn watch(&self) -> Vec<u64> {
        let past = self.history.lock().unwrap().clone();
        *self.inbox.lock().unwrap() = Some(Vec::new());
        past
    }

    /// What was delivered.
    pub fn delivered(&self) -> Vec<u64> {
        self.inbox.lock().unwrap().clone().unwrap_or_default()
    }
}

/// One lock for both.
#[derive(Default)]
pub struct Fixed(Mutex<(Vec<u64>, Inbox)>);

impl Fixed {
    /// Stores an event, and delivers it to the watcher.
    pub fn put(&self) {
        let (history, inbox) = &mut *self.0.lock().unwrap();
        history.push(1);
        if let Some(inbox) = inbox {
            inbox.push(1);
        }
    }

    /// Returns the past events, and subscribes.
    pub fn watch(&self) -> Vec<u64> {
        let (history, inbox) = &mut *self.0.lock().unwrap();
        *inbox = Some(Vec::new());
        history.clone()
    }

    /// What was delivered.
    pub fn delivered(&self) -> Vec<u64> {
        self.0.lock().unwrap().1.clone().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::{Broken, Fixed};
    use crate::expect;
    use selvedge_model::Model;

    #[test]
    fn an_event_is_in_neither_part() {
        let report = Model::new(Broken::default)
            .thread("put", Broken::put)
            .thread("watch", Broken::watch)
            .finally("delivered", Broken::delivered)
            .interesting("watch=[] delivered=[]", "the event is lost")
            .acceptable("watch=[1] delivered=[]", "it is past")
            .acceptable("watch=[] delivered=[1]", "it is delivered")
            .acceptable("watch=[1] delivered=[1]", "both: the revision tells")
            .check();
        expect::reached(&report, "watch=[] delivered=[]", 3, true);
    }

    #[test]
    fn one_lock_puts_each_event_into_one_part() {
        let report = Model::new(Fixed::default)
            .thread("put", Fixed::put)
            .thread("watch", Fixed::watch)
            .finally("delivered", Fixed::delivered)
            .acceptable("watch=[1] delivered=[]", "it is past")
            .acceptable("watch=[] delivered=[1]", "it is delivered")
            .check();
        expect::complete(&report, 2);
    }
}
