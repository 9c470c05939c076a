//! # Can an initialised value be read without the lock?
//!
//! A rate is loaded once, by the first thread that needs it. A lock makes this safe, and it is taken by every later
//! read too. To avoid this, a flag is checked before the lock is taken, and again after:
//!
//! ```rust
//! if !self.ready.load(Relaxed) {                  // first check, without the lock
//!     let _guard = self.lock.lock().unwrap();
//!     if !self.ready.load(Relaxed) {              // second check
//!         self.rate = load_rate();
//!         self.ready.store(true, Release);
//!     }
//! }
//! self.rate
//! ```
//!
//! **Guess:** is each access to the rate ordered after its initialisation?
//!
//! **Output.**
//!
//! ```text
//!       alice               bob
//!    1  a1.load = false
//!    2  m1.lock
//!    3  a1.load = false
//!    4  c1.write
//!    5  a1.store true
//!    6  m1.unlock
//!    7  c1.read
//!    8                      a1.load = true
//!                           c1.read: data race
//! ```
//!
//! `a1` is the flag, `c1` is the rate. Bob's read races with alice's write at step 4. On real threads a model with a
//! data race is not run.
//!
//! **Why.** This is **double-checked locking**. A thread that finds the flag set does not take the lock, so no lock
//! orders its read after the write. It is message passing: only the flag connects the two threads, and a relaxed load
//! does not acquire what the store released.
//!
//! **Fix.** Load with `Acquire` in the first check. The second check may stay relaxed: the lock orders it. Without the
//! second check (second test) a thread that waited for the lock initialises again, while another thread reads. In
//! practice use `OnceLock`, which does all this (last test).
//!
//! **Break it yourself.** Store the flag with `Relaxed`. `acquire_first_check_initialises_once` fails with a data race,
//! and the message ends in *the store must release*.
//!
//! Exercise: `cargo exercise lazy` (see `exercises/README.md`).

use selvedge_model::sync::atomic::Ordering::{self, Acquire, Relaxed, Release};
use selvedge_model::sync::atomic::{AtomicBool, AtomicU64};
use selvedge_model::sync::cell::UnsafeCell;
use selvedge_model::sync::{Mutex, OnceLock};
use selvedge_model::{Failure, Model};

use crate::shown::assert_shown;

/// A rate that is loaded at its first use.
#[derive(Default)]
struct Lazy {
    ready: AtomicBool,
    rate: UnsafeCell<u64>,
    lock: Mutex<()>,
}

// SAFETY: the rate is written once, under `lock`, before `ready` is stored with `Release`; a read without the lock comes
// after a load of `ready` with `Acquire`. The racy tests break this, and are not run on real threads.
unsafe impl Sync for Lazy {}

impl Lazy {
    fn get(&self, first_check: Ordering, second_check: bool) -> u64 {
        if !self.ready.load(first_check) {
            let _guard = self.lock.lock().unwrap();
            if !(second_check && self.ready.load(Relaxed)) {
                // SAFETY: the lock is held, and no thread has seen `ready`.
                self.rate.with_mut(|rate| unsafe { *rate = 7 });
                self.ready.store(true, Release);
            }
        }
        // SAFETY: the rate is initialised, and is not written again.
        self.rate.with(|rate| unsafe { *rate })
    }
}

fn model(first_check: Ordering, second_check: bool) -> Model<Lazy> {
    Model::new(Lazy::default)
        .thread("alice", move |lazy| lazy.get(first_check, second_check))
        .thread("bob", move |lazy| lazy.get(first_check, second_check))
}

#[test]
fn relaxed_first_check_is_a_data_race() {
    let report = model(Relaxed, true).fails(Failure::DataRace).check();
    assert_shown(include_str!("4_double_checked_locking.rs"), &report.to_string());
}

#[test]
fn missing_second_check_is_a_data_race() {
    model(Acquire, false).fails(Failure::DataRace).check();
}

#[test]
fn acquire_first_check_initialises_once() {
    model(Acquire, true).acceptable("alice=7 bob=7", "both read the rate").check();
}

#[test]
fn once_lock_initialises_once() {
    let get = |(rate, loads): &(OnceLock<u64>, AtomicU64)| {
        *rate.get_or_init(|| 7 * (1 + loads.fetch_add(1, Relaxed)))
    };
    Model::new(<(OnceLock<u64>, AtomicU64)>::default)
        .thread("alice", get)
        .thread("bob", get)
        .acceptable("alice=7 bob=7", "one thread loads the rate, both read it")
        .check();
}
