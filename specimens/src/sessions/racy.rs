//! Sessions that go wrong.

use std::hash::BuildHasher;

use selvedge::Map;

use super::{Session, SessionError, Sessions};

/// Defect: a request loads the session, changes its copy, and saves all of it.
pub struct WholeSaveSessions<S>(pub Sessions<S>);

impl<S: BuildHasher> WholeSaveSessions<S> {
    pub fn change(&self, id: u64, change: impl FnOnce(&mut Session)) -> Result<(), SessionError> {
        let mut session = self.0.get(id)?;
        change(&mut session);
        self.0.begin(id, session);
        Ok(())
    }
}

/// Defect: what is idle is looked for in one step, and removed in the next.
pub struct LateExpirySessions<S>(pub Sessions<S>);

impl<S: BuildHasher> LateExpirySessions<S> {
    pub fn expire(&self, idle: impl Fn(&Session) -> bool) {
        let mut found = Vec::new();
        self.0.0.for_each(|id, session| {
            if idle(session) {
                found.push(*id);
            }
        });
        for id in found {
            // Whether it is there still is no question to it.
            let _ = self.0.end(id);
        }
    }
}

/// Defect: a link that is good once is looked up in one step, and used up in the next.
pub struct LookThenRemoveLinks<S>(pub Map<u64, (), S>);

impl<S: BuildHasher> LookThenRemoveLinks<S> {
    /// Whether the link was good.
    pub fn redeem(&self, link: u64) -> bool {
        let good = self.0.contains_key(&link);
        if good {
            self.0.remove(&link);
        }
        good
    }
}
