//! The engine against `GenMC`, another checker of RC11: as many executions, and a race in the same programs.
//!
//! `GenMC` explores graphs by the same method, and shares no code with the engine. Programs can be larger here than those
//! that the axioms can be asked about. It takes C, and has no exchange that fails without a cause.
//!
//! ```text
//! SELVEDGE_GENMC=<the genmc executable> RUSTFLAGS="--cfg loom --cfg genmc" \
//! cargo test -p selvedge-model --features check --test engine genmc -- --nocapture
//! ```
//!
//! `SELVEDGE_PROGRAMS=n` sets how many random programs of each shape are tried.

#![cfg_attr(not(genmc), allow(dead_code, reason = "a test only where GenMC is"))]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst};

use super::program::{self, Instruction, Program, Random, Run, Shape};
use super::{SHAPE, explore, programs, races};
use selvedge_model::engine::graph::{Bound, Config};
use selvedge_model::kernel::Rmw;

/// A program with more executions is left out.
const MOST: u64 = 20_000;

fn order(order: Ordering) -> &'static str {
    match order {
        Relaxed => "__ATOMIC_RELAXED",
        Acquire => "__ATOMIC_ACQUIRE",
        Release => "__ATOMIC_RELEASE",
        AcqRel => "__ATOMIC_ACQ_REL",
        SeqCst => "__ATOMIC_SEQ_CST",
        other => unreachable!("{other:?}"),
    }
}

fn statement(instruction: Instruction) -> String {
    match instruction {
        Instruction::Load(x, at) => format!("__atomic_load_n(&x[{x}], {});", order(at)),
        Instruction::Store(x, value, at) => {
            format!("__atomic_store_n(&x[{x}], {value}, {});", order(at))
        }
        Instruction::Update(x, rmw, at, fails) => match rmw {
            Rmw::Add(value) => format!("__atomic_fetch_add(&x[{x}], {value}, {});", order(at)),
            Rmw::Swap(value) => format!("__atomic_exchange_n(&x[{x}], {value}, {});", order(at)),
            Rmw::Max(value) => format!("__atomic_fetch_max(&x[{x}], {value}, {});", order(at)),
            Rmw::CompareExchange { current, new } => format!(
                "{{ unsigned long e = {current}; \
                 __atomic_compare_exchange_n(&x[{x}], &e, {new}, 0, {}, {}); }}",
                order(at),
                order(fails)
            ),
            other => unreachable!("{other:?}"),
        },
        Instruction::Weak(..) => unreachable!("GenMC does not let it fail without a cause"),
        Instruction::Await(x, value, at) => {
            format!("while (__atomic_load_n(&x[{x}], {}) != {value}) {{}}", order(at))
        }
        Instruction::Lock => "pthread_mutex_lock(&mutex);".to_owned(),
        Instruction::Unlock => "pthread_mutex_unlock(&mutex);".to_owned(),
        Instruction::Fence(at) => format!("__atomic_thread_fence({});", order(at)),
        Instruction::CellRead => "sum += cell;".to_owned(),
        Instruction::CellWrite => "cell = 1;".to_owned(),
        other => unreachable!("{other:?}"),
    }
}

/// Makes of an instruction one of which `GenMC` says the same as C++20. An exchange is not weak, and fails with the
/// ordering of its read. All accesses to a location are `SeqCst`, or none is: RC11 does not order two `SeqCst` accesses by a
/// write between them, in modification order, that is not, and C++20 does.
fn make_known(instruction: &mut Instruction, is_sc: &impl Fn(usize) -> bool) {
    let known = |x: usize, order: Ordering, instead: Ordering| match order {
        _ if is_sc(x) => SeqCst,
        SeqCst => instead,
        other => other,
    };
    match instruction {
        Instruction::Load(x, order) | Instruction::Await(x, _, order) => {
            *order = known(*x, *order, Acquire);
        }
        Instruction::Store(x, _, order) => *order = known(*x, *order, Release),
        Instruction::Update(x, rmw, order, fails) | Instruction::Weak(x, rmw, order, fails) => {
            *order = known(*x, *order, AcqRel);
            *fails = match *order {
                AcqRel => Acquire,
                Release => Relaxed,
                other => other,
            };
            if let Rmw::CompareExchangeWeak { current, new } = *rmw {
                *rmw = Rmw::CompareExchange { current, new };
            }
            *instruction = Instruction::Update(*x, *rmw, *order, *fails);
        }
        _ => {}
    }
}

/// The program in C, its threads spawned in order.
fn in_c(program: &Program, locations: u64) -> String {
    let mut lines = vec![
        "#include <pthread.h>".to_owned(),
        format!("unsigned long x[{locations}];"),
        "int cell;".to_owned(),
        "pthread_mutex_t mutex;".to_owned(),
    ];
    for (thread, body) in program.iter().enumerate() {
        lines.push(format!("void *t{thread}(void *a) {{ volatile int sum = 0;"));
        lines.extend(body.iter().copied().map(statement));
        lines.push("return 0; }".to_owned());
    }
    lines.push("int main(void) {".to_owned());
    let threads = 0..program.len();
    lines.extend(
        threads.clone().map(|n| format!("pthread_t h{n}; pthread_create(&h{n}, 0, t{n}, 0);")),
    );
    lines.extend(threads.map(|n| format!("pthread_join(h{n}, 0);")));
    lines.push("return 0; }".to_owned());
    lines.join("\n")
}

