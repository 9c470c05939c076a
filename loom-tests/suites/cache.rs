//! # Caches: one load, no stale value
//!
//! Proved of [`LoadInsideCache`]: a value is loaded once, and no stale value outlives its invalidation, because
//! look, load and fill are one step under the lock of the shard. Proved of [`NewestWinsCache`] and [`LeaseCache`],
//! which load outside the lock: a late fill does not replace a newer value (versions), or is dropped (a lease that
//! each invalidation ends). `cargo run -p examples --bin web` runs them.
//!
//! **Racy variants.** [`LookLoadFillCache`]: cache stampede, and a fill after the invalidation keeps a stale value.
//! [`LastFillWinsCache`]: the later fill wins, not the newer value. [`RemoveThenSaveCache`]: invalidated before the
//! save.
//!
//! **Scope.** Explored completely, for two or three threads with one or two calls each, on one key. A value is its
//! edition. Entries are not evicted: a cache with versions or leases must not forget those of an evicted entry.

use selvedge_model::Model;
use selvedge_model::sync::{Mutex, MutexGuard, PoisonError};

use crate::support::by_parity::{ByParity, by_parity};
use specimens::cache::racy::RemoveThenSaveCache;
use specimens::cache::racy::{LastFillWinsCache, LookLoadFillCache};
use specimens::cache::{Cache, LeaseCache, LoadInsideCache, NewestWinsCache};

/// The key of the value.
const KEY: u64 = 1;

/// The source of values. Each call is one step.
struct Database(Mutex<Row>);

struct Row {
    /// The edition of the value of [`KEY`].
    edition: u64,
    /// How often it was asked for.
    loads: u64,
    /// How many of the next loads fail.
    failures: u64,
}

/// The database does not answer.
#[derive(Debug)]
struct Down;

impl Database {
    fn failing(failures: u64) -> Self {
        Self(Mutex::new(Row { edition: 1, loads: 0, failures }))
    }

    #[track_caller]
    fn row(&self) -> MutexGuard<'_, Row> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[track_caller]
    fn load(&self) -> Result<u64, Down> {
        let mut row = self.row();
        row.loads += 1;
        if row.failures > 0 {
            row.failures -= 1;
            return Err(Down);
        }
        Ok(row.edition)
    }

    /// Saves the next edition, and returns it.
    #[track_caller]
    fn save(&self) -> u64 {
        let mut row = self.row();
        row.edition += 1;
        row.edition
    }
}

/// A cache and its database.
struct Site<C> {
    cache: C,
    database: Database,
}

impl<C: Cache<u64, Down>> Site<C> {
    fn new(cache: C) -> Self {
        Self { cache, database: Database::failing(0) }
    }

    fn try_get(&self) -> Option<u64> {
        self.cache.get(KEY, &|| self.database.load()).ok()
    }

    fn get(&self) -> u64 {
        self.try_get().expect("the database answers")
    }

    fn save(&self) {
        self.cache.save(KEY, &|| Ok(self.database.save())).expect("the database answers");
    }

    fn save_and_get(&self) -> u64 {
        self.save();
        self.get()
    }

    fn loads(&self) -> u64 {
        self.database.row().loads
    }
}

// ---------------------------------------------------------------------------------------------
// Racy variants.
// ---------------------------------------------------------------------------------------------

fn look_load_fill() -> Site<LookLoadFillCache<u64, ByParity>> {
    Site::new(LookLoadFillCache(by_parity([])))
}

/// Cache stampede: a request that comes during the first load also loads.
#[test]
fn stampede_loads_twice() {
    Model::new(look_load_fill)
        .thread("alice", Site::get)
        .thread("bob", Site::get)
        .finally("loads", Site::loads)
        .acceptable("alice=1 bob=1 loads=1", "one loaded it, the other found it")
        .interesting("alice=1 bob=1 loads=2", "both found nothing: both loaded it")
        .check();
}

/// Loaded, saved, invalidated, filled: every later request reads the old value.
#[test]
fn fill_after_the_invalidation_keeps_a_stale_value() {
    Model::new(look_load_fill)
        .thread("reader", Site::get)
        .thread("writer", Site::save)
        .finally("later", Site::get)
        .acceptable("reader=1 later=2", "loaded before the save, and invalidated by it")
        .acceptable("reader=2 later=2", "loaded after the save")
        .interesting("reader=1 later=1", "the fill came after the invalidation: stale for good")
        .check();
}

