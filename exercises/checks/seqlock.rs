//! The check of `12_seqlock.rs`.

use selvedge_model::{CheckError, Model, Report};

use super::Question;

/// Two numbers that are read together, without a lock.
pub trait Seqlock: Default + Send + Sync + 'static {
    /// Replaces both numbers. Called by one thread only; does not wait.
    fn write(&self, value: [u64; 2]);

    /// Both numbers, as of one write. At first both are 0.
    fn read(&self) -> [u64; 2];
}

/// What a seqlock must keep.
pub fn check<S: Seqlock>() -> Vec<Question> {
    vec![
        ("a reader has both numbers of one write", one_write::<S>),
        ("beside a second write as well", second_write::<S>),
        ("a later read is not of an older write", later::<S>),
    ]
}

fn one_write<S: Seqlock>() -> Result<Report, CheckError> {
    Model::new(S::default)
        .thread("writer", |seqlock| seqlock.write([1, 1]))
        .thread("reader", S::read)
        .acceptable("reader=[0, 0]", "read before the write")
        .acceptable("reader=[1, 1]", "read after the write")
        .try_check()
}

fn second_write<S: Seqlock>() -> Result<Report, CheckError> {
    let written = || {
        let seqlock = S::default();
        seqlock.write([1, 1]);
        seqlock
    };
    Model::new(written)
        .thread("writer", |seqlock| seqlock.write([2, 2]))
        .thread("reader", S::read)
        .acceptable("reader=[1, 1]", "read before the second write")
        .acceptable("reader=[2, 2]", "read after it")
        .try_check()
}

fn later<S: Seqlock>() -> Result<Report, CheckError> {
    Model::new(S::default)
        .thread("writer", |seqlock| seqlock.write([1, 1]))
        .thread("reader", |seqlock| [seqlock.read(), seqlock.read()])
        .acceptable("reader=[[0, 0], [0, 0]]", "read before the write")
        .acceptable("reader=[[0, 0], [1, 1]]", "written between the reads")
        .acceptable("reader=[[1, 1], [1, 1]]", "read after the write")
        .try_check()
}
