//! The check of `07_cache.rs`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use selvedge_model::sync::Barrier;
use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};
use selvedge_model::{CheckError, Model, Report};

use super::Question;

/// A cache before something slow.
pub trait Cache: Default + Send + Sync + 'static {
    /// The value of `key`, which is loaded if it is not there.
    fn get(&self, key: u64, load: impl FnOnce() -> u64) -> u64;
}

/// What a cache must keep.
pub fn check<C: Cache>() -> Vec<Question> {
    vec![
        ("two threads that miss one key load it once", once::<C>),
        ("two keys are loaded at the same time", together::<C>),
        ("a load that panics leaves the key absent", panics::<C>),
    ]
}

fn once<C: Cache>() -> Result<Report, CheckError> {
    let get = |value| {
        move |(cache, loads): &(C, AtomicU64)| {
            cache.get(1, || {
                loads.fetch_add(1, Relaxed);
                value
            })
        }
    };
    Model::new(<(C, AtomicU64)>::default)
        .thread("alice", get(10))
        .thread("bob", get(20))
        .finally("loads", |(_, loads)| loads.load(Relaxed))
        .acceptable("alice=10 bob=10 loads=1", "alice loaded it")
        .acceptable("alice=20 bob=20 loads=1", "bob loaded it")
        .try_check()
}

/// Each load waits for the other one.
fn together<C: Cache>() -> Result<Report, CheckError> {
    let get = |key| {
        move |(cache, loading): &(C, Barrier)| {
            cache.get(key, || {
                loading.wait();
                key * 10
            })
        }
    };
    Model::new(|| (C::default(), Barrier::new(2)))
        .thread("alice", get(1))
        .thread("bob", get(2))
        .acceptable("alice=10 bob=20", "no load waits for another key")
        .try_check()
}

fn panics<C: Cache>() -> Result<Report, CheckError> {
    Model::new(C::default)
        .thread("alice", |cache| {
            let load = || panic!("the database is down");
            catch_unwind(AssertUnwindSafe(|| cache.get(1, load))).ok()
        })
        .thread("bob", |cache| cache.get(1, || 20))
        .acceptable("alice=None bob=20", "alice's load panicked, bob loaded it himself")
        .acceptable("alice=Some(20) bob=20", "bob loaded it first")
        .try_check()
}
