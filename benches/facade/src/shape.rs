//! The shape of the models of `selvedge-model`, written out in plain loom: as in the tests of its oracle.
//!
//! The state is lent, not counted; one thread runs on the main coroutine; and those that have ended
//! park until all have. The usual shape (`Arc`, `spawn`, `join`) costs far more: see
//! `loom-tests/suites/checker/cost.rs`.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use loom::thread;

/// Explores `threads` threads that each run `body` with the state and their number, and `finally`
/// after them. Returns the number of executions.
pub(crate) fn run<S: 'static>(
    threads: usize,
    init: impl Fn() -> S + Send + Sync + 'static,
    body: impl Fn(&S, usize) + Clone + Send + Sync + 'static,
    finally: impl Fn(&S) + Send + Sync + 'static,
) -> u64 {
    let executions = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&executions);
    let mut builder = loom::model::Builder::new();
    builder.max_branches = 7_000;
    builder.check(move || {
        seen.fetch_add(1, Relaxed);
        let state = Rc::new(init());
        let running = Rc::new(Cell::new(threads));
        let gathered = Rc::new(Cell::new(1));
        let early = Rc::new(Cell::new(Vec::new()));
        let main = thread::current();
        for number in 1..threads {
            let (state, running) = (Rc::clone(&state), Rc::clone(&running));
            let (gathered, early) = (Rc::clone(&gathered), Rc::clone(&early));
            let (main, body) = (main.clone(), body.clone());
            thread::spawn(move || {
                body(&state, number);
                running.set(running.get() - 1);
                if running.get() > 0 {
                    let mut others = early.take();
                    others.push(thread::current());
                    early.set(others);
                    while running.get() > 0 {
                        thread::park();
                    }
                }
                gathered.set(gathered.get() + 1);
                main.unpark();
            });
        }
        body(&state, 0);
        running.set(running.get() - 1);
        while running.get() > 0 {
            thread::park();
        }
        for thread in early.take() {
            thread.unpark();
        }
        while gathered.get() < threads {
            thread::park();
        }
        finally(&state);
    });
    executions.load(Relaxed)
}
