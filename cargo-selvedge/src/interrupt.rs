//! Ctrl-C: the command stops where it is, keeps what it has found, and says so.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From now on the first interrupt only sets a flag; a second one ends the process.
pub fn listen() {
    // It fails if there is a handler already: then interrupts end the process, as without.
    let _ = ctrlc::set_handler(|| {
        if INTERRUPTED.swap(true, SeqCst) {
            std::process::exit(130);
        }
        eprintln!("\ninterrupted: what was found so far is kept; once more to end at once");
    });
}

/// Whether the user has interrupted.
#[must_use]
pub fn requested() -> bool {
    INTERRUPTED.load(SeqCst)
}
