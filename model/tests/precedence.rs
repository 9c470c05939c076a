//! `linearizable` under weak memory, against programs whose threads do wait for each other.
//!
//! Random types of two atomics, of which operations take one or two steps with any ordering. Each
//! scenario is run as a model once for every set of precedence constraints that there can be, its threads
//! blocking on a `OnceLock` for each; and all that comes of it is held against all orders.

use std::fmt::Debug;

use selvedge_model::sync::OnceLock;
use selvedge_model::sync::atomic::{
    AtomicU64,
    Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst},
    fence,
};
use selvedge_model::{CheckError, Model, Promise, linearizable};

#[derive(Debug, Clone, Copy)]
enum Step {
    Load(usize, Ordering),
    Store(usize, u64, Ordering),
    Add(usize, Ordering),
    Fence(Ordering),
}

/// By thread, the operations.
type Program = Vec<Vec<Vec<Step>>>;

type Words = [AtomicU64; 2];

/// The first operation ends before the second begins; operations are numbered thread by thread.
type Constraint = (usize, usize);

/// A pseudo-random number generator; the constants are Knuth's, of MMIX.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % n
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    fn step(&mut self) -> Step {
        let word = self.below(2);
        match self.below(8) {
            0..3 => Step::Load(word, self.of(&[Relaxed, Acquire, SeqCst])),
            3..6 => {
                let value = 1 + u64::from(self.below(2) == 0);
                Step::Store(word, value, self.of(&[Relaxed, Release, SeqCst]))
            }
            6 => Step::Add(word, self.of(&[Relaxed, Acquire, Release, AcqRel, SeqCst])),
            _ => Step::Fence(self.of(&[Acquire, Release, SeqCst])),
        }
    }

    fn program(&mut self, lengths: &[usize]) -> Program {
        let mut operation = |_| (0..=self.below(2)).map(|_| self.step()).collect();
        lengths.iter().map(|n| (0..*n).map(&mut operation).collect()).collect()
    }
}

/// What an operation reads.
fn run(words: &Words, steps: &[Step]) -> Vec<u64> {
    let seen = steps.iter().filter_map(|&step| match step {
        Step::Load(word, order) => Some(words[word].load(order)),
        Step::Add(word, order) => Some(words[word].fetch_add(1, order)),
        Step::Store(word, value, order) => {
            words[word].store(value, order);
            None
        }
        Step::Fence(order) => {
            fence(order);
            None
        }
    });
    seen.collect()
}

fn new_words() -> Words {
    [AtomicU64::new(0), AtomicU64::new(0)]
}

fn values(words: &Words) -> [u64; 2] {
    words.each_ref().map(|word| word.load(Relaxed))
}

/// Results by thread and operation, and the words at the end, as a model writes them.
fn outcome(results: &[impl Debug], words: [u64; 2]) -> String {
    let threads: Vec<String> =
        results.iter().enumerate().map(|(thread, all)| format!("t{thread}={all:?}")).collect();
    format!("{} words={words:?}", threads.join(" "))
}

/// The thread of each operation.
fn threads(program: &Program) -> Vec<usize> {
    let all = program.iter().enumerate();
    all.flat_map(|(thread, operations)| operations.iter().map(move |_| thread)).collect()
}

/// All orders that keep each thread's own.
fn orders(threads: &[usize]) -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new()];
    for _ in threads {
        let next = |order: &Vec<usize>| -> Vec<Vec<usize>> {
            let is_next = |n: &usize| {
                !order.contains(n)
                    && (0..*n).all(|m| threads[m] != threads[*n] || order.contains(&m))
            };
            let next = (0..threads.len()).filter(is_next);
            next.map(|n| order.iter().copied().chain([n]).collect()).collect()
        };
        all = all.iter().flat_map(next).collect();
    }
    all
}

/// All sets of constraints that some order keeps.
fn sets_of_constraints(threads: &[usize], orders: &[Vec<usize>]) -> Vec<Vec<Constraint>> {
    let n = threads.len();
    let pairs = (0..n).flat_map(|first| (0..n).map(move |then| (first, then)));
    let pairs: Vec<Constraint> =
        pairs.filter(|&(first, then)| threads[first] != threads[then]).collect();
    let sets = (0..1_usize << pairs.len()).map(|set| {
        let is_in = |&(at, _): &(usize, &Constraint)| set >> at & 1 == 1;
        pairs.iter().enumerate().filter(is_in).map(|(_, pair)| *pair).collect()
    });
    sets.filter(|set: &Vec<Constraint>| orders.iter().any(|order| keeps(order, set))).collect()
}

