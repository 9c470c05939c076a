//! Caches that go wrong: each has the one defect that it names.

use std::hash::BuildHasher;

use selvedge::Map;

use super::Cache;

/// Defect: looks, loads and fills in three steps. A save invalidates, and the fill does not notice.
pub(crate) struct LookLoadFillCache<V, S>(pub(crate) Map<u64, V, S>);

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

/// Defect: a save fills the cache too, and whoever fills last wins, however old what it has.
pub(crate) struct LastFillWinsCache<V, S>(pub(crate) LookLoadFillCache<V, S>);

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
