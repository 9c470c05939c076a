//! The façade on loom's own types, as people use loom: for comparison, by `cargo lab confidence`.
//!
//! What loom lacks is missing: `OnceLock`, `sync_channel`, waits with a limit, `fetch_nand`, and
//! [`Model`](crate) besides, which takes `--cfg loom`.

pub use crate::__thread_local as thread_local;
pub use loom::sync::{
    Arc, Condvar, LockResult, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard,
    TryLockResult, WaitTimeoutResult,
};
pub use std::sync::{PoisonError, TryLockError};

/// Atomic types, re-exported from `loom::sync::atomic`.
pub mod atomic {
    pub use loom::sync::atomic::{
        AtomicBool, AtomicI8, AtomicI16, AtomicI32, AtomicI64, AtomicIsize, AtomicPtr, AtomicU8,
        AtomicU16, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
    };
}

/// Channels, re-exported from `loom::sync::mpsc`.
pub mod mpsc {
    pub use loom::sync::mpsc::{Receiver, Sender, channel};
    pub use std::sync::mpsc::{RecvError, SendError, TryRecvError};
}

/// Threads, re-exported from `loom::thread`.
pub mod thread {
    pub use crate::sync::simulated::available_parallelism;
    pub use loom::thread::{
        AccessError, Builder, JoinHandle, LocalKey, Thread, ThreadId, current, panicking, park,
        spawn, yield_now,
    };
    pub use std::thread::Result;
}

/// Hints, re-exported from `loom::hint`, and [`wait_until`](hint::wait_until).
pub mod hint {
    pub use crate::sync::simulated::wait_until;
    pub use loom::hint::spin_loop;
}

/// Interior mutability whose accesses loom tracks, re-exported from `loom::cell`.
pub mod cell {
    pub use loom::cell::UnsafeCell;
}

/// The number of the calling thread in this execution.
///
/// # Panics
///
/// If loom shows a `ThreadId` without a number.
pub fn thread_number() -> usize {
    let id = format!("{:?}", thread::current().id());
    let digits: String = id.chars().filter(char::is_ascii_digit).collect();
    digits.parse().expect("a ThreadId of loom shows a number")
}

/// `loom::thread_local` knows no `const { … }`.
#[doc(hidden)]
#[macro_export]
macro_rules! __thread_local {
    ($($(#[$attr:meta])* $vis:vis static $name:ident: $t:ty = const $init:block;)*) => {
        $($crate::__loom::thread_local! { $(#[$attr])* $vis static $name: $t = $init; })*
    };
    ($($(#[$attr:meta])* $vis:vis static $name:ident: $t:ty = $init:expr;)*) => {
        $($crate::__loom::thread_local! { $(#[$attr])* $vis static $name: $t = $init; })*
    };
}
