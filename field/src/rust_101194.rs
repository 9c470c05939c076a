//! # rust-lang #101194: a read guard lives on while a second one is acquired
//!
//! **Source.** <https://github.com/rust-lang/rust/issues/101194>.
//!
//! **Kind.** Deadlock: recursive read lock.
//!
//! **What happened.** A loop looked at two elements under a read lock each, in one condition with `||`. The first guard was
//! a temporary that lived until the end of the whole condition, so it was held while the second was acquired. With
//! Rust 1.62 the program hung often, with 1.61 it did not. The answer was that many locks block new readers while a writer
//! waits, so a second read lock in one thread can deadlock. Since rust-lang #103293 each operand of `||` drops its own
//! temporaries.
//!
//! **What the checker says.** `broken`, with the first guard in a variable: a deadlock, found in execution 7; the reader and
//! a writer are blocked in the lock. `one_condition`, which is written as in the report, is correct with today's compiler:
//! explored completely, in 7 executions; `fixed` in 12.
//!
//! **Assumed.** The condition is evaluated once; in the report it is that of a loop.

use selvedge_model::sync::RwLock;

/// Two elements, and whether each is still there.
pub type Elements = RwLock<[bool; 2]>;

/// Two elements that are there.
pub fn elements() -> Elements {
    RwLock::new([true; 2])
}

/// Takes element `I` away.
pub fn take<const I: usize>(elements: &Elements) {
    elements.write().unwrap()[I] = false;
}

/// Whether one is there: the first guard lives on while the second one is acquired.
pub fn broken(elements: &Elements) -> bool {
    let first = elements.read().unwrap();
    first[0] || elements.read().unwrap()[1]
}

/// Whether one is there: how long the first guard lives depends on the compiler.
pub fn one_condition(elements: &Elements) -> bool {
    elements.read().unwrap()[0] || elements.read().unwrap()[1]
}

/// Whether one is there: each guard ends with its statement.
pub fn fixed(elements: &Elements) -> bool {
    let first = elements.read().unwrap()[0];
    let second = elements.read().unwrap()[1];
    first || second
}

#[cfg(test)]
mod tests {
    use super::{Elements, broken, elements, fixed, one_condition, take};
    use crate::expect;
    use selvedge_model::{Failure, Model};

    fn model(some_left: fn(&Elements) -> bool) -> Model<Elements> {
        let model = Model::new(elements).thread("main", some_left);
        model.thread("first", take::<0>).thread("second", take::<1>)
    }

    #[test]
    fn a_guard_that_lives_on_is_a_deadlock() {
        expect::fails(|| model(broken), Failure::Deadlock, 7, "main is blocked in w1.read");
    }

    #[test]
    fn a_guard_that_ends_before_the_next_is_sound() {
        for (some_left, executions) in [(one_condition as fn(&_) -> _, 7), (fixed, 12)] {
            let report = model(some_left)
                .acceptable(
                    ["main=true", "main=false"],
                    "it looked before the writers or after them",
                )
                .check();
            expect::complete(&report, executions);
        }
    }
}
