//! Every stable item and trait implementation of the types that the drop-in has, against the list of `std`'s
//! documentation.
//!
//! `std-1.95.txt` is that list. Each of its entries is a row that compiles, in `rows.rs`, or an exception with its
//! reason. `rows.rs` is compiled twice: with the names of `std`, and with those of the drop-in. With `--cfg loom`
//! these are the checker's types, and what is an exception must not compile.

use std::collections::BTreeSet;

/// An item of `std`, or `*` in place of a type's name, and why the checker does not have it.
#[rustfmt::skip]
pub(super) const EXCEPTIONS: &[(&str, &str)] = &[
    ("use *_INIT deprecated", "deprecated: `new` is const"),
    ("use *_ms deprecated", "deprecated: there is one with a `Duration`"),
    ("use sync::atomic::spin_loop_hint deprecated", "deprecated: `hint::spin_loop`"),
    ("*::compare_and_swap", "deprecated, and there only for code that is written for loom"),
    ("*::wait_timeout_ms", "deprecated: `wait_timeout`"),
    ("*::from_ptr", "memory that is not the checker's type has no location"),
    ("const *::as_ptr", "refused in models, which is found at run time"),
    ("const *::into_inner", "it is an access"),
    ("const UnsafeCell::get", "it is an access"),
    ("const UnsafeCell::get_mut", "it is an access"),
    ("*UnsafeCell::from_mut", "memory that is not the checker's type has no location"),
    ("*UnsafeCell::raw_get", "it takes a pointer that may dangle, so that the location cannot be found; use `get`"),
    ("From<Arc<W>> for Waker", "`Wake::wake` takes the `Arc` of `std` as `self`; use that one, or a `RawWaker` by `into_raw`"),
    ("From<Arc<W>> for RawWaker", "as for `Waker`"),
    ("JoinHandleExt for JoinHandle<T>", "a thread of a model is no OS thread"),
];

/// The version of Rust that this package supports.
const SUPPORTED: [u32; 2] = [1, 88];

macro_rules! names {
    ($([$text:literal = $($module:ident)::+] $($name:ident)+;)*) => {
        $(use self::$($module)::+::{$($name),+};)*
        pub(super) const NAMES: &[&str] = &[$($(concat!("use ", $text, "::", stringify!($name)),)+)*];
    };
}

macro_rules! methods {
    ($($key:literal => $body:block)*) => {
        pub(super) const METHODS: &[&str] = &[$($key),*];
        fn methods() { $($body)* }
    };
}

macro_rules! key {
    ([$trait:path] $for:literal) => {
        concat!(stringify!($trait), " for ", $for)
    };
    ([$trait:path as $name:literal] $for:literal) => {
        concat!($name, " for ", $for)
    };
}

macro_rules! traits {
    ($($type:ty as $name:literal: $($trait:path $(as $as:literal)?),+;)*) => {
        pub(super) const TRAITS: &[&str] = &[$($(key!([$trait $(as $as)?] $name),)+)*];
        const _: () = {
            $($({ const fn has<T: $trait + ?Sized>() {} has::<$type>() };)+)*
        };
    };
}

macro_rules! not {
    ($($type:ty as $name:literal: $($trait:ident),+;)*) => {
        pub(super) const NOT: &[&str] = &[$($(concat!("!", stringify!($trait), " for ", $name),)+)*];
        $($(static_assertions::assert_not_impl_any!($type: $trait);)+)*
    };
}

macro_rules! atomics {
    ($($atomic:ident $value:ident;)*) => {
        pub(super) const INTEGERS: &[&str] = &[$(
            concat!(stringify!($atomic), "::fetch_add"),
            concat!(stringify!($atomic), "::fetch_sub"),
            concat!(stringify!($atomic), "::fetch_and"),
            concat!(stringify!($atomic), "::fetch_nand"),
            concat!(stringify!($atomic), "::fetch_or"),
            concat!(stringify!($atomic), "::fetch_xor"),
            concat!(stringify!($atomic), "::fetch_max"),
            concat!(stringify!($atomic), "::fetch_min"),
            concat!("From<", stringify!($value), "> for ", stringify!($atomic)),
        )*];
        fn integers() {$({
            let atomic = $atomic::from(of::<$value>());
            let _: [$value; 8] = [
                atomic.fetch_add(1, Ordering::SeqCst),
                atomic.fetch_sub(1, Ordering::SeqCst),
                atomic.fetch_and(1, Ordering::SeqCst),
                atomic.fetch_nand(1, Ordering::SeqCst),
                atomic.fetch_or(1, Ordering::SeqCst),
                atomic.fetch_xor(1, Ordering::SeqCst),
                atomic.fetch_max(1, Ordering::SeqCst),
                atomic.fetch_min(1, Ordering::SeqCst),
            ];
        })*}
    };
}

