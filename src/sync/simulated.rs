//! What the façades on loom's and on shuttle's types have in common.

use std::io;
use std::num::NonZeroUsize;

use super::thread::yield_now;

/// Two processors, whatever the machine has: a simulation does the same everywhere.
///
/// # Errors
///
/// None.
pub fn available_parallelism() -> io::Result<NonZeroUsize> {
    Ok(const { NonZeroUsize::new(2).unwrap() })
}

/// Blocks until `condition` holds, which another thread brings about, and lets others run meanwhile.
pub fn wait_until(mut condition: impl FnMut() -> bool) {
    while !condition() {
        yield_now();
    }
}
