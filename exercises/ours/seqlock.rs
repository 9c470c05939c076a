//! `12_seqlock.rs`.

use exercises::checks::seqlock::{Seqlock, check};
use selvedge_model::sync::atomic::{
    AtomicU64, Ordering,
    Ordering::{Acquire, Relaxed, Release},
    fence,
};
use selvedge_model::sync::hint;

use crate::marked::Expected::Reaches;
use crate::marked::{is_wrong, solves};

#[derive(Default)]
struct Words {
    sequence: AtomicU64,
    words: [AtomicU64; 2],
}

impl Words {
    fn write(&self, [first, second]: [u64; 2], odd: Ordering, between: fn(), even: Ordering) {
        let sequence = self.sequence.load(Relaxed);
        self.sequence.store(sequence + 1, odd);
        between();
        self.words[0].store(first, Relaxed);
        self.words[1].store(second, Relaxed);
        self.sequence.store(sequence + 2, even);
    }

    fn load(&self) -> [u64; 2] {
        [self.words[0].load(Relaxed), self.words[1].load(Relaxed)]
    }

    fn read(&self, first: Ordering, between: fn(), second: Ordering) -> [u64; 2] {
        loop {
            let before = self.sequence.load(first);
            let value = self.load();
            between();
            let after = self.sequence.load(second);
            if before == after && before.is_multiple_of(2) {
                return value;
            }
            hint::spin_loop();
        }
    }
}

fn nothing() {}

fn release() {
    fence(Release);
}

fn acquire() {
    fence(Acquire);
}

/// Words, and their two calls.
macro_rules! seqlock {
    ($(#[$doc:meta])* $name:ident, $write:expr, $read:expr) => {
        $(#[$doc])*
        #[derive(Default)]
        struct $name(Words);

        impl Seqlock for $name {
            fn write(&self, value: [u64; 2]) {
                $write(&self.0, value);
            }

            fn read(&self) -> [u64; 2] {
                $read(&self.0)
            }
        }
    };
}

fn sound_write(words: &Words, value: [u64; 2]) {
    words.write(value, Relaxed, release, Release);
}

fn sound_read(words: &Words) -> [u64; 2] {
    words.read(Acquire, acquire, Relaxed)
}

seqlock!(Fences, sound_write, sound_read);

#[test]
fn two_fences_solve_it() {
    solves(check::<Fences>());
}

seqlock!(
    /// Defect: no sequence.
    NoSequence,
    |words: &Words, value| words.write(value, Release, release, Release),
    Words::load
);

#[test]
fn without_a_second_look_a_read_is_torn() {
    is_wrong(check::<NoSequence>(), Reaches("reader=[1, 0]"), &["~~ preempted ~~"]);
}

seqlock!(
    /// Defect: a release of the odd number in place of a fence after it.
    ReleaseOfTheOddNumber,
    |words: &Words, value| words.write(value, Release, nothing, Release),
    sound_read
);

#[test]
fn a_release_of_the_odd_number_does_not_order_the_words_after_it() {
    is_wrong(check::<ReleaseOfTheOddNumber>(), Reaches("reader=[1, 0]"), &["newest is"]);
}

seqlock!(
    /// Defect: an acquire of the second look in place of a fence before it.
    AcquireOfTheSecondLook,
    sound_write,
    |words: &Words| words.read(Acquire, nothing, Acquire)
);

#[test]
fn an_acquire_of_the_second_look_does_not_order_the_words_before_it() {
    is_wrong(check::<AcquireOfTheSecondLook>(), Reaches("reader=[1, 0]"), &["newest is"]);
}

seqlock!(
    /// Defect: the even number is not released.
    RelaxedEvenNumber,
    |words: &Words, value| words.write(value, Relaxed, release, Relaxed),
    sound_read
);

#[test]
fn a_relaxed_even_number_shows_old_words() {
    is_wrong(check::<RelaxedEvenNumber>(), Reaches("reader=[1, 0]"), &["newest is"]);
}

seqlock!(
    /// Defect: an odd number is taken for a good one.
    OddIsAccepted,
    sound_write,
    |words: &Words| loop {
        let before = words.sequence.load(Acquire);
        let value = words.load();
        fence(Acquire);
        if words.sequence.load(Relaxed) == before {
            break value;
        }
        hint::spin_loop();
    }
);

#[test]
fn an_odd_number_that_is_accepted_is_a_torn_read() {
    is_wrong(check::<OddIsAccepted>(), Reaches("reader=[1, 0]"), &["~~ preempted ~~"]);
}
