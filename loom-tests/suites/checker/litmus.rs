//! # Litmus tests: what C++20 allows, and what is reached
//!
//! Proved of the checker: it reaches exactly the outcomes in this table. No interleaving explains them.
//!
//! | weak outcome | relaxed | release, acquire | `SeqCst` | `fence(AcqRel)` | `fence(SeqCst)` |
//! |---|---|---|---|---|---|
//! | SB, store buffering: each load misses the other thread's store | weak | weak | never | weak | never |
//! | MP, message passing: the flag without the data | weak | never | never | never | never |
//! | LB, load buffering: each load reads the other thread's later store | **unseen** | never | never | never | never |
//! | `CoRR`, coherence of two reads: a later load reads an older value | never | never | never | never | never |
//! | 2+2W: both first stores are last in modification order | weak | weak | never | weak | never |
//! | S: a store is ordered before a store that happens before it | weak | never | never | never | never |
//! | WRC, write-to-read causality: the relayed store without its cause | weak | never | never | never | never |
//! | IRIW: two readers disagree on the order of two stores | weak | weak | never | weak | never |
//! | R: the last store's thread misses a store before the first one | weak | weak | never | weak | never |
//!
//! *weak*: C++20 allows it, and it is reached. *never*: C++20 forbids it, and it is not reached. *unseen*: C++20
//! allows it, and the checker does not explore it, as RC11 does not allow it (Lahav et al., "Repairing sequential
//! consistency in C/C++11", PLDI 2017). In the last two columns accesses are relaxed, with a fence between the two
//! steps of each thread.
//!
//! Each column is compared with the checker and with an enumeration of C++20's axioms (`litmus/axioms.rs`):
//! coherence, release and acquire, and the order of `SeqCst` operations as of P0668. The number of executions is
//! that of the graphs without load buffering: each is visited once (SB has 4, IRIW 16).
//!
//! The names are those of Maranget, Sarkar and Sewell, "A tutorial introduction to the ARM and POWER relaxed memory
//! models". On real threads the processor decides which weak outcomes are seen: x86 shows SB and R.

#[path = "litmus/axioms.rs"]
mod axioms;
#[path = "litmus/comparison.rs"]
mod comparison;
#[path = "litmus/shape.rs"]
mod shape;

use shape::Class::{self, Never, Order, Unseen, Weak};
use shape::Step::{R, W};
use shape::{Shape, X, Y};

// ---------------------------------------------------------------------------------------------
// The shapes. A row has the outcome, its class in each column of the table above, and its reason.
// ---------------------------------------------------------------------------------------------

/// An interleaving reaches it, whatever the orderings.
const EACH: [Class; 5] = [Order; 5];
/// Forbidden and not reached, whatever the orderings.
const NONE: [Class; 5] = [Never; 5];

/// Store buffering (SB): the core of Dekker's and Peterson's algorithms.
#[test]
fn store_buffering() {
    Shape {
        threads: &[("left", &[W(X, 1), R(Y)]), ("right", &[W(Y, 1), R(X)])],
        last: &[],
        rows: &[
            ("left=0 right=1", EACH, "left came first"),
            ("left=1 right=0", EACH, "right came first"),
            ("left=1 right=1", EACH, "both wrote before either read"),
            (
                "left=0 right=0",
                [Weak, Weak, Never, Weak, Never],
                "each read before the other's write arrived",
            ),
        ],
    }
    .check();
}

/// Message passing (MP): data, and a flag.
#[test]
fn message_passing() {
    Shape {
        threads: &[("writer", &[W(X, 1), W(Y, 1)]), ("reader", &[R(Y), R(X)])],
        last: &[],
        rows: &[
            ("reader=(0, 0)", EACH, "it read first"),
            ("reader=(0, 1)", EACH, "it looked at the flag too early"),
            ("reader=(1, 1)", EACH, "it read last"),
            ("reader=(1, 0)", [Weak, Never, Never, Never, Never], "the flag, and not yet the data"),
        ],
    }
    .check();
}

/// Load buffering (LB). The weak outcome is not a load of an old value: a store takes effect before the load that
/// precedes it.
#[test]
fn load_buffering() {
    Shape {
        threads: &[("left", &[R(X), W(Y, 1)]), ("right", &[R(Y), W(X, 1)])],
        last: &[],
        rows: &[
            ("left=0 right=0", EACH, "both read before either wrote"),
            ("left=0 right=1", EACH, "left came first"),
            ("left=1 right=0", EACH, "right came first"),
            (
                "left=1 right=1",
                [Unseen, Never, Never, Never, Never],
                "each wrote before it had read",
            ),
        ],
    }
    .check();
}

/// Coherence of two reads (`CoRR`): relaxed loads of one location do not go backwards.
#[test]
fn coherence_of_two_reads() {
    Shape {
        threads: &[("writer", &[W(X, 1)]), ("reader", &[R(X), R(X)])],
        last: &[],
        rows: &[
            ("reader=(0, 0)", EACH, "it read first"),
            ("reader=(0, 1)", EACH, "the write came between"),
            ("reader=(1, 1)", EACH, "it read last"),
            ("reader=(1, 0)", NONE, "all agree on the order of the writes to one variable"),
        ],
    }
    .check();
}

