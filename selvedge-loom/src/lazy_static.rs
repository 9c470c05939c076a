//! Values that are made once in each execution, when they are first needed.

use std::fmt;

use selvedge_model::sync::LazyLock;
pub use selvedge_model::sync::thread::AccessError;
pub use selvedge_model::sync::thread::{panicking, yield_now};

/// The type of what [`lazy_static!`](crate::lazy_static!) declares.
pub struct Lazy<T>(LazyLock<T>);

impl<T> Lazy<T> {
    #[doc(hidden)]
    #[track_caller]
    pub const fn new(init: fn() -> T) -> Self {
        Self(LazyLock::new(init))
    }

    /// The value, made now if this execution has not needed it before.
    #[track_caller]
    pub fn get(&'static self) -> &'static T {
        LazyLock::force(&self.0)
    }
}

impl<T> fmt::Debug for Lazy<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lazy").finish_non_exhaustive()
    }
}

/// Declares statics that are made once in each execution, when they are first needed.
#[macro_export]
macro_rules! lazy_static {
    () => {};
    ($(#[$attr:meta])* $vis:vis static ref $name:ident: $t:ty = $init:expr; $($rest:tt)*) => {
        #[allow(missing_copy_implementations, non_camel_case_types, dead_code)]
        $(#[$attr])*
        $vis struct $name {
            __private_field: (),
        }
        #[doc(hidden)]
        #[allow(non_upper_case_globals)]
        $vis static $name: $name = $name { __private_field: () };
        impl ::core::ops::Deref for $name {
            type Target = $t;

            fn deref(&self) -> &$t {
                fn init() -> $t {
                    $init
                }
                static LAZY: $crate::lazy_static::Lazy<$t> = $crate::lazy_static::Lazy::new(init);
                LAZY.get()
            }
        }
        $crate::lazy_static! { $($rest)* }
    };
}
