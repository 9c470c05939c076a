//! # How does one thread pass data to another?
//!
//! One thread writes a price in plain memory and then sets a flag. Another thread loads the flag and, if it is set,
//! reads the price:
//!
//! ```rust
//! price = 80; ready.store(true, Relaxed);        // writer
//! if ready.load(Relaxed) { pay(price) }          // reader
//! ```
//!
//! **Guess:** does a reader that sees the flag see the price?
//!
//! **Output.**
//!
//! ```text
//!       writer                reader
//!    1  c1.write
//!    2  a1.store true
//!    3                        a1.load = true
//!                             c1.read: data race
//! ```
//!
//! The message says what is missing: *reader's a1.load rlx reads from writer's a1.store rlx, but they do not
//! synchronise: the store must release and the load must acquire*. On real threads a model with a data race is not run.
//! The second test has an atomic price and is run: the reader had the old price in 0 of 20,000 rounds
//! (`SELVEDGE_ROUNDS=20000 cargo test --test book -- publish_with_a_flag:: --nocapture`, 2026-11-29, two cores). This
//! is an x86-64 processor, which does not reorder two stores or two loads. An ARM processor may. The checker prints
//! this outcome with `[only under weak memory]`: no interleaving reaches it.
//!
//! **Why.** This shape is called **message passing**. A `Relaxed` operation is atomic and orders nothing else: the
//! compiler and the processor may move the write of the price past the store of the flag, and the read of the price
//! before the load of the flag. The price is plain memory, so the two accesses are a data race. With an atomic price
//! (second test) there is no data race, and the reader can load the old price.
//!
//! **Fix.** Store the flag with `Release` and load it with `Acquire`. If the load reads the value that this store
//! wrote, the two *synchronise*: what the writer did before the store happens before what the reader does after the
//! load. The pair is needed: one half does not synchronise (`release_without_acquire…`, `acquire_without_release…`).
//!
//! **Break it yourself.** Swap the two statements of `publish` that write the price and store the flag.
//! `release_and_acquire_pass_the_price` fails with *data race: c1: writer writes at …, reader reads at …*. So does the
//! first test: its picture is another one.
//! Exercise: `cargo exercise publish` and `cargo exercise ticket_lock` (see `exercises/README.md`).

use selvedge_model::sync::atomic::Ordering::{self, Acquire, Relaxed, Release};
use selvedge_model::sync::atomic::{AtomicBool, AtomicU64};
use selvedge_model::sync::cell::UnsafeCell;
use selvedge_model::{Failure, Model};

use crate::shown::assert_shown;

/// A price in plain memory, and a flag that says that it is there.
#[derive(Default)]
struct Quote {
    price: UnsafeCell<u64>,
    ready: AtomicBool,
}

// SAFETY: the price is written before `ready` is stored with `Release`, and read after a load with `Acquire` has seen
// it; the racy tests weaken the orderings, and are not run on real threads.
unsafe impl Sync for Quote {}

impl Quote {
    fn publish(&self, store: Ordering) {
        // SAFETY: no thread reads the price before it has seen `ready`.
        self.price.with_mut(|price| unsafe { *price = 80 });
        self.ready.store(true, store);
    }

    fn read(&self, load: Ordering) -> Option<u64> {
        // SAFETY: the price was written before `ready` was set, and is not written again.
        self.ready.load(load).then(|| self.price.with(|price| unsafe { *price }))
    }
}

/// A writer that stores the flag in one ordering, and a reader that loads it in another.
fn model(store: Ordering, load: Ordering) -> Model<Quote> {
    Model::new(Quote::default)
        .thread("writer", move |quote| quote.publish(store))
        .thread("reader", move |quote| quote.read(load))
}

#[test]
fn relaxed_flag_is_a_data_race() {
    let report = model(Relaxed, Relaxed).fails(Failure::DataRace).check().to_string();
    assert_shown(include_str!("1_publish_with_a_flag.rs"), &report);
    assert!(!cfg!(loom) || report.contains("the store must release and the load must acquire"));
}

#[test]
fn relaxed_flag_arrives_before_an_atomic_price() {
    Model::new(<(AtomicU64, AtomicBool)>::default)
        .thread("writer", |(price, ready)| {
            price.store(80, Relaxed);
            ready.store(true, Relaxed);
        })
        .thread("reader", |(price, ready)| ready.load(Relaxed).then(|| price.load(Relaxed)))
        .acceptable("reader=None", "the flag is not set yet")
        .acceptable("reader=Some(80)", "the flag and the price")
        .interesting("reader=Some(0)", "the flag, and the old price")
        .check();
}

#[test]
fn release_without_acquire_is_a_data_race() {
    model(Release, Relaxed).fails(Failure::DataRace).check();
}

#[test]
fn acquire_without_release_is_a_data_race() {
    model(Relaxed, Acquire).fails(Failure::DataRace).check();
}

#[test]
fn release_and_acquire_pass_the_price() {
    model(Release, Acquire)
        .acceptable("reader=None", "the flag is not set yet")
        .acceptable("reader=Some(80)", "the flag and the price")
        .check();
}
