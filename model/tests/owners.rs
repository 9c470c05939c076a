//! The counts of `Arc` and `Weak`: what they return is what `std` can return, and nothing else.

use std::sync::Mutex;

use selvedge_model::Failure;
use selvedge_model::sync::atomic::{AtomicU64, Ordering::*};
use selvedge_model::sync::{Arc, Weak, hint};

use crate::facts::{Body, exact_in_every_order, fails_in_every_order, in_order, orders};

/// What a thread takes out of the state.
struct Slot<T>(Mutex<Option<T>>);

impl<T> Slot<T> {
    fn new(value: T) -> Self {
        Self(Mutex::new(Some(value)))
    }

    fn take(&self) -> T {
        self.0.lock().unwrap().take().expect("taken once")
    }
}

/// The exchange on the weak count acquires the drop of the weak owner, and that of the strong one before it.
#[test]
fn get_mut_succeeds_where_the_last_weak_owner_is_seen_to_have_gone() {
    type State = (Slot<Arc<()>>, Slot<(Arc<()>, Weak<()>)>);
    let looks: Body<State, Option<bool>> = |(slot, _)| {
        let mut owner = slot.take();
        (Arc::weak_count(&owner) == 0).then(|| Arc::get_mut(&mut owner).is_some())
    };
    let drops: Body<State, Option<bool>> = |(_, slot)| {
        let (strong, weak) = slot.take();
        drop(strong);
        drop(weak);
        None
    };
    exact_in_every_order(
        || {
            let owner = Arc::new(());
            let others = (owner.clone(), Arc::downgrade(&owner));
            (Slot::new(owner), Slot::new(others))
        },
        &[("looks", looks), ("drops", drops)],
        &[&[None, None], &[Some(true), None]],
    );
}

/// The exchange on the weak count may find it locked by a `get_mut` that is over.
#[test]
fn get_mut_fails_beside_another_one() {
    type State = [Slot<Arc<()>>; 2];
    let counts: Body<State, Option<bool>> = |[slot, _]| {
        let mut owner = slot.take();
        (Arc::strong_count(&owner) == 1).then(|| Arc::get_mut(&mut owner).is_some())
    };
    let asks: Body<State, Option<bool>> =
        |[_, slot]| Some(Arc::get_mut(&mut slot.take()).is_some());
    exact_in_every_order(
        || {
            let owner = Arc::new(());
            [owner.clone(), owner].map(Slot::new)
        },
        &[("counts", counts), ("asks", asks)],
        &[
            &[None, Some(false)],
            &[None, Some(true)],
            &[Some(true), Some(false)],
            &[Some(false), Some(false)],
        ],
    );
}

/// The last strong owner gives up the weak one that all strong owners are together, whichever way it goes.
#[test]
fn weak_count_acquires_the_last_drop() {
    type State = (Slot<(Arc<()>, Weak<()>)>, Weak<()>, Slot<Vec<Weak<()>>>);
    fn gives_up(state: &State, give_up: fn(Arc<()>)) -> usize {
        let (strong, weak) = state.0.take();
        give_up(strong);
        let owners = vec![weak.clone(), weak];
        *state.2.0.lock().unwrap() = Some(owners);
        0
    }
    let ways: [Body<State, usize>; 4] = [
        |state| gives_up(state, drop),
        |state| gives_up(state, |strong| Arc::try_unwrap(strong).unwrap()),
        |state| gives_up(state, |strong| Arc::into_inner(strong).unwrap()),
        |state| gives_up(state, |mut strong| *Arc::make_mut(&mut strong) = ()),
    ];
    for goes in ways {
        exact_in_every_order(
            || {
                let strong = Arc::new(());
                let weak = Arc::downgrade(&strong);
                (Slot::new((strong, weak.clone())), weak, Slot(Mutex::new(None)))
            },
            &[("goes", goes), ("counts", |state| state.1.weak_count())],
            &[&[0, 0], &[0, 2]],
        );
    }
}

/// `std` frees the memory after a fence. So what was read relaxed before is acquired.
#[test]
fn the_last_weak_owner_acquires() {
    type State = (Slot<Weak<()>>, [AtomicU64; 2]);
    let stores: Body<State, [u64; 2]> = |(_, [data, flag])| {
        data.store(1, Relaxed);
        flag.store(1, Release);
        [0, 0]
    };
    let drops: Body<State, [u64; 2]> = |(slot, [data, flag])| {
        let flag = flag.load(Relaxed);
        drop(slot.take());
        [flag, data.load(Relaxed)]
    };
    exact_in_every_order(
        || (Slot::new(Arc::downgrade(&Arc::new(()))), Default::default()),
        &[("stores", stores), ("drops", drops)],
        &[&[[0, 0], [0, 0]], &[[0, 0], [0, 1]], &[[0, 0], [1, 1]]],
    );
}

/// Turns that fail end in finding nothing new, though each may find the lock of the other.
#[test]
fn two_loops_of_get_mut_wait_for_ever() {
    type State = [Slot<Arc<()>>; 2];
    fn waits(slot: &Slot<Arc<()>>) {
        let mut owner = slot.take();
        while Arc::get_mut(&mut owner).is_none() {
            hint::spin_loop();
        }
    }
    let init = || {
        let owner = Arc::new(());
        [owner.clone(), owner].map(Slot::new)
    };
    let alice: Body<State> = |[slot, _]| waits(slot);
    let bob: Body<State> = |[_, slot]| waits(slot);
    fails_in_every_order(Failure::Livelock, init, &[("alice", alice), ("bob", bob)]);
    // One of them ends if the other does not wait.
    let goes: Body<State> = |[_, slot]| _ = Arc::get_mut(&mut slot.take());
    for order in orders(2) {
        let threads = [("alice", alice), ("goes", goes)];
        let report = in_order(init, &threads, &order).acceptable("()", "both end").check();
        assert!(report.is_complete(), "{report}");
    }
}
