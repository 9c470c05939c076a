//! # Is a value loaded once, and is a stale one ever kept?
//!
//! **Answer.** With [`Map::get_or_insert_with`], once and no: look, load and fill are one step. Where
//! they are three, two requests load the same value, and what was saved in between is overwritten, or
//! comes back after it was invalidated: for good, for nobody will invalidate it again.
//!
//! **Why the racy twins fail.** [`LookLoadFillCache`] finds nothing, asks the database, and puts in what
//! it was told, as if no time had passed. Two requests both find nothing: both load. A save that
//! removes the old value from the cache comes between load and fill: the fill puts it back.
//! [`LastFillWinsCache`] saves into the cache too, instead of removing; then the later fill wins, not
//! the newer value. Every step of theirs is a call of a sound map. It is the sequence that is not.
//!
//! **Why the sound ones hold.** [`LoadInsideCache`] loads under the lock of the entry's shard: a save
//! changes the database first and then needs the same lock, so it comes before the load, which then
//! reads the new value, or after the fill, which it then removes. Where a load is too slow to be waited
//! for, a fill must be able to see that it comes too late. [`NewestWinsCache`] compares versions in one
//! step with the fill, and never forgets one. [`LeaseCache`] needs no versions: each invalidation
//! changes a number, and a fill counts only if the number is still the one that was there before the
//! load.
//!
//! **Bounds and what is not modelled.** No bound: every model here is explored completely, for two or
//! three threads with one or two calls each. There is one key. Of a value only its edition is
//! modelled, 1, 2, …, which is also its version. The database is one number under a lock: it takes no
//! time and never fails (for a load that fails see `a_failed_attempt_leaves_it_to_the_next` in
//! `map.rs`). Entries are not evicted: a [`NewestWinsCache`] or a [`LeaseCache`] that forgets an entry
//! forgets what protects it.

use selvedge::Map;
use selvedge::model::Model;
use selvedge::sync::{Mutex, MutexGuard, PoisonError};

#[expect(dead_code, reason = "what takes its time here is the database")]
mod by_parity;

use by_parity::{ByParity, by_parity};

/// What all of them cache.
const KEY: u64 = 1;

/// Where values come from. Each call is one step; between two of them anything may happen.
struct Database(Mutex<Row>);

struct Row {
    /// The edition of the value of [`KEY`].
    edition: u64,
    /// How often it was asked for.
    loads: u64,
}

impl Database {
    fn new() -> Self {
        Self(Mutex::new(Row { edition: 1, loads: 0 }))
    }

    #[track_caller]
    fn row(&self) -> MutexGuard<'_, Row> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[track_caller]
    fn load(&self) -> u64 {
        let mut row = self.row();
        row.loads += 1;
        row.edition
    }

    /// Saves the next edition, and returns it.
    #[track_caller]
    fn save(&self) -> u64 {
        let mut row = self.row();
        row.edition += 1;
        row.edition
    }

    fn loads(&self) -> u64 {
        self.row().loads
    }
}

// ---------------------------------------------------------------------------------------------
// Racy: what goes wrong.
// ---------------------------------------------------------------------------------------------

/// Defect: looks, loads and fills in three steps. A save invalidates, and the fill does not notice.
struct LookLoadFillCache {
    values: Map<u64, u64, ByParity>,
    database: Database,
}

impl LookLoadFillCache {
    fn new() -> Self {
        Self { values: by_parity([]), database: Database::new() }
    }

    fn get(&self) -> u64 {
        if let Some(value) = self.values.get(&KEY) {
            return value;
        }
        let value = self.database.load();
        self.values.insert(KEY, value);
        value
    }

    /// Saves, and removes from the cache what is stale now.
    fn save(&self) {
        self.database.save();
        self.values.remove(&KEY);
    }
}

/// The stampede: whoever comes while the first one loads, loads too.
#[test]
fn two_requests_that_find_nothing_both_load() {
    Model::new(LookLoadFillCache::new)
        .thread("alice", LookLoadFillCache::get)
        .thread("bob", LookLoadFillCache::get)
        .finally("loads", |cache| cache.database.loads())
        .acceptable("alice=1 bob=1 loads=1", "one loaded it, the other found it")
        .interesting("alice=1 bob=1 loads=2", "both found nothing: both loaded it")
        .check();
}

/// Loaded, saved, invalidated, filled: the old value is back, and every later request is given it.
#[test]
fn a_fill_puts_a_stale_value_back_after_the_invalidation() {
    Model::new(LookLoadFillCache::new)
        .thread("reader", LookLoadFillCache::get)
        .thread("writer", LookLoadFillCache::save)
        .finally("later", LookLoadFillCache::get)
        .acceptable("reader=1 later=2", "loaded before the save, and invalidated by it")
        .acceptable("reader=2 later=2", "loaded after the save")
        .interesting("reader=1 later=1", "the fill came after the invalidation: stale for good")
        .check();
}

