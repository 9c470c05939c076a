//! Names of threads that hold over all executions, whatever order they are spawned in.

use crate::kernel::{MAX_THREADS, ThreadId};

/// Threads by parent and position among its children.
#[derive(Debug)]
pub(in crate::engine) struct Names {
    /// Of each thread but the first, its parent and its position among the parent's children.
    children: Vec<(ThreadId, u32)>,
    /// Of each thread, the way to it from the first one.
    paths: Vec<Vec<u32>>,
    /// Threads in the order in which the scheduler prefers them.
    pub(in crate::engine) preference: Vec<ThreadId>,
    reversed: bool,
}

impl Names {
    pub(in crate::engine) fn new(reversed: bool) -> Self {
        Self { children: Vec::new(), paths: vec![vec![]], preference: vec![0], reversed }
    }

    /// Child number `number` of `parent`; `None` if there are too many threads.
    pub(in crate::engine) fn child(&mut self, parent: ThreadId, number: u32) -> Option<ThreadId> {
        if let Some(at) = self.children.iter().position(|&child| child == (parent, number)) {
            return Some(at + 1);
        }
        let child = self.paths.len();
        if child == MAX_THREADS {
            return None;
        }
        self.children.push((parent, number));
        let mut path = self.paths[parent].clone();
        path.push(number);
        self.paths.push(path);
        self.preference.push(child);
        let paths = &self.paths;
        self.preference.sort_by(|a, b| paths[*a].cmp(&paths[*b]));
        if self.reversed {
            self.preference.reverse();
        }
        Some(child)
    }

    /// The threads `of`, a bit each, and those that spawned one of them, or their parents.
    pub(in crate::engine) fn with_ancestors(&self, of: u64) -> u64 {
        let has = |thread: ThreadId| of & 1 << thread != 0;
        let descends = |path: &[u32], thread: ThreadId| self.paths[thread].starts_with(path);
        let threads = self.paths.iter().enumerate();
        let some = threads.filter(|(_, path)| {
            (0..self.paths.len()).any(|thread| has(thread) && descends(path, thread))
        });
        some.map(|(thread, _)| 1 << thread).sum()
    }

    /// The way to a thread from the first one.
    pub(in crate::engine) fn path(&self, thread: ThreadId) -> &[u32] {
        &self.paths[thread]
    }
}
