//! Names of threads and locations that hold over all executions, whatever order they are made in.

use std::collections::HashMap;

use crate::kernel::{LocationId, MAX_THREADS, ThreadId};

/// Threads by parent and position among its children; locations by maker and position among what it
/// made.
#[derive(Debug)]
pub(in crate::engine) struct Names {
    children: HashMap<(ThreadId, u32), ThreadId>,
    /// Of each thread, the way to it from the first one.
    paths: Vec<Vec<u32>>,
    /// Threads in the order in which the scheduler prefers them.
    pub(in crate::engine) preference: Vec<ThreadId>,
    reversed: bool,
    /// Of each thread, the locations that it makes.
    made: Vec<Vec<LocationId>>,
    /// Of each location, its maker and its position.
    makers: Vec<(ThreadId, u32)>,
}

impl Names {
    pub(in crate::engine) fn new(reversed: bool) -> Self {
        Self {
            children: HashMap::new(),
            paths: vec![vec![]],
            preference: vec![0],
            reversed,
            made: vec![Vec::new(); MAX_THREADS],
            makers: Vec::new(),
        }
    }

    /// Child number `number` of `parent`; `None` if there are too many threads.
    pub(in crate::engine) fn child(&mut self, parent: ThreadId, number: u32) -> Option<ThreadId> {
        if let Some(&child) = self.children.get(&(parent, number)) {
            return Some(child);
        }
        let child = self.paths.len();
        if child == MAX_THREADS {
            return None;
        }
        self.children.insert((parent, number), child);
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

    /// Location number `number` of those that `maker` makes.
    pub(in crate::engine) fn location(&mut self, maker: ThreadId, number: u32) -> LocationId {
        let made = &mut self.made[maker];
        if number as usize == made.len() {
            made.push(LocationId::try_from(self.makers.len()).expect("ids of locations"));
            self.makers.push((maker, number));
        }
        made[number as usize]
    }

    /// The way to a thread from the first one.
    pub(in crate::engine) fn path(&self, thread: ThreadId) -> &[u32] {
        &self.paths[thread]
    }

    /// The maker of a location, and its position among what that thread made.
    pub(in crate::engine) fn maker(&self, location: LocationId) -> (ThreadId, u32) {
        self.makers[location as usize]
    }
}
