//! The check of `01_counter.rs`.

use selvedge_model::{CheckError, Model, Report};

use super::Question;

/// An integer that several threads increment.
pub trait Counter: Default + Send + Sync + 'static {
    /// Adds 1. No increment is lost.
    fn increment(&self);

    /// The sum of the increments so far.
    fn get(&self) -> u64;
}

/// What a counter must keep.
pub fn check<C: Counter>() -> Vec<Question> {
    vec![
        ("two threads: no increment is lost", two::<C>),
        ("three threads: no increment is lost", three::<C>),
        ("a read beside increments is between 0 and their number", read::<C>),
    ]
}

fn two<C: Counter>() -> Result<Report, CheckError> {
    Model::new(C::default)
        .thread("alice", C::increment)
        .thread("bob", C::increment)
        .finally("total", C::get)
        .acceptable("total=2", "each thread adds 1")
        .try_check()
}

fn three<C: Counter>() -> Result<Report, CheckError> {
    Model::new(C::default)
        .thread("alice", C::increment)
        .thread("bob", C::increment)
        .thread("carol", C::increment)
        .finally("total", C::get)
        .acceptable("total=3", "each thread adds 1")
        .try_check()
}

fn read<C: Counter>() -> Result<Report, CheckError> {
    Model::new(C::default)
        .thread("alice", |counter| {
            counter.increment();
            counter.increment();
        })
        .thread("reader", C::get)
        .acceptable("reader=0", "read before the first increment")
        .acceptable("reader=1", "read between the two")
        .acceptable("reader=2", "read after the second")
        .try_check()
}
