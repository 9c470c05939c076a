//! Where a thread under test is: the calls on its stack.

use crate::engine::overflow::Running;

/// The return addresses on the stack of a thread under test, as a hash. Equal in two turns of a loop that are taken at
/// one place of the program; of an inlined call or an unrolled loop each copy is a place of its own.
///
/// Without a walk of the stack (Windows, 32-bit ARM) all are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct CallStack(u64);

#[cfg(all(unix, not(target_arch = "arm")))]
mod unwinder {
    use std::ffi::{c_int, c_void};
    use std::hash::{DefaultHasher, Hasher as _};

    use super::{CallStack, Running};

    /// To be called again, with the caller's frame.
    const GO_ON: c_int = 0;
    const END_OF_STACK: c_int = 5;

    // What `std` unwinds with.
    unsafe extern "C" {
        fn _Unwind_Backtrace(
            of_frame: extern "C" fn(*mut c_void, *mut c_void) -> c_int,
            data: *mut c_void,
        ) -> c_int;
        fn _Unwind_GetIP(frame: *mut c_void) -> usize;
        fn _Unwind_GetCFA(frame: *mut c_void) -> usize;
    }

    struct Walk {
        stack: Running,
        hash: DefaultHasher,
    }

    extern "C" fn add_frame(frame: *mut c_void, walk: *mut c_void) -> c_int {
        // SAFETY: `CallStack::of` passes its own, and does not use it meanwhile.
        let walk = unsafe { &mut *walk.cast::<Walk>() };
        // SAFETY: the frame is the one that the unwinder has passed.
        let (address, returns_to) = unsafe { (_Unwind_GetCFA(frame), _Unwind_GetIP(frame)) };
        if walk.stack.offset(address).is_none() {
            return END_OF_STACK;
        }
        walk.hash.write_usize(returns_to);
        GO_ON
    }

    impl CallStack {
        /// Of the caller, which runs on `stack`.
        pub(in super::super) fn of(stack: Running) -> Self {
            let mut walk = Walk { stack, hash: DefaultHasher::new() };
            // SAFETY: the function fits the data, which outlives the call.
            unsafe { _Unwind_Backtrace(add_frame, (&raw mut walk).cast()) };
            Self(walk.hash.finish())
        }
    }
}

#[cfg(not(all(unix, not(target_arch = "arm"))))]
impl CallStack {
    pub(super) fn of(_: Running) -> Self {
        Self::default()
    }
}
