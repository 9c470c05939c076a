//! # Bell: callbacks and locks
//!
//! Proved of [`CallAfterUnlockBell`]: a listener that is called after unlocking may add another listener, and none
//! is lost.
//!
//! **Racy variant.** [`CallUnderLockBell`]: self-deadlock. The listener locks what its caller holds.
//!
//! **Scope.** Explored completely, for one or two threads with one call each.

use selvedge_model::sync::{Mutex, PoisonError};
use selvedge_model::{Failure, Model};

use specimens::bell::CallAfterUnlockBell;
use specimens::bell::racy::CallUnderLockBell;

/// One thread: `ring` holds the lock, and the listener waits for it.
#[test]
fn callback_under_the_lock_is_a_self_deadlock() {
    Model::new(|| CallUnderLockBell(Mutex::new(vec![|bell| bell.listen(|_| ())])))
        .thread("alice", CallUnderLockBell::ring)
        .fails(Failure::Deadlock)
        .check();
}

/// Two threads ring, and each call adds a listener.
#[test]
fn callback_after_unlocking_may_lock() {
    Model::new(|| CallAfterUnlockBell(Mutex::new(vec![|bell| bell.listen(|_| ())])))
        .thread("alice", CallAfterUnlockBell::ring)
        .thread("bob", CallAfterUnlockBell::ring)
        .finally("listeners", |bell| bell.0.lock().unwrap_or_else(PoisonError::into_inner).len())
        .acceptable("listeners=3", "the first, and one for each time that it was called")
        .check();
}
