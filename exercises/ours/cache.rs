//! `07_cache.rs`.

use std::collections::BTreeMap;

use exercises::checks::cache::{Cache, check};
use selvedge_model::Failure;
use selvedge_model::sync::{Arc, Condvar, Mutex, OnceLock};

use crate::marked::Expected::{Fails, Reaches};
use crate::marked::{is_wrong, solves};

#[derive(Default)]
struct OncePerKey(Mutex<BTreeMap<u64, Arc<OnceLock<u64>>>>);

impl Cache for OncePerKey {
    fn get(&self, key: u64, load: impl FnOnce() -> u64) -> u64 {
        let entry = Arc::clone(self.0.lock().unwrap().entry(key).or_default());
        *entry.get_or_init(load)
    }
}

#[test]
fn an_entry_that_is_initialised_once_solves_it() {
    solves(check::<OncePerKey>());
}

/// Defect: looks in one critical section, and inserts in another.
#[derive(Default)]
struct LookThenLoad(Mutex<BTreeMap<u64, u64>>);

impl Cache for LookThenLoad {
    fn get(&self, key: u64, load: impl FnOnce() -> u64) -> u64 {
        if let Some(value) = self.0.lock().unwrap().get(&key) {
            return *value;
        }
        let value = load();
        *self.0.lock().unwrap().entry(key).or_insert(value)
    }
}

#[test]
fn a_look_before_the_load_is_a_stampede() {
    is_wrong(check::<LookThenLoad>(), Reaches("alice=10 bob=10 loads=2"), &["~~ preempted ~~"]);
}

/// Defect: one lock, held during each load.
#[derive(Default)]
struct LoadUnderTheLock(Mutex<BTreeMap<u64, u64>>);

impl Cache for LoadUnderTheLock {
    fn get(&self, key: u64, load: impl FnOnce() -> u64) -> u64 {
        *self.0.lock().unwrap().entry(key).or_insert_with(load)
    }
}

#[test]
fn a_load_under_the_lock_waits_for_other_keys() {
    let lines = ["m1.lock: not completed", "b1.wait"];
    is_wrong(check::<LoadUnderTheLock>(), Fails(Failure::Deadlock), &lines);
}

/// `None` while the value is being loaded.
#[derive(Default)]
struct Placeholders {
    values: Mutex<BTreeMap<u64, Option<u64>>>,
    loaded: Condvar,
}

impl Placeholders {
    /// The value, or `None` if the caller is to load it.
    fn found(&self, key: u64) -> Option<u64> {
        let mut values = self.values.lock().unwrap();
        loop {
            match values.get(&key) {
                Some(Some(value)) => return Some(*value),
                Some(None) => values = self.loaded.wait(values).unwrap(),
                None => {
                    values.insert(key, None);
                    return None;
                }
            }
        }
    }

    fn insert(&self, key: u64, value: u64) -> u64 {
        self.values.lock().unwrap().insert(key, Some(value));
        value
    }
}

/// Defect: a load that panics leaves its placeholder.
#[derive(Default)]
struct PlaceholderStays(Placeholders);

impl Cache for PlaceholderStays {
    fn get(&self, key: u64, load: impl FnOnce() -> u64) -> u64 {
        self.0.found(key).unwrap_or_else(|| {
            let value = self.0.insert(key, load());
            self.0.loaded.notify_all();
            value
        })
    }
}

#[test]
fn a_placeholder_that_stays_is_waited_for_for_ever() {
    is_wrong(check::<PlaceholderStays>(), Fails(Failure::Deadlock), &["v1.wait", "deadlock"]);
}

/// Defect: threads that wait for the value are not woken.
#[derive(Default)]
struct NoNotification(Placeholders);

impl Cache for NoNotification {
    fn get(&self, key: u64, load: impl FnOnce() -> u64) -> u64 {
        self.0.found(key).unwrap_or_else(|| self.0.insert(key, load()))
    }
}

#[test]
fn without_a_notification_the_other_thread_sleeps() {
    is_wrong(check::<NoNotification>(), Fails(Failure::Deadlock), &["v1.wait", "deadlock"]);
}
