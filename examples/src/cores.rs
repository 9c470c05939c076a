//! How many threads keep a machine busy.

use std::thread;

/// One thread for each core, and four at least, so that there is always somebody to come in between.
pub fn all_cores() -> u32 {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    u32::try_from(cores).unwrap_or(64).clamp(4, 64)
}
