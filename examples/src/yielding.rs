//! Help for racy twins, which fail by themselves, but not in every run.

/// Lets other threads run, one time in sixteen: called between a twin's two steps, so that somebody
/// does come in between.
pub fn yield_now_and_then() {
    if fastrand::u8(..16) == 0 {
        std::thread::yield_now();
    }
}