/// The same, as the thread that saved sees it.
#[test]
fn writer_reads_the_old_value_after_its_save() {
    Model::new(look_load_fill)
        .thread("reader", Site::get)
        .thread("writer", Site::save_and_get)
        .acceptable("reader=1 writer=2", "the reader was before the save")
        .acceptable("reader=2 writer=2", "the reader was after the save")
        .interesting("reader=1 writer=1", "the reader's fill came between the save and the look")
        .check();
}

fn last_fill_wins() -> Site<LastFillWinsCache<u64, ByParity>> {
    Site::new(LastFillWinsCache(LookLoadFillCache(by_parity([]))))
}

#[test]
fn slow_load_overwrites_a_newer_value() {
    Model::new(last_fill_wins)
        .thread("reader", Site::get)
        .thread("writer", Site::save)
        .finally("later", Site::get)
        .acceptable("reader=1 later=2", "loaded before the save, which then overwrote it")
        .acceptable("reader=2 later=2", "loaded, or found, after the save")
        .interesting("reader=1 later=1", "loaded before the save, filled in after it")
        .check();
}

/// Two saves reach the database in one order and the cache in the other.
#[test]
fn two_saves_fill_the_cache_out_of_order() {
    Model::new(last_fill_wins)
        .thread("alice", Site::save)
        .thread("bob", Site::save)
        .finally("cached", Site::get)
        .acceptable("cached=3", "the second save was also the second to fill")
        .interesting("cached=2", "the second save was the first to fill: its value is gone")
        .check();
}

#[test]
fn invalidation_before_the_save_keeps_a_stale_value() {
    Model::new(|| Site::new(RemoveThenSaveCache(by_parity([]))))
        .thread("reader", Site::get)
        .thread("writer", Site::save)
        .finally("later", Site::get)
        .acceptable("reader=1 later=2", "loaded before it was removed")
        .acceptable("reader=2 later=2", "loaded after the save")
        .interesting("reader=1 later=1", "loaded after it was removed, and before it was saved")
        .check();
}

// ---------------------------------------------------------------------------------------------
// Sound: the load runs under the lock.
// ---------------------------------------------------------------------------------------------

/// The simplest sound cache: requests wait for a load of the same shard.
fn load_inside() -> Site<LoadInsideCache<u64, ByParity>> {
    Site::new(LoadInsideCache(by_parity([])))
}

#[test]
fn two_requests_load_once() {
    Model::new(load_inside)
        .thread("alice", Site::get)
        .thread("bob", Site::get)
        .finally("loads", Site::loads)
        .acceptable("alice=1 bob=1 loads=1", "one loaded it, the other found it")
        .check();
}

#[test]
fn three_requests_load_once() {
    Model::new(load_inside)
        .thread("alice", Site::get)
        .thread("bob", Site::get)
        .thread("carol", Site::get)
        .finally("loads", Site::loads)
        .acceptable("alice=1 bob=1 carol=1 loads=1", "one loaded it, the others found it")
        .check();
}

/// A failed load is not cached, and the request that waited for it loads again.
#[test]
fn failed_load_is_retried_by_the_next_request() {
    Model::new(|| Site { database: Database::failing(1), ..load_inside() })
        .thread("alice", Site::try_get)
        .thread("bob", Site::try_get)
        .finally("loads", Site::loads)
        .acceptable("alice=None bob=Some(1) loads=2", "alice's load failed, bob's did not")
        .acceptable("alice=Some(1) bob=None loads=2", "bob's load failed, alice's did not")
        .check();
}

#[test]
fn later_request_reads_the_saved_value() {
    Model::new(load_inside)
        .thread("reader", Site::get)
        .thread("writer", Site::save)
        .finally("later", Site::get)
        .acceptable("reader=1 later=2", "loaded before the save, and invalidated by it")
        .acceptable("reader=2 later=2", "loaded after the save")
        .forbidden("reader=1 later=1", "a stale value must not outlive its invalidation")
        .check();
}

