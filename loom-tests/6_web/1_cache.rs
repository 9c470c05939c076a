//! # Is a cached value loaded once, and does it stay current?
//!
//! A request looks for a page in the cache. If it is not there, the request loads it from the database and fills the
//! cache. A change saves the page in the database and then empties the cache:
//!
//! ```rust
//! if let Some(page) = self.cached() { return page; }       // a request
//! let page = self.load();
//! self.fill(page);
//! self.save(1); self.empty();                              // a change
//! ```
//!
//! Each call is one step. **Guess:** can the cache keep edition 0 after edition 1 was saved and the cache was emptied?
//!
//! **Output.** Yes, and all later requests get edition 0:
//!
//! ```text
//!       request                   change
//!    1  m1.lock
//!    2  m1.unlock
//!    3  a2.fetch_add(1): 0 -> 1
//!    4  a1.load = 0
//!       ~~ preempted ~~
//!    5                            a1.store 1
//!    6                            m1.lock
//!    7                            m1.unlock
//!    8  m1.lock
//!    9  m1.unlock
//! ```
//!
//! `m1` is the lock of the cache, `a1` the database, `a2` the number of loads. Real threads showed it in 0 to 805 of
//! 20,000 rounds (`SELVEDGE_ROUNDS=20000 cargo test --test book -- cache:: --nocapture`, 2026-11-29, two cores).
//!
//! **Why.** Looking, loading and filling are three steps: **check-then-act**, the defect of lesson 2.2. New is a change
//! between the last two. In this gap two requests load one page (second test), and many are a **cache stampede**.
//!
//! **Fix.** One step: hold the lock over all three, as `Map::get_or_insert_with` does. A change then empties the cache
//! before the load, or after the fill. The price: other requests wait during the load.
//!
//! **Break it yourself.** In `beside_a_change` empty the cache first and save afterwards.
//! `load_under_the_lock_loads_once_and_keeps_no_stale_page` fails: *reached request=0 later=0*. So does the first test.
//! Exercise: `cargo exercise cache` (see `exercises/README.md`).

use selvedge_model::Model;
use selvedge_model::sync::Mutex;
use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::shown::assert_shown;

/// Editions of a page. Accesses to the database are `Relaxed`: the lock of the cache orders them.
#[derive(Default)]
struct Site {
    cache: Mutex<Option<u64>>,
    database: AtomicU64,
    loads: AtomicU64,
}

impl Site {
    fn load(&self) -> u64 {
        self.loads.fetch_add(1, Relaxed);
        self.database.load(Relaxed)
    }

    /// Racy: three steps.
    fn look_load_fill(&self) -> u64 {
        let cached = *self.cache.lock().unwrap();
        cached.unwrap_or_else(|| {
            let page = self.load();
            *self.cache.lock().unwrap() = Some(page);
            page
        })
    }

    /// Sound: one step.
    fn load_under_the_lock(&self) -> u64 {
        *self.cache.lock().unwrap().get_or_insert_with(|| self.load())
    }
}

/// A request beside a change, and what a later request gets.
fn beside_a_change(request: fn(&Site) -> u64) -> Model<Site> {
    Model::new(Site::default)
        .thread("request", request)
        .thread("change", |site| {
            site.database.store(1, Relaxed);
            *site.cache.lock().unwrap() = None;
        })
        .finally("later", Site::load_under_the_lock)
        .acceptable("request=0 later=1", "loaded before the change")
        .acceptable("request=1 later=1", "loaded after the change")
}

fn two_requests(request: fn(&Site) -> u64) -> Model<Site> {
    Model::new(Site::default)
        .thread("alice", request)
        .thread("bob", request)
        .finally("loads", |site| site.loads.load(Relaxed))
        .acceptable("alice=0 bob=0 loads=1", "one loaded, the other one found the page")
}

#[test]
fn fill_after_a_change_keeps_a_stale_page() {
    let report = beside_a_change(Site::look_load_fill)
        .interesting("request=0 later=0", "filled after the cache was emptied")
        .check();
    assert_shown(include_str!("1_cache.rs"), &report.to_string());
}

#[test]
fn two_requests_load_the_page_twice() {
    two_requests(Site::look_load_fill)
        .interesting("alice=0 bob=0 loads=2", "both found the cache empty")
        .check();
}

#[test]
fn load_under_the_lock_loads_once_and_keeps_no_stale_page() {
    beside_a_change(Site::load_under_the_lock).check();
    two_requests(Site::load_under_the_lock).check();
}
