//! How many threads keep a machine busy.

use std::thread;

/// One thread for each core, and at least four, so that threads are preempted on any machine.
pub fn all_cores() -> u32 {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    u32::try_from(cores).unwrap_or(64).clamp(4, 64)
}