/// 2+2W: two stores of each thread, in opposite orders.
#[test]
fn two_plus_two_writes() {
    Shape {
        threads: &[("left", &[W(X, 1), W(Y, 2)]), ("right", &[W(Y, 1), W(X, 2)])],
        last: &[("x", X), ("y", Y)],
        rows: &[
            ("x=2 y=1", EACH, "left came first"),
            ("x=1 y=2", EACH, "right came first"),
            ("x=2 y=2", EACH, "both first writes came before both second ones"),
            ("x=1 y=1", [Weak, Weak, Never, Weak, Never], "both first writes arrived last"),
        ],
    }
    .check();
}

/// S: left stores `x` and then `y`; right loads `y` and stores `x`.
#[test]
fn shape_s() {
    Shape {
        threads: &[("left", &[W(X, 2), W(Y, 1)]), ("right", &[R(Y), W(X, 1)])],
        last: &[("x", X)],
        rows: &[
            ("right=0 x=2", EACH, "right came first"),
            ("right=0 x=1", EACH, "right did not wait for the question"),
            ("right=1 x=1", EACH, "right replied"),
            ("right=1 x=2", [Weak, Never, Never, Never, Never], "left's first write arrived last"),
        ],
    }
    .check();
}

/// Write-to-read causality (WRC): the relay stores what it has read, in a location of its own.
#[test]
fn write_to_read_causality() {
    Shape {
        threads: &[("writer", &[W(X, 1)]), ("relay", &[R(X), W(Y, 1)]), ("reader", &[R(Y), R(X)])],
        last: &[],
        rows: &[
            ("relay=0 reader=(0, 0)", EACH, "reader before relay and writer"),
            ("relay=0 reader=(0, 1)", EACH, "reader looked at y too early, at x late enough"),
            ("relay=0 reader=(1, 0)", EACH, "writer came last"),
            ("relay=0 reader=(1, 1)", EACH, "relay was too early, reader was not"),
            ("relay=1 reader=(0, 0)", EACH, "reader came first"),
            ("relay=1 reader=(0, 1)", EACH, "reader looked at y too early"),
            ("relay=1 reader=(1, 1)", EACH, "reader came last"),
            (
                "relay=1 reader=(1, 0)",
                [Weak, Never, Never, Never, Never],
                "the relay's write overtook the one that it had read",
            ),
        ],
    }
    .check();
}

/// Independent reads of independent writes (IRIW).
#[test]
fn independent_reads_of_independent_writes() {
    Shape {
        threads: &[
            ("writes_x", &[W(X, 1)]),
            ("writes_y", &[W(Y, 1)]),
            ("xy", &[R(X), R(Y)]),
            ("yx", &[R(Y), R(X)]),
        ],
        last: &[],
        rows: &[
            ("xy=(0, 0) yx=(0, 0)", EACH, "both read first"),
            ("xy=(0, 0) yx=(0, 1)", EACH, "x was written while yx read"),
            ("xy=(0, 0) yx=(1, 0)", EACH, "xy read first, y was written before x"),
            ("xy=(0, 0) yx=(1, 1)", EACH, "xy read first, yx last"),
            ("xy=(0, 1) yx=(0, 0)", EACH, "y was written while xy read"),
            ("xy=(0, 1) yx=(0, 1)", EACH, "each looked too early at first, and then late enough"),
            ("xy=(0, 1) yx=(1, 0)", EACH, "y was written, and not yet x"),
            ("xy=(0, 1) yx=(1, 1)", EACH, "yx read last, xy began before x was written"),
            ("xy=(1, 0) yx=(0, 0)", EACH, "yx read first, x was written before y"),
            ("xy=(1, 0) yx=(0, 1)", EACH, "x was written, and not yet y"),
            ("xy=(1, 0) yx=(1, 1)", EACH, "x was written before y, yx read last"),
            ("xy=(1, 1) yx=(0, 0)", EACH, "yx read first, xy last"),
            ("xy=(1, 1) yx=(0, 1)", EACH, "xy read last, yx began before y was written"),
            ("xy=(1, 1) yx=(1, 0)", EACH, "y was written before x, xy read last"),
            ("xy=(1, 1) yx=(1, 1)", EACH, "both read last"),
            (
                "xy=(1, 0) yx=(1, 0)",
                [Weak, Weak, Never, Weak, Never],
                "to xy the write of x came first, to yx that of y",
            ),
        ],
    }
    .check();
}

/// R: both store `y`. Right's store is the last one, and right misses what left stored before.
#[test]
fn shape_r() {
    Shape {
        threads: &[("left", &[W(X, 1), W(Y, 1)]), ("right", &[W(Y, 2), R(X)])],
        last: &[("y", Y)],
        rows: &[
            ("right=0 y=1", EACH, "right came first"),
            (
                "right=1 y=1",
                EACH,
                "right wrote before left's second write, and read after its first",
            ),
            ("right=1 y=2", EACH, "left came first"),
            (
                "right=0 y=2",
                [Weak, Weak, Never, Weak, Never],
                "right read before left's first write arrived",
            ),
        ],
    }
    .check();
}
