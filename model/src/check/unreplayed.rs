//! A process that was asked to replay an execution, and has replayed none, fails. Its tests may have passed, and that
//! would be taken for the result of the replay.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Whether an execution was to be replayed, which may not exist. Relaxed: it is read after the tests have ended.
static REPLAYED: AtomicBool = AtomicBool::new(false);

/// A check has replayed an execution, or failed to.
pub(super) fn replays() {
    REPLAYED.store(true, Relaxed);
}

/// Lets the process fail if it ends before `replays` is called.
#[cfg(unix)]
pub(super) fn fails_at_exit() {
    static REGISTERED: std::sync::Once = std::sync::Once::new();

    extern "C" fn exit() {
        if !REPLAYED.load(Relaxed) {
            eprintln!("SELVEDGE_REPLAY is set, and no execution was replayed: the process fails");
            // SAFETY: `_exit` may be called at any time. The output of Rust has been flushed, as `main` has returned
            // or `std::process::exit` was called.
            unsafe { libc::_exit(101) }
        }
    }
    // SAFETY: the handler is a function, and does not unwind: standard error that cannot be written is the only panic,
    // and `extern "C"` aborts on it.
    REGISTERED.call_once(|| _ = unsafe { libc::atexit(exit) });
}

#[cfg(not(unix))]
pub(super) fn fails_at_exit() {}
