//! # What may two threads see?
//!
//! **Answer.** Whatever some order of their steps explains, and more: each of the programs below but
//! one has an outcome that no order explains, and it takes the ordering in the table to be rid of it.
//!
//! | the outcome that no order explains | relaxed | release, acquire | `SeqCst` | `fence(AcqRel)` | `fence(SeqCst)` |
//! |---|---|---|---|---|---|
//! | SB: each misses the other's write | weak | weak | never | weak | never |
//! | MP: the flag, and not yet the data | weak | never | never | never | never |
//! | LB: each reads what the other writes later | **unseen** | never | never | never | never |
//! | `CoRR`: a later read reads an earlier value | never | never | never | never | never |
//! | 2+2W: both first writes come out last | weak | weak | never | weak | never |
//! | S: a reply is overwritten by what was written before the question | weak | never | never | never | never |
//! | WRC: the answer, and not yet what it answers | weak | never | never | never | never |
//! | IRIW: two readers disagree on which write came first | weak | weak | never | weak | never |
//! | R: the last to write reads what was there before the first | weak | weak | never | weak | never |
//!
//! *weak*: C++20 allows it, and it is reached here. *never*: C++20 forbids it, and it is not reached.
//! *unseen*: C++20 allows it, and this checker does not explore it. In the last two columns accesses are
//! relaxed, and a fence stands between any two steps of a thread.
//!
//! **Why the weak ones fail.** A relaxed access says what happens to one variable, and nothing of any
//! other: a write may arrive late, a read may be early. Release and acquire order what comes before
//! a write for those who have read that write. That helps where one thread reads from another (MP,
//! S, WRC), and not where each must not miss the other (SB, R), nor where two who have nothing from
//! each other should agree (2+2W, IRIW).
//!
//! **Why the strong ones hold.** `SeqCst` operations are in one order that all threads agree on.
//! Between two writes or reads, a `SeqCst` fence restores order for relaxed accesses as well.
//!
//! **Bounds and what is not modelled.** Load buffering is not modelled. C++20 allows it; RC11 forbids it, and so
//! does this checker (Lahav et al., "Repairing sequential consistency in C/C++11", PLDI 2017).
//! There is no other bound: each model is explored completely. The columns of a table are held against the
//! checker and against an enumeration of C++20's axioms (`litmus/axioms.rs`): coherence, release and acquire,
//! and the single order of `SeqCst` operations as P0668 has it. The number of executions is held against it
//! too: it is that of the execution graphs without load buffering, each visited once (SB has 4, IRIW 16).
//!
//! The shapes go by their usual names (Maranget, Sarkar and Sewell, "A tutorial introduction to the ARM and
//! POWER relaxed memory models"). On real threads an unseen outcome may be seen, and how many of the weak ones
//! are seen depends on the processor: x86 by itself shows SB and R, and no other.

#[path = "litmus/axioms.rs"]
mod axioms;
#[path = "litmus/shape.rs"]
mod shape;

use shape::Class::{self, Never, Order, Unseen, Weak};
use shape::Step::{R, W};
use shape::{Shape, X, Y};

// ---------------------------------------------------------------------------------------------
// The shapes. In a row: the outcome; what it is in each column of the table above; how it comes
// about.
// ---------------------------------------------------------------------------------------------

/// An order of the steps leads to it, so that it is there whatever the orderings.
const EACH: [Class; 5] = [Order; 5];
/// Forbidden and not reached, whatever the orderings.
const NONE: [Class; 5] = [Never; 5];

/// Store buffering (SB): the heart of Dekker's and Peterson's algorithms.
#[test]
fn two_who_ask_first_and_look_then_may_miss_each_other() {
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

/// Message passing (MP): data, and a flag that says that it is there.
#[test]
fn a_flag_may_arrive_before_the_data() {
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

/// Load buffering (LB): the one shape whose weak outcome no load of an old value explains. It takes
/// a write that is carried out before the read that precedes it.
#[test]
fn two_who_read_first_may_read_what_is_written_later_but_not_here() {
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

/// Coherence of two reads (`CoRR`): of one variable, even relaxed reads never go backwards.
#[test]
fn one_variable_never_goes_backwards() {
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

/// Two writes each (2+2W), in opposite orders.
#[test]
fn both_first_writes_may_come_out_last() {
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

/// S: left writes `x` and then asks, right replies in `x`.
#[test]
fn a_reply_may_be_overwritten_by_what_came_before_the_question() {
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

/// Write to read causality (WRC): the relay passes on what it has seen, by a variable of its own.
#[test]
fn an_answer_may_arrive_before_what_it_answers() {
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
fn two_readers_may_disagree_on_which_write_came_first() {
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

/// R: both write `y`; right's write wins, and still right misses what left wrote before.
#[test]
fn who_overwrites_may_miss_what_came_before() {
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
