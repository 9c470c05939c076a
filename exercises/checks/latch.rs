//! The check of `04_latch.rs`.

use selvedge_model::{CheckError, Model, Report};

use super::{Plain, Question};

/// A gate that opens after so many calls.
pub trait Latch: Send + Sync + 'static {
    /// A latch that opens with the call number `count` of [`count_down`](Self::count_down).
    fn new(count: u64) -> Self;

    /// Counts one down. It is not called more than `count` times.
    fn count_down(&self);

    /// Waits until the latch is open.
    fn wait(&self);
}

/// What a latch must keep.
pub fn check<L: Latch>() -> Vec<Question> {
    vec![
        ("a wait ends once the latch is open, and not before", one::<L>),
        ("the latch opens with the last of two counts", both::<L>),
        ("all that wait are released", all::<L>),
    ]
}

/// A latch, and what is written before each count.
type Gate<L> = (L, [Plain; 2]);

fn gate<L: Latch>(count: u64) -> Model<Gate<L>> {
    Model::new(move || (L::new(count), [Plain::default(), Plain::default()]))
}

fn counts<L: Latch>(which: usize) -> impl Fn(&Gate<L>) {
    move |(latch, written)| {
        written[which].set(1);
        latch.count_down();
    }
}

fn waits<L: Latch>((latch, written): &Gate<L>) -> u64 {
    latch.wait();
    written[0].get()
}

fn one<L: Latch>() -> Result<Report, CheckError> {
    gate::<L>(1)
        .thread("alice", counts(0))
        .thread("waits", waits)
        .acceptable("waits=1", "what was written before the count is visible after the wait")
        .try_check()
}

fn both<L: Latch>() -> Result<Report, CheckError> {
    gate::<L>(2)
        .thread("alice", counts(0))
        .thread("bob", counts(1))
        .thread("waits", |(latch, written): &Gate<L>| {
            latch.wait();
            [written[0].get(), written[1].get()]
        })
        .acceptable("waits=[1, 1]", "both have counted")
        .try_check()
}

fn all<L: Latch>() -> Result<Report, CheckError> {
    gate::<L>(1)
        .thread("alice", counts(0))
        .thread("waits", waits)
        .thread("too", waits)
        .acceptable("waits=1 too=1", "both are released")
        .try_check()
}
