//! Every operation of the façade `selvedge_model::sync` against brute force, over random programs.
//!
//! `program` is the language: plain data. `machine` runs every interleaving of a program with the
//! semantics that `std` documents; it shares no code with the harness. `checker` is the engine that is
//! judged, behind one function. `generate` makes the programs, and its head says which are not made.
//!
//! # What is judged
//!
//! A program is threads and an order of declaration: of two or three threads each order is explored, of
//! four or five a random one.
//!
//! - *Missed*: the machine reaches an outcome, or fails, and the engine does not. Always an error, unless
//!   the engine's report says that it was bounded; those are counted.
//! - *False alarm*: the engine reaches an outcome, or fails, and no interleaving does, or it refuses the program.
//!   Of the engine only the sequentially consistent graphs count, so every program is judged.
//! - Of a program that can fail, that one of its failures is found, and no other; its outcomes are not
//!   compared. A wait without an end is a deadlock, asleep or awake: a livelock is the same here.
//! - Values are sequentially consistent; happens-before is that of the declared orderings. So a race that
//!   takes a stale value to get to is not asked for.
//!
//! What `std` allows and the engine does not explore is `machine::Policy`; programs that it changes are
//! counted.
//!
//! The tests of `agree` hold the loom engine against the graph engine, on the first
//! programs of each family.
//!
//! # Environment
//!
//! `ORACLE_AGREE` is how many programs of a family both engines explore.
//!
//! `ORACLE_SEED` makes other programs. `ORACLE_ALL=1` prints every program that differs, not only the first
//! of a kind. `ORACLE_TRACE=1` prints each program before it is explored.

#![cfg(loom)]

mod agreement;
mod checker;
mod code;
mod family;
mod generate;
mod known;
mod machine;
mod program;
mod sections;
mod shared;
mod tally;
mod text;

use family::Family;
use generate::{Alphabet, Pick};
use machine::Policy;

const MUTEX: Alphabet = &[(3, Pick::Mark), (3, Pick::Lock), (2, Pick::TryLock)];
const PANICS: Alphabet = &[
    (3, Pick::Mark),
    (2, Pick::Lock),
    (2, Pick::TryLock),
    (3, Pick::Caught),
    (1, Pick::TryWrite),
    (1, Pick::Read),
    (1, Pick::Poison),
];
const JOINED_PANICS: Alphabet = &[
    (3, Pick::Mark),
    (1, Pick::Lock),
    (1, Pick::TryLock),
    (3, Pick::SpawnPanics),
    (1, Pick::Poison),
];
const RW_LOCK: Alphabet =
    &[(3, Pick::Mark), (3, Pick::Read), (3, Pick::Write), (2, Pick::TryRead), (2, Pick::TryWrite)];
const DOWNGRADE: Alphabet = &[
    (3, Pick::Mark),
    (3, Pick::Downgrade),
    (1, Pick::Read),
    (1, Pick::Write),
    (2, Pick::TryRead),
    (2, Pick::TryWrite),
];
const CONDVAR: Alphabet =
    &[(3, Pick::Mark), (2, Pick::Lock), (2, Pick::Wait), (1, Pick::WaitTimeout), (4, Pick::Notify)];
const CONDVAR_LOOP: Alphabet =
    &[(4, Pick::Mark), (1, Pick::Lock), (2, Pick::WaitUntil), (4, Pick::Notify)];
const PARK: Alphabet = &[
    (2, Pick::Mark),
    (2, Pick::Park),
    (1, Pick::ParkTimeout),
    (5, Pick::Unpark),
    (1, Pick::Spawn),
];
const PARK_LOOP: Alphabet = &[(4, Pick::Mark), (2, Pick::ParkUntil), (5, Pick::Unpark)];
const CHANNEL: Alphabet = &[(2, Pick::Mark), (4, Pick::Channel(0))];
const BOUNDED: Alphabet = &[(2, Pick::Mark), (3, Pick::Channel(1)), (2, Pick::Channel(2))];
const RENDEZVOUS: Alphabet = &[(2, Pick::Mark), (4, Pick::Channel(3))];
const BARRIER: Alphabet = &[(3, Pick::Mark), (3, Pick::Meet), (1, Pick::Lock)];
const ONCE: Alphabet = &[(3, Pick::Mark), (4, Pick::Once), (2, Pick::Make)];
const ARC: Alphabet = &[(2, Pick::Mark), (4, Pick::Arc)];
const SPAWN: Alphabet = &[(4, Pick::Mark), (2, Pick::Spawn), (1, Pick::Lock)];
const LOCALS: Alphabet = &[(4, Pick::Mark), (2, Pick::Local), (2, Pick::Spawn), (1, Pick::Lock)];
const CELLS: Alphabet = &[
    (2, Pick::Cell),
    (3, Pick::IfCell),
    (2, Pick::Update),
    (2, Pick::Load),
    (2, Pick::Store),
    (1, Pick::Await),
];
const CELLS_LOCKS: Alphabet =
    &[(3, Pick::Cell), (3, Pick::Lock), (1, Pick::TryLock), (2, Pick::Read), (2, Pick::Write)];
