//! # Does a value arrive once, and in order?
//!
//! The ring has one slot: the second value goes where the first one was.
#![cfg(loom)]

use ring::Ring;
use selvedge_model::Model;

/// The consumer may come too early, in between, or after all.
#[test]
fn values_arrive_in_order() {
    Model::new(Ring::<1>::new)
        .thread("producer", |ring| (ring.push(1), ring.push(2)))
        .thread("consumer", |ring| (ring.pop(), ring.pop()))
        .acceptable("producer=(true, false) consumer=(None, None)", "the consumer came too early")
        .acceptable("producer=(true, false) consumer=(None, Some(1))", "it came in between")
        .acceptable("producer=(true, false) consumer=(Some(1), None)", "the ring was full at first")
        .acceptable("producer=(true, true) consumer=(None, Some(1))", "the first made room")
        .acceptable("producer=(true, true) consumer=(Some(1), None)", "the second came too late")
        .acceptable("producer=(true, true) consumer=(Some(1), Some(2))", "both arrived")
        .check();
}
