//! Programs that the literature knows by name, with the outcome that each is about.

use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};

use selvedge_model::kernel::Rmw;

use super::program::Instruction::{self, Fence, Load, Store, Update};
use super::program::Program;
use super::{axioms, compare};

const X: usize = 0;
const Y: usize = 1;
const Z: usize = 2;
const NONE: u64 = u64::MAX;

/// The engine agrees with the axioms, and both on whether the outcome is allowed.
fn litmus(program: &[&[Instruction]], outcome: &[&[u64]], allowed: bool) {
    let program: Program = program.iter().map(|body| body.to_vec()).collect();
    let outcome: Vec<Vec<u64>> = outcome.iter().map(|seen| seen.to_vec()).collect();
    let found = axioms::enumerate(&program, 3);
    assert_eq!(found.outcomes.contains(&outcome), allowed, "{program:?}");
    compare(&program, 3, Some(1));
}

#[test]
fn store_buffering_with_fences() {
    for (fence, allowed) in [(SeqCst, false), (AcqRel, true)] {
        litmus(
            &[
                &[Store(X, 1, Relaxed), Fence(fence), Load(Y, Relaxed)],
                &[Store(Y, 1, Relaxed), Fence(fence), Load(X, Relaxed)],
            ],
            &[&[NONE, NONE, 0], &[NONE, NONE, 0]],
            allowed,
        );
    }
}

#[test]
fn independent_reads_with_fences() {
    for (fence, allowed) in [(SeqCst, false), (Acquire, true)] {
        litmus(
            &[
                &[Store(X, 1, Relaxed)],
                &[Store(Y, 1, Relaxed)],
                &[Load(X, Relaxed), Fence(fence), Load(Y, Relaxed)],
                &[Load(Y, Relaxed), Fence(fence), Load(X, Relaxed)],
            ],
            &[&[NONE], &[NONE], &[1, NONE, 0], &[1, NONE, 0]],
            allowed,
        );
    }
}

/// A fence orders what another thread has read from what this one reads.
#[test]
fn read_write_causality_with_fences() {
    litmus(
        &[
            &[Store(X, 1, Relaxed)],
            &[Load(X, Relaxed), Fence(SeqCst), Load(Y, Relaxed)],
            &[Store(Y, 1, Relaxed), Fence(SeqCst), Load(X, Relaxed)],
        ],
        &[&[NONE], &[1, NONE, 0], &[NONE, NONE, 0]],
        false,
    );
}

/// An SC access comes after what another one, in another thread, has read, though it was not stored by an SC
/// store: coherence-ordered before is transitive. RC11 allows the outcome.
#[test]
fn independent_reads_with_seq_cst_loads() {
    for (load, allowed) in [(SeqCst, false), (Acquire, true)] {
        for store in [Release, Relaxed] {
            litmus(
                &[
                    &[Store(X, 1, store)],
                    &[Store(Y, 1, store)],
                    &[Load(X, load), Load(Y, load)],
                    &[Load(Y, load), Load(X, load)],
                ],
                &[&[NONE], &[NONE], &[1, 0], &[1, 0]],
                allowed,
            );
        }
    }
}

/// An SC store keeps its place in the order if its thread overwrites it at once. RC11 allows the outcome.
#[test]
fn an_overwritten_seq_cst_store() {
    for (load, allowed) in [(Acquire, false), (Relaxed, true)] {
        litmus(
            &[
                &[Store(X, 1, SeqCst), Store(X, 2, Release)],
                &[Load(X, load), Load(Y, SeqCst)],
                &[Store(Y, 1, SeqCst), Load(X, SeqCst)],
            ],
            &[&[NONE, NONE], &[2, 0], &[NONE, 0]],
            allowed,
        );
    }
}

/// A fence comes before the SC accesses that follow an acquire which it synchronises with.
#[test]
fn a_fence_that_synchronises_with_an_acquire() {
    for (load, allowed) in [(Acquire, false), (Relaxed, true)] {
        litmus(
            &[
                &[Store(Z, 1, Relaxed), Fence(SeqCst), Store(X, 1, Relaxed)],
                &[Load(X, load), Load(Y, SeqCst)],
                &[Store(Y, 1, SeqCst), Load(Z, SeqCst)],
            ],
            &[&[NONE, NONE, NONE], &[1, 0], &[NONE, 0]],
            allowed,
        );
    }
}

