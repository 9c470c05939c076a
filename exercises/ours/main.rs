//! Solutions, and wrong attempts: each exercise can be solved, and the checker marks what does not solve it.
//!
//! A file for each exercise: first a solution, then attempts with one defect each, then what the checker says of them.

mod cache;
mod counter;
mod given;
mod jobs;
mod latch;
mod lazy;
mod marked;
mod publish;
mod queue;
mod rate_limiter;
mod readers;
mod seqlock;
mod text;
mod ticket_lock;
mod transfer;
mod wake_up;