const CELLS_DOWNGRADE: Alphabet =
    &[(3, Pick::Cell), (3, Pick::Downgrade), (2, Pick::TryRead), (2, Pick::TryWrite)];
const CELLS_CHANNELS: Alphabet = &[
    (1, Pick::Cell),
    (2, Pick::IfCell),
    (3, Pick::Channel(0)),
    (2, Pick::Channel(1)),
    (1, Pick::Channel(3)),
];
const CELLS_ONCE: Alphabet =
    &[(1, Pick::Cell), (2, Pick::IfCell), (2, Pick::Once), (2, Pick::Make)];
const CELLS_BARRIERS: Alphabet = &[(2, Pick::Cell), (1, Pick::IfCell), (3, Pick::Meet)];
const CELLS_THREADS: Alphabet = &[(2, Pick::Cell), (2, Pick::Spawn), (1, Pick::Local)];
const CELLS_ARCS: Alphabet = &[(3, Pick::ArcCell), (3, Pick::Arc)];
const CELLS_WAITS: Alphabet =
    &[(2, Pick::Cell), (2, Pick::Wait), (2, Pick::Notify), (2, Pick::Park), (4, Pick::Unpark)];

const CELLS_UPDATES: Alphabet = &[(2, Pick::Cell), (3, Pick::IfCell), (4, Pick::Update)];
const ANNOUNCED: Alphabet = &[(2, Pick::Mark), (2, Pick::Announced)];
const CHILDREN: Alphabet = &[(2, Pick::Mark), (2, Pick::Spawn), (3, Pick::Unpark), (2, Pick::Park)];
const DROPPED_BY_PANICS: Alphabet =
    &[(2, Pick::Mark), (2, Pick::Channel(0)), (1, Pick::Arc), (3, Pick::SpawnPanics)];

const UPDATES: Alphabet = &[
    (2, Pick::Update),
    (2, Pick::Small),
    (2, Pick::Exchange),
    (1, Pick::Weak),
    (1, Pick::FetchUpdate),
];
const ACCESSES: Alphabet =
    &[(2, Pick::Load), (2, Pick::Store), (1, Pick::Update), (1, Pick::Fence)];
const WAITS: Alphabet =
    &[(3, Pick::Update), (1, Pick::Await), (1, Pick::Spin), (1, Pick::Store), (1, Pick::Idle)];
const ASSERTIONS: Alphabet = &[(4, Pick::Mark), (1, Pick::Refute), (1, Pick::Lock)];

const PATIENT_CONDVAR: Alphabet =
    &[(3, Pick::Mark), (1, Pick::Lock), (1, Pick::Wait), (4, Pick::WaitTimeout), (3, Pick::Notify)];
const PATIENT_LOOP: Alphabet = &[
    (4, Pick::Mark),
    (1, Pick::Lock),
    (1, Pick::WaitUntil),
    (2, Pick::PollUntil),
    (1, Pick::WaitTimeout),
    (2, Pick::Notify),
];
const PATIENT_PARK: Alphabet = &[
    (2, Pick::Mark),
    (1, Pick::Park),
    (3, Pick::ParkTimeout),
    (3, Pick::Unpark),
    (1, Pick::Await),
    (1, Pick::Spin),
    (1, Pick::Spawn),
];
const PATIENT_CHANNEL: Alphabet = &[
    (2, Pick::Mark),
    (2, Pick::Channel(0)),
    (3, Pick::Channel(1)),
    (2, Pick::Channel(3)),
    (1, Pick::Await),
];

/// What patient mixtures are made of.
const PATIENT: [Alphabet; 9] = [
    PATIENT_CONDVAR,
    PATIENT_LOOP,
    PATIENT_PARK,
    PATIENT_CHANNEL,
    RW_LOCK,
    CELLS_WAITS,
    WAITS,
    ONCE,
    ACCESSES,
];

/// What mixtures are made of.
const ALL: [Alphabet; 17] = [
    MUTEX, PANICS, RW_LOCK, CONDVAR, PARK, CHANNEL, BOUNDED, RENDEZVOUS, ONCE, ARC, SPAWN, LOCALS,
    CELLS, UPDATES, ACCESSES, WAITS, ASSERTIONS,
];

const SMALL: &[(usize, usize)] = &[(2, 2), (2, 3), (3, 1), (2, 3)];
const MEDIUM: &[(usize, usize)] = &[(2, 2), (2, 3), (3, 2)];
/// Fewer of the large ones.
const FEW: &[(usize, usize)] = &[(2, 2), (2, 3), (2, 3), (2, 3), (2, 3), (2, 3), (2, 3), (3, 2)];
const WIDE: &[(usize, usize)] = &[(4, 1), (5, 1)];

