//! The check of `11_wake_up.rs`.

use selvedge_model::{CheckError, Model, Report};

use super::{Plain, Question};

/// Permits that threads wait for.
pub trait Permits: Default + Send + Sync + 'static {
    /// Adds a permit, and wakes a thread that sleeps for want of one.
    fn add(&self);

    /// Takes a permit. Sleeps while there is none.
    fn take(&self);
}

/// What permits must keep.
pub fn check<P: Permits>() -> Vec<Question> {
    vec![
        ("a thread that waits for a permit has it in the end", one::<P>),
        ("what was written before a permit is visible after it", visible::<P>),
        ("a permit is taken once, and the next one reaches the other thread", once::<P>),
        ("two threads that sleep are both woken (spurious wake-ups left out)", two_sleep::<P>),
    ]
}

fn one<P: Permits>() -> Result<Report, CheckError> {
    Model::new(P::default)
        .thread("adds", P::add)
        .thread("takes", P::take)
        .acceptable("()", "both come to an end")
        .try_check()
}

fn visible<P: Permits>() -> Result<Report, CheckError> {
    Model::new(<(P, Plain)>::default)
        .thread("adds", |(permits, written)| {
            written.set(7);
            permits.add();
        })
        .thread("takes", |(permits, written)| {
            permits.take();
            written.get()
        })
        .acceptable("takes=7", "written before the permit")
        .try_check()
}

fn once<P: Permits>() -> Result<Report, CheckError> {
    let with_one = || {
        let permits = P::default();
        permits.add();
        permits
    };
    Model::new(with_one)
        .thread("adds", P::add)
        .thread("alice", P::take)
        .thread("bob", P::take)
        .acceptable("()", "all come to an end")
        .try_check()
}

/// Without spurious failures and wake-ups: 658 executions of our solution, and 86,546 with them.
fn two_sleep<P: Permits>() -> Result<Report, CheckError> {
    Model::new(P::default)
        .thread("adds", |permits| {
            permits.add();
            permits.add();
        })
        .thread("alice", P::take)
        .thread("bob", P::take)
        .acceptable("()", "all come to an end")
        .without_spurious()
        .try_check()
}
