//! What atomics have beside their operations.

use selvedge_model::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering};

#[test]
fn a_flag_is_negated() {
    let flag = AtomicBool::new(false);
    assert!(!flag.fetch_not(Ordering::SeqCst));
    assert!(flag.fetch_not(Ordering::SeqCst));
    assert!(!flag.into_inner());
}

#[test]
fn defaults_are_zero_false_and_null() {
    assert_eq!(AtomicU64::default().into_inner(), 0);
    assert!(!AtomicBool::default().into_inner());
    assert!(AtomicPtr::<u8>::default().into_inner().is_null());
}

#[test]
fn a_pointer_is_shown_as_one() {
    let mut value = 1_u8;
    let pointer = &raw mut value;
    assert_eq!(format!("{:p}", AtomicPtr::new(pointer)), format!("{pointer:p}"));
    assert_eq!(format!("{:?}", AtomicPtr::new(pointer)), format!("{pointer:?}"));
}

/// Some are newer than the Rust version that this package supports: the checker has them on each.
#[cfg(loom)]
#[test]
fn new_operations_are_those_of_std() {
    let order = Ordering::SeqCst;
    let count = AtomicU64::new(1);
    assert_eq!(count.update(order, order, |n| n + 1), 1);
    assert_eq!(count.try_update(order, order, |n| (n > 9).then_some(0)), Err(2));

    let mut values = [0_u32; 4];
    let first = values.as_mut_ptr();
    let slot = AtomicPtr::new(first);
    assert_eq!(slot.fetch_ptr_add(3, order), first);
    assert_eq!(slot.fetch_ptr_sub(1, order), first.wrapping_add(3));
    assert_eq!(slot.fetch_byte_sub(4, order), first.wrapping_add(2));
    assert_eq!(slot.fetch_byte_add(1, order), first.wrapping_add(1));
    assert_eq!(slot.fetch_byte_sub(1, order), first.wrapping_byte_add(5));
    assert_eq!(slot.fetch_or(1, order), first.wrapping_add(1));
    assert_eq!(slot.fetch_xor(3, order), first.wrapping_byte_add(5));
    assert_eq!(slot.fetch_and(!2, order), first.wrapping_byte_add(6));
    assert_eq!(slot.into_inner(), first.wrapping_add(1));
}

#[cfg(loom)]
mod explored {
    use super::*;
    use selvedge_model::{CheckError, Model};

    /// An atomic prints itself by a relaxed load: it may print an old value, and both engines agree.
    #[test]
    fn debug_is_a_relaxed_load() {
        Model::new(|| (AtomicU64::new(0), AtomicBool::new(false)))
            .thread("writer", |(data, ready)| {
                data.store(1, Ordering::Relaxed);
                ready.store(true, Ordering::Relaxed);
            })
            .thread("reader", |(data, ready)| {
                let ready = ready.load(Ordering::Relaxed);
                format!("{ready} {data:?}")
            })
            .acceptable(r#"reader="false 0""#, "the writer has not begun")
            .acceptable(r#"reader="false 1""#, "it is between its stores")
            .acceptable(r#"reader="true 1""#, "it is done")
            .interesting(r#"reader="true 0""#, "an old value is printed")
            .check();
    }

    #[test]
    fn accesses_through_a_pointer_would_be_invisible() {
        let result = Model::new(|| AtomicU64::new(0))
            .thread("one", |atomic| atomic.as_ptr().addr())
            .try_check();
        let error = result.expect_err("it is refused");
        assert!(matches!(error, CheckError::WrongModel { .. }), "{error}");
    }
}
