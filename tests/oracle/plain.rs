//! A program in plain loom, in the cheap shape: state lent, one thread on loom's main one.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::{Arc, Mutex as StdMutex, PoisonError};

use loom::sync::Mutex;
use loom::sync::atomic::{AtomicU64, Ordering::SeqCst, fence};
use loom::thread;

use crate::program::{Op, Outcome, Program};

struct Shared {
    variables: Vec<AtomicU64>,
    mutex: Mutex<()>,
}

/// What `loom::model` reaches, and in how many executions.
pub(crate) fn reached(program: &Program) -> (BTreeSet<String>, u64) {
    let found = Arc::new(StdMutex::new((BTreeSet::new(), 0)));
    let (program, report) = (program.clone(), Arc::clone(&found));
    loom::model(move || {
        let shared = Rc::new(Shared {
            variables: (0..program.variables).map(|_| AtomicU64::new(0)).collect(),
            mutex: Mutex::new(()),
        });
        let threads = program.threads.len();
        let reads = Rc::new(Cell::new(vec![Vec::new(); threads]));
        let running = Rc::new(Cell::new(threads));
        let early = Rc::new(Cell::new(Vec::new()));
        let gathered = Rc::new(Cell::new(1));
        let main = thread::current();
        let body = |number: usize, shared: &Shared, ops: &[Op], reads: &Cell<Vec<Vec<u64>>>| {
            let mut mine = Vec::new();
            run(ops, shared, &mut mine);
            let mut all = reads.take();
            all[number] = mine;
            reads.set(all);
        };
        for number in 1..threads {
            let (shared, reads, ops) =
                (Rc::clone(&shared), Rc::clone(&reads), program.threads[number].clone());
            let (running, early, gathered) =
                (Rc::clone(&running), Rc::clone(&early), Rc::clone(&gathered));
            let main = main.clone();
            thread::spawn(move || {
                body(number, &shared, &ops, &reads);
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
        body(0, &shared, &program.threads[0], &reads);
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
        let finals = shared.variables.iter().map(|x| x.load(SeqCst)).collect();
        let outcome = Outcome { reads: reads.take(), finals };
        let mut report = report.lock().unwrap_or_else(PoisonError::into_inner);
        report.0.insert(outcome.to_string());
        report.1 += 1;
    });
    let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
    std::mem::take(&mut *found)
}

fn run(ops: &[Op], shared: &Shared, reads: &mut Vec<u64>) {
    for op in ops {
        let x = |x: usize| &shared.variables[x];
        match *op {
            Op::Load(v, order) => reads.push(x(v).load(order)),
            Op::Store(v, value, order) => x(v).store(value, order),
            Op::Swap(v, value, order) => reads.push(x(v).swap(value, order)),
            Op::Add(v, value, order) => reads.push(x(v).fetch_add(value, order)),
            Op::Cas(v, expected, new, ok, err) => {
                let (Ok(found) | Err(found)) = x(v).compare_exchange(expected, new, ok, err);
                reads.push(found);
            }
            Op::Fence(order) => fence(order),
            Op::Locked(ref inside) => {
                let guard = shared.mutex.lock().unwrap_or_else(PoisonError::into_inner);
                run(inside, shared, reads);
                drop(guard);
            }
        }
    }
}