/// What is compared.
#[derive(Debug, PartialEq)]
struct Found {
    /// How many executions end; `None` if there is a race.
    executions: Option<u64>,
    /// A thread may wait for ever.
    deadlock: bool,
}

fn run_genmc(file: &Path, option: &[&str]) -> (bool, String) {
    let tool = std::env::var("SELVEDGE_GENMC").expect("SELVEDGE_GENMC names the genmc executable");
    let options = ["--rc11", "--disable-estimation", "--disable-sr", "--disable-ipr"];
    let output = Command::new(tool).args(options).args(option).arg(file).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

fn genmc(program: &Program, locations: u64) -> Found {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("genmc.c");
    std::fs::write(&file, in_c(program, locations)).unwrap();
    let (ends_well, said) = run_genmc(&file, &[]);
    if said.contains("Non-atomic race") {
        return Found { executions: None, deadlock: false };
    }
    let executions = said.lines().find_map(|line| {
        line.strip_prefix("Number of complete executions explored:")?.trim().parse().ok()
    });
    assert!(ends_well && executions.is_some(), "{said}\n{program:?}");
    let waits = |step: &Instruction| matches!(step, Instruction::Await(..));
    let deadlock = program.iter().flatten().any(waits) && {
        let (ends_well, said) = run_genmc(&file, &["--check-liveness"]);
        let waits = said.contains("Non-terminating spinloop");
        assert_ne!(ends_well, waits, "{said}\n{program:?}");
        waits
    };
    Found { executions, deadlock }
}

/// What the engine and `GenMC` find; nothing of a program with too many executions.
fn both(program: &Program, locations: u64) -> Option<[Found; 2]> {
    let threads: Vec<usize> = (0..program.len()).collect();
    let config = Config { executions: MOST, ..Config::default() };
    let found = explore(program, &threads, locations, &config, Run::default());
    let races = races(&found);
    if !races && found.report.bounds.contains(&Bound::Executions) {
        return None;
    }
    let executions = (!races).then(|| found.complete());
    let deadlock = !races && found.report.deadlocks > 0;
    Some([Found { executions, deadlock }, genmc(program, locations)])
}

/// A program of which the findings still differ, without any instruction that does not matter for that.
fn shrunk(program: &Program, locations: u64) -> Program {
    let without = |thread: usize, at: usize| {
        let mut shorter = program.clone();
        shorter[thread].remove(at);
        shorter
    };
    let mut shorter = (0..program.len())
        .flat_map(|thread| (0..program[thread].len()).map(move |at| without(thread, at)));
    let differs = |program: &Program| both(program, locations).is_some_and(|[a, b]| a != b);
    shorter.find(differs).map_or_else(|| program.clone(), |shorter| shrunk(&shorter, locations))
}

fn sweep(seed: u64, shape: Shape) {
    let mut random = Random(seed);
    let (mut compared, mut executions, mut races, mut deadlocks) = (0, 0, 0, 0);
    for _ in 0..programs() {
        let mut program = program::random(shape, &mut random);
        let sc = random.below(1 << shape.locations);
        let is_sc = |location: usize| sc & 1 << location != 0;
        program.iter_mut().flatten().for_each(|instruction| make_known(instruction, &is_sc));
        let Some([here, there]) = both(&program, shape.locations) else { continue };
        if here != there {
            let program = shrunk(&program, shape.locations);
            panic!("{:?}: {program:?}", both(&program, shape.locations));
        }
        compared += 1;
        races += u64::from(here.executions.is_none());
        deadlocks += u64::from(here.deadlock);
        executions += here.executions.unwrap_or_default();
    }
    println!(
        "{shape:?}: {compared} programs, {races} with a race, {deadlocks} with a deadlock; \
         {executions} executions"
    );
}

#[cfg_attr(genmc, test)]
fn as_many_executions_as_genmc() {
    let shapes = [
        SHAPE,
        Shape { steps: 4, ..SHAPE },
        Shape { steps: 6, locations: 3, ..SHAPE },
        Shape { threads: 3, steps: 3, ..SHAPE },
        Shape { threads: 3, steps: 3, strong: true, ..SHAPE },
        Shape { threads: 3, steps: 4, locations: 3, ..SHAPE },
        Shape { threads: 4, steps: 2, ..SHAPE },
        Shape { threads: 4, steps: 2, strong: true, locations: 3, ..SHAPE },
        Shape { threads: 5, steps: 2, locations: 3, ..SHAPE },
        Shape { threads: 3, steps: 3, cells: true, ..SHAPE },
        Shape { threads: 2, steps: 4, waits: true, ..SHAPE },
        Shape { threads: 3, steps: 3, waits: true, ..SHAPE },
        Shape { threads: 3, steps: 3, waits: true, cells: true, ..SHAPE },
        Shape { threads: 2, steps: 4, locks: true, ..SHAPE },
        Shape { threads: 3, steps: 2, locks: true, ..SHAPE },
        Shape { threads: 3, steps: 3, locks: true, cells: true, ..SHAPE },
        Shape { threads: 4, steps: 1, locks: true, ..SHAPE },
    ];
    for (shape, seed) in shapes.into_iter().zip(1..) {
        sweep(seed, shape);
    }
}
