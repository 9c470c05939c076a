//! `02_lazy.rs`.

use exercises::checks::Plain;
use exercises::checks::lazy::{Lazy, check};
use selvedge_model::Failure;
use selvedge_model::sync::Mutex;
use selvedge_model::sync::atomic::{
    AtomicBool, AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};

use crate::marked::Expected::{Fails, Reaches};
use crate::marked::{is_wrong, solves};

#[derive(Default)]
struct OneCriticalSection(Mutex<Option<u64>>);

impl Lazy for OneCriticalSection {
    fn get(&self, init: impl FnOnce() -> u64) -> u64 {
        *self.0.lock().unwrap().get_or_insert_with(init)
    }
}

#[test]
fn one_critical_section_solves_it() {
    solves(check::<OneCriticalSection>());
}

/// What double-checked locking is made of. A const parameter says what is left out: `SOUND` leaves out nothing.
#[derive(Default)]
struct DoubleChecked<const DEFECT: u8> {
    ready: AtomicBool,
    lock: Mutex<()>,
    value: Plain,
}

const SOUND: u8 = 0;
/// Defect: the flag is relaxed.
const RELAXED_FLAG: u8 = 1;
/// Defect: the flag is not looked at again under the lock.
const NO_SECOND_LOOK: u8 = 2;
/// Defect: the flag is set before the value.
const FLAG_FIRST: u8 = 3;

impl<const DEFECT: u8> Lazy for DoubleChecked<DEFECT> {
    fn get(&self, init: impl FnOnce() -> u64) -> u64 {
        let (load, store) =
            if DEFECT == RELAXED_FLAG { (Relaxed, Relaxed) } else { (Acquire, Release) };
        if !self.ready.load(load) {
            let _guard = self.lock.lock().unwrap();
            if DEFECT == NO_SECOND_LOOK || !self.ready.load(Relaxed) {
                if DEFECT == FLAG_FIRST {
                    self.ready.store(true, store);
                }
                self.value.set(init());
                self.ready.store(true, store);
            }
        }
        self.value.get()
    }
}

#[test]
fn double_checked_locking_solves_it() {
    solves(check::<DoubleChecked<SOUND>>());
}

#[test]
fn double_checked_locking_with_a_relaxed_flag_is_a_data_race() {
    is_wrong(check::<DoubleChecked<RELAXED_FLAG>>(), Fails(Failure::DataRace), &["c1.write"]);
}

#[test]
fn without_the_second_look_the_value_is_written_beside_a_read() {
    let expected = Fails(Failure::DataRace);
    is_wrong(check::<DoubleChecked<NO_SECOND_LOOK>>(), expected, &["c1.write"]);
}

#[test]
fn a_flag_before_the_value_is_a_data_race() {
    is_wrong(check::<DoubleChecked<FLAG_FIRST>>(), Fails(Failure::DataRace), &["c1.write"]);
}

/// Defect: initialises first, and keeps the value of the thread that was faster.
#[derive(Default)]
struct Race(AtomicU64);

impl Lazy for Race {
    fn get(&self, init: impl FnOnce() -> u64) -> u64 {
        match self.0.load(Acquire) {
            0 => {
                let value = init();
                self.0.compare_exchange(0, value, AcqRel, Acquire).map_or_else(|it| it, |_| value)
            }
            value => value,
        }
    }
}

#[test]
fn a_race_to_initialise_runs_the_initialiser_twice() {
    is_wrong(check::<Race>(), Reaches("alice=1 bob=1 runs=2"), &["~~ preempted ~~"]);
}
