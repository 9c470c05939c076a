//! The check of `10_ticket_lock.rs`.

use selvedge_model::{CheckError, Model, Report};

use super::{Plain, Question};

/// A lock that serves threads in the order in which they came.
pub trait TicketLock: Default + Send + Sync + 'static {
    /// Draws a ticket, waits until it is served, and returns its number. The first ticket is 0.
    fn lock(&self) -> u64;

    /// Lets the next ticket in. Called by the thread that holds the lock.
    fn unlock(&self);
}

/// What a ticket lock must keep.
pub fn check<L: TicketLock>() -> Vec<Question> {
    vec![
        ("one thread at a time, and it sees what the last one wrote", two::<L>),
        ("threads are served in the order of their tickets", in_order::<L>),
        ("a lock that was released can be acquired again", again::<L>),
        ("three threads", three::<L>),
    ]
}

/// A lock, and how often it was held: plain memory that it protects.
type Protected<L> = (L, Plain);

/// Returns the ticket, and how often the lock was held before.
fn hold<L: TicketLock>((lock, held): &Protected<L>) -> (u64, u64) {
    let ticket = lock.lock();
    let before = held.get();
    held.set(before + 1);
    lock.unlock();
    (ticket, before)
}

fn total<L>((_, held): &Protected<L>) -> u64 {
    held.get()
}

fn two<L: TicketLock>() -> Result<Report, CheckError> {
    Model::new(Protected::<L>::default)
        .thread("alice", |protected| {
            hold(protected);
        })
        .thread("bob", |protected| {
            hold(protected);
        })
        .finally("total", total)
        .acceptable("total=2", "no increment is lost")
        .try_check()
}

fn in_order<L: TicketLock>() -> Result<Report, CheckError> {
    Model::new(Protected::<L>::default)
        .thread("alice", hold)
        .thread("bob", hold)
        .acceptable("alice=(0, 0) bob=(1, 1)", "alice came first")
        .acceptable("alice=(1, 1) bob=(0, 0)", "bob came first")
        .try_check()
}

fn again<L: TicketLock>() -> Result<Report, CheckError> {
    Model::new(Protected::<L>::default)
        .thread("alice", |protected| {
            hold(protected);
            hold(protected);
        })
        .thread("bob", |protected| {
            hold(protected);
        })
        .finally("total", total)
        .acceptable("total=3", "no increment is lost")
        .try_check()
}

fn three<L: TicketLock>() -> Result<Report, CheckError> {
    let in_order = |protected: &Protected<L>| {
        let (ticket, before) = hold(protected);
        ticket == before
    };
    Model::new(Protected::<L>::default)
        .thread("alice", in_order)
        .thread("bob", in_order)
        .thread("carol", in_order)
        .finally("total", total)
        .acceptable("alice=true bob=true carol=true total=3", "one after the other, in order")
        .try_check()
}
