//! The `Arc` of `std` in a model: which thread drops the last owner is invisible to the checker.

use std::sync::Arc as StdArc;

use selvedge_model::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use selvedge_model::sync::{Arc, Mutex, hint, mpsc, thread};
use selvedge_model::{Failure, Model};

/// Two threads share what `new` makes, by the `Arc` of `std`. One of them is known to drop it, by a relaxed flag.
fn shared_by_std<T: Send + Sync + 'static>(
    new: impl Fn() -> T + Send + Sync + 'static,
    act: impl Fn(&T) + Copy + Send + Sync + 'static,
) {
    Model::new(|| StdArc::new(AtomicBool::new(false)))
        .thread("one", move |dropped| {
            let set = StdArc::clone(dropped);
            let value = StdArc::new(new());
            let other = StdArc::clone(&value);
            let child = thread::spawn(move || {
                act(&other);
                drop(other);
                set.store(true, Ordering::Relaxed);
            });
            act(&value);
            hint::wait_until(|| dropped.load(Ordering::Relaxed));
            drop(value);
            child.join().unwrap();
        })
        .acceptable("()", "the counts of std order the last drop after all accesses")
        .check();
}

#[test]
fn the_last_owner_of_std_drops_without_a_race() {
    shared_by_std(
        || AtomicU64::new(0),
        |count| {
            count.fetch_add(1, Ordering::Relaxed);
        },
    );
    shared_by_std(|| (1_u8, Mutex::new(0)), |(_, mutex)| *mutex.lock().unwrap() += 1);
    shared_by_std(|| mpsc::channel::<u8>().0, |sender| sender.send(1).unwrap_or_default());
    shared_by_std(|| Arc::new(AtomicU64::new(0)), |arc| drop(Arc::clone(arc)));
}

/// A drop that is too early is a race still.
#[test]
fn other_owners_must_synchronise() {
    #[repr(C)]
    struct Counted {
        owners: AtomicU64,
        one: u64,
        value: AtomicU64,
    }

    fn give_up(pointer: usize) {
        let pointer = std::ptr::with_exposed_provenance_mut::<Counted>(pointer);
        // SAFETY: each thread gives up one of the two owners.
        let last = unsafe {
            (*pointer).value.fetch_add(1, Ordering::Relaxed);
            (*pointer).owners.fetch_sub(1, Ordering::Relaxed) == 1
        };
        if last {
            // SAFETY: the other owner has been given up.
            assert_eq!(unsafe { Box::from_raw(pointer) }.one, 1);
        }
    }

    Model::new(|| {
        let value = Counted { owners: AtomicU64::new(2), one: 1, value: AtomicU64::new(0) };
        Box::into_raw(Box::new(value)).expose_provenance()
    })
    .thread("one", |&pointer| give_up(pointer))
    .thread("two", |&pointer| give_up(pointer))
    .fails(Failure::DataRace)
    .check();
}

/// Nor does the checker's own `Arc`, which has that of `std` inside, excuse a use after its end.
#[test]
fn an_arc_of_the_drop_in_is_none_of_std() {
    Model::new(|| Arc::into_raw(Arc::new((0_u64, AtomicU64::new(0)))).expose_provenance())
        .thread("owner", |&pointer| {
            let pointer = std::ptr::with_exposed_provenance::<(u64, AtomicU64)>(pointer);
            // SAFETY: it is from `into_raw`.
            drop(unsafe { Arc::from_raw(pointer) });
        })
        .thread("other", |&pointer| {
            let pointer = std::ptr::with_exposed_provenance::<(u64, AtomicU64)>(pointer);
            // SAFETY: none, which the checker reports.
            unsafe { (*pointer).1.fetch_add(1, Ordering::Relaxed) }
        })
        .fails(Failure::DataRace)
        .check();
}
