//! The sessions of the visitors of a site. Racy variants are in `sessions/racy.rs`.
//!
//! Proved in `loom-tests/suites/sessions.rs`, run in `examples/src/bin/web`.

use std::hash::BuildHasher;

use selvedge::Map;
use thiserror::Error;

pub mod racy;

/// Why a session was not changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SessionError {
    /// There is no such session, or there is one no more.
    #[error("unknown session {id:016x}: a session must have begun and must not have ended")]
    Unknown {
        /// What was asked for.
        id: u64,
    },
}

/// What is remembered of a visitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// How many articles were read.
    pub read: u32,
    /// How many were put into the cart.
    pub items: u32,
    /// When it was last used, in seconds of the caller's clock.
    pub used: u64,
}

impl Session {
    /// One that begins at `now`.
    pub fn begun(now: u64) -> Self {
        Self { read: 0, items: 0, used: now }
    }
}

/// Every change is one step: it keeps what others have changed, and a session that has ended stays
/// ended. To find a session idle and to end it are one step too.
pub struct Sessions<S>(pub Map<u64, Session, S>);

impl<S: BuildHasher> Sessions<S> {
    pub fn begin(&self, id: u64, session: Session) {
        self.0.insert(id, session);
    }

    pub fn get(&self, id: u64) -> Result<Session, SessionError> {
        self.0.get(&id).ok_or(SessionError::Unknown { id })
    }

    /// Changes the session as it is now.
    pub fn change(&self, id: u64, change: impl FnOnce(&mut Session)) -> Result<(), SessionError> {
        let before = self.0.update(&id, |session| {
            let mut session = *session;
            change(&mut session);
            session
        });
        before.map(|_| ()).ok_or(SessionError::Unknown { id })
    }

    /// Ends a session, and returns what was remembered.
    pub fn end(&self, id: u64) -> Result<Session, SessionError> {
        self.0.remove(&id).ok_or(SessionError::Unknown { id })
    }

    /// Ends all sessions that are idle.
    pub fn expire(&self, idle: impl Fn(&Session) -> bool) {
        self.0.retain(|_, session| !idle(session));
    }

    /// Ends one session if it is idle: for a timer of its own.
    pub fn expire_one(&self, id: u64, idle: impl Fn(&Session) -> bool) {
        self.0.compute(id, |session| session.copied().filter(|session| !idle(session)));
    }
}
