//! What `sync` on loom and on shuttle has in common.

use std::io;
use std::num::NonZeroUsize;

use super::thread::yield_now;

/// 2 on every machine, so that a simulation is reproducible.
///
/// # Errors
///
/// Never.
pub fn available_parallelism() -> io::Result<NonZeroUsize> {
    Ok(const { NonZeroUsize::new(2).unwrap() })
}

/// Blocks until another thread makes `condition` true. Yields to other threads in between.
pub fn wait_until(mut condition: impl FnMut() -> bool) {
    while !condition() {
        yield_now();
    }
}