/// The number of loads is at most one more than that of invalidations.
#[test]
fn writer_reads_its_own_save() {
    Model::new(load_inside)
        .thread("reader", Site::get)
        .thread("writer", Site::save_and_get)
        .finally("loads", Site::loads)
        .acceptable("reader=1 writer=2 loads=2", "one load before the save, one after it")
        .acceptable("reader=2 writer=2 loads=1", "both after the save: one load")
        .acceptable("reader=2 writer=2 loads=2", "one between the save and its invalidation")
        .check();
}

// ---------------------------------------------------------------------------------------------
// Sound: the load runs outside the lock, and a late fill is detected.
// ---------------------------------------------------------------------------------------------

/// Loads outside all locks, and fills only with a newer version.
fn newest_wins() -> Site<NewestWinsCache<u64, ByParity>> {
    Site::new(NewestWinsCache(by_parity([])))
}

#[test]
fn slow_load_does_not_overwrite_a_newer_value() {
    Model::new(newest_wins)
        .thread("reader", Site::get)
        .thread("writer", Site::save)
        .finally("later", Site::get)
        .acceptable("reader=1 later=2", "loaded before the save, whose value is kept")
        .acceptable("reader=2 later=2", "loaded, or found, after the save")
        .forbidden("reader=1 later=1", "a newer value must not be overwritten")
        .check();
}

#[test]
fn two_saves_keep_the_newer_value() {
    Model::new(newest_wins)
        .thread("alice", Site::save)
        .thread("bob", Site::save)
        .finally("cached", Site::get)
        .acceptable("cached=3", "whichever save filled last")
        .check();
}

/// The price of loading outside the lock: two requests may load the same value.
#[test]
fn load_outside_the_lock_may_run_twice() {
    Model::new(newest_wins)
        .thread("alice", Site::get)
        .thread("bob", Site::get)
        .finally("loads", Site::loads)
        .acceptable("alice=1 bob=1 loads=1", "one loaded it, the other found it")
        .interesting("alice=1 bob=1 loads=2", "both loaded it, and both are right")
        .check();
}

/// Loads outside all locks, and fills only if nothing was invalidated since the load began.
fn leased() -> Site<LeaseCache<u64, ByParity>> {
    Site::new(LeaseCache(by_parity([])))
}

#[test]
fn fill_after_the_invalidation_is_dropped() {
    Model::new(leased)
        .thread("reader", Site::get)
        .thread("writer", Site::save)
        .finally("later", Site::get)
        .acceptable(
            "reader=1 later=2",
            "loaded before the save: invalidated by it, or never put in",
        )
        .acceptable("reader=2 later=2", "loaded after the save")
        .forbidden("reader=1 later=1", "a stale value must not be put back")
        .check();
}

/// A slow reader does not replace the value of a reader that has refilled the entry.
#[test]
fn slow_fill_after_a_refill_is_dropped() {
    Model::new(leased)
        .thread("reader", Site::get)
        .thread("writer", Site::save_and_get)
        .finally("later", Site::get)
        .acceptable("reader=1 writer=2 later=2", "loaded before the save, and not kept")
        .acceptable("reader=2 writer=2 later=2", "loaded, or found, after the save")
        .check();
}

// ---------------------------------------------------------------------------------------------
// Reads of one visitor during a save.
// ---------------------------------------------------------------------------------------------

/// Two reads of a visitor, beside a slow reader and a save: whether the second value is not older.
fn beside_a_save<C: Cache<u64, Down> + 'static>(site: fn() -> Site<C>) -> Model<Site<C>> {
    Model::new(site)
        .thread("slow", |site| {
            site.get();
        })
        .thread("visitor", |site| {
            let first = site.get();
            first <= site.get()
        })
        .thread("writer", Site::save)
}

#[test]
fn reads_do_not_go_backwards() {
    let why = "what is cached is not replaced by anything older";
    beside_a_save(load_inside).acceptable("visitor=true", why).check();
    beside_a_save(newest_wins).acceptable("visitor=true", why).check();
}

#[test]
fn reads_of_a_lease_cache_may_go_backwards() {
    beside_a_save(leased)
        .acceptable("visitor=true", "the same edition twice, or a newer one")
        .interesting("visitor=false", "saved, not yet invalidated, and the slow one fills last")
        .check();
}
