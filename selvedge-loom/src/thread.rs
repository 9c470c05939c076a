//! Threads. What `std` has and loom has not is here too: `scope`, `sleep`, `park_timeout`.

pub use selvedge_model::sync::thread::{
    AccessError, Builder, JoinHandle, LocalKey, Result, Scope, ScopedJoinHandle, Thread, ThreadId,
    available_parallelism, current, panicking, park, park_timeout, scope, sleep, yield_now,
};

/// Starts a thread. As in loom, nothing need be `Send`: the threads of a model share an OS thread.
///
/// # Panics
///
/// Outside a model.
#[track_caller]
pub fn spawn<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + 'static,
    T: 'static,
{
    selvedge_model::sync::thread::spawn_local(f)
}
