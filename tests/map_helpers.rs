//! Helpers of the tests of `Map`.
use std::any::Any;
use std::hash::{BuildHasher, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Once, mpsc};
use std::thread;
use std::time::Duration;

/// Hashes everything alike: all keys collide.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Constant(pub(crate) u64);

impl BuildHasher for Constant {
    type Hasher = Self;

    fn build_hasher(&self) -> Self {
        *self
    }
}

impl Hasher for Constant {
    fn write(&mut self, _: &[u8]) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

/// What a panic that a test wants says.
pub(crate) const ON_PURPOSE: &str = "on purpose";

/// What a call from inside the same map is told.
pub(crate) const REFUSED: &str = "must not call the map that is calling it";

/// The text of a panic.
pub(crate) fn text_of(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or_default()
}

/// Keeps panics that a test wants, and refusals, from being printed.
pub(crate) fn hush() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let print = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let text = text_of(info.payload());
            if !text.contains(ON_PURPOSE) && !text.contains(REFUSED) {
                print(info);
            }
        }));
    });
}

/// Calls `f` and returns its panic, if it panics.
pub(crate) fn caught<R>(f: impl FnOnce() -> R) -> thread::Result<R> {
    hush();
    catch_unwind(AssertUnwindSafe(f))
}

/// Runs `f` in a thread of its own, and does not wait for ever: what is refused wrongly hangs.
pub(crate) fn in_good_time(f: impl FnOnce() + Send + 'static) {
    let (done, ended) = mpsc::channel();
    let thread = thread::spawn(move || {
        f();
        done.send(()).expect("somebody waits");
    });
    let waited = ended.recv_timeout(Duration::from_secs(20));
    assert_ne!(waited, Err(mpsc::RecvTimeoutError::Timeout), "a call waits for its own thread");
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
}
