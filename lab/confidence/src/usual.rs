//! The test that people write: share the state, spawn the threads, join them, look.
//!
//! The same text on `std`, on loom and on shuttle.

use selvedge_model::sync::{Arc, thread};

use crate::specimen::Specimen;

/// Runs one round. Returns whether it went right.
pub(crate) fn test(specimen: &Specimen) -> bool {
    let round = Arc::new((specimen.round)());
    let threads: Vec<_> = (0..specimen.threads)
        .map(|thread| {
            let round = Arc::clone(&round);
            thread::spawn(move || round.run(thread))
        })
        .collect();
    let mut ended = true;
    for thread in threads {
        ended &= thread.join().is_ok();
    }
    ended && round.right()
}
