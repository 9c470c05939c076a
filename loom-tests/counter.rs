//! draft
use selvedge::model::{Failure, Model};
use selvedge::racy::*;
use selvedge::Counter;

#[test]
fn a_split_increment_loses_an_update() {
    Model::new(LossyCounter::new)
        .thread("alice", |c| c.increment())
        .thread("bob", |c| c.increment())
        .finally("total", |c| c.get())
        .acceptable("total=2", "the increments did not overlap")
        .interesting("total=1", "both read 0: one update is lost")
        .check();
}
#[test]
fn demo_failure() {
    Model::new(LossyCounter::new)
        .thread("alice", |c| c.increment())
        .thread("bob", |c| c.increment())
        .finally("total", |c| c.get())
        .acceptable("total=2", "the increments did not overlap")
        .check();
}
#[test]
fn unsync() {
    Model::new(UnsyncCounter::new)
        .thread("alice", |c| c.increment())
        .thread("bob", |c| c.increment())
        .fails(Failure::DataRace)
        .check();
}
#[test]
fn swap_take() {
    Model::new(SwapTakeCounter::new)
        .thread("alice", |c| {let mut h = c.handle(); h.increment(); h.increment(); })
        .thread("bob", |c| c.take())
        .finally("rest", |c| c.get())
        .acceptable("bob=2 rest=0", "x")
        .check();
}
fn counter(k: usize, n: usize) {
    let mut m = Model::new(|| Counter::with_stripes(1).unwrap());
    for name in ["alice","bob","carol","dave"].iter().take(k) {
        m = m.thread(name, move |c| for _ in 0..n {c.increment()});
    }
    m.finally("total", |c| c.get()).acceptable(&format!("total={}", k*n), "all").check();
}
#[test] fn counters() { for (k,n) in [(2,1),(3,1),(2,2),(3,2)] { counter(k,n); } }
#[test]
fn handles() {
    Model::new(Counter::new)
        .thread("alice", |c| {let mut h = c.handle(); h.increment(); h.increment(); })
        .thread("bob", |c| c.take())
        .finally("rest", |c| c.get())
        .acceptable("bob=2 rest=0", "x")
        .acceptable("bob=1 rest=1", "x")
        .acceptable("bob=0 rest=2", "x")
        .check();
}