fn keeps(order: &[usize], constraints: &[Constraint]) -> bool {
    let at = |n| order.iter().position(|&m| m == n);
    constraints.iter().all(|&(first, then)| at(first) < at(then))
}

/// Whether an order explains each outcome that is reached, whatever threads wait for.
fn holds(program: &Program) -> bool {
    let threads = threads(program);
    let orders = orders(&threads);
    let all: Vec<&Vec<Step>> = program.iter().flatten().collect();
    let alone: Vec<String> = orders
        .iter()
        .map(|order| {
            let words = new_words();
            let mut seen = vec![Vec::new(); all.len()];
            for &n in order {
                seen[n] = run(&words, all[n]);
            }
            let of_thread = |thread: usize| -> Vec<&Vec<u64>> {
                let mine = seen.iter().zip(&threads).filter(|(_, of)| **of == thread);
                mine.map(|(seen, _)| seen).collect()
            };
            let results: Vec<_> = (0..program.len()).map(of_thread).collect();
            outcome(&results, values(&words))
        })
        .collect();
    sets_of_constraints(&threads, &orders).into_iter().all(|constraints| {
        let report = with_waits(program, &constraints).explore().expect("it does not fail");
        let reached = report.outcomes.iter().filter(|row| row.seen > 0);
        reached.into_iter().all(|row| {
            let mut orders = orders.iter().zip(&alone);
            orders.any(|(order, text)| *text == row.text && keeps(order, &constraints))
        })
    })
}

/// The program, its threads waiting as the constraints say.
fn with_waits(program: &Program, constraints: &[Constraint]) -> Model<(Words, Vec<OnceLock<()>>)> {
    let count = constraints.len();
    let mut model = Model::new(move || {
        (new_words(), (0..count).map(|_| OnceLock::new()).collect::<Vec<OnceLock<()>>>())
    });
    let mut number = 0;
    for (thread, operations) in program.iter().enumerate() {
        let (first, operations) = (number, operations.clone());
        number += operations.len();
        let constraints = constraints.to_vec();
        model = model.thread(&format!("t{thread}"), move |(words, waits)| {
            let mut results = Vec::new();
            for (number, steps) in (first..).zip(&operations) {
                let waits = || constraints.iter().zip(waits);
                waits().filter(|((_, then), _)| *then == number).for_each(|(_, wait)| {
                    wait.wait();
                });
                results.push(run(words, steps));
                waits()
                    .filter(|((first, _), _)| *first == number)
                    .for_each(|(_, wait)| wait.set(()).expect("it is set once"));
            }
            results
        });
    }
    model.finally("words", |(words, _)| values(words))
}

/// The same, as the harness finds it.
fn found(program: &Program) -> bool {
    found_with(program, Promise::Linearizable)
}

fn found_with(program: &Program, promise: Promise) -> bool {
    let mut check = linearizable(new_words).finally("words", values).promises(promise);
    let mut threads = Vec::new();
    for (thread, all) in program.iter().enumerate() {
        let mut names = Vec::new();
        for (number, steps) in all.iter().enumerate() {
            let (name, steps) = (format!("{thread}.{number}"), steps.clone());
            check = check.operation(&name, move |words| run(words, &steps));
            names.push(name);
        }
        threads.push(names.join(", "));
    }
    match check.only(&threads.join(" || ")).try_check() {
        Ok(_) => true,
        Err(CheckError::Broken { .. }) => false,
        // Fences alone are steps too, but an operation may have none that is executed.
        Err(error) => panic!("{error}: {program:?}"),
    }
}

#[test]
fn constraints_on_graphs_are_waits_of_threads() {
    let programs = std::env::var("SELVEDGE_PROGRAMS").ok();
    let programs = programs.map_or(300, |text| text.parse().expect("a number"));
    let mut random = Random(11);
    let (mut kept, mut in_order) = (0, 0);
    let shapes: [&[usize]; 3] = [&[2, 1], &[1, 1, 1], &[2, 2]];
    for round in 0..programs {
        let program = random.program(shapes[round % shapes.len()]);
        let holds = holds(&program);
        assert_eq!(found(&program), holds, "{program:?}");
        kept += usize::from(holds);
        in_order += usize::from(!holds && found_with(&program, Promise::SequentiallyConsistent));
    }
    println!("{kept} of {programs} linearizable, {in_order} others in order");
    assert!(kept > programs / 10 && kept < programs && in_order > 0);
}
