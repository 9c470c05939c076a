//! What locks and cells that are made once have beside their operations. Each test is run on real threads, and the
//! same in a model.

use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};

use selvedge_model::sync::{LazyLock, Mutex, Once, OnceLock, RwLock};

fn panics<R>(f: impl FnOnce() -> R) -> bool {
    catch_unwind(AssertUnwindSafe(f)).is_err()
}

fn shown(value: impl Debug) -> String {
    format!("{value:?}")
}

/// What locks show of themselves: as those of `std` do.
fn locks_show_their_values() {
    let mutex = Mutex::new(1);
    assert_eq!(shown(&mutex), "Mutex { data: 1, poisoned: false, .. }");
    let guard = mutex.lock().unwrap();
    // With quotes or without, which depends on the version of `std`.
    assert!(shown(&mutex).contains("<locked>"));
    assert_eq!(format!("{guard} {guard:?}"), "1 1");
    drop(guard);
    assert!(panics(|| mutex.lock().map(|_| panic!("while it is locked"))));
    assert_eq!(shown(&mutex), "Mutex { data: 1, poisoned: true, .. }");

    let lock = RwLock::new(1);
    let read = lock.read().unwrap();
    assert_eq!(shown(&lock), "RwLock { data: 1, poisoned: false, .. }");
    assert_eq!(format!("{read} {read:?}"), "1 1");
    drop(read);
    let mut write = lock.write().unwrap();
    *write += 1;
    assert_eq!(shown(&lock), "RwLock { data: <locked>, poisoned: false, .. }");
    assert_eq!(format!("{write} {write:?}"), "2 2");
}

fn cells_show_and_compare_their_values() {
    let (cell, other) = (OnceLock::new(), OnceLock::from(1));
    assert_eq!(shown(&cell), "OnceLock(<uninit>)");
    assert!(cell != other);
    cell.set(1).unwrap();
    assert_eq!(shown(&cell), "OnceLock(1)");
    assert!(cell == other && cell.clone() == other);

    let lazy: LazyLock<u8> = LazyLock::new(|| 1);
    assert_eq!(shown(&lazy), "LazyLock(<uninit>)");
    assert_eq!(*lazy, 1);
    assert_eq!(shown(&lazy), "LazyLock(1)");
    assert_eq!(*LazyLock::<u8>::default(), 0);
    assert_eq!(shown(Once::new()), "Once { .. }");
}

fn a_failed_attempt_is_told_to_the_one_that_forces() {
    let once = Once::new();
    assert!(panics(|| once.call_once(|| panic!("the first attempt"))));
    assert!(panics(|| once.call_once(|| ())), "it is poisoned");
    assert!(panics(|| once.wait()), "it is poisoned");
    once.call_once_force(|state| assert!(state.is_poisoned()));
    once.call_once_force(|_| panic!("it has been done"));
    once.wait();
    once.wait_force();
    Once::new().call_once_force(|state| {
        assert_eq!(shown(state), "OnceState { poisoned: false }");
    });
}

/// Newer than the Rust version that this package supports.
#[cfg(loom)]
fn a_lazy_value_is_reached_without_being_made() {
    let mut lazy: LazyLock<u8> = LazyLock::new(|| 1);
    assert_eq!(LazyLock::get(&lazy), None);
    assert_eq!(LazyLock::get_mut(&mut lazy), None);
    *lazy += 1;
    assert_eq!(LazyLock::get(&lazy), Some(&2));
    *LazyLock::force_mut(&mut lazy) += 1;
    assert_eq!(LazyLock::get_mut(&mut lazy), Some(&mut 3));
}

in_both! {
    locks_show_their_values;
    cells_show_and_compare_their_values;
    a_failed_attempt_is_told_to_the_one_that_forces;
}

#[cfg(loom)]
mod newer {
    #[test]
    fn a_lazy_value_is_reached_without_being_made() {
        super::a_lazy_value_is_reached_without_being_made();
        selvedge_model::Model::new(|| ())
            .thread("one", |()| super::a_lazy_value_is_reached_without_being_made())
            .acceptable("()", "as in std")
            .check();
    }
}

#[cfg(loom)]
mod steps {
    use selvedge_model::Model;
    use selvedge_model::sync::{Mutex, Once};

    /// A lock prints itself by a `try_lock`, which other threads may meet.
    #[test]
    fn debug_locks() {
        Model::new(|| Mutex::new(1))
            .thread("one", |mutex| format!("{mutex:?}").contains("<locked>"))
            .thread("two", |mutex| mutex.try_lock().is_ok())
            .acceptable("one=false two=true", "one after the other")
            .interesting("one=true two=true", "it is shown as locked")
            .interesting("one=false two=false", "to show it is to lock it")
            .check();
    }

    /// In `std` it panics; it must not count as blocked.
    #[test]
    fn a_wait_for_a_failed_attempt_panics() {
        let attempt = |once: &Once| super::panics(|| once.call_once(|| panic!("an attempt")));
        Model::new(Once::new)
            .thread("one", move |once| attempt(once))
            .thread("two", |once| super::panics(|| once.wait()))
            .acceptable("one=true two=true", "both panic")
            .check();
    }
}