/// The same as its author sees it: "I have saved it, and my own page shows the old text."
#[test]
fn who_saved_is_shown_the_old_value() {
    Model::new(LookLoadFillCache::new)
        .thread("reader", LookLoadFillCache::get)
        .thread("writer", |cache| {
            cache.save();
            cache.get()
        })
        .acceptable("reader=1 writer=2", "the reader was before the save")
        .acceptable("reader=2 writer=2", "the reader was after the save")
        .interesting("reader=1 writer=1", "the reader's fill came between the save and the look")
        .check();
}

/// Defect: a save fills the cache too, and whoever fills last wins, however old what it has.
struct LastFillWinsCache {
    values: Map<u64, u64, ByParity>,
    database: Database,
}

impl LastFillWinsCache {
    fn new() -> Self {
        Self { values: by_parity([]), database: Database::new() }
    }

    fn get(&self) -> u64 {
        if let Some(value) = self.values.get(&KEY) {
            return value;
        }
        let value = self.database.load();
        self.values.insert(KEY, value);
        value
    }

    /// Saves, and puts the new value into the cache.
    fn save(&self) {
        let value = self.database.save();
        self.values.insert(KEY, value);
    }
}

#[test]
fn a_slow_load_overwrites_a_newer_value() {
    Model::new(LastFillWinsCache::new)
        .thread("reader", LastFillWinsCache::get)
        .thread("writer", LastFillWinsCache::save)
        .finally("later", LastFillWinsCache::get)
        .acceptable("reader=1 later=2", "loaded before the save, which then overwrote it")
        .acceptable("reader=2 later=2", "loaded, or found, after the save")
        .interesting("reader=1 later=1", "loaded before the save, filled in after it")
        .check();
}

/// No slow load is needed: two saves, the database has them in one order, the cache in the other.
#[test]
fn two_saves_fill_the_cache_in_the_wrong_order() {
    Model::new(LastFillWinsCache::new)
        .thread("alice", LastFillWinsCache::save)
        .thread("bob", LastFillWinsCache::save)
        .finally("cached", LastFillWinsCache::get)
        .acceptable("cached=3", "the second save was also the second to fill")
        .interesting("cached=2", "the second save was the first to fill: its value is gone")
        .check();
}

// ---------------------------------------------------------------------------------------------
// Sound: the load is part of the step.
// ---------------------------------------------------------------------------------------------

/// Loads inside [`Map::get_or_insert_with`]: what to use unless loads are too slow to be waited for.
struct LoadInsideCache {
    values: Map<u64, u64, ByParity>,
    database: Database,
}

impl LoadInsideCache {
    fn new() -> Self {
        Self { values: by_parity([]), database: Database::new() }
    }

    fn get(&self) -> u64 {
        self.values.get_or_insert_with(KEY, || self.database.load())
    }

    /// Saves, and removes from the cache what is stale now. In this order: the other way round a
    /// request could load the old value after it was removed.
    fn save(&self) {
        self.database.save();
        self.values.remove(&KEY);
    }
}

#[test]
fn of_two_requests_that_find_nothing_one_loads() {
    Model::new(LoadInsideCache::new)
        .thread("alice", LoadInsideCache::get)
        .thread("bob", LoadInsideCache::get)
        .finally("loads", |cache| cache.database.loads())
        .acceptable("alice=1 bob=1 loads=1", "one loaded it, the other found it")
        .check();
}

#[test]
fn of_three_requests_that_find_nothing_one_loads() {
    Model::new(LoadInsideCache::new)
        .thread("alice", LoadInsideCache::get)
        .thread("bob", LoadInsideCache::get)
        .thread("carol", LoadInsideCache::get)
        .finally("loads", |cache| cache.database.loads())
        .acceptable("alice=1 bob=1 carol=1 loads=1", "one loaded it, the others found it")
        .check();
}

#[test]
fn what_was_saved_is_what_later_requests_are_given() {
    Model::new(LoadInsideCache::new)
        .thread("reader", LoadInsideCache::get)
        .thread("writer", LoadInsideCache::save)
        .finally("later", LoadInsideCache::get)
        .acceptable("reader=1 later=2", "loaded before the save, and invalidated by it")
        .acceptable("reader=2 later=2", "loaded after the save")
        .forbidden("reader=1 later=1", "a stale value must not outlive its invalidation")
        .check();
}

/// And there is at most one load more than there are invalidations.
#[test]
fn who_saved_is_shown_what_it_saved() {
    Model::new(LoadInsideCache::new)
        .thread("reader", LoadInsideCache::get)
        .thread("writer", |cache| {
            cache.save();
            cache.get()
        })
        .finally("loads", |cache| cache.database.loads())
        .acceptable("reader=1 writer=2 loads=2", "one load before the save, one after it")
        .acceptable("reader=2 writer=2 loads=1", "both after the save: one load")
        .acceptable("reader=2 writer=2 loads=2", "one between the save and its invalidation")
        .check();
}