/// A test for each family.
macro_rules! families {
    ($($test:ident: $name:literal, $sizes:expr, $alphabets:expr;)*) => {
        families! { Policy::REQUIRED; $($test: $name, $sizes, $alphabets;)* }

        /// The other engine finds the same.
        mod agree {
            use super::*;

            $(
                #[test]
                fn $test() {
                    let (name, sizes, alphabets) = ($name, $sizes, $alphabets.to_vec());
                    let (policy, programs) = (Policy::REQUIRED, agreement::programs());
                    Family { name, sizes, alphabets, policy, programs }.agree();
                }
            )*
        }
    };
    ($policy:expr; $($test:ident: $name:literal, $sizes:expr, $alphabets:expr;)*) => {
        $(
            #[test]
            fn $test() {
                let (name, sizes, alphabets) = ($name, $sizes, $alphabets.to_vec());
                let policy = $policy;
                Family { name, sizes, alphabets, policy, programs: PROGRAMS }.check();
            }
        )*
    };
}

/// Of each family.
const PROGRAMS: u64 = 1_000;

families! {
    mutexes: "mutex", FEW, [MUTEX];
    panics: "panic, caught", MEDIUM, [PANICS];
    joined_panics: "panic, joined", &[(2, 1), (2, 2), (3, 1)], [JOINED_PANICS];
    read_write_locks: "read-write lock", FEW, [RW_LOCK];
    downgrades: "downgrade", FEW, [DOWNGRADE];
    condition_variables: "condition variable", FEW, [CONDVAR];
    condition_variables_in_loops: "condition variable, loop", SMALL, [CONDVAR_LOOP];
    parks: "park", SMALL, [PARK];
    parks_in_loops: "park, loop", SMALL, [PARK_LOOP];
    channels: "channel", SMALL, [CHANNEL];
    bounded_channels: "channel, bounded", SMALL, [BOUNDED];
    rendezvous: "channel, bound 0", SMALL, [RENDEZVOUS];
    barriers: "barrier", FEW, [BARRIER];
    once_locks: "once lock", SMALL, [ONCE];
    arcs: "arc", FEW, [ARC];
    spawned_threads: "spawn, join", &[(1, 3), (2, 1), (2, 2), (3, 1)], [SPAWN];
    thread_locals: "thread-local", &[(1, 3), (2, 1), (2, 2), (3, 1)], [LOCALS];
    cells: "cell, atomics", MEDIUM, [CELLS];
    cells_under_locks: "cell, locks", MEDIUM, [CELLS_LOCKS];
    cells_and_downgrades: "cell, downgrade", FEW, [CELLS_DOWNGRADE];
    cells_and_updates: "cell, updates", SMALL, [CELLS_UPDATES];
    cells_and_channels: "cell, channels", SMALL, [CELLS_CHANNELS];
    cells_and_once_locks: "cell, once lock", SMALL, [CELLS_ONCE];
    cells_and_barriers: "cell, barrier", SMALL, [CELLS_BARRIERS];
    cells_and_threads: "cell, threads", &[(1, 3), (2, 1), (2, 2)], [CELLS_THREADS];
    cells_in_arcs: "cell, arc", FEW, [CELLS_ARCS];
    cells_and_waits: "cell, waits", SMALL, [CELLS_WAITS];
    announced_waits: "condition variable, announced", &[(2, 1), (2, 2), (2, 3)], [ANNOUNCED];
    parked_children: "park, child", &[(1, 3), (1, 4)], [CHILDREN];
    dropped_by_panics: "dropped by a panic", &[(2, 1), (2, 1), (2, 1), (3, 1)], [DROPPED_BY_PANICS];
    updates: "update", SMALL, [UPDATES];
    accesses: "load, store, fence", SMALL, [ACCESSES];
    waiting_loops: "waiting loop", SMALL, [WAITS];
    assertions: "assertion", MEDIUM, [ASSERTIONS];
    mixtures: "mixture", SMALL, ALL;
    wide_mixtures: "mixture, wide", WIDE, ALL;
}

families! { Policy::PATIENT;
    patient_condition_variables: "patient, condition variable", FEW, [PATIENT_CONDVAR];
    patient_loops: "patient, loop", SMALL, [PATIENT_LOOP];
    patient_parks: "patient, park", SMALL, [PATIENT_PARK];
    patient_channels: "patient, channel", SMALL, [PATIENT_CHANNEL];
    patient_mixtures: "patient, mixture", SMALL, PATIENT;
    patient_wide_mixtures: "patient, mixture, wide", WIDE, PATIENT;
}

families! { Policy { spurious: true, ..Policy::PATIENT };
    patient_and_spurious: "patient, spurious", SMALL, [PATIENT_CONDVAR];
    patient_and_spurious_mixtures: "patient, spurious, mixture", SMALL, PATIENT;
}
