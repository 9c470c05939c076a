//! `10_ticket_lock.rs`.

use exercises::checks::ticket_lock::{TicketLock, check};
use selvedge_model::Failure;
use selvedge_model::sync::atomic::{
    AtomicBool, AtomicU64, Ordering,
    Ordering::{Acquire, Relaxed, Release},
};
use selvedge_model::sync::hint;

use crate::marked::Expected::{Fails, Reaches};
use crate::marked::{is_wrong, solves};

#[derive(Default)]
struct Tickets {
    next: AtomicU64,
    serving: AtomicU64,
}

impl Tickets {
    fn wait(&self, ticket: u64, order: Ordering) -> u64 {
        while self.serving.load(order) != ticket {
            hint::spin_loop();
        }
        ticket
    }

    fn serve_next(&self, order: Ordering) {
        let ticket = self.serving.load(Relaxed);
        self.serving.store(ticket + 1, order);
    }
}

/// A lock, and its two calls.
macro_rules! lock {
    ($(#[$doc:meta])* $name:ident, $lock:expr, $unlock:expr) => {
        $(#[$doc])*
        #[derive(Default)]
        struct $name(Tickets);

        impl TicketLock for $name {
            fn lock(&self) -> u64 {
                $lock(&self.0)
            }

            fn unlock(&self) {
                $unlock(&self.0);
            }
        }
    };
}

fn acquire(tickets: &Tickets) -> u64 {
    tickets.wait(tickets.next.fetch_add(1, Relaxed), Acquire)
}

fn release(tickets: &Tickets) {
    tickets.serve_next(Release);
}

lock!(AcquireRelease, acquire, release);

#[test]
fn acquire_and_release_of_the_number_served_solve_it() {
    solves(check::<AcquireRelease>());
}

lock!(
    /// Defect: a relaxed unlock.
    RelaxedUnlock,
    acquire,
    |tickets: &Tickets| tickets.serve_next(Relaxed)
);

#[test]
fn a_relaxed_unlock_is_a_data_race() {
    is_wrong(check::<RelaxedUnlock>(), Fails(Failure::DataRace), &["acq", "rlx"]);
}

lock!(
    /// Defect: a relaxed wait. The strong ordering is where no thread is let in.
    RelaxedWait,
    |tickets: &Tickets| tickets.wait(tickets.next.fetch_add(1, Ordering::AcqRel), Relaxed),
    release
);

#[test]
fn a_relaxed_wait_is_a_data_race() {
    is_wrong(check::<RelaxedWait>(), Fails(Failure::DataRace), &["rel", "rlx"]);
}

lock!(
    /// Defect: a ticket is drawn in two steps.
    TwoSteps,
    |tickets: &Tickets| {
        let ticket = tickets.next.load(Acquire);
        tickets.next.store(ticket + 1, Release);
        tickets.wait(ticket, Acquire)
    },
    release
);

#[test]
fn the_second_thread_with_one_ticket_waits_for_ever() {
    is_wrong(check::<TwoSteps>(), Fails(Failure::Livelock), &["~~ preempted ~~", "livelock"]);
}

lock!(
    /// Defect: serves the newest ticket.
    ServesTheNewest,
    acquire,
    |tickets: &Tickets| {
        tickets.serving.store(tickets.next.load(Acquire), Release);
    }
);

#[test]
fn a_ticket_that_is_skipped_waits_for_ever() {
    is_wrong(check::<ServesTheNewest>(), Fails(Failure::Livelock), &["livelock"]);
}

/// Defect: draws tickets, and lets in whichever thread is faster.
#[derive(Default)]
struct Unfair {
    next: AtomicU64,
    taken: AtomicBool,
}

impl TicketLock for Unfair {
    fn lock(&self) -> u64 {
        let ticket = self.next.fetch_add(1, Relaxed);
        while self.taken.swap(true, Acquire) {
            hint::spin_loop();
        }
        ticket
    }

    fn unlock(&self) {
        self.taken.store(false, Release);
    }
}

#[test]
fn a_spin_lock_serves_out_of_order() {
    is_wrong(check::<Unfair>(), Reaches("alice=(0, 1) bob=(1, 0)"), &["~~ preempted ~~"]);
}
