//! Types whose `Eq`, `Hash`, `Clone` and `Drop` are known to call no map.
//!
//! Decided by the compiler: what is left of [`calls_back`] is a constant.
//!
//! # Limits
//!
//! A list: an `Arc` or a tuple of such types is not told from one of others. A global allocator is code of the user's
//! too, and runs when a `String` is cloned or a table grows. But it must not unwind, so it cannot be refused anyway.

/// Whether code that is not the standard library's may run when values of `T` are compared, hashed, cloned or dropped.
#[inline]
pub(super) fn calls_back<T: ?Sized>() -> bool {
    macro_rules! is_one_of {
        ($($known:ty),*) => { $(typeid::of::<T>() == typeid::of::<$known>())||* };
    }
    #[rustfmt::skip]
    let known = is_one_of!(
        u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize, f32, f64, bool, char, (), str, &str, String
    );
    !known
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_the_user_call_back_and_those_of_the_standard_library_do_not() {
        struct Own;
        fn borrowed<'a>(_: &'a str) -> bool {
            calls_back::<&'a str>()
        }
        assert!(!calls_back::<u64>() && !calls_back::<String>() && !calls_back::<str>());
        assert!(!borrowed(&String::from("not static")));
        assert!(calls_back::<Own>() && calls_back::<&Own>() && calls_back::<Vec<Own>>());
        assert!(calls_back::<Box<Own>>() && calls_back::<dyn std::fmt::Debug>());
    }
}
