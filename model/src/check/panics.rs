//! Panics of the code under test are results: kept, with their place, instead of printed.

use std::cell::RefCell;
use std::panic::PanicHookInfo;
use std::sync::Once;

use crate::place::file_and_line;

std::thread_local! {
    /// `Some` on threads that run code under test: the newest panic's text and place.
    static KEPT: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Calls code under test on a thread that is somebody else's: its panic is returned, not printed,
/// and later ones are printed again.
pub(crate) fn catch<R>(f: impl FnOnce() -> R) -> Result<R, String> {
    let before = KEPT.replace(Some(String::new()));
    install_hook();
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).map_err(|_| take());
    KEPT.set(before);
    result
}

fn install_hook() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let print = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let kept = KEPT.try_with(|kept| {
                let mut kept = kept.borrow_mut();
                let keeps = kept.is_some();
                if keeps {
                    *kept = Some(describe(info));
                }
                keeps
            });
            if kept != Ok(true) {
                print(info);
            }
        }));
    });
}

/// The newest panic of this thread: its text, and where.
pub(crate) fn take() -> String {
    KEPT.with_borrow_mut(|kept| kept.as_mut().map(std::mem::take)).unwrap_or_default()
}

fn describe(info: &PanicHookInfo<'_>) -> String {
    let payload = info.payload();
    let text = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without a message");
    match info.location() {
        Some(location) => format!("{text} (at {})", file_and_line(location)),
        None => text.to_owned(),
    }
}