macro_rules! all_atomics {
    ($($atomic:ident, $name:literal, $value:ty;)*) => {
        pub(super) const ATOMICS: &[&str] = &[$(
            concat!(stringify!($atomic), "::new"),
            concat!("const ", stringify!($atomic), "::new"),
            concat!(stringify!($atomic), "::get_mut"),
            concat!(stringify!($atomic), "::into_inner"),
            concat!(stringify!($atomic), "::load"),
            concat!(stringify!($atomic), "::store"),
            concat!(stringify!($atomic), "::swap"),
            concat!(stringify!($atomic), "::compare_exchange"),
            concat!(stringify!($atomic), "::compare_exchange_weak"),
            concat!(stringify!($atomic), "::fetch_update"),
            concat!(stringify!($atomic), "::as_ptr"),
            concat!("Debug for ", $name),
            concat!("Default for ", $name),
            concat!("RefUnwindSafe for ", $name),
            concat!("Sync for ", $name),
            concat!("Send for ", $name),
            concat!("Unpin for ", $name),
            concat!("UnwindSafe for ", $name),
        )*];
        fn all_atomics() {$({
            const fn new(value: $value) {
                drop_later($atomic::new(value));
            }
            fn of_traits(
                _: impl Debug + Default + RefUnwindSafe + Sync + Send + Unpin + UnwindSafe,
            ) {}
            new(of());
            let (mut atomic, value) = ($atomic::new(of::<$value>()), of::<$value>());
            let _: &mut $value = atomic.get_mut();
            let _: $value = atomic.load(Ordering::SeqCst);
            atomic.store(value, Ordering::SeqCst);
            let _: $value = atomic.swap(value, Ordering::SeqCst);
            let (set, fetch) = (Ordering::SeqCst, Ordering::SeqCst);
            let _: Result<$value, $value> = atomic.compare_exchange(value, value, set, fetch);
            let _: Result<$value, $value> = atomic.compare_exchange_weak(value, value, set, fetch);
            let _: Result<$value, $value> = atomic.fetch_update(set, fetch, |value: $value| Some(value));
            let _: *mut $value = atomic.as_ptr();
            let _: $value = atomic.into_inner();
            of_traits($atomic::new(of::<$value>()));
        })*}
    };
}

macro_rules! flags {
    ($($method:ident($($operand:literal)?);)*) => {
        pub(super) const FLAGS: &[&str] = &[$(concat!("AtomicBool::", stringify!($method))),*];
        fn flags() {$(
            let _: bool = of::<AtomicBool>().$method($($operand,)? Ordering::SeqCst);
        )*}
    };
}

#[cfg(loom)]
macro_rules! updates {
    ($($atomic:ident, $value:ty;)*) => {
        pub(super) const UPDATES: &[&str] = &[$(
            concat!(stringify!($atomic), "::update"),
            concat!(stringify!($atomic), "::try_update"),
        )*];
        fn updates() {$({
            let (atomic, set, fetch) = ($atomic::new(of::<$value>()), of(), of());
            let _: $value = atomic.update(set, fetch, |value: $value| value);
            let _: Result<$value, $value> = atomic.try_update(set, fetch, |value: $value| Some(value));
        })*}
    };
}

/// What the rows use, apart from the names that are compared.
mod scope {
    pub(super) use std::any::Any;
    pub(super) use std::borrow::{Borrow, Cow};
    pub(super) use std::cell::{Cell, RefCell};
    pub(super) use std::error::Error;
    pub(super) use std::ffi::{CStr, CString, OsStr, OsString};
    pub(super) use std::fmt::{Debug, Display, Pointer};
    pub(super) use std::fs::File;
    pub(super) use std::hash::Hash;
    pub(super) use std::io::{self, Read, Seek, Write};
    pub(super) use std::mem::MaybeUninit;
    pub(super) use std::num::NonZeroUsize;
    pub(super) use std::ops::{Deref, DerefMut};
    pub(super) use std::os::fd::{AsFd, AsRawFd};
    pub(super) use std::panic::{RefUnwindSafe, UnwindSafe};
    pub(super) use std::path::{Path, PathBuf};
    pub(super) use std::pin::Pin;
    pub(super) use std::time::Duration;

    /// Some value: the rows are compiled and not run.
    pub(super) fn of<T>() -> T {
        unreachable!("the rows are not run")
    }

    pub(super) const fn drop_later<T>(value: T) {
        std::mem::forget(value);
    }
}

#[allow(
    dead_code,
    unused,
    clippy::all,
    clippy::pedantic,
    reason = "the rows are compiled and not run"
)]
mod of_std {
    use super::scope::*;
    use std::cell::UnsafeCell;
    use std::{sync, thread};

    include!("rows.rs");
}

#[allow(
    dead_code,
    unused,
    clippy::all,
    clippy::pedantic,
    reason = "the rows are compiled and not run"
)]
mod of_the_drop_in {
    use super::scope::*;
    use selvedge_model::sync::cell::UnsafeCell;
    use selvedge_model::sync::{self, thread};

    include!("rows.rs");
}

#[cfg(loom)]
#[allow(
    dead_code,
    unused,
    clippy::all,
    clippy::pedantic,
    reason = "the rows are compiled and not run"
)]
mod newer {
    use super::scope::*;
    use selvedge_model::sync::atomic::*;
    use selvedge_model::sync::{Arc, LazyLock, RwLockReadGuard, RwLockWriteGuard};

