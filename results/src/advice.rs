//! What a result means that is no simple yes, for a user.

/// A loop that the checker takes for one that computes.
pub const WAITING: &str = "a loop that waits must call `selvedge_model::sync::hint::spin_loop` or \
                           `selvedge_model::sync::thread::yield_now` in each turn; those of `std` are invisible to the \
                           checker";

/// A loop that waits, and whose turns have an effect.
const CHANGING: &str = "a loop that waits must change nothing while it waits, and what is called through `&mut` \
                        counts as a change: ask `is_empty()` first, and `pop_front()` after the loop";

/// What a result leaves out that is complete but for idle turns.
pub const IDLE_TURNS: &str = "but for idle turns: one turn of a waiting loop in which nothing changes stands for any \
                              number of them. It is a proof, unless the code uses how many there were, or gives up \
                              after more than about 1,000";

/// What to do about a bound that a record names.
#[must_use]
pub fn on(bound: &str) -> Option<&'static str> {
    if bound.contains("limit of steps") {
        Some(WAITING)
    } else if bound.contains("whose turns change something") {
        Some(CHANGING)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_of_a_loop_has_an_advice() {
        assert_eq!(on("the limit of steps of a thread, at src/a.rs:7"), Some(WAITING));
        assert_eq!(on("the loop at src/a.rs:7, whose turns change something"), Some(CHANGING));
        assert_eq!(on("1 execution"), None);
    }
}
