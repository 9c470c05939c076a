//! The check of `09_publish.rs`.

use selvedge_model::{CheckError, Model, Report};

use super::Question;

/// A value that one thread makes and other threads read.
pub trait Publish: Default + Send + Sync + 'static {
    /// Publishes the value. Called once, by one thread.
    fn put(&self, value: u64);

    /// The value, if it was published. Does not wait.
    fn get(&self) -> Option<u64>;
}

/// What publication must keep.
pub fn check<P: Publish>() -> Vec<Question> {
    vec![
        ("a reader has the value, or none", one::<P>),
        ("what was seen once is seen again", again::<P>),
        ("two readers", two::<P>),
    ]
}

fn one<P: Publish>() -> Result<Report, CheckError> {
    Model::new(P::default)
        .thread("writer", |slot| slot.put(7))
        .thread("reader", P::get)
        .acceptable("reader=None", "not published yet")
        .acceptable("reader=Some(7)", "published")
        .try_check()
}

fn again<P: Publish>() -> Result<Report, CheckError> {
    Model::new(P::default)
        .thread("writer", |slot| slot.put(7))
        .thread("reader", |slot| [slot.get(), slot.get()])
        .acceptable("reader=[None, None]", "not published yet")
        .acceptable("reader=[None, Some(7)]", "published between the reads")
        .acceptable("reader=[Some(7), Some(7)]", "published before")
        .try_check()
}

fn two<P: Publish>() -> Result<Report, CheckError> {
    Model::new(P::default)
        .thread("writer", |slot| slot.put(7))
        .thread("alice", P::get)
        .thread("bob", P::get)
        .acceptable("alice=None bob=None", "not published yet")
        .acceptable(["alice=Some(7) bob=None", "alice=None bob=Some(7)"], "published in between")
        .acceptable("alice=Some(7) bob=Some(7)", "published before")
        .try_check()
}
