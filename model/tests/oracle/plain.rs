//! A program in plain loom, in the shape of `selvedge`'s models.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex as StdMutex, PoisonError};

use loom::sync::Mutex;
use loom::sync::atomic::{AtomicU64, Ordering::SeqCst, fence};

use crate::program::{Op, Outcome, Program, interpreter};
use crate::shape;

interpreter!(spin);

fn spin(_: impl Fn() -> bool) {
    unreachable!("loom has nothing to wait with: such programs are not compared with it")
}

/// What `loom::model` reaches, and in how many executions.
pub(crate) fn reached(program: &Program) -> (BTreeSet<String>, u64) {
    let threads = program.threads.len();
    let found = Arc::new(StdMutex::new(BTreeSet::new()));
    let reads = Arc::new(StdMutex::new(vec![Vec::new(); threads]));
    let variables = program.variables;
    let (program, mine) = (program.clone(), Arc::clone(&reads));
    let body = move |shared: &Shared, number: usize| {
        let mut read = Vec::new();
        run(&program.threads[number], shared, &mut read);
        lock(&mine)[number] = read;
    };
    let outcomes = Arc::clone(&found);
    let finally = move |shared: &Shared| {
        let outcome = Outcome { reads: lock(&reads).clone(), finals: shared.finals() };
        lock(&outcomes).insert(outcome.to_string());
    };
    let executions = shape::run(threads, move || Shared::new(variables), body, finally);
    let found = std::mem::take(&mut *lock(&found));
    (found, executions)
}

fn lock<T>(mutex: &StdMutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
