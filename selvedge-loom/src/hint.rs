//! Hints.

/// To be called in each turn of a loop that waits for another thread.
#[track_caller]
pub fn spin_loop() {
    selvedge_model::sync::hint::spin_loop();
}

/// Panics: a model has reached what was said to be unreachable.
///
/// # Safety
///
/// None: here it is defined.
///
/// # Panics
///
/// Always.
#[track_caller]
pub unsafe fn unreachable_unchecked() -> ! {
    unreachable!("unreachable_unchecked was reached")
}
