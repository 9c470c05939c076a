//! What one operation takes, counted instead of timed: the same on every x86-64 machine.
//!
//! Valgrind's `lackey` runs this program again for each operation, and notes each instruction and each access to
//! memory. What counts lies between two calls of [`marker`], 16 times for each operation, which is warm by then:
//! the median is printed. What an instruction is, its bytes say, in the file that it was mapped from.
//!
//! # Limits
//!
//! Uncontended, and by one thread. The call of the marker keeps the compiler from holding in a register from one
//! operation to the next what it may hold there in a loop. The stack is not counted among the lines.

use std::fs::File;
use std::hint::black_box;
use std::io::BufReader;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use contatori::counters::{signed::Signed, unsigned::Unsigned};
use fast_counter::ConcurrentCounter;
use hdrhistogram::sync::SyncHistogram;
use selvedge::{Counter, Gauge, Stats};

mod trace;

use crate::rounds::as_float;
use crate::{gauge, map, stats};

use trace::{Cost, Image};

/// How often an operation is counted.
const TIMES: usize = 16;
/// How often it is carried out before.
const WARM: usize = 64;
/// Entries of a map, and the keys of those that are there.
const ENTRIES: u64 = 1 << 10;

/// An operation: the row's name, and what carries it out.
struct Operation {
    ours: bool,
    name: &'static str,
    work: &'static str,
    run: fn(),
}

/// The one whose counts are known: one locked instruction, one line.
const CONTROL: &str = "AtomicU64";

#[rustfmt::skip]
const OPERATIONS: &[Operation] = &[
    theirs("nothing", "", || count(|| ())),
    theirs(CONTROL, "add", || { let sum = heap(AtomicU64::new(0)); count(|| { sum.fetch_add(1, Relaxed); }); }),
    ours("Counter", "add", || { let sum = heap(Counter::new()); count(|| sum.add(1)); }),
    ours("CounterHandle", "add", || { let mut sum = Counter::new().handle(); count(|| sum.add(1)); }),
    theirs("fast-counter", "add", || { let sum = heap(ConcurrentCounter::new(2)); count(|| sum.add(1)); }),
    theirs("contatori", "add", || { let sum = heap(Unsigned::new()); count(|| sum.add(1)); }),
    ours("Gauge", "add", || { let sum = heap(Gauge::new()); count(|| sum.add(black_box(1))); }),
    ours("GaugeHandle", "add", || { let mut sum = Gauge::new().handle(); count(|| sum.add(black_box(1))); }),
    theirs("prometheus, IntGauge", "add", || { let sum = heap(gauge::new_prometheus()); count(|| sum.add(1)); }),
    theirs("contatori, Signed", "add", || { let sum = heap(Signed::new()); count(|| sum.add(1)); }),
    ours("Stats", "record", || { let stats = heap(Stats::new()); record(|value| stats.record(value)); }),
    ours("StatsHandle", "record", || { let mut mine = Stats::new().handle(); record(|value| mine.record(value)); }),
    theirs("hdrhistogram, sync", "record", || {
        let histogram = SyncHistogram::from(stats::hdr());
        let mut recorder = histogram.recorder();
        record(|value| recorder.record(value).expect("the value is in range"));
    }),
    theirs("histogram, atomic", "record", || {
        let histogram = heap(stats::new_atomic());
        record(|value| histogram.increment(value).expect("all of u64 has a bucket"));
    }),
    theirs("Mutex<hdrhistogram>", "record", || {
        let histogram = heap(Mutex::new(stats::hdr()));
        record(|value| histogram.lock().expect("no thread panics").record(value).expect("the value is in range"));
    }),
    theirs("prometheus", "record", || {
        let histogram = heap(stats::new_prometheus());
        record(|value| histogram.observe(as_float(value)));
    }),
    theirs("prometheus-client", "record", || {
        let histogram = heap(stats::new_prometheus_client());
        record(|value| histogram.observe(as_float(value)));
    }),
    ours("Map", "get", || get(map::new_ours())),
    theirs("dashmap", "get", || get(map::new_dashmap())),
    theirs("papaya", "get", || get(map::new_papaya())),
    theirs("scc", "get", || get(map::new_scc())),
    theirs("RwLock<HashMap>", "get", || get(map::new_locked())),
    ours("Map", "insert, key there", || replace(map::new_ours())),
    theirs("dashmap", "insert, key there", || replace(map::new_dashmap())),
    theirs("papaya", "insert, key there", || replace(map::new_papaya())),
    theirs("scc", "insert, key there", || replace(map::new_scc())),
    theirs("RwLock<HashMap>", "insert, key there", || replace(map::new_locked())),
    ours("Map", "insert, new key", || insert(map::new_ours())),
    theirs("dashmap", "insert, new key", || insert(map::new_dashmap())),
    theirs("papaya", "insert, new key", || insert(map::new_papaya())),
    theirs("scc", "insert, new key", || insert(map::new_scc())),
    theirs("RwLock<HashMap>", "insert, new key", || insert(map::new_locked())),
];

/// What threads would share: not on the stack, and at the beginning of a line, wherever the heap begins.
fn heap<T>(value: T) -> &'static T {
    #[repr(align(128))]
    struct Aligned<T>(T);
    black_box(&Box::leak(Box::new(Aligned(value))).0)
}

