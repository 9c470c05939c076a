//! # What is a data race?
//!
//! Two threads share a number in plain memory, which is 0. Alice writes it, bob reads it, and nothing orders the two:
//!
//! ```rust
//! number.set(7);          // alice
//! number.get()            // bob
//! ```
//!
//! **Guess:** what can bob read?
//!
//! **Output.** The first execution fails (`RUSTFLAGS="--cfg loom" cargo test --test book -- data_race:: --nocapture`):
//!
//! ```text
//!       alice                      bob
//!    1  c1.write
//!                                  c1.read: data race
//! ```
//!
//! A column is a thread, time runs downward, `c1` is the number. The message names both accesses with their lines:
//! *alice writes at …, bob reads at …, and no happens-before edge orders the two*: nothing makes one of them wait for
//! the other. Without `--cfg loom` tests run on real threads. This one does not: no result of it would mean anything.
//!
//! The checker runs a program in every way that makes a difference: what each read reads, and in which order the writes
//! come. One such way is an *execution*. Orders of the steps (*interleavings*) that do not differ in this are one
//! execution. With atomics (fourth test) there are two: *2 executions, explored completely, loom agrees on 3
//! interleavings*. *Explored completely* means that there are no others. Loom is a second checker, which gave the flag
//! its name. It runs the interleavings one by one, at most 1,000, and must find the same.
//!
//! **Why.** This is a **data race**: two threads access the same memory, at least one of them writes, at least one
//! access is not atomic, and no synchronisation orders the two. A data race is undefined behaviour. The compiler
//! assumes that there is none: it may keep the number in a register, so that bob never sees the write, or move the read
//! to another place. Two writes of the same value are a data race too (second test). Two reads are not.
//!
//! Safe Rust does not compile this program. Two threads may share a `&T` only if `T` is `Sync`, and types that change
//! plain memory through a `&T` are not (three assertions below). `unsafe impl Sync` turns the check off.
//!
//! **Fix.** Use a synchronised type: an atomic makes each access one step, a mutex whole sections. Bob reads 0 or 7.
//!
//! **Break it yourself.** Let bob write in `two_reads_of_plain_memory_are_no_data_race`: replace his `PlainNumber::get`
//! by `|number| number.set(7)`. The test fails with *data race: c1: alice reads at …, bob writes at …*. Or delete the
//! line `unsafe impl Sync`: the file does not compile, *`std::cell::UnsafeCell<u64>` cannot be shared between threads
//! safely*.

use selvedge_model::sync::Mutex;
use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};
use selvedge_model::sync::cell::UnsafeCell;
use selvedge_model::{Failure, Model};
use static_assertions::{assert_impl_all, assert_not_impl_any};

use crate::shown::assert_shown;

assert_not_impl_any!(UnsafeCell<u64>: Sync);
assert_not_impl_any!(std::cell::Cell<u64>: Sync);
assert_impl_all!(AtomicU64: Sync);

/// Plain memory, shared without synchronisation.
#[derive(Default)]
struct PlainNumber(UnsafeCell<u64>);

// SAFETY: none. That is the defect: `get` and `set` of two threads may overlap.
unsafe impl Sync for PlainNumber {}

impl PlainNumber {
    fn set(&self, number: u64) {
        // SAFETY: none while another thread has access, which is the defect.
        self.0.with_mut(|place| unsafe { *place = number });
    }

    fn get(&self) -> u64 {
        // SAFETY: none while another thread writes, which is the defect.
        self.0.with(|place| unsafe { *place })
    }
}

#[test]
fn a_write_and_a_read_of_plain_memory_are_a_data_race() {
    let report = Model::new(PlainNumber::default)
        .thread("alice", |number| number.set(7))
        .thread("bob", PlainNumber::get)
        .fails(Failure::DataRace)
        .check();
    assert_shown(include_str!("1_data_race.rs"), &report.to_string());
}

#[test]
fn two_writes_of_the_same_value_are_a_data_race() {
    Model::new(PlainNumber::default)
        .thread("alice", |number| number.set(7))
        .thread("bob", |number| number.set(7))
        .fails(Failure::DataRace)
        .check();
}

#[test]
fn two_reads_of_plain_memory_are_no_data_race() {
    Model::new(PlainNumber::default)
        .thread("alice", PlainNumber::get)
        .thread("bob", PlainNumber::get)
        .acceptable("alice=0 bob=0", "no thread writes")
        .check();
}

#[test]
fn atomic_accesses_are_no_data_race() {
    Model::new(|| AtomicU64::new(0))
        .thread("alice", |number| number.store(7, Relaxed))
        .thread("bob", |number| number.load(Relaxed))
        .acceptable(["bob=0", "bob=7"], "bob reads before or after the write")
        .check();
}

#[test]
fn accesses_under_a_mutex_are_no_data_race() {
    Model::new(|| Mutex::new(0))
        .thread("alice", |number| *number.lock().unwrap() = 7)
        .thread("bob", |number| *number.lock().unwrap())
        .acceptable(["bob=0", "bob=7"], "bob reads before or after the write")
        .check();
}
