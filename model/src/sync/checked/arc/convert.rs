//! What an `Arc` can be made from: also the way to an `Arc` of a trait object, from a `Box` of it.

use std::borrow::Cow;
use std::ffi::{CStr, CString, OsStr, OsString};
use std::panic::Location;
use std::path::{Path, PathBuf};
use std::pin::Pin;

use super::Arc;

/// The conversions that `std` has.
macro_rules! from {
    ($([$($generics:tt)*] $from:ty => $to:ty;)*) => {$(
        impl<$($generics)*> From<$from> for Arc<$to> {
            #[track_caller]
            fn from(value: $from) -> Self {
                Self::of_std(std::sync::Arc::from(value), Location::caller())
            }
        }
    )*};
}

from! {
    [T] T => T;
    [T: ?Sized] Box<T> => T;
    [T] Vec<T> => [T];
    [T: Clone] &[T] => [T];
    [T: Clone] &mut [T] => [T];
    [T, const N: usize] [T; N] => [T];
    [] &str => str;
    [] &mut str => str;
    [] String => str;
    [] &CStr => CStr;
    [] &mut CStr => CStr;
    [] CString => CStr;
    [] &OsStr => OsStr;
    [] &mut OsStr => OsStr;
    [] OsString => OsStr;
    [] &Path => Path;
    [] &mut Path => Path;
    [] PathBuf => Path;
}

impl<'a, B> From<Cow<'a, B>> for Arc<B>
where
    B: ToOwned + ?Sized,
    Self: From<&'a B> + From<B::Owned>,
{
    #[track_caller]
    fn from(value: Cow<'a, B>) -> Self {
        match value {
            Cow::Borrowed(value) => Self::from(value),
            Cow::Owned(value) => Self::from(value),
        }
    }
}

impl From<Arc<str>> for Arc<[u8]> {
    fn from(value: Arc<str>) -> Self {
        let (counts, value) = value.dissolve();
        Self::of(counts, value.into())
    }
}

impl<T, const N: usize> TryFrom<Arc<[T]>> for Arc<[T; N]> {
    type Error = Arc<[T]>;

    fn try_from(value: Arc<[T]>) -> Result<Self, Arc<[T]>> {
        let (counts, value) = value.dissolve();
        match value.try_into() {
            Ok(value) => Ok(Self::of(counts, value)),
            Err(value) => Err(Arc::of(counts, value)),
        }
    }
}

impl<T> FromIterator<T> for Arc<[T]> {
    #[track_caller]
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        Self::of_std(values.into_iter().collect(), Location::caller())
    }
}

impl<T: Default> Default for Arc<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> Default for Arc<[T]> {
    #[track_caller]
    fn default() -> Self {
        Self::from([])
    }
}

impl Default for Arc<str> {
    #[track_caller]
    fn default() -> Self {
        Self::from("")
    }
}

impl Default for Arc<CStr> {
    #[track_caller]
    fn default() -> Self {
        Self::from(c"")
    }
}

impl<T: ?Sized> Default for Pin<Arc<T>>
where
    Arc<T>: Default,
{
    #[track_caller]
    fn default() -> Self {
        // SAFETY: the value does not move, as in `Arc::pin`.
        unsafe { Pin::new_unchecked(Arc::default()) }
    }
}
