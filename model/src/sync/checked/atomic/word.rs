//! What can be atomic.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::cast_lossless,
    reason = "bits of one type become those of another"
)]

use std::panic::Location;
use std::sync::atomic::{self as std_atomic, Ordering};

use super::Atomic;
use crate::kernel::{AtomicKind, Shape, Site};

mod sealed {
    pub trait Sealed: Copy {}
}

/// A primitive type that can be atomic.
#[doc(hidden)]
pub trait Word: sealed::Sealed {
    type Std;
    const SHAPE: Shape;
    const KIND: AtomicKind;
    fn to_word(self) -> u64;
    fn from_word(word: u64) -> Self;
    fn new(value: Self, site: Site) -> Atomic<Self>;
    fn std_load(std: &Self::Std, order: Ordering) -> Self;
    fn std_store(std: &Self::Std, value: Self, order: Ordering);
    fn std_get_mut(std: &mut Self::Std) -> &mut Self;
    fn std_as_ptr(std: &Self::Std) -> *mut Self;
    /// # Errors
    ///
    /// The value found, if it is not `current`.
    fn std_exchange(
        std: &Self::Std,
        current: Self,
        new: Self,
        success: Ordering,
        failure: Ordering,
    ) -> Result<Self, Self>;
}

macro_rules! word {
    ([$($generic:ident)?] $type:ty, $std:ty, $shape:expr, $kind:expr, $to:expr, $from:expr) => {
        impl$(<$generic>)? sealed::Sealed for $type {}
        impl$(<$generic>)? Atomic<$type> {
            /// A new atomic holding `value`.
            #[track_caller]
            pub const fn new(value: $type) -> Self {
                Self::at(<$std>::new(value), Location::caller())
            }
        }
        impl$(<$generic>)? Word for $type {
            type Std = $std;
            const SHAPE: Shape = $shape;
            const KIND: AtomicKind = $kind;
            #[inline]
            fn to_word(self) -> u64 {
                $to(self)
            }
            #[inline]
            fn from_word(word: u64) -> Self {
                $from(word)
            }
            fn new(value: Self, site: Site) -> Atomic<Self> {
                Atomic::at(<$std>::new(value), site)
            }
            #[inline]
            fn std_load(std: &$std, order: Ordering) -> Self {
                std.load(order)
            }
            #[inline]
            fn std_store(std: &$std, value: Self, order: Ordering) {
                std.store(value, order);
            }
            fn std_get_mut(std: &mut $std) -> &mut Self {
                std.get_mut()
            }
            fn std_as_ptr(std: &$std) -> *mut Self {
                std.as_ptr()
            }
            fn std_exchange(
                std: &$std,
                current: Self,
                new: Self,
                success: Ordering,
                failure: Ordering,
            ) -> Result<Self, Self> {
                std.compare_exchange(current, new, success, failure)
            }
        }
    };
}

macro_rules! integer {
    ($($type:ident $unsigned:ident $std:ident $signed:expr;)*) => {$(
        word!(
            [] $type,
            std_atomic::$std,
            Shape { bits: $type::BITS, signed: $signed },
            AtomicKind::Integer { name: stringify!($std), shape: Self::SHAPE },
            |value: $type| value as $unsigned as u64,
            |word: u64| word as $unsigned as $type
        );
    )*};
}

integer! {
    u8 u8 AtomicU8 false;
    u16 u16 AtomicU16 false;
    u32 u32 AtomicU32 false;
    u64 u64 AtomicU64 false;
    usize usize AtomicUsize false;
    i8 u8 AtomicI8 true;
    i16 u16 AtomicI16 true;
    i32 u32 AtomicI32 true;
    i64 u64 AtomicI64 true;
    isize usize AtomicIsize true;
}

word!(
    [] bool,
    std_atomic::AtomicBool,
    Shape { bits: 1, signed: false },
    AtomicKind::Bool,
    u64::from,
    |word| word != 0
);

// A pointer is kept with its provenance exposed: what is read may be used like what was written.
word!(
    [T] *mut T,
    std_atomic::AtomicPtr<T>,
    Shape { bits: 64, signed: false },
    AtomicKind::Pointer,
    |pointer: *mut T| pointer.expose_provenance() as u64,
    |word: u64| std::ptr::with_exposed_provenance_mut(word as usize)
);
