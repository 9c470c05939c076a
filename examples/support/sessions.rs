//! What a site remembers of its visitors. A racy twin is in `racy/`.
//!
//! Proved in `loom-tests/sessions.rs`, run in `examples/web`.

use std::hash::BuildHasher;

use selvedge::Map;
use thiserror::Error;

#[path = "racy/sessions.rs"]
pub(crate) mod racy;

/// Why a session was not changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub(crate) enum SessionError {
    /// There is no such session, or there is one no more.
    #[error("there is no session {id:016x}: one that has begun, and has not ended, is accepted")]
    Unknown {
        /// What was asked for.
        id: u64,
    },
}

/// What is remembered of a visitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Session {
    /// How many articles were read.
    pub(crate) read: u32,
    /// How many were put into the cart.
    pub(crate) items: u32,
    /// When it was last used, in seconds of a clock that whoever calls has.
    pub(crate) used: u64,
}

impl Session {
    /// One that begins at `now`.
    pub(crate) fn begun(now: u64) -> Self {
        Self { read: 0, items: 0, used: now }
    }
}

/// Every change is one step: it keeps what others have changed, and a session that has ended stays
/// ended. To find a session idle and to end it are one step too.
pub(crate) struct Sessions<S>(pub(crate) Map<u64, Session, S>);

impl<S: BuildHasher> Sessions<S> {
    pub(crate) fn begin(&self, id: u64, session: Session) {
        self.0.insert(id, session);
    }

    pub(crate) fn get(&self, id: u64) -> Result<Session, SessionError> {
        self.0.get(&id).ok_or(SessionError::Unknown { id })
    }

    /// Changes the session as it is now.
    pub(crate) fn change(
        &self,
        id: u64,
        change: impl FnOnce(&mut Session),
    ) -> Result<(), SessionError> {
        let before = self.0.update(&id, |session| {
            let mut session = *session;
            change(&mut session);
            session
        });
        before.map(|_| ()).ok_or(SessionError::Unknown { id })
    }

    /// Ends a session, and returns what was remembered.
    pub(crate) fn end(&self, id: u64) -> Result<Session, SessionError> {
        self.0.remove(&id).ok_or(SessionError::Unknown { id })
    }

    /// Ends all sessions that are idle.
    pub(crate) fn expire(&self, idle: impl Fn(&Session) -> bool) {
        self.0.retain(|_, session| !idle(session));
    }

    /// Ends one session if it is idle: for a timer of its own.
    pub(crate) fn expire_one(&self, id: u64, idle: impl Fn(&Session) -> bool) {
        self.0.compute(id, |session| session.copied().filter(|session| !idle(session)));
    }
}
