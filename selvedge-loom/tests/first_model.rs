//! The first `Model` beside a suite for loom, as the README shows it.
#![cfg(loom)]

/// A crate with a suite for loom, and methods that take `&mut self`.
mod ring {
    extern crate selvedge_loom as loom;

    use loom::cell::UnsafeCell;
    use loom::sync::Arc;
    use loom::sync::atomic::AtomicUsize;
    use loom::sync::atomic::Ordering::{Acquire, Relaxed, Release};

    struct Ring {
        slots: Vec<UnsafeCell<u32>>,
        head: AtomicUsize,
        tail: AtomicUsize,
    }

    // SAFETY: a slot is the producer's until `tail` has passed it, and then the consumer's until `head` has.
    unsafe impl Send for Ring {}
    // SAFETY: as for `Send`.
    unsafe impl Sync for Ring {}

    pub(crate) struct Producer(Arc<Ring>);
    pub(crate) struct Consumer(Arc<Ring>);

    pub(crate) fn ring(room: usize) -> (Producer, Consumer) {
        let slots = (0..room).map(|_| UnsafeCell::new(0)).collect();
        let ring = Arc::new(Ring { slots, head: AtomicUsize::new(0), tail: AtomicUsize::new(0) });
        (Producer(ring.clone()), Consumer(ring))
    }

    impl Producer {
        pub(crate) fn push(&mut self, value: u32) -> bool {
            let Ring { slots, head, tail } = &*self.0;
            let end = tail.load(Relaxed);
            if end - head.load(Acquire) == slots.len() {
                return false;
            }
            // SAFETY: the slot is the producer's, and there is one producer.
            slots[end % slots.len()].with_mut(|slot| unsafe { *slot = value });
            tail.store(end + 1, Release);
            true
        }
    }

    impl Consumer {
        pub(crate) fn pop(&mut self) -> Option<u32> {
            let Ring { slots, head, tail } = &*self.0;
            let begin = head.load(Relaxed);
            if begin == tail.load(Acquire) {
                return None;
            }
            // SAFETY: the slot is the consumer's, and there is one consumer.
            let value = slots[begin % slots.len()].with(|slot| unsafe { *slot });
            head.store(begin + 1, Release);
            Some(value)
        }
    }
}

// As in the README, from here to the end of the test.
use ring::ring;
use selvedge_model::Model;
use selvedge_model::sync::Mutex;

#[test]
fn a_full_ring_refuses() {
    Model::new(|| {
        let (producer, consumer) = ring(1);
        (Mutex::new(producer), Mutex::new(consumer))
    })
    .thread("pushed", |(producer, _)| {
        let mut producer = producer.lock().unwrap();
        (producer.push(1), producer.push(2))
    })
    .thread("popped", |(_, consumer)| consumer.lock().unwrap().pop())
    .acceptable("pushed=(true, false) popped=None", "the consumer came too early")
    .acceptable("pushed=(true, false) popped=Some(1)", "the room was made too late")
    .acceptable("pushed=(true, true) popped=Some(1)", "the first made room for the second")
    .check();
}

#[test]
fn the_readme_shows_this_model() {
    let readme = include_str!("../README.md");
    let (_, shown) = readme.split_once("// tests/model.rs\n\n").expect("the README has a model");
    let (shown, _) = shown.split_once("```").expect("the block ends");
    assert!(include_str!("first_model.rs").contains(shown), "not in this file:\n{shown}");
}
