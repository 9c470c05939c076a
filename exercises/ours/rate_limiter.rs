//! `06_rate_limiter.rs`.

use exercises::checks::rate_limiter::{Limiter, check};
use selvedge_model::sync::Mutex;
use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::marked::Expected::Reaches;
use crate::marked::{is_wrong, solves};

/// Window and count in one word.
const fn packed(window: u64, used: u64) -> u64 {
    window << 32 | used
}

const fn unpacked(state: u64) -> (u64, u64) {
    (state >> 32, state & 0xffff_ffff)
}

/// The state after a request, unless that is refused.
fn next(state: u64, window: u64, limit: u64) -> Option<u64> {
    let (latest, used) = unpacked(state);
    let used = if latest < window { 0 } else { used };
    (latest <= window && used < limit).then(|| packed(window, used + 1))
}

struct OneWord {
    limit: u64,
    state: AtomicU64,
}

impl Limiter for OneWord {
    fn new(limit: u64) -> Self {
        Self { limit, state: AtomicU64::new(0) }
    }

    fn allow(&self, window: u64) -> bool {
        let next = |state| next(state, window, self.limit);
        self.state.fetch_update(Relaxed, Relaxed, next).is_ok()
    }
}

#[test]
fn one_word_solves_it() {
    solves(check::<OneWord>());
}

/// Another solution.
struct OneLock {
    limit: u64,
    state: Mutex<u64>,
}

impl Limiter for OneLock {
    fn new(limit: u64) -> Self {
        Self { limit, state: Mutex::new(0) }
    }

    fn allow(&self, window: u64) -> bool {
        let mut state = self.state.lock().unwrap();
        let next = next(*state, window, self.limit);
        *state = next.unwrap_or(*state);
        next.is_some()
    }
}

#[test]
fn one_lock_solves_it() {
    solves(check::<OneLock>());
}

/// Defect: one word, loaded in one step and stored in another.
struct LoadThenStore(OneWord);

impl Limiter for LoadThenStore {
    fn new(limit: u64) -> Self {
        Self(OneWord::new(limit))
    }

    fn allow(&self, window: u64) -> bool {
        let next = next(self.0.state.load(Relaxed), window, self.0.limit);
        if let Some(next) = next {
            self.0.state.store(next, Relaxed);
        }
        next.is_some()
    }
}

#[test]
fn a_check_before_the_count_lets_both_in() {
    is_wrong(check::<LoadThenStore>(), Reaches("alice=true bob=true"), &["~~ preempted ~~"]);
}

/// Defect: window and count are two words, each changed in one step.
struct TwoWords {
    limit: u64,
    window: AtomicU64,
    used: AtomicU64,
}

impl Limiter for TwoWords {
    fn new(limit: u64) -> Self {
        Self { limit, window: AtomicU64::new(0), used: AtomicU64::new(0) }
    }

    fn allow(&self, window: u64) -> bool {
        let latest = self.window.fetch_max(window, Relaxed);
        if latest < window {
            self.used.store(0, Relaxed);
        }
        latest <= window && self.used.fetch_add(1, Relaxed) < self.limit
    }
}

#[test]
fn a_count_that_is_reset_late_lets_both_in() {
    is_wrong(check::<TwoWords>(), Reaches("alice=true bob=true"), &["~~ preempted ~~"]);
}

/// Defect: an old request opens its window again.
struct AnyOtherWindow(OneWord);

impl Limiter for AnyOtherWindow {
    fn new(limit: u64) -> Self {
        Self(OneWord::new(limit))
    }

    fn allow(&self, window: u64) -> bool {
        let limit = self.0.limit;
        let next = |state| {
            let (latest, used) = unpacked(state);
            let used = if latest == window { used } else { 0 };
            (used < limit).then(|| packed(window, used + 1))
        };
        self.0.state.fetch_update(Relaxed, Relaxed, next).is_ok()
    }
}

#[test]
fn an_old_request_opens_the_window_again() {
    let expected = Reaches("early=true alice=true bob=true");
    is_wrong(check::<AnyOtherWindow>(), expected, &["early"]);
}

/// Defect: a request that meets another one gives up.
struct TriesOnce(OneWord);

impl Limiter for TriesOnce {
    fn new(limit: u64) -> Self {
        Self(OneWord::new(limit))
    }

    fn allow(&self, window: u64) -> bool {
        let state = self.0.state.load(Relaxed);
        next(state, window, self.0.limit).is_some_and(|next| {
            self.0.state.compare_exchange(state, next, Relaxed, Relaxed).is_ok()
        })
    }
}

#[test]
fn an_exchange_that_is_not_retried_refuses_without_a_cause() {
    let expected = Reaches("alice=false bob=false carol=true");
    is_wrong(check::<TriesOnce>(), expected, &["~~ preempted ~~"]);
}
