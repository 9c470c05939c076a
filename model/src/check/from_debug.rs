//! Values from their `Debug` text: what [`Returned::get`](super::Returned::get) reads.
//!
//! The values themselves are not kept: one that owns a shared object would be dropped later, which is another execution.

/// A type that [`Returned::get`](super::Returned::get) can read: integers, floats, `bool`, `char`, `String`, `()`, and
/// `Option`, `Result`, `Vec` and tuples of up to four of these. What else prints alike can be read as one of them: a
/// `&str` as `String`, an array or a slice as `Vec`.
#[diagnostic::on_unimplemented(
    message = "`Returned::get` cannot read a `{Self}`",
    note = "it reads integers, floats, `bool`, `char`, `String`, `()`, and `Option`, `Result`, `Vec` and tuples of up to \
            four of these; `Returned::text` returns the `Debug` text of any value"
)]
pub trait FromDebug: sealed::Sealed + Sized {
    /// Takes a value from the front of `text`.
    #[doc(hidden)]
    fn take(text: &mut &str) -> Option<Self>;
}

mod sealed {
    pub trait Sealed {}
}

/// The value of which `text` is the `Debug` text, if it is one.
pub(super) fn from_debug<T: FromDebug>(mut text: &str) -> Option<T> {
    T::take(&mut text).filter(|_| text.is_empty())
}

/// The name of `T` without the modules.
pub(super) fn name_of<T>() -> String {
    let parts = std::any::type_name::<T>().split_inclusive(['<', '(', ' ']);
    parts.filter_map(|part| part.rsplit("::").next()).collect()
}

/// Takes `token` from the front of `text`, if it is there.
fn eat(text: &mut &str, token: &str) -> Option<()> {
    *text = text.strip_prefix(token)?;
    Some(())
}

/// Takes what stands between `open` and `close`.
fn within<T: FromDebug>(text: &mut &str, open: &str, close: &str) -> Option<T> {
    eat(text, open)?;
    let value = T::take(text)?;
    eat(text, close)?;
    Some(value)
}

/// Takes the characters up to `quote`, which ends them, without their escapes.
fn unescape(text: &mut &str, quote: char) -> Option<String> {
    let mut value = String::new();
    let mut chars = text.chars();
    loop {
        value.push(match chars.next()? {
            end if end == quote => break,
            '\\' => match chars.next()? {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                '0' => '\0',
                'u' => {
                    let (code, rest) = chars.as_str().strip_prefix('{')?.split_once('}')?;
                    chars = rest.chars();
                    char::from_u32(u32::from_str_radix(code, 16).ok()?)?
                }
                itself => itself,
            },
            plain => plain,
        });
    }
    *text = chars.as_str();
    Some(value)
}

macro_rules! words {
    ($($word:ty)*) => {$(
        impl sealed::Sealed for $word {}

        impl FromDebug for $word {
            fn take(text: &mut &str) -> Option<Self> {
                let (word, rest) = text.split_at(text.find([',', ')', ']']).unwrap_or(text.len()));
                *text = rest;
                word.parse().ok()
            }
        }
    )*};
}

words! { bool u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64 }

macro_rules! tuples {
    ($(($($part:ident),*))*) => {$(
        impl<$($part: FromDebug),*> sealed::Sealed for ($($part,)*) {}

        impl<$($part: FromDebug),*> FromDebug for ($($part,)*) {
            fn take(text: &mut &str) -> Option<Self> {
                let mut before = "(";
                let value = ($({
                    eat(text, std::mem::replace(&mut before, ", "))?;
                    $part::take(text)?
                },)*);
                eat(text, ")")?;
                Some(value)
            }
        }
    )*};
}

tuples! { (A, B) (A, B, C) (A, B, C, D) }

impl sealed::Sealed for () {}

impl FromDebug for () {
    fn take(text: &mut &str) -> Option<Self> {
        eat(text, "()")
    }
}

impl sealed::Sealed for String {}

impl FromDebug for String {
    fn take(text: &mut &str) -> Option<Self> {
        eat(text, "\"")?;
        unescape(text, '"')
    }
}