    include!("newer.rs");
}

/// An exception that compiles is none.
#[cfg(loom)]
mod absent {
    use std::os::unix::thread::JoinHandleExt;
    use std::task::{RawWaker, Waker};

    use selvedge_model::sync::cell::UnsafeCell;
    use selvedge_model::sync::thread::JoinHandle;
    use selvedge_model::sync::{Arc, Condvar, atomic};
    use static_assertions::assert_not_impl_any;

    struct Woken;

    impl std::task::Wake for Woken {
        fn wake(self: std::sync::Arc<Self>) {}
    }

    assert_not_impl_any!(Waker: From<Arc<Woken>>);
    assert_not_impl_any!(RawWaker: From<Arc<Woken>>);
    assert_not_impl_any!(JoinHandle<u8>: JoinHandleExt);

    /// An inherent function takes precedence over that of a trait.
    macro_rules! absent {
        ($($type:ty: $($method:ident),+;)*) => {$(
            const _: () = {
                trait Absent {
                    $(fn $method(_: [u8; 3]) -> [u8; 3];)+
                }
                impl Absent for $type {
                    $(fn $method(three: [u8; 3]) -> [u8; 3] { three })+
                }
                let _: &[fn([u8; 3]) -> [u8; 3]] = &[$(<$type>::$method),+];
            };
        )*};
    }

    absent! {
        atomic::AtomicBool: from_ptr;
        atomic::AtomicPtr<u8>: from_ptr;
        atomic::AtomicU64: from_ptr;
        Condvar: wait_timeout_ms;
        UnsafeCell<u8>: from_mut, raw_get;
    }
}

pub(super) fn matches(pattern: &str, key: &str) -> bool {
    match pattern.split_once('*') {
        Some((before, after)) => {
            key.len() + 1 >= pattern.len() && key.starts_with(before) && key.ends_with(after)
        }
        None => pattern == key,
    }
}

/// Whether it is newer than the version of Rust that this package supports.
fn is_newer(since: &str) -> bool {
    let numbers: Vec<u32> = since.split('.').filter_map(|part| part.parse().ok()).collect();
    numbers.get(..2).is_some_and(|version| *version > SUPPORTED[..])
}

macro_rules! all_rows {
    ($module:ident: $($rows:ident)*) => {
        [$($module::$rows),*].concat().into_iter().collect::<BTreeSet<&str>>()
    };
}

#[test]
fn the_drop_in_has_what_std_has() {
    let listed = include_str!("std-1.95.txt")
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with(['#', '[']));
    let listed: Vec<(&str, &str)> = listed
        .map(|line| line.split_once(' ').map_or((line, ""), |(since, key)| (key.trim(), since)))
        .collect();
    let present = all_rows!(of_the_drop_in: NAMES METHODS TRAITS NOT INTEGERS ATOMICS FLAGS);
    assert_eq!(present, all_rows!(of_std: NAMES METHODS TRAITS NOT INTEGERS ATOMICS FLAGS));
    #[cfg(loom)]
    let newer = all_rows!(newer: METHODS TRAITS UPDATES);

    let exception = |key: &str| EXCEPTIONS.iter().find(|(pattern, _)| matches(pattern, key));
    let mut wrong = Vec::new();
    let (mut compiled, mut recent, mut excepted) = (0, 0, Vec::new());
    for &(key, since) in &listed {
        match (present.contains(key), exception(key)) {
            (true, None) => compiled += 1,
            (true, Some(_)) => wrong.push(format!("{key}: an exception that compiles")),
            (false, Some(_)) => excepted.push(key),
            (false, None) if is_newer(since) => {
                recent += 1;
                #[cfg(loom)]
                if !newer.contains(key) {
                    wrong.push(format!("{key}: no row, and no exception (since {since})"));
                }
            }
            (false, None) => wrong.push(format!("{key}: no row, and no exception")),
        }
    }
    let known = |key: &str| listed.iter().any(|&(listed, _)| listed == key);
    wrong.extend(
        present.iter().filter(|key| !known(key)).map(|key| format!("{key}: std has no such item")),
    );
    #[cfg(loom)]
    wrong.extend(
        newer.iter().filter(|key| !known(key)).map(|key| format!("{key}: std has no such item")),
    );
    let used = |pattern: &str| listed.iter().any(|(key, _)| matches(pattern, key));
    wrong.extend(
        EXCEPTIONS
            .iter()
            .filter(|(pattern, _)| !used(pattern))
            .map(|(pattern, _)| format!("{pattern}: the exception of no item")),
    );
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    let of = |pattern: &str| excepted.iter().filter(|key| matches(pattern, key)).count();
    let exceptions =
        EXCEPTIONS.iter().map(|(pattern, reason)| format!("{:4} {pattern}: {reason}", of(pattern)));
    println!(
        "{} items and implementations of std 1.95: {compiled} compile, {recent} are newer than Rust 1.88, {} are \
         exceptions:\n{}",
        listed.len(),
        excepted.len(),
        exceptions.collect::<Vec<_>>().join("\n")
    );
}
