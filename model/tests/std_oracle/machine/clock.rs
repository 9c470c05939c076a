//! What happens before what.

const MAX_CLOCKS: usize = 8;

/// For each thread, the number of its last access that is known.
pub(super) type Clock = [u8; MAX_CLOCKS];

#[expect(clippy::trivially_copy_pass_by_ref, reason = "a clock is a table")]
pub(super) fn join(clock: &mut Clock, other: &Clock) {
    for (mine, theirs) in clock.iter_mut().zip(other) {
        *mine = (*mine).max(*theirs);
    }
}
