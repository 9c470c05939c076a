//! The check of `02_lazy.rs`.

use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};
use selvedge_model::{CheckError, Model, Report};

use super::{Plain, Question};

/// A value that is initialised by the first caller.
pub trait Lazy: Default + Send + Sync + 'static {
    /// The value. The first call runs `init`; no other call does, and all return what it returned.
    fn get(&self, init: impl FnOnce() -> u64) -> u64;
}

/// What a lazily initialised value must keep.
pub fn check<L: Lazy>() -> Vec<Question> {
    vec![
        ("the value is initialised once, and all callers have the same", once::<L>),
        ("what the initialiser wrote is visible to every caller", visible::<L>),
        ("three callers", three::<L>),
    ]
}

/// The value, and how often it was initialised.
type Counted<L> = (L, AtomicU64);

fn get<L: Lazy>(value: u64) -> impl Fn(&Counted<L>) -> u64 {
    move |(lazy, runs)| {
        lazy.get(|| {
            runs.fetch_add(1, Relaxed);
            value
        })
    }
}

fn model<L: Lazy>() -> Model<Counted<L>> {
    Model::new(Counted::<L>::default).thread("alice", get(1)).thread("bob", get(2))
}

fn runs<L>((_, runs): &Counted<L>) -> u64 {
    runs.load(Relaxed)
}

fn once<L: Lazy>() -> Result<Report, CheckError> {
    model::<L>()
        .finally("runs", runs)
        .acceptable("alice=1 bob=1 runs=1", "alice initialised it")
        .acceptable("alice=2 bob=2 runs=1", "bob initialised it")
        .try_check()
}

fn visible<L: Lazy>() -> Result<Report, CheckError> {
    let get = |(lazy, written): &(L, Plain)| {
        lazy.get(|| {
            written.set(7);
            1
        });
        written.get()
    };
    Model::new(<(L, Plain)>::default)
        .thread("alice", get)
        .thread("bob", get)
        .acceptable("alice=7 bob=7", "whichever initialised it")
        .try_check()
}

fn three<L: Lazy>() -> Result<Report, CheckError> {
    model::<L>()
        .thread("carol", get(3))
        .finally("runs", runs)
        .acceptable("alice=1 bob=1 carol=1 runs=1", "alice initialised it")
        .acceptable("alice=2 bob=2 carol=2 runs=1", "bob initialised it")
        .acceptable("alice=3 bob=3 carol=3 runs=1", "carol initialised it")
        .try_check()
}
