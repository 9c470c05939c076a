//! Three caches in front of a database. Racy variants are in `cache/racy.rs`.
//!
//! Proved in `loom-tests/suites/cache.rs`, run in `examples/src/bin/web`. None of them evicts: one that does has to
//! keep versions and numbers of invalidations for as long as a load may be under way.

use std::hash::BuildHasher;

use selvedge::Map;

pub mod racy;

/// What can be done with a cache, sound or racy. Where values come from, the database, is the
/// business of `load` and `save`.
pub trait Cache<V, E>: Send + Sync {
    /// The value of `key`: the cached one, or else the one that `load` returns, which is kept.
    ///
    /// # Errors
    ///
    /// Those of `load`. Nothing is kept then, and the next one tries.
    fn get(&self, key: u64, load: &dyn Fn() -> Result<V, E>) -> Result<V, E>;

    /// Calls `save`, which changes the value of `key` in the database and returns the new one.
    /// A later [`get`](Self::get) does not return an older one.
    ///
    /// # Errors
    ///
    /// Those of `save`. Nothing has changed then.
    fn save(&self, key: u64, save: &dyn Fn() -> Result<V, E>) -> Result<V, E>;
}

// ---------------------------------------------------------------------------------------------
// Sound.
// ---------------------------------------------------------------------------------------------

/// Loads under the lock of the entry's shard: however many ask, one loads, and the others wait. What to
/// use unless a load is too slow for that.
///
/// `load` must not use this cache.
pub struct LoadInsideCache<V, S>(pub Map<u64, V, S>);

impl<V, E, S> Cache<V, E> for LoadInsideCache<V, S>
where
    V: Clone + Send + Sync,
    S: BuildHasher + Send + Sync,
{
    fn get(&self, key: u64, load: &dyn Fn() -> Result<V, E>) -> Result<V, E> {
        self.0.get_or_try_insert_with(key, load)
    }

    /// Saves, and then removes the stale value. In the opposite order another thread could load the old
    /// value after it was removed.
    fn save(&self, key: u64, save: &dyn Fn() -> Result<V, E>) -> Result<V, E> {
        let value = save()?;
        self.0.remove(&key);
        Ok(value)
    }
}

/// Loads outside all locks, and keeps the newest value, by the order of the values. No thread waits for
/// another one's load, so two may load the same.
pub struct NewestWinsCache<V, S>(pub Map<u64, V, S>);

impl<V, S> NewestWinsCache<V, S>
where
    V: Clone + Ord,
    S: BuildHasher,
{
    /// Compares and fills in one step.
    fn fill(&self, key: u64, value: &V) {
        self.0.compute(key, |held| Some(held.map_or(value, |held| held.max(value)).clone()));
    }
}

impl<V, E, S> Cache<V, E> for NewestWinsCache<V, S>
where
    V: Clone + Ord + Send + Sync,
    S: BuildHasher + Send + Sync,
{
    fn get(&self, key: u64, load: &dyn Fn() -> Result<V, E>) -> Result<V, E> {
        if let Some(value) = self.0.get(&key) {
            return Ok(value);
        }
        let value = load()?;
        self.fill(key, &value);
        Ok(value)
    }

    fn save(&self, key: u64, save: &dyn Fn() -> Result<V, E>) -> Result<V, E> {
        let value = save()?;
        self.fill(key, &value);
        Ok(value)
    }
}

/// Loads outside all locks, and fills only if nothing was invalidated since the load began. For
/// values without versions. Two may load the same; and during a save a thread may get the new
/// value and then the old one again.
pub struct LeaseCache<V, S>(pub Map<u64, Leased<V>, S>);

/// What a [`LeaseCache`] knows of a key. It stays when the value goes.
#[derive(Clone)]
pub struct Leased<V> {
    value: Option<V>,
    /// How often it was invalidated.
    invalidations: u64,
}

impl<V, E, S> Cache<V, E> for LeaseCache<V, S>
where
    V: Clone + Send + Sync,
    S: BuildHasher + Send + Sync,
{
    fn get(&self, key: u64, load: &dyn Fn() -> Result<V, E>) -> Result<V, E> {
        let lease = match self.0.get(&key) {
            Some(Leased { value: Some(value), .. }) => return Ok(value),
            Some(Leased { value: None, invalidations }) => invalidations,
            None => 0,
        };
        let value = load()?;
        self.0.compute(key, |now| match now {
            // Invalidated meanwhile: this load comes too late.
            Some(now) if now.invalidations != lease => Some(now.clone()),
            _ => Some(Leased { value: Some(value.clone()), invalidations: lease }),
        });
        Ok(value)
    }

    fn save(&self, key: u64, save: &dyn Fn() -> Result<V, E>) -> Result<V, E> {
        let value = save()?;
        self.0.compute(key, |now| {
            let invalidations = now.map_or(0, |now| now.invalidations) + 1;
            Some(Leased { value: None, invalidations })
        });
        Ok(value)
    }
}
