//! Caches that go wrong: each has the one defect that it names.

use std::hash::BuildHasher;

use selvedge::Map;

use super::Cache;

/// Defect: looks, loads and fills in three steps. A save invalidates, and the fill does not notice.
pub struct LookLoadFillCache<V, S>(pub Map<u64, V, S>);

impl<V, E, S> Cache<V, E> for LookLoadFillCache<V, S>
where
    V: Clone + Send + Sync,
    S: BuildHasher + Send + Sync,
{
    fn get(&self, key: u64, load: &dyn Fn() -> Result<V, E>) -> Result<V, E> {
        if let Some(value) = self.0.get(&key) {
            return Ok(value);
        }
        let value = load()?;
        self.0.insert(key, value.clone());
        Ok(value)
    }

    fn save(&self, key: u64, save: &dyn Fn() -> Result<V, E>) -> Result<V, E> {
        let value = save()?;
        self.0.remove(&key);
        Ok(value)
    }
}

/// Defect: a save fills the cache too, and the last fill wins, however old its value is.
pub struct LastFillWinsCache<V, S>(pub LookLoadFillCache<V, S>);

impl<V, E, S> Cache<V, E> for LastFillWinsCache<V, S>
where
    V: Clone + Send + Sync,
    S: BuildHasher + Send + Sync,
{
    fn get(&self, key: u64, load: &dyn Fn() -> Result<V, E>) -> Result<V, E> {
        self.0.get(key, load)
    }

    fn save(&self, key: u64, save: &dyn Fn() -> Result<V, E>) -> Result<V, E> {
        let value = save()?;
        self.0.0.insert(key, value.clone());
        Ok(value)
    }
}

/// Defect: removes what is stale from the cache, and then saves. Loads are inside, as they should be.
pub struct RemoveThenSaveCache<V, S>(pub Map<u64, V, S>);

impl<V, E, S> Cache<V, E> for RemoveThenSaveCache<V, S>
where
    V: Clone + Send + Sync,
    S: BuildHasher + Send + Sync,
{
    fn get(&self, key: u64, load: &dyn Fn() -> Result<V, E>) -> Result<V, E> {
        self.0.get_or_try_insert_with(key, load)
    }

    fn save(&self, key: u64, save: &dyn Fn() -> Result<V, E>) -> Result<V, E> {
        self.0.remove(&key);
        save()
    }
}
