//! # Does an unchanged value mean that nothing has changed?
//!
//! Three slots, 0 to 2, are handed out from a free list: `head` is the first free slot, and `next[slot]` is the one
//! after it. To take a slot, a thread loads both, and replaces `head` if it is unchanged:
//!
//! ```rust
//! let slot = head.load(SeqCst);
//! let after = next[slot].load(SeqCst);
//! head.compare_exchange(slot, after, SeqCst, SeqCst)
//! ```
//!
//! Alice takes a slot. Bob takes two and returns the first one. **Guess:** can the list hand out a slot that bob has?
//!
//! **Output.** Yes (`a4` is `head`, `a1` and `a2` are `next[0]` and `next[1]`):
//!
//! ```text
//!       alice                         bob
//!    1  a4.load = 0
//!    2  a1.load = 1
//!       ~~ preempted ~~
//!    3                                a4.load = 0
//!    4                                a1.load = 1
//!    5                                a4.compare_exchange(0, 1): ok
//!    6                                a4.load = 1
//!    7                                a2.load = 2
//!    8                                a4.compare_exchange(1, 2): ok
//!    9                                a4.load = 2
//!   10                                a1.store 2
//!   11                                a4.compare_exchange(2, 0): ok
//!   12  a4.compare_exchange(0, 1): ok
//! ```
//!
//! Real threads showed it in 0 to 8 of 20,000 rounds (`SELVEDGE_ROUNDS=20000 cargo test --test book -- aba::
//! --nocapture`, 2026-11-29, two cores).
//!
//! **Why.** This is the **ABA** problem. Between alice's load of `head` and her compare-exchange, `head` goes from 0
//! (A) to 1 and 2 (B) and back to 0 (A). A compare-exchange compares values, so it succeeds. It stores 1, which came
//! after 0 when alice looked. Bob has slot 1 now, and it is the head of the free list. All operations are `SeqCst`: no
//! ordering prevents this.
//!
//! **Fix.** A *tag* in the same word, which each change of `head` increments. After bob's changes the tag differs, so
//! alice's compare-exchange fails and is retried.
//!
//! **Break it yourself.** Let the tag wrap after three changes: in `update` write
//! `let new = (head - slot + self.tag + next(slot)) % 30;`. `tagged_head_hands_each_slot_out_once` fails: *reached
//! alice=0 bob=1 next=1*.

use selvedge_model::Model;
use selvedge_model::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use crate::shown::assert_shown;

struct FreeList {
    /// The first free slot in the last decimal digit, the tag in those before it.
    head: AtomicUsize,
    next: [AtomicUsize; 3],
    /// What a change adds to `head`: 10 to count in the tag, 0 to have no tag.
    tag: usize,
}

impl FreeList {
    fn new(tag: usize) -> Self {
        Self { head: AtomicUsize::new(0), next: [1, 2, 9].map(AtomicUsize::new), tag }
    }

    /// Replaces the first free slot by `next(slot)`.
    fn update(&self, next: impl Fn(usize) -> usize) -> usize {
        let mut head = self.head.load(SeqCst);
        loop {
            let slot = head % 10;
            let new = head - slot + self.tag + next(slot);
            match self.head.compare_exchange(head, new, SeqCst, SeqCst) {
                Ok(_) => return slot,
                Err(newer) => head = newer,
            }
        }
    }

    fn take(&self) -> usize {
        self.update(|slot| self.next[slot].load(SeqCst))
    }
}

fn model(tag: usize) -> Model<FreeList> {
    Model::new(move || FreeList::new(tag))
        .thread("alice", FreeList::take)
        .thread("bob", |list| {
            let (returned, kept) = (list.take(), list.take());
            list.update(|first| {
                list.next[returned].store(first, SeqCst);
                returned
            });
            kept
        })
        .finally("next", FreeList::take)
        .acceptable("alice=0 bob=2 next=1", "alice took the first slot")
        .acceptable("alice=1 bob=2 next=0", "alice took the second slot")
        .acceptable("alice=2 bob=1 next=0", "alice took the third slot")
        .acceptable("alice=0 bob=1 next=2", "alice took the slot that bob returned")
}

#[test]
fn unchanged_head_hands_a_slot_out_twice() {
    let report = model(0).interesting("alice=0 bob=1 next=1", "bob has slot 1 as well").check();
    assert_shown(include_str!("6_aba.rs"), &report.to_string());
}

#[test]
fn slots_that_are_not_returned_need_no_tag() {
    Model::new(|| FreeList::new(0))
        .thread("alice", FreeList::take)
        .thread("bob", FreeList::take)
        .acceptable(["alice=0 bob=1", "alice=1 bob=0"], "in either order")
        .check();
}

#[test]
fn tagged_head_hands_each_slot_out_once() {
    model(10).check();
}
