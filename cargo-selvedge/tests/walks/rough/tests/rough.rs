//! Tests that go wrong in every way, if they are asked to.
#![cfg(loom)]

use selvedge_model::Model;
use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};

fn asked(what: &str) -> bool {
    std::env::var("ROUGH").is_ok_and(|asked| asked == what)
}

#[test]
fn passes() {
    Model::new(|| AtomicU64::new(0))
        .thread("alice", |n| n.fetch_add(1, Relaxed))
        .thread("bob", |n| n.fetch_add(1, Relaxed))
        .acceptable("alice=0 bob=1", "alice first")
        .acceptable("alice=1 bob=0", "bob first")
        .check();
}

#[test]
fn crashes() {
    if asked("crash") {
        std::process::abort();
    }
}

#[test]
fn hangs() {
    while asked("hang") {
        std::thread::park();
    }
}

#[test]
fn asserts() {
    assert!(!asked("assert"), "an assertion of the test's own");
}

/// So many executions that it is interrupted.
#[test]
fn takes_long() {
    if asked("long") {
        let add = |n: &AtomicU64| (0..9).for_each(|_| _ = n.fetch_add(1, Relaxed));
        Model::new(|| AtomicU64::new(0))
            .thread("alice", add)
            .thread("bob", add)
            .thread("carol", add)
            .acceptable("()", "they end")
            .check();
    }
}

/// A loop that waits without a hint.
#[test]
fn spins() {
    if asked("spin") {
        Model::new(|| AtomicU64::new(0))
            .steps(20)
            .thread("alice", |n| while n.load(Relaxed) == 0 {})
            .thread("bob", |n| n.store(1, Relaxed))
            .acceptable("()", "they end")
            .check();
    }
}

/// A loop that waits with a hint.
#[test]
fn waits() {
    if asked("idle") {
        Model::new(|| AtomicU64::new(0))
            .thread("alice", |n| {
                while n.load(Relaxed) == 0 {
                    selvedge_model::sync::hint::spin_loop();
                }
            })
            .thread("bob", |n| n.store(1, Relaxed))
            .acceptable("()", "they end")
            .check();
    }
}

/// Complete only without its bound.
#[test]
fn is_bounded() {
    if asked("bound") {
        Model::new(|| AtomicU64::new(0))
            .executions(1)
            .thread("alice", |n| _ = n.fetch_add(1, Relaxed))
            .thread("bob", |n| _ = n.fetch_add(1, Relaxed))
            .acceptable("()", "they end")
            .check();
    }
}
