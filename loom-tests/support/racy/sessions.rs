//! Sessions and links that go wrong: each has the one defect that it names. To be used beside `mod sessions`.

use std::hash::BuildHasher;

use selvedge::Map;

use super::sessions::{Session, Sessions};

/// Defect: what is idle is looked for in one step, and removed in the next.
pub(crate) struct LateExpirySessions<S>(pub(crate) Sessions<S>);

impl<S: BuildHasher> LateExpirySessions<S> {
    pub(crate) fn expire(&self, idle: impl Fn(&Session) -> bool) {
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
pub(crate) struct LookThenRemoveLinks<S>(pub(crate) Map<u64, (), S>);

impl<S: BuildHasher> LookThenRemoveLinks<S> {
    /// Whether the link was good.
    pub(crate) fn redeem(&self, link: u64) -> bool {
        let good = self.0.contains_key(&link);
        if good {
            self.0.remove(&link);
        }
        good
    }
}
