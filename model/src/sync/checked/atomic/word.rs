//! What can be atomic: for each type its `std` and its loom twin, and its bits.

use std::sync::atomic::{self as std_atomic, Ordering};

use super::Value;

/// A type that an [`Atomic`](super::Atomic) can hold.
pub trait Word: Copy + Eq {
    #[doc(hidden)]
    type Std;
    #[doc(hidden)]
    type Twin: Twin<Self>;
    #[doc(hidden)]
    const POINTER: bool = false;

    #[doc(hidden)]
    fn bits(self) -> u64;
    #[doc(hidden)]
    fn show(self) -> Value;
    #[doc(hidden)]
    fn std(self) -> Self::Std;
    #[doc(hidden)]
    fn std_load(std: &Self::Std, order: Ordering) -> Self;
    #[doc(hidden)]
    fn std_store(std: &Self::Std, value: Self, order: Ordering);
    #[doc(hidden)]
    fn std_swap(std: &Self::Std, value: Self, order: Ordering) -> Self;
    #[doc(hidden)]
    fn std_compare_exchange(
        std: &Self::Std,
        current: Self,
        new: Self,
        success: Ordering,
        failure: Ordering,
    ) -> Result<Self, Self>;
}

/// What the façade asks of a loom atomic.
pub trait Twin<T> {
    #[doc(hidden)]
    fn new(value: T) -> Self;
    #[doc(hidden)]
    fn load(&self, order: Ordering) -> T;
    #[doc(hidden)]
    fn store(&self, value: T, order: Ordering);
    #[doc(hidden)]
    fn swap(&self, value: T, order: Ordering) -> T;
    #[doc(hidden)]
    fn compare_exchange(&self, current: T, new: T, ok: Ordering, err: Ordering) -> Result<T, T>;
    /// A read-modify-write that changes nothing; `newest` is the value it will find.
    #[doc(hidden)]
    fn refresh(&self, newest: T, order: Ordering) -> T;
}

macro_rules! word {
    ([$($generic:tt)*] $word:ty, $std:ty, $twin:ty, pointer: $pointer:expr,
     bits: $bits:expr, show: $show:expr, refresh: $refresh:expr) => {
        impl<$($generic)*> Word for $word {
            type Std = $std;
            type Twin = $twin;
            const POINTER: bool = $pointer;

            fn bits(self) -> u64 {
                ($bits)(self)
            }
            fn show(self) -> Value {
                ($show)(self)
            }
            fn std(self) -> $std {
                <$std>::new(self)
            }
            fn std_load(std: &$std, order: Ordering) -> Self {
                std.load(order)
            }
            fn std_store(std: &$std, value: Self, order: Ordering) {
                std.store(value, order);
            }
            fn std_swap(std: &$std, value: Self, order: Ordering) -> Self {
                std.swap(value, order)
            }
            fn std_compare_exchange(
                std: &$std,
                current: Self,
                new: Self,
                success: Ordering,
                failure: Ordering,
            ) -> Result<Self, Self> {
                std.compare_exchange(current, new, success, failure)
            }
        }

        impl<$($generic)*> Twin<$word> for $twin {
            fn new(value: $word) -> Self {
                Self::new(value)
            }
            fn load(&self, order: Ordering) -> $word {
                self.load(order)
            }
            fn store(&self, value: $word, order: Ordering) {
                self.store(value, order);
            }
            fn swap(&self, value: $word, order: Ordering) -> $word {
                self.swap(value, order)
            }
            fn compare_exchange(
                &self,
                current: $word,
                new: $word,
                ok: Ordering,
                err: Ordering,
            ) -> Result<$word, $word> {
                self.compare_exchange(current, new, ok, err)
            }
            fn refresh(&self, newest: $word, order: Ordering) -> $word {
                ($refresh)(self, newest, order)
            }
        }
    };
}

macro_rules! word_int {
    ($($word:ident: $atomic:ident, $bits:expr, $show:expr;)*) => {
        $(word!(
            [] $word, std_atomic::$atomic, loom::sync::atomic::$atomic,
            pointer: false,
            bits: $bits,
            show: $show,
            refresh: |twin: &loom::sync::atomic::$atomic, _, order| twin.fetch_add(0, order)
        );)*
    };
}

word_int! {
    u8: AtomicU8, u64::from, |value| Value::Unsigned(u64::from(value));
    u16: AtomicU16, u64::from, |value| Value::Unsigned(u64::from(value));
    u32: AtomicU32, u64::from, |value| Value::Unsigned(u64::from(value));
    u64: AtomicU64, |value| value, Value::Unsigned;
    usize: AtomicUsize, |value| value as u64, |value| Value::Unsigned(value as u64);
    i8: AtomicI8, |value| signed_bits(i64::from(value)), |value| Value::Signed(i64::from(value));
    i16: AtomicI16, |value| signed_bits(i64::from(value)), |value| Value::Signed(i64::from(value));
    i32: AtomicI32, |value| signed_bits(i64::from(value)), |value| Value::Signed(i64::from(value));
    i64: AtomicI64, signed_bits, Value::Signed;
    isize: AtomicIsize, |value| signed_bits(value as i64), |value| Value::Signed(value as i64);
}

word!(
    [] bool, std_atomic::AtomicBool, loom::sync::atomic::AtomicBool,
    pointer: false,
    bits: u64::from,
    show: Value::Bool,
    refresh: |twin: &loom::sync::atomic::AtomicBool, _, order| twin.fetch_or(false, order)
);

word!(
    [T] *mut T, std_atomic::AtomicPtr<T>, loom::sync::atomic::AtomicPtr<T>,
    pointer: true,
    bits: |value: *mut T| value as usize as u64,
    show: |value: *mut T| Value::Pointer(value as usize),
    // loom's pointers have no other read-modify-write that leaves the value alone.
    refresh: |twin: &loom::sync::atomic::AtomicPtr<T>, newest: *mut T, order| {
        let (Ok(value) | Err(value)) = twin.compare_exchange(newest, newest, order, order);
        value
    }
);

fn signed_bits(value: i64) -> u64 {
    u64::from_ne_bytes(value.to_ne_bytes())
}