/// Two SC accesses are ordered by way of what lies between: `sb ; hb ; sb`.
#[test]
fn w_rwc() {
    for (load, allowed) in [(Acquire, false), (Relaxed, true)] {
        litmus(
            &[
                &[Store(X, 1, SeqCst), Store(Y, 1, Release)],
                &[Load(Y, load), Load(Z, SeqCst)],
                &[Store(Z, 1, SeqCst), Load(X, SeqCst)],
            ],
            &[&[NONE, NONE], &[1, 0], &[NONE, 0]],
            allowed,
        );
    }
}

/// An SC fence is ordered by what happens before it in another thread.
#[test]
fn a_fence_after_message_passing() {
    litmus(
        &[
            &[Store(X, 1, SeqCst), Store(Y, 1, Release)],
            &[Load(Y, Acquire), Fence(SeqCst), Load(Z, Relaxed)],
            &[Store(Z, 1, Relaxed), Fence(SeqCst), Load(X, Relaxed)],
        ],
        &[&[NONE, NONE], &[1, NONE, 0], &[NONE, NONE, 0]],
        false,
    );
}

#[test]
fn z6_u() {
    let add = Update(Y, Rmw::Add(1), SeqCst, Relaxed);
    litmus(
        &[
            &[Store(X, 1, SeqCst), Store(Y, 1, Release)],
            &[add, Load(Y, Relaxed)],
            &[Store(Y, 3, SeqCst), Load(X, SeqCst)],
        ],
        &[&[NONE, NONE], &[1, 3], &[NONE, 0]],
        true,
    );
}

#[test]
fn two_plus_two_writes_with_seq_cst() {
    for order in [SeqCst, Relaxed] {
        litmus(
            &[
                &[Store(X, 1, order), Store(Y, 2, order), Load(Y, Relaxed)],
                &[Store(Y, 1, order), Store(X, 2, order), Load(X, Relaxed)],
            ],
            &[&[NONE, NONE, 1], &[NONE, NONE, 1]],
            order == Relaxed,
        );
    }
}

/// A release sequence goes on through updates of other threads, and ends with a store.
#[test]
fn release_sequences() {
    let add = Update(Y, Rmw::Add(1), Relaxed, Relaxed);
    litmus(
        &[
            &[Store(X, 1, Relaxed), Store(Y, 1, Release)],
            &[add],
            &[Load(Y, Acquire), Load(X, Relaxed)],
        ],
        &[&[NONE, NONE], &[1], &[2, 0]],
        false,
    );
    litmus(
        &[
            &[Store(X, 1, Relaxed), Store(Y, 1, Release), Store(Y, 2, Relaxed)],
            &[Load(Y, Acquire), Load(X, Relaxed)],
        ],
        &[&[NONE, NONE, NONE], &[2, 0]],
        true,
    );
}

/// Accesses on one side, a fence on the other.
#[test]
fn store_buffering_with_accesses_and_a_fence() {
    litmus(
        &[
            &[Store(X, 1, SeqCst), Load(Y, SeqCst)],
            &[Store(Y, 1, Relaxed), Fence(SeqCst), Load(X, Relaxed)],
        ],
        &[&[NONE, 0], &[NONE, NONE, 0]],
        false,
    );
}

/// Fences order writes by modification order alone.
#[test]
fn two_plus_two_writes_with_fences() {
    let program: Program = vec![
        vec![Store(X, 2, Relaxed), Fence(SeqCst), Store(Y, 1, Relaxed)],
        vec![Store(Y, 2, Relaxed), Fence(SeqCst), Store(X, 1, Relaxed)],
    ];
    assert_eq!(axioms::enumerate(&program, 2).graphs, 3);
    compare(&program, 2, Some(1));
}

/// An earlier load reads from a store that is not the latest: held against the SC axiom before it is
/// explored.
#[test]
fn a_revisit_by_a_store_that_is_not_the_latest() {
    let program: Program = vec![
        vec![Store(X, 2, SeqCst), Store(Y, 2, SeqCst)],
        vec![Store(Y, 2, SeqCst), Load(X, SeqCst)],
        vec![Store(X, 2, SeqCst), Load(X, SeqCst)],
    ];
    compare(&program, 2, Some(1));
}
