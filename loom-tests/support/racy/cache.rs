//! A cache that goes wrong, with the one defect that it names. To be used beside `mod cache`.

use std::hash::BuildHasher;

use selvedge::Map;

use super::cache::Cache;

/// Defect: removes what is stale from the cache, and then saves. Loads are inside, as they should be.
pub(crate) struct RemoveThenSaveCache<V, S>(pub(crate) Map<u64, V, S>);

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
