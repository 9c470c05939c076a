//! The check of `06_rate_limiter.rs`.

use selvedge_model::{CheckError, Model, Report};

use super::Question;

/// So many requests in each window of time.
pub trait Limiter: Send + Sync + 'static {
    /// Allows `limit` requests in each window. Before the first request the window is 0.
    fn new(limit: u64) -> Self;

    /// Whether a request that comes in the window with this number is allowed. Windows follow each other: a request of
    /// an earlier window than the latest so far is refused.
    fn allow(&self, window: u64) -> bool;
}

/// What a rate limiter must keep.
pub fn check<L: Limiter>() -> Vec<Question> {
    vec![
        ("of two requests one is allowed, if that is the limit", one_of_two::<L>),
        ("of three requests two are allowed, if that is the limit", two_of_three::<L>),
        ("a new window allows its own requests and no more", new_window::<L>),
        ("a request of an old window does not open it again", old_window::<L>),
    ]
}

fn one_of_two<L: Limiter>() -> Result<Report, CheckError> {
    Model::new(|| L::new(1))
        .thread("alice", |limiter| limiter.allow(1))
        .thread("bob", |limiter| limiter.allow(1))
        .acceptable(["alice=true bob=false", "alice=false bob=true"], "the first one is allowed")
        .try_check()
}

fn two_of_three<L: Limiter>() -> Result<Report, CheckError> {
    Model::new(|| L::new(2))
        .thread("alice", |limiter| limiter.allow(1))
        .thread("bob", |limiter| limiter.allow(1))
        .thread("carol", |limiter| limiter.allow(1))
        .acceptable(
            [
                "alice=true bob=true carol=false",
                "alice=true bob=false carol=true",
                "alice=false bob=true carol=true",
            ],
            "the last one is refused",
        )
        .try_check()
}

fn new_window<L: Limiter>() -> Result<Report, CheckError> {
    let used_up = || {
        let limiter = L::new(1);
        limiter.allow(1);
        limiter
    };
    Model::new(used_up)
        .thread("alice", |limiter| limiter.allow(2))
        .thread("bob", |limiter| limiter.allow(2))
        .acceptable(["alice=true bob=false", "alice=false bob=true"], "the first one is allowed")
        .try_check()
}

fn old_window<L: Limiter>() -> Result<Report, CheckError> {
    Model::new(|| L::new(1))
        .thread("early", |limiter| limiter.allow(1))
        .thread("alice", |limiter| limiter.allow(2))
        .thread("bob", |limiter| limiter.allow(2))
        .acceptable(
            ["early=true alice=true bob=false", "early=true alice=false bob=true"],
            "window 1 was still open",
        )
        .acceptable(
            ["early=false alice=true bob=false", "early=false alice=false bob=true"],
            "window 1 was over",
        )
        .try_check()
}
