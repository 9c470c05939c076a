//! Broken types, checked by `model::linearizable`: what it takes to the first failure.
//!
//! `RUSTFLAGS="--cfg loom" cargo run --release -p beside-lincheck --bin ours`; `theirs` does the same
//! by lincheck. Two programs, since their two versions of loom cannot be linked into one.

use selvedge::model::{Linearizable, linearizable};
use selvedge::racy::{CheckThenInsertMap, LateResetStats, LossyCounter, TornStats};
use selvedge::sync::atomic::{
    AtomicU64, Ordering,
    Ordering::{Acquire, Relaxed, Release, SeqCst},
};

#[path = "../row.rs"]
mod row;

use row::Found;

/// Name, and what finds the failure.
type Row = (&'static str, fn() -> Found);

const ALL: [Row; 10] = [
    ("lost update", lossy),
    ("torn statistics", torn),
    ("late reset", late),
    ("look, then insert", insert),
    ("sum of cells", cells),
    ("store buffering", flags),
    ("buffered write", buffered),
    ("sound: one word, updates only", updates),
    ("sound: one relaxed word", word),
    ("sound: two `SeqCst` flags", sound_flags),
];

fn main() {
    for (name, find) in ALL {
        find().print(name, "selvedge");
    }
}

type Pair = (AtomicU64, AtomicU64);

fn lossy() -> Found {
    let lossy = linearizable(LossyCounter::new)
        .operation("add", LossyCounter::increment)
        .operation("get", LossyCounter::get)
        .finally("total", LossyCounter::get);
    check(lossy, "add || add")
}

fn torn() -> Found {
    let torn = linearizable(TornStats::new)
        .operation("record", |stats| stats.record(5))
        .operation("snapshot", TornStats::snapshot)
        .finally("left", TornStats::snapshot);
    check(torn, "record || snapshot")
}

fn late() -> Found {
    let late = linearizable(LateResetStats::new)
        .operation("record", |stats| stats.record(5))
        .operation("take", LateResetStats::take)
        .finally("left", LateResetStats::snapshot);
    check(late, "record || take")
}

fn insert() -> Found {
    let insert = linearizable(CheckThenInsertMap::new)
        .operation("first", |map| map.get_or_insert_with(1, || 10))
        .operation("second", |map| map.get_or_insert_with(1, || 20))
        .finally("left", |map| map.get(1));
    check(insert, "first || second")
}

fn cells() -> Found {
    let cells = linearizable(Pair::default)
        .operation("left", |cells| _ = cells.0.fetch_add(1, Relaxed))
        .operation("right", |cells| _ = cells.1.fetch_add(2, Relaxed))
        .operation("sum", |cells| cells.0.load(Relaxed) + cells.1.load(Relaxed));
    check(cells, "left || right || sum")
}

fn flags_of(store: Ordering, load: Ordering) -> Linearizable<Pair> {
    linearizable(Pair::default)
        .operation("raise left", move |flags| flags.0.store(1, store))
        .operation("raise right", move |flags| flags.1.store(1, store))
        .operation("left", move |flags| flags.0.load(load))
        .operation("right", move |flags| flags.1.load(load))
}

fn flags() -> Found {
    check(flags_of(Release, Acquire), "raise left, right || raise right, left")
}

fn sound_flags() -> Found {
    passes(flags_of(SeqCst, SeqCst))
}

fn updates() -> Found {
    let word = linearizable(|| AtomicU64::new(0))
        .operation("add", |word| _ = word.fetch_add(1, Relaxed))
        .operation("get", |word| word.fetch_add(0, Relaxed));
    passes(word)
}

fn word() -> Found {
    let word = linearizable(|| AtomicU64::new(0))
        .operation("add", |word| _ = word.fetch_add(1, Relaxed))
        .operation("get", |word| word.load(Relaxed));
    passes(word)
}

fn buffered() -> Found {
    let flush = |register: &AtomicU64, buffer: &mut Option<u64>| {
        if let Some(value) = buffer.take() {
            register.swap(value, SeqCst);
        }
    };
    let buffered = linearizable(|| AtomicU64::new(0))
        .local(|_| None)
        .reference(|| 0)
        .owned("write", move |register, buffer| {
            flush(register, buffer);
            *buffer = Some(1);
        })
        .against(|register| *register = 1)
        .owned("read", move |register, buffer| {
            flush(register, buffer);
            register.load(SeqCst)
        })
        .against(|register| *register);
    check(buffered, "write || read")
}

/// What it takes to the first failure, which is known.
fn check<S, L, M>(check: Linearizable<S, L, M>, fails: &str) -> Found
where
    S: Send + Sync + 'static,
    L: Send + 'static,
    M: 'static,
{
    passes(check.fails(fails))
}

/// What all scenarios take, or those up to the expected failure.
fn passes<S, L, M>(check: Linearizable<S, L, M>) -> Found
where
    S: Send + Sync + 'static,
    L: Send + 'static,
    M: 'static,
{
    match check.try_check() {
        Ok(report) => Found {
            scenario: report.failure.as_ref().and_then(|error| error.scenario()).map(str::to_owned),
            scenarios: report.explored,
            executions: report.executions(),
            elapsed: report.elapsed,
        },
        Err(error) => panic!("{error}"),
    }
}
