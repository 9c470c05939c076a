//! What must hold of each outcome.

use super::from_debug::{FromDebug, from_debug, name_of};
use super::panics;

/// What the threads and observations of one execution returned, by name.
#[derive(Debug)]
pub struct Returned<'a> {
    /// The names, and the `Debug` texts.
    values: Vec<(&'a str, &'a str)>,
}

impl<'a> Returned<'a> {
    /// Of threads and observations of these names, what they returned: `name=…`, if it is not `()`.
    pub(super) fn new(
        names: impl Iterator<Item = &'a str>,
        returned: &'a [Option<String>],
    ) -> Self {
        let values = names.zip(returned).filter_map(|(name, returned)| {
            let text = returned.as_ref()?.strip_prefix(name)?.strip_prefix('=')?;
            Some((name, text))
        });
        Self { values: values.collect() }
    }

    /// The `Debug` text of what the thread or observation `name` returned.
    ///
    /// # Panics
    ///
    /// If nothing of that name returns a value.
    #[track_caller]
    pub fn text(&self, name: &str) -> &'a str {
        let found = self.values.iter().find(|(known, _)| *known == name);
        let Some((_, text)) = found else {
            let names: Vec<&str> = self.values.iter().map(|(name, _)| *name).collect();
            panic!("there is no value {name:?}; the values are: {}", names.join(", "));
        };
        text
    }

    /// The same as a `T`, read from that text: `returned.get::<(u64, bool)>("reader")`. `T` is a number, a `bool`, a
    /// `char`, a `String`, or an `Option`, a `Result`, a `Vec` or a tuple of such ([`FromDebug`]).
    ///
    /// # Panics
    ///
    /// If nothing of that name returns a value, or it is no `T`.
    #[track_caller]
    pub fn get<T: FromDebug>(&self, name: &str) -> T {
        let text = self.text(name);
        from_debug(text).unwrap_or_else(|| {
            panic!("the value of {name:?} must be a {}, got {text:?}", name_of::<T>())
        })
    }
}

/// Whether a relation holds.
type Holds = dyn Fn(&Returned<'_>) -> bool + Send + Sync;

/// What must hold of each outcome.
pub(super) struct Relation {
    pub(super) name: String,
    holds: Box<Holds>,
}

impl Relation {
    pub(super) fn new(
        name: &str,
        holds: impl Fn(&Returned<'_>) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self { name: name.to_owned(), holds: Box::new(holds) }
    }

    /// Whether it holds.
    ///
    /// # Errors
    ///
    /// What it panicked with.
    pub(super) fn holds(&self, returned: &Returned<'_>) -> Result<bool, String> {
        panics::catch(|| (self.holds)(returned))
    }
}

/// One outcome or several: the texts that [`Model::acceptable`](super::Model::acceptable) and its like take.
///
/// `"a=1 b=2"` or a `&String`; `["a=1 b=2", "a=2 b=1"]` or a slice.
pub trait OneOrMore: sealed::Sealed {
    /// Calls `f` with each.
    #[doc(hidden)]
    fn each(self, f: &mut dyn FnMut(&str));
}

mod sealed {
    pub trait Sealed {}
}

impl sealed::Sealed for &str {}

impl OneOrMore for &str {
    fn each(self, f: &mut dyn FnMut(&str)) {
        f(self);
    }
}

// Not for `String`: clippy would ask to pass `&format!(…)` by value.
impl sealed::Sealed for &String {}

impl OneOrMore for &String {
    fn each(self, f: &mut dyn FnMut(&str)) {
        f(self);
    }
}

impl<T: AsRef<str>> sealed::Sealed for &[T] {}

impl<T: AsRef<str>> OneOrMore for &[T] {
    fn each(self, f: &mut dyn FnMut(&str)) {
        for outcome in self {
            f(outcome.as_ref());
        }
    }
}

impl<T: AsRef<str>, const N: usize> sealed::Sealed for [T; N] {}

impl<T: AsRef<str>, const N: usize> OneOrMore for [T; N] {
    fn each(self, f: &mut dyn FnMut(&str)) {
        self.as_slice().each(f);
    }
}
