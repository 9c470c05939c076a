//! Sets of events that are closed under program order: one number for each thread.

/// The most threads that one execution may have, the first included.
pub const MAX_THREADS: usize = 16;

/// How many events of each thread are in the set.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Clock([u16; MAX_THREADS]);

impl Clock {
    /// Adds the events of `other`.
    #[inline]
    pub fn join(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            *mine = (*mine).max(*theirs);
        }
    }

    /// Whether event number `index` of `thread` is in the set.
    #[inline]
    pub fn has(&self, thread: usize, index: u16) -> bool {
        self.0[thread] > index
    }

    /// How many events of `thread` are in the set.
    #[inline]
    pub fn of(&self, thread: usize) -> u16 {
        self.0[thread]
    }

    /// Makes the set hold the first `count` events of `thread`.
    #[inline]
    pub fn set(&mut self, thread: usize, count: u16) {
        self.0[thread] = count;
    }

    /// How many events are in the set.
    pub fn total(&self) -> usize {
        self.0.iter().map(|&count| usize::from(count)).sum()
    }
}
