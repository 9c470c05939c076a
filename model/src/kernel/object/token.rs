//! What `unpark` leaves for `park`, and a notification for the thread that waits for it.

use super::{Clock, Edges, ThreadId};

/// The token of one thread, or of a `Notify`.
#[derive(Debug, Clone, Default)]
pub struct Token {
    there: bool,
    notify: bool,
    /// The `unpark`s since the token was last taken.
    released: Clock,
}

/// An operation on a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenAct {
    /// Blocks until the token is there, and takes it.
    Park,
    /// Takes the token if it is there: 1 if it was.
    TakeIfThere,
    /// Leaves the token.
    Unpark,
}

impl Token {
    /// That of a `Notify`, not of a thread.
    pub fn of_notify() -> Self {
        Self { notify: true, ..Self::default() }
    }

    /// Whether it is that of a `Notify`.
    pub fn is_of_notify(&self) -> bool {
        self.notify
    }

    pub(super) fn enabled(&self, act: TokenAct, _: ThreadId) -> bool {
        act != TokenAct::Park || self.there
    }

    pub(super) fn apply(&mut self, act: TokenAct, _: ThreadId, edges: &mut Edges<'_>) -> u64 {
        if act == TokenAct::Unpark {
            self.there = true;
            self.released.join(&edges.release());
            return 0;
        }
        let was_there = std::mem::take(&mut self.there);
        if was_there {
            edges.acquire(&self.released);
        }
        u64::from(was_there)
    }
}
