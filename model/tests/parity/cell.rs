//! What `UnsafeCell` has beside the accesses that all tests use.

use selvedge_model::sync::cell::UnsafeCell;

#[test]
fn a_cell_is_that_of_std() {
    let mut cell = UnsafeCell::from(1);
    *cell.get_mut() += 1;
    // SAFETY: there is no other access.
    assert_eq!(unsafe { *cell.get() }, 2);
    assert_eq!(format!("{cell:?}"), "UnsafeCell { .. }");
    assert_eq!(UnsafeCell::<u8>::default().into_inner(), 0);
}

#[cfg(loom)]
mod explored {
    use super::*;
    use selvedge_model::sync::atomic::{AtomicU8, Ordering};
    use selvedge_model::sync::hint;
    use selvedge_model::{Failure, Model};

    #[derive(Default)]
    struct Shared {
        cell: UnsafeCell<u8>,
        stage: AtomicU8,
    }

    // SAFETY: a race ends the execution before the memory is accessed.
    unsafe impl Sync for Shared {}

    impl Shared {
        fn await_stage(&self, stage: u8) {
            hint::wait_until(|| self.stage.load(Ordering::Acquire) == stage);
        }

        /// Inside an access: hands over to the other thread, and waits until it has handed back.
        fn hand_over_and_back(&self) {
            self.stage.store(1, Ordering::Release);
            self.await_stage(2);
        }

        /// The other thread: accesses while it is its turn.
        fn in_between(&self, access: impl FnOnce(&UnsafeCell<u8>)) {
            self.await_stage(1);
            access(&self.cell);
            self.stage.store(2, Ordering::Release);
        }
    }

    fn model() -> Model<Shared> {
        Model::new(Shared::default)
    }

    /// Happens-before orders the access after the beginning of the closure and before its end: it is a race still.
    #[test]
    fn an_access_during_a_conflicting_closure_is_a_race() {
        let result = model()
            .thread("one", |shared| shared.cell.with_mut(|_| shared.hand_over_and_back()))
            .thread("two", |shared| shared.in_between(|cell| cell.with(|_| ())))
            .fails(Failure::DataRace)
            .check();
        assert!(result.to_string().contains("has not ended"), "{result}");
        model()
            .thread("one", |shared| shared.cell.with(|_| shared.hand_over_and_back()))
            .thread("two", |shared| shared.in_between(|cell| cell.with_mut(|_| ())))
            .fails(Failure::DataRace)
            .check();
    }

    #[test]
    fn reads_may_overlap_and_closures_end() {
        model()
            .thread("one", |shared| shared.cell.with(|_| shared.hand_over_and_back()))
            .thread("two", |shared| shared.in_between(|cell| cell.with(|_| ())))
            .acceptable("()", "both read")
            .check();
        model()
            .thread("one", |shared| {
                shared.cell.with_mut(|_| ());
                shared.hand_over_and_back();
                shared.cell.with(|_| ());
            })
            .thread("two", |shared| shared.in_between(|cell| cell.with_mut(|_| ())))
            .acceptable("()", "each has ended before the next begins")
            .check();
    }

    /// Also one that ends by a panic.
    #[test]
    fn a_closure_that_panics_has_ended() {
        model()
            .thread("one", |shared| {
                let panics = || shared.cell.with_mut(|_| panic!("in the closure"));
                let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(panics));
                shared.hand_over_and_back();
                result.is_err()
            })
            .thread("two", |shared| shared.in_between(|cell| cell.with_mut(|_| ())))
            .acceptable("one=true", "it was caught")
            .check();
    }

    /// A pointer from `get` counts as a read when it is made.
    #[test]
    fn a_pointer_counts_as_a_read() {
        model()
            .thread("one", |shared| shared.cell.get().is_null())
            .thread("two", |shared| shared.cell.with_mut(|_| ()))
            .fails(Failure::DataRace)
            .check();
    }
}
