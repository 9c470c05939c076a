//! # moka #195: a value is initialised twice
//!
//! **Source.** <https://github.com/moka-rs/moka/pull/195>.
//!
//! **Kind.** Check-then-act.
//!
//! **What happened.** `get_with` promises that concurrent calls for one key evaluate `init` once. A call looks the key up;
//! if it is absent, it registers itself as the one that initialises, or waits for the one that is registered. A call that
//! found the key absent and registered only after another had inserted the value and deregistered, evaluated `init`
//! again. The fix looks the key up once more after registering.
//!
//! **What the checker says.** `broken`: both calls initialise, in execution 2, an interleaving. `fixed` is explored
//! completely, in 20 executions.
//!
//! **Assumed.** One key. The map and the registry of waiters, which are lock-free tables in the crate, are a mutex each.

use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};
use selvedge_model::sync::{Arc, Mutex, RwLock};

/// The value of one key.
#[derive(Default)]
pub struct Cache {
    value: Mutex<Option<u64>>,
    /// The call that initialises holds the write lock of what is registered here.
    registered: Mutex<Option<Arc<RwLock<Option<u64>>>>>,
    inits: AtomicU64,
}

impl Cache {
    /// How often the value was initialised.
    pub fn inits(&self) -> u64 {
        self.inits.load(Relaxed)
    }

    fn get(&self) -> Option<u64> {
        *self.value.lock().unwrap()
    }

    fn init(&self) -> u64 {
        self.inits.fetch_add(1, Relaxed) + 1
    }

    /// `again` is called once the call is registered.
    fn get_with(&self, again: impl Fn() -> Option<u64>) -> u64 {
        if let Some(value) = self.get() {
            return value;
        }
        let mine = Arc::new(RwLock::new(None));
        let mut result = mine.write().unwrap();
        let other = {
            let mut registered = self.registered.lock().unwrap();
            let other = registered.clone();
            registered.get_or_insert_with(|| Arc::clone(&mine));
            other
        };
        if let Some(other) = other {
            let value = *other.read().unwrap();
            return value.expect("it is set before the write lock is released");
        }
        let value = again().unwrap_or_else(|| self.init());
        *result = Some(value);
        *self.value.lock().unwrap() = Some(value);
        *self.registered.lock().unwrap() = None;
        value
    }
}

/// Does not look again.
pub fn broken(cache: &Cache) -> u64 {
    cache.get_with(|| None)
}

/// Looks again.
pub fn fixed(cache: &Cache) -> u64 {
    cache.get_with(|| cache.get())
}

#[cfg(test)]
mod tests {
    use super::{Cache, broken, fixed};
    use crate::expect;
    use selvedge_model::Model;

    fn model(get_with: fn(&Cache) -> u64) -> Model<Cache> {
        let model = Model::new(Cache::default).thread("a", get_with).thread("b", get_with);
        model.finally("inits", Cache::inits)
    }

    #[test]
    fn a_value_is_initialised_twice() {
        let report = model(broken)
            .acceptable("a=1 b=1 inits=1", "one initialised")
            .interesting(["a=1 b=2 inits=2", "a=2 b=1 inits=2"], "both initialised")
            .check();
        expect::reached(&report, "a=1 b=2 inits=2", 2, true);
    }

    #[test]
    fn a_second_look_initialises_once() {
        let report = model(fixed).acceptable("a=1 b=1 inits=1", "one initialised").check();
        expect::complete(&report, 20);
    }
}
