//! Yields for racy variants, which fail without them too, but not in every run.

/// Yields one time in sixteen: called between the two steps of a racy variant.
pub fn yield_now_and_then() {
    if fastrand::u8(..16) == 0 {
        std::thread::yield_now();
    }
}
