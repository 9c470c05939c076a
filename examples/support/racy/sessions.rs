//! Sessions that go wrong.

use std::hash::BuildHasher;

use super::{Session, SessionError, Sessions};

/// Defect: a request loads the session, changes its copy, and saves all of it.
pub(crate) struct WholeSaveSessions<S>(pub(crate) Sessions<S>);

impl<S: BuildHasher> WholeSaveSessions<S> {
    pub(crate) fn change(
        &self,
        id: u64,
        change: impl FnOnce(&mut Session),
    ) -> Result<(), SessionError> {
        let mut session = self.0.get(id)?;
        change(&mut session);
        self.0.begin(id, session);
        Ok(())
    }
}
