//! `05_readers.rs`.

use exercises::checks::readers::{Entries, Readers, check};
use selvedge_model::Failure;
use selvedge_model::sync::atomic::{
    AtomicBool, AtomicUsize,
    Ordering::{Acquire, Release},
};
use selvedge_model::sync::cell::UnsafeCell;
use selvedge_model::sync::{Arc, Mutex, RwLock};

use crate::marked::Expected::{Fails, Reaches};
use crate::marked::{is_wrong, solves};

struct ReadWriteLock(RwLock<Entries>);

impl Readers for ReadWriteLock {
    fn new(entries: Entries) -> Self {
        Self(RwLock::new(entries))
    }

    fn write(&self, change: impl FnOnce(&mut Entries)) {
        change(&mut self.0.write().unwrap());
    }

    fn read<R>(&self, look: impl FnOnce(&Entries) -> R) -> R {
        look(&self.0.read().unwrap())
    }
}

#[test]
fn a_read_write_lock_solves_it() {
    solves(check::<ReadWriteLock>());
}

/// Another solution: a new map for each write, and readers that hold the lock only to clone an `Arc`.
struct Snapshots(RwLock<Arc<Entries>>);

impl Readers for Snapshots {
    fn new(entries: Entries) -> Self {
        Self(RwLock::new(Arc::new(entries)))
    }

    fn write(&self, change: impl FnOnce(&mut Entries)) {
        let mut entries = self.read(Entries::clone);
        change(&mut entries);
        *self.0.write().unwrap() = Arc::new(entries);
    }

    fn read<R>(&self, look: impl FnOnce(&Entries) -> R) -> R {
        let entries = Arc::clone(&self.0.read().unwrap());
        look(&entries)
    }
}

#[test]
fn snapshots_solve_it() {
    solves(check::<Snapshots>());
}

/// Defect: readers exclude each other.
struct OneAtATime(Mutex<Entries>);

impl Readers for OneAtATime {
    fn new(entries: Entries) -> Self {
        Self(Mutex::new(entries))
    }

    fn write(&self, change: impl FnOnce(&mut Entries)) {
        change(&mut self.0.lock().unwrap());
    }

    fn read<R>(&self, look: impl FnOnce(&Entries) -> R) -> R {
        look(&self.0.lock().unwrap())
    }
}

#[test]
fn a_mutex_makes_readers_wait_for_each_other() {
    let lines = ["m1.lock: not completed", "b1.wait"];
    is_wrong(check::<OneAtATime>(), Fails(Failure::Deadlock), &lines);
}

/// Plain memory.
struct Memory(UnsafeCell<Entries>);

// SAFETY: none. What orders the accesses is wrong in each type below; the checker ends an execution there.
unsafe impl Sync for Memory {}

impl Memory {
    fn new(entries: Entries) -> Self {
        Self(UnsafeCell::new(entries))
    }

    fn write(&self, change: impl FnOnce(&mut Entries)) {
        // SAFETY: as above.
        self.0.with_mut(|entries| change(unsafe { &mut *entries }));
    }

    fn read<R>(&self, look: impl FnOnce(&Entries) -> R) -> R {
        // SAFETY: as above.
        self.0.with(|entries| look(unsafe { &*entries }))
    }
}

/// Defect: the writer says that it is busy, and a reader looks before it reads.
struct BusyFlag {
    busy: AtomicBool,
    memory: Memory,
}

impl Readers for BusyFlag {
    fn new(entries: Entries) -> Self {
        Self { busy: AtomicBool::new(false), memory: Memory::new(entries) }
    }

    fn write(&self, change: impl FnOnce(&mut Entries)) {
        self.busy.store(true, Release);
        self.memory.write(change);
        self.busy.store(false, Release);
    }

    fn read<R>(&self, look: impl FnOnce(&Entries) -> R) -> R {
        while self.busy.load(Acquire) {
            selvedge_model::sync::hint::spin_loop();
        }
        self.memory.read(look)
    }
}

#[test]
fn a_flag_that_is_looked_at_first_is_a_data_race() {
    is_wrong(check::<BusyFlag>(), Fails(Failure::DataRace), &["a1.load = false", "data race"]);
}

/// Defect: the writer changes the copy that is not in use, and does not wait for readers that still are in it.
struct TwoCopies {
    current: AtomicUsize,
    copies: [Memory; 2],
}

impl Readers for TwoCopies {
    fn new(entries: Entries) -> Self {
        let copies = [entries.clone(), entries].map(Memory::new);
        Self { current: AtomicUsize::new(0), copies }
    }

    fn write(&self, change: impl FnOnce(&mut Entries)) {
        let current = self.current.load(Acquire);
        let mut entries = self.copies[current].read(Entries::clone);
        change(&mut entries);
        self.copies[1 - current].write(|other| *other = entries);
        self.current.store(1 - current, Release);
        self.copies[current].write(Entries::clear);
    }

    fn read<R>(&self, look: impl FnOnce(&Entries) -> R) -> R {
        self.copies[self.current.load(Acquire)].read(look)
    }
}

#[test]
fn a_reader_that_is_still_in_the_old_copy_is_in_a_data_race() {
    is_wrong(check::<TwoCopies>(), Fails(Failure::DataRace), &["data race"]);
}

/// Defect: a lock for each change of the writer, and none for all of them: it clears the map, and fills it again.
struct StepByStep(RwLock<Entries>);

impl Readers for StepByStep {
    fn new(entries: Entries) -> Self {
        Self(RwLock::new(entries))
    }

    fn write(&self, change: impl FnOnce(&mut Entries)) {
        let mut entries = self.0.read().unwrap().clone();
        change(&mut entries);
        for (key, value) in entries {
            self.0.write().unwrap().insert(key, value);
        }
    }

    fn read<R>(&self, look: impl FnOnce(&Entries) -> R) -> R {
        look(&self.0.read().unwrap())
    }
}

#[test]
fn a_write_step_by_step_is_seen_half_done() {
    is_wrong(check::<StepByStep>(), Reaches("reader=(2, 1)"), &["~~ preempted ~~"]);
}