impl sealed::Sealed for char {}

impl FromDebug for char {
    fn take(text: &mut &str) -> Option<Self> {
        eat(text, "'")?;
        unescape(text, '\'')?.parse().ok()
    }
}

impl<T: FromDebug> sealed::Sealed for Option<T> {}

impl<T: FromDebug> FromDebug for Option<T> {
    fn take(text: &mut &str) -> Option<Self> {
        if eat(text, "None").is_some() {
            return Some(None);
        }
        within(text, "Some(", ")").map(Some)
    }
}

impl<T: FromDebug, E: FromDebug> sealed::Sealed for Result<T, E> {}

impl<T: FromDebug, E: FromDebug> FromDebug for Result<T, E> {
    fn take(text: &mut &str) -> Option<Self> {
        if text.starts_with("Ok(") {
            return within(text, "Ok(", ")").map(Ok);
        }
        within(text, "Err(", ")").map(Err)
    }
}

impl<T: FromDebug> sealed::Sealed for Vec<T> {}

impl<T: FromDebug> FromDebug for Vec<T> {
    fn take(text: &mut &str) -> Option<Self> {
        eat(text, "[")?;
        let mut values = Self::new();
        while eat(text, "]").is_none() {
            if !values.is_empty() {
                eat(text, ", ")?;
            }
            values.push(T::take(text)?);
        }
        Some(values)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use super::*;

    fn survives<T: FromDebug + Debug + PartialEq>(values: impl IntoIterator<Item = T>) {
        for value in values {
            let text = format!("{value:?}");
            assert_eq!(from_debug::<T>(&text).as_ref(), Some(&value), "{text}");
        }
    }

    #[test]
    fn a_value_is_read_from_its_debug_text() {
        survives([0, u64::MAX]);
        survives([i128::MIN, -1, i128::MAX]);
        survives([0.0, -1.5, 1e300, f64::INFINITY, f64::NEG_INFINITY]);
        survives([true, false]);
        survives(['a', '\'', '"', '\\', '\n', '\0', '\u{301}', '\u{7f}', ')', ',']);
        let texts = ["", "a b=1", "), ]", "\"'\\", "\r\n\t\0", "e\u{301}\u{200b}", "{}"];
        survives(texts.map(str::to_owned));
        survives([()]);
        survives([(1_u8, -2_i8)]);
        survives([(1, true, 'x')]);
        survives([(1, (2, 3), String::from("4, 5"), vec![6])]);
        survives([None, Some(Some(3)), Some(None)]);
        survives([Ok((1, 2)), Err(String::from("no"))]);
        survives([Err(()), Ok(vec![Some(1), None])]);
        survives([vec![], vec![(1, 'a')], vec![(1, 'a'), (2, ',')]]);
    }

    #[test]
    fn another_value_is_none() {
        assert_eq!(from_debug::<u8>("256"), None);
        assert_eq!(from_debug::<u64>("1 "), None);
        assert_eq!(from_debug::<(u64, u64)>("(1, 2, 3)"), None);
        assert_eq!(from_debug::<(u64, u64, u64)>("(1, 2)"), None);
        assert_eq!(from_debug::<Option<u64>>("Some(1"), None);
        assert_eq!(from_debug::<Option<u64>>("3"), None);
        assert_eq!(from_debug::<Vec<u64>>("[1 2]"), None);
        assert_eq!(from_debug::<Vec<u64>>("[1"), None);
        assert_eq!(from_debug::<String>("\"a"), None);
        assert_eq!(from_debug::<String>("\"a\"b"), None);
        assert_eq!(from_debug::<char>("'ab'"), None);
        assert_eq!(from_debug::<Result<u64, u64>>("None"), None);
    }

    #[test]
    fn a_type_is_named_without_its_modules() {
        assert_eq!(name_of::<u64>(), "u64");
        let nested = name_of::<Vec<(Option<String>, Result<u64, char>)>>();
        assert_eq!(nested, "Vec<(Option<String>, Result<u64, char>)>");
    }
}
