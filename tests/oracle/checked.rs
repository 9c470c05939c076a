//! A program on the harness.

use std::collections::BTreeSet;

use selvedge::model::{Engine, Model, Report};
use selvedge::sync::atomic::{AtomicU64, Ordering::SeqCst, fence};
use selvedge::sync::{Mutex, PoisonError};

use crate::program::{Op, Program};

/// What the threads of a program share.
pub(crate) struct Shared {
    variables: Vec<AtomicU64>,
    mutex: Mutex<()>,
}

/// What the harness reached, and at what cost.
pub(crate) struct Reached {
    pub(crate) all: BTreeSet<String>,
    /// What the interleaving pass reached by itself.
    pub(crate) interleaving: BTreeSet<String>,
    #[cfg_attr(not(loom), expect(dead_code, reason = "compared with plain loom only"))]
    pub(crate) executions: u64,
}

/// Explores `program`.
pub(crate) fn reached(program: &Program) -> Reached {
    let variables = program.variables;
    let mut model = Model::new(move || Shared {
        variables: (0..variables).map(|_| AtomicU64::new(0)).collect(),
        mutex: Mutex::new(()),
    });
    for (thread, ops) in program.threads.iter().enumerate() {
        let ops = ops.clone();
        model = model.thread(&format!("t{thread}"), move |shared| {
            let mut reads = Vec::new();
            run(&ops, shared, &mut reads);
            reads
        });
    }
    let report = model
        .finally("finals", |shared| {
            shared.variables.iter().map(|x| x.load(SeqCst)).collect::<Vec<u64>>()
        })
        .rounds(20)
        .explore()
        .unwrap_or_else(|error| panic!("{program}\n{error}"));
    summary(&report)
}

fn summary(report: &Report) -> Reached {
    let rows = || report.outcomes.iter().filter(|row| row.seen > 0);
    Reached {
        all: rows().map(|row| row.text.clone()).collect(),
        interleaving: rows()
            .filter(|row| {
                row.witness.as_ref().is_some_and(|witness| witness.pass == "interleaving")
            })
            .map(|row| row.text.clone())
            .collect(),
        executions: match &report.engine {
            Engine::Loom { passes, .. } => passes.iter().map(|pass| pass.executions).sum(),
            _ => report.executions(),
        },
    }
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
