//! # Is a value loaded once, and is a stale one ever kept?
//!
//! **Answer.** With [`Map::get_or_try_insert_with`], once and no: look, load and fill are one step. Where
//! they are three, two requests load the same value, and what was saved in between is overwritten, or
//! comes back after it was invalidated: for good, for nobody will invalidate it again.
//!
//! **Why the racy twins fail.** [`LookLoadFillCache`] finds nothing, asks the database, and puts in what
//! it was told, as if no time had passed. Two requests both find nothing: both load. A save that
//! removes the old value from the cache comes between load and fill: the fill puts it back.
//! [`LastFillWinsCache`] saves into the cache too, instead of removing; then the later fill wins, not
//! the newer value. [`RemoveThenSaveCache`] removes first: what is loaded between that and the save is
//! stale for good. Every step of theirs is a call of a sound map. It is the sequence that is not.
//!
//! **Why the sound ones hold.** [`LoadInsideCache`] loads under the lock of the entry's shard: a save
//! changes the database first and then needs the same lock, so it comes before the load, which then
//! reads the new value, or after the fill, which it then removes. Where a load is too slow to be waited
//! for, a fill must be able to see that it comes too late. [`NewestWinsCache`] compares versions in one
//! step with the fill, and never forgets one. [`LeaseCache`] needs no versions: each invalidation
//! changes a number, and a fill counts only if the number is still the one that was there before the
//! load.
//!
//! **The code** of the sound ones, and of the twins that `cargo run -p examples --bin web -- --racy` runs, is
//! `specimens/src/cache.rs`: what is proved here is what the server runs. [`RemoveThenSaveCache`] is in
//! `specimens/src/cache/racy.rs`.
//!
//! **Bounds and what is not modelled.** No bound: every model here is explored completely, for two or
//! three threads with one or two calls each. There is one key. Of a value only its edition is
//! modelled, 1, 2, …, which is also its version. The database is one number under a lock, and takes no
//! time. Entries are not evicted: a [`NewestWinsCache`] or a [`LeaseCache`] that forgets an entry
//! forgets what protects it.

use selvedge_model::Model;
use selvedge_model::sync::{Mutex, MutexGuard, PoisonError};

use crate::support::by_parity::{ByParity, by_parity};
use specimens::cache::racy::RemoveThenSaveCache;
use specimens::cache::racy::{LastFillWinsCache, LookLoadFillCache};
use specimens::cache::{Cache, LeaseCache, LoadInsideCache, NewestWinsCache};

/// What all of them cache.
const KEY: u64 = 1;

/// Where values come from. Each call is one step; between two of them anything may happen.
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
// Racy: what goes wrong.
// ---------------------------------------------------------------------------------------------

fn look_load_fill() -> Site<LookLoadFillCache<u64, ByParity>> {
    Site::new(LookLoadFillCache(by_parity([])))
}

/// The stampede: whoever comes while the first one loads, loads too.
#[test]
fn two_requests_that_find_nothing_both_load() {
    Model::new(look_load_fill)
        .thread("alice", Site::get)
        .thread("bob", Site::get)
        .finally("loads", Site::loads)
        .acceptable("alice=1 bob=1 loads=1", "one loaded it, the other found it")
        .interesting("alice=1 bob=1 loads=2", "both found nothing: both loaded it")
        .check();
}

/// Loaded, saved, invalidated, filled: the old value is back, and every later request is given it.
#[test]
fn a_fill_puts_a_stale_value_back_after_the_invalidation() {
    Model::new(look_load_fill)
        .thread("reader", Site::get)
        .thread("writer", Site::save)
        .finally("later", Site::get)
        .acceptable("reader=1 later=2", "loaded before the save, and invalidated by it")
        .acceptable("reader=2 later=2", "loaded after the save")
        .interesting("reader=1 later=1", "the fill came after the invalidation: stale for good")
        .check();
}