// ---------------------------------------------------------------------------------------------
// Sound: the load is slow and nobody waits for it, and a fill that comes too late is known as such.
// ---------------------------------------------------------------------------------------------

/// Loads outside all locks, and fills only with what is newer than what is there.
struct NewestWinsCache {
    values: Map<u64, u64, ByParity>,
    database: Database,
}

impl NewestWinsCache {
    fn new() -> Self {
        Self { values: by_parity([]), database: Database::new() }
    }

    fn get(&self) -> u64 {
        if let Some(value) = self.values.get(&KEY) {
            return value;
        }
        let value = self.database.load();
        self.fill(value);
        value
    }

    fn save(&self) {
        let value = self.database.save();
        self.fill(value);
    }

    /// Compares and fills in one step.
    fn fill(&self, value: u64) {
        self.values.compute(KEY, |held| Some(held.map_or(value, |held| value.max(*held))));
    }
}

#[test]
fn a_slow_load_does_not_overwrite_a_newer_value() {
    Model::new(NewestWinsCache::new)
        .thread("reader", NewestWinsCache::get)
        .thread("writer", NewestWinsCache::save)
        .finally("later", NewestWinsCache::get)
        .acceptable("reader=1 later=2", "loaded before the save, whose value is kept")
        .acceptable("reader=2 later=2", "loaded, or found, after the save")
        .forbidden("reader=1 later=1", "a newer value must not be overwritten")
        .check();
}

#[test]
fn two_saves_leave_the_newer_value_in_the_cache() {
    Model::new(NewestWinsCache::new)
        .thread("alice", NewestWinsCache::save)
        .thread("bob", NewestWinsCache::save)
        .finally("cached", NewestWinsCache::get)
        .acceptable("cached=3", "whoever filled last")
        .check();
}

/// The price: nobody waits, so nothing keeps the second from loading too.
#[test]
fn a_load_that_nobody_waits_for_may_be_done_twice() {
    Model::new(NewestWinsCache::new)
        .thread("alice", NewestWinsCache::get)
        .thread("bob", NewestWinsCache::get)
        .finally("loads", |cache| cache.database.loads())
        .acceptable("alice=1 bob=1 loads=1", "one loaded it, the other found it")
        .interesting("alice=1 bob=1 loads=2", "both loaded it, and both are right")
        .check();
}

/// Loads outside all locks, and fills only if nothing was invalidated since before the load.
struct LeaseCache {
    entries: Map<u64, Leased, ByParity>,
    database: Database,
}

/// What the cache knows of a key. It stays when the value goes.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct Leased {
    value: Option<u64>,
    /// How often it was invalidated.
    invalidations: u64,
}

impl LeaseCache {
    fn new() -> Self {
        Self { entries: by_parity([]), database: Database::new() }
    }

    fn get(&self) -> u64 {
        let seen = self.entries.get(&KEY).unwrap_or_default();
        if let Some(value) = seen.value {
            return value;
        }
        let value = self.database.load();
        self.entries.compute(KEY, |now| {
            let now = now.copied().unwrap_or_default();
            // Filled or invalidated meanwhile: this load comes too late.
            Some(if now == seen { Leased { value: Some(value), ..seen } } else { now })
        });
        value
    }

    fn save(&self) {
        self.database.save();
        self.entries.compute(KEY, |now| {
            let invalidations = now.map_or(0, |now| now.invalidations) + 1;
            Some(Leased { value: None, invalidations })
        });
    }
}

#[test]
fn a_fill_after_an_invalidation_is_dropped() {
    Model::new(LeaseCache::new)
        .thread("reader", LeaseCache::get)
        .thread("writer", LeaseCache::save)
        .finally("later", LeaseCache::get)
        .acceptable(
            "reader=1 later=2",
            "loaded before the save: invalidated by it, or never put in",
        )
        .acceptable("reader=2 later=2", "loaded after the save")
        .forbidden("reader=1 later=1", "a stale value must not be put back")
        .check();
}

/// A slow reader, and one that has just refilled the entry: the slow one changes nothing.
#[test]
fn a_slow_fill_beside_a_refill_is_dropped() {
    Model::new(LeaseCache::new)
        .thread("reader", LeaseCache::get)
        .thread("writer", |cache| {
            cache.save();
            cache.get()
        })
        .finally("later", LeaseCache::get)
        .acceptable("reader=1 writer=2 later=2", "loaded before the save, and not kept")
        .acceptable("reader=2 writer=2 later=2", "loaded, or found, after the save")
        .check();
}
