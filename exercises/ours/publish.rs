//! `09_publish.rs`.

use exercises::checks::Plain;
use exercises::checks::publish::{Publish, check};
use selvedge_model::Failure;
use selvedge_model::sync::atomic::{
    AtomicBool, Ordering,
    Ordering::{Acquire, Relaxed, Release},
};

use crate::marked::Expected::Fails;
use crate::marked::{is_wrong, solves};

#[derive(Default)]
struct Slot {
    value: Plain,
    ready: AtomicBool,
}

impl Slot {
    fn put(&self, value: u64, order: Ordering) {
        self.value.set(value);
        self.ready.store(true, order);
    }

    fn get(&self, order: Ordering) -> Option<u64> {
        self.ready.load(order).then(|| self.value.get())
    }
}

/// A slot, and the orderings of its two sides.
macro_rules! slot {
    ($(#[$doc:meta])* $name:ident, $store:expr, $load:expr) => {
        $(#[$doc])*
        #[derive(Default)]
        struct $name(Slot);

        impl Publish for $name {
            fn put(&self, value: u64) {
                self.0.put(value, $store);
            }

            fn get(&self) -> Option<u64> {
                self.0.get($load)
            }
        }
    };
}

slot!(BothSides, Release, Acquire);

#[test]
fn release_and_acquire_solve_it() {
    solves(check::<BothSides>());
}

slot!(
    /// Defect: the reader does not acquire.
    ReleaseAlone,
    Release,
    Relaxed
);

#[test]
fn a_release_alone_is_a_data_race() {
    is_wrong(check::<ReleaseAlone>(), Fails(Failure::DataRace), &["rel", "rlx"]);
}

slot!(
    /// Defect: the writer does not release.
    AcquireAlone,
    Relaxed,
    Acquire
);

#[test]
fn an_acquire_alone_is_a_data_race() {
    is_wrong(check::<AcquireAlone>(), Fails(Failure::DataRace), &["acq", "rlx"]);
}

/// Defect: the flag is set first.
#[derive(Default)]
struct FlagFirst(Slot);

impl Publish for FlagFirst {
    fn put(&self, value: u64) {
        self.0.ready.store(true, Release);
        self.0.value.set(value);
    }

    fn get(&self) -> Option<u64> {
        self.0.get(Acquire)
    }
}

#[test]
fn a_flag_before_the_value_is_a_data_race() {
    is_wrong(check::<FlagFirst>(), Fails(Failure::DataRace), &["a1.load = true"]);
}
