//! Types that the book, the programs and the laboratory share: sound ones, and in [`racy`] the same with
//! one defect each.
//!
//! They are here to be read, explored and broken; none of them is published.

#![expect(
    missing_docs,
    clippy::missing_errors_doc,
    clippy::missing_panics_doc,
    clippy::new_without_default,
    reason = "what a method does is what its type is for; the error types say the rest"
)]

pub mod bank;
pub mod bell;
pub mod cache;
pub mod duty;
pub mod folders;
pub mod jobs;
pub mod matching;
pub mod payments;
pub mod racy;
pub mod requests;
pub mod room;
pub mod seats;
pub mod sessions;
pub mod spin_lock;
pub mod table;
pub mod window;