const fn ours(name: &'static str, work: &'static str, run: fn()) -> Operation {
    Operation { ours: true, name, work, run }
}

const fn theirs(name: &'static str, work: &'static str, run: fn()) -> Operation {
    Operation { ours: false, name, work, run }
}

/// Values that lie apart, as samples do.
fn record(mut record: impl FnMut(u64)) {
    let mut next = 0;
    count(|| {
        next = (next + 7) % 64;
        record(1_000 << (next % 9));
    });
}

fn get(map: impl map::Shared + 'static) {
    let map = heap(map);
    map::fill(map, ENTRIES);
    let mut key = 0;
    count(|| {
        key = (key + 97) % ENTRIES;
        black_box(map.read(key));
    });
}

fn replace(map: impl map::Shared + 'static) {
    let map = heap(map);
    map::fill(map, ENTRIES);
    let mut key = 0;
    count(|| {
        key = (key + 97) % ENTRIES;
        black_box(map.insert(key));
    });
}

fn insert(map: impl map::Shared + 'static) {
    let map = heap(map);
    map::fill(map, ENTRIES);
    let mut key = ENTRIES;
    count(|| {
        key += 1;
        black_box(map.insert(key));
    });
}

/// Where what is counted begins and ends.
#[inline(never)]
extern "C" fn marker() {
    black_box(());
}

/// Carries out `operation`, in the process that Valgrind watches.
#[inline(never)]
fn count(mut operation: impl FnMut()) {
    for _ in 0..WARM {
        operation();
    }
    for _ in 0..TIMES {
        marker();
        operation();
        marker();
    }
}

/// That process: says where the marker, the stack and the files are, and carries out one operation.
pub(crate) fn child(number: &str) -> Option<()> {
    let operation = OPERATIONS.get(number.parse::<usize>().ok()?)?;
    let local = 0_u8;
    println!("{:x} {:x}", marker as extern "C" fn() as usize, std::ptr::from_ref(&local).addr());
    print!("{}", std::fs::read_to_string("/proc/self/maps").ok()?);
    (operation.run)();
    Some(())
}

/// Prints the table.
///
/// # Errors
///
/// What is missing, or cannot be read.
pub(crate) fn print(filter: &str) -> Result<(), String> {
    if !cfg!(target_arch = "x86_64") {
        return Err("counts are of x86-64 instructions only".to_owned());
    }
    let control = costs(1)?;
    if (control.locked, control.thread_local, control.read, control.written) != (1, 0, 0, 1) {
        return Err(format!(
            "{CONTROL} takes one locked instruction that writes one line, but {} and {} lines were counted: the \
             trace is not what this program takes it for",
            control.locked, control.written
        ));
    }
    let nothing = costs(0)?.instructions;
    println!(
        "| operation | of | instructions | locked | thread-local | lines read | lines written |"
    );
    println!("|---|---|---|---|---|---|---|");
    for (number, operation) in OPERATIONS.iter().enumerate().skip(1) {
        let Operation { ours, name, work, .. } = operation;
        if !format!("{name} {work}").to_lowercase().contains(filter) {
            continue;
        }
        let Cost { instructions, locked, thread_local, read, written } = costs(number)?;
        let instructions = instructions - nothing;
        let name = if *ours { format!("**{name}**") } else { (*name).to_owned() };
        println!(
            "| {work} | {name} | {instructions} | {locked} | {thread_local} | {read} | {written} |"
        );
    }
    Ok(())
}

/// The median costs of an operation.
fn costs(number: usize) -> Result<Cost, String> {
    let trace = std::env::temp_dir().join(format!("selvedge-counts-{}", std::process::id()));
    let found = watch(number, &trace);
    _ = std::fs::remove_file(&trace);
    found
}

fn watch(number: usize, trace: &Path) -> Result<Cost, String> {
    let program =
        std::env::current_exe().map_err(|why| format!("this program is not found: {why}"))?;
    let output = Command::new("valgrind")
        .args(["--tool=lackey", "--trace-mem=yes", "--basic-counts=no"])
        .arg(format!("--log-file={}", trace.display()))
        .arg(program)
        .args(["--count", &number.to_string()])
        .output()
        .map_err(|why| format!("valgrind is needed, and cannot be started: {why}"))?;
    if !output.status.success() {
        return Err(format!("valgrind failed: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let said = String::from_utf8_lossy(&output.stdout);
    let mut image = Image::new(&said).ok_or_else(|| format!("no addresses in {said:?}"))?;
    let trace = File::open(trace).map_err(|why| format!("valgrind has left no trace: {why}"))?;
    let mut costs = image.costs(BufReader::new(trace))?;
    if costs.len() != TIMES {
        return Err(format!("{} operations in the trace, not {TIMES}", costs.len()));
    }
    let mut median = |of: fn(&mut Cost) -> &mut usize| {
        let mut all: Vec<usize> = costs.iter_mut().map(|cost| *of(cost)).collect();
        all.sort_unstable();
        all[TIMES / 2]
    };
    Ok(Cost {
        instructions: median(|cost| &mut cost.instructions),
        locked: median(|cost| &mut cost.locked),
        thread_local: median(|cost| &mut cost.thread_local),
        read: median(|cost| &mut cost.read),
        written: median(|cost| &mut cost.written),
    })
}
