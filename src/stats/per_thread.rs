//! A value for each living thread, reused by later threads.
//!
//! Each thread has the least number that no other living thread has, and the value at that number. So there are no more
//! values than threads that were alive at the same time, and nothing of a value is kept in its thread.
//!
//! # Orderings
//!
//! A number passes from one thread to the next under a mutex. So all that a thread did with its value happens before
//! what the next one does with it.

use selvedge_model::sync::{Mutex, MutexGuard, OnceLock, PoisonError, thread_local};

/// How many threads have a number at the same time; in a model few, so that some have none.
const NUMBERS: usize = if cfg!(loom) { 2 } else { 256 };

/// Which numbers a living thread has.
static TAKEN: Mutex<[bool; NUMBERS]> = Mutex::new([false; NUMBERS]);

thread_local! {
    static NUMBER: Number = Number::take();
}

/// The number of a thread, until it ends.
struct Number(Option<usize>);

impl Number {
    fn take() -> Self {
        let mut taken = lock();
        let number = taken.iter().position(|taken| !taken);
        if let Some(number) = number {
            taken[number] = true;
        }
        Self(number)
    }
}

impl Drop for Number {
    fn drop(&mut self) {
        if let Some(number) = self.0 {
            lock()[number] = false;
        }
    }
}

/// No panic happens under this lock, so it is never poisoned. The caller's line is the one that the checker reports, and
/// changes.
#[track_caller]
fn lock() -> MutexGuard<'static, [bool; NUMBERS]> {
    TAKEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The values.
pub(super) struct PerThread<T>([OnceLock<T>; NUMBERS]);

impl<T> PerThread<T> {
    pub(super) fn new() -> Self {
        Self([(); NUMBERS].map(|()| OnceLock::new()))
    }

    /// The value of the calling thread, made with its number on the first call. `None` if the thread has no number: when
    /// it asked first, all were taken, or it is about to end and its thread-local values are destroyed.
    #[inline]
    pub(super) fn get(&self, make: impl FnOnce(usize) -> T) -> Option<&T> {
        let number = NUMBER.try_with(|number| number.0).ok()??;
        let value = &self.0[number];
        Some(value.get().unwrap_or_else(|| make_at(value, number, make)))
    }
}

#[cold]
fn make_at<T>(value: &OnceLock<T>, number: usize, make: impl FnOnce(usize) -> T) -> &T {
    value.get_or_init(|| make(number))
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use selvedge_model::sync::thread;

    /// A count of samples does not show it, but memory and the time of a read grow with the values.
    #[test]
    fn the_value_of_a_thread_that_ended_is_used_again() {
        let values = PerThread::new();
        for _ in 0..2 * NUMBERS {
            let number = thread::scope(|scope| {
                let thread = scope.spawn(|| values.get(|number| number).copied());
                thread.join().expect("it does not panic")
            });
            assert!(number.is_some(), "few threads are alive");
        }
        // The threads of other tests have numbers too.
        let made = values.0.iter().filter(|value| value.get().is_some()).count();
        assert!(made <= NUMBERS / 4, "{made} values for one thread at a time");
    }
}