/// The same as its author sees it: "I have saved it, and my own page shows the old text."
#[test]
fn who_saved_is_shown_the_old_value() {
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
fn a_slow_load_overwrites_a_newer_value() {
    Model::new(last_fill_wins)
        .thread("reader", Site::get)
        .thread("writer", Site::save)
        .finally("later", Site::get)
        .acceptable("reader=1 later=2", "loaded before the save, which then overwrote it")
        .acceptable("reader=2 later=2", "loaded, or found, after the save")
        .interesting("reader=1 later=1", "loaded before the save, filled in after it")
        .check();
}

/// No slow load is needed: two saves, the database has them in one order, the cache in the other.
#[test]
fn two_saves_fill_the_cache_in_the_wrong_order() {
    Model::new(last_fill_wins)
        .thread("alice", Site::save)
        .thread("bob", Site::save)
        .finally("cached", Site::get)
        .acceptable("cached=3", "the second save was also the second to fill")
        .interesting("cached=2", "the second save was the first to fill: its value is gone")
        .check();
}

#[test]
fn a_value_that_is_removed_too_early_is_loaded_again_and_stays() {
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
// Sound: the load is part of the step.
// ---------------------------------------------------------------------------------------------

/// What to use unless loads are too slow to be waited for.
fn load_inside() -> Site<LoadInsideCache<u64, ByParity>> {
    Site::new(LoadInsideCache(by_parity([])))
}

#[test]
fn of_two_requests_that_find_nothing_one_loads() {
    Model::new(load_inside)
        .thread("alice", Site::get)
        .thread("bob", Site::get)
        .finally("loads", Site::loads)
        .acceptable("alice=1 bob=1 loads=1", "one loaded it, the other found it")
        .check();
}

#[test]
fn of_three_requests_that_find_nothing_one_loads() {
    Model::new(load_inside)
        .thread("alice", Site::get)
        .thread("bob", Site::get)
        .thread("carol", Site::get)
        .finally("loads", Site::loads)
        .acceptable("alice=1 bob=1 carol=1 loads=1", "one loaded it, the others found it")
        .check();
}

/// Nothing is kept of a load that fails, and who waited for it tries for itself.
#[test]
fn a_load_that_fails_leaves_it_to_the_next() {
    Model::new(|| Site { database: Database::failing(1), ..load_inside() })
        .thread("alice", Site::try_get)
        .thread("bob", Site::try_get)
        .finally("loads", Site::loads)
        .acceptable("alice=None bob=Some(1) loads=2", "alice's load failed, bob's did not")
        .acceptable("alice=Some(1) bob=None loads=2", "bob's load failed, alice's did not")
        .check();
}

#[test]
fn what_was_saved_is_what_later_requests_are_given() {
    Model::new(load_inside)
        .thread("reader", Site::get)
        .thread("writer", Site::save)
        .finally("later", Site::get)
        .acceptable("reader=1 later=2", "loaded before the save, and invalidated by it")
        .acceptable("reader=2 later=2", "loaded after the save")
        .forbidden("reader=1 later=1", "a stale value must not outlive its invalidation")
        .check();
}

/// And there is at most one load more than there are invalidations.
#[test]
fn who_saved_is_shown_what_it_saved() {
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
// Sound: the load is slow and nobody waits for it, and a fill that comes too late is known as such.
// ---------------------------------------------------------------------------------------------

/// Loads outside all locks, and fills only with what is newer than what is there.
fn newest_wins() -> Site<NewestWinsCache<u64, ByParity>> {
    Site::new(NewestWinsCache(by_parity([])))
}

#[test]
fn a_slow_load_does_not_overwrite_a_newer_value() {
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
fn two_saves_leave_the_newer_value_in_the_cache() {
    Model::new(newest_wins)
        .thread("alice", Site::save)
        .thread("bob", Site::save)
        .finally("cached", Site::get)
        .acceptable("cached=3", "whoever filled last")
        .check();
}

/// The price: nobody waits, so nothing keeps the second from loading too.
#[test]
fn a_load_that_nobody_waits_for_may_be_done_twice() {
    Model::new(newest_wins)
        .thread("alice", Site::get)
        .thread("bob", Site::get)
        .finally("loads", Site::loads)
        .acceptable("alice=1 bob=1 loads=1", "one loaded it, the other found it")
        .interesting("alice=1 bob=1 loads=2", "both loaded it, and both are right")
        .check();
}

/// Loads outside all locks, and fills only if nothing was invalidated since before the load.
fn leased() -> Site<LeaseCache<u64, ByParity>> {
    Site::new(LeaseCache(by_parity([])))
}

#[test]
fn a_fill_after_an_invalidation_is_dropped() {
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

/// A slow reader, and one that has just refilled the entry: the slow one changes nothing.
#[test]
fn a_slow_fill_beside_a_refill_is_dropped() {
    Model::new(leased)
        .thread("reader", Site::get)
        .thread("writer", Site::save_and_get)
        .finally("later", Site::get)
        .acceptable("reader=1 writer=2 later=2", "loaded before the save, and not kept")
        .acceptable("reader=2 writer=2 later=2", "loaded, or found, after the save")
        .check();
}

// ---------------------------------------------------------------------------------------------
// Between the save and its end: does time go backwards for a visitor?
// ---------------------------------------------------------------------------------------------

/// Two looks beside a slow reader and a save: whether the second was shown nothing older.
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
fn a_visitor_is_shown_nothing_older_than_before() {
    let why = "what is cached is not replaced by anything older";
    beside_a_save(load_inside).acceptable("visitor=true", why).check();
    beside_a_save(newest_wins).acceptable("visitor=true", why).check();
}

#[test]
fn a_lease_tells_what_comes_too_late_and_not_what_is_older() {
    beside_a_save(leased)
        .acceptable("visitor=true", "the same edition twice, or a newer one")
        .interesting("visitor=false", "saved, not yet invalidated, and the slow one fills last")
        .check();
}
