//! How cost grows: with threads, with stripes, with entries.

use std::process::Command;

use crate::rounds::{Load, Side, contest, median};
use crate::{by_hand, counter, gauge, map, stats};

/// Prints all tables.
pub(crate) fn print(smoke: bool) {
    println!("\n## Threads: million operations a second, all together\n");
    threads("Counter", smoke, counter::all);
    threads("Stats", smoke, stats::all);
    threads("Map, read heavy", smoke, || map::all(true, smoke));
    threads("Map, exchange", smoke, || map::all(false, smoke));
    println!("## Stripes of a Counter: million operations a second, all together\n");
    counter_stripes(smoke);
    for threads in [1, 2] {
        println!("## Shards of a Map: nanoseconds an operation, threads: {threads}\n");
        shards(threads, smoke);
    }
    println!("## Stripes: microseconds a read, of 1,024 samples\n");
    stripes(smoke);
    println!();
    print_lookups(smoke);
    println!("## Entries: resident bytes for each, 16 of which are key and value\n");
    memory(smoke);
}

/// Prints the tables of look-ups.
pub(crate) fn print_lookups(smoke: bool) {
    println!("## Entries: nanoseconds a look-up, 1 thread\n");
    lookups(&map::NAMES, &sizes(smoke), smoke);
    println!("## What a look-up consists of: nanoseconds, 1 thread\n");
    // Few entries, which stay in the caches, many, and more.
    let sizes: &[u32] = if smoke { &[2] } else { &[3, 6, 7] };
    lookups(&[&map::NAMES[..2], &by_hand::NAMES].concat(), sizes, smoke);
}

pub(crate) fn heading(first: &str, columns: impl Iterator<Item = String>) {
    let columns: Vec<String> = columns.map(|column| format!("{column:>9}")).collect();
    println!("| {first:<20} | {} |", columns.join(" | "));
    println!("|---|{}", "---|".repeat(columns.len()));
}

pub(crate) fn line(first: &str, values: &[Option<f64>]) {
    let cell = |value: &Option<f64>| match value {
        Some(value) => format!("{value:>9.2}"),
        None => format!("{:>9}", ""),
    };
    let values: Vec<String> = values.iter().map(cell).collect();
    println!("| {first:<20} | {} |", values.join(" | "));
}

fn threads(what: &str, smoke: bool, sides: impl Fn() -> Vec<Side<'static>>) {
    const THREADS: [usize; 4] = [1, 2, 4, 8];
    heading(what, THREADS.iter().map(ToString::to_string));
    let columns: Vec<Vec<f64>> = THREADS
        .iter()
        .map(|threads| contest(&sides(), *threads, smoke, |turn| 1e3 / turn.together))
        .collect();
    lines(sides().iter().map(|side| side.name.to_owned()), &columns);
}

/// A line for each name, of what each column says of it, and an empty one.
fn lines(names: impl Iterator<Item = String>, columns: &[Vec<f64>]) {
    for (number, name) in names.enumerate() {
        line(&name, &columns.iter().map(|column| Some(column[number])).collect::<Vec<_>>());
    }
    println!();
}

fn counter_stripes(smoke: bool) {
    const STRIPES: [usize; 5] = [2, 4, 8, 16, 64];
    const THREADS: [usize; 4] = [2, 4, 8, 16];
    heading("threads", THREADS.iter().map(ToString::to_string));
    let columns: Vec<Vec<f64>> = THREADS
        .iter()
        .map(|threads| {
            contest(&counter::striped(&STRIPES), *threads, smoke, |turn| 1e3 / turn.together)
        })
        .collect();
    let names = STRIPES.iter().map(|stripes| format!("Counter, {stripes}"));
    lines(names.chain(["contatori, 64".to_owned()]), &columns);
}

fn shards(threads: usize, smoke: bool) {
    const SHARDS: [usize; 6] = [8, 16, 32, 64, 128, 512];
    heading("shards", map::WORKS.iter().map(|work| work.name.replace("16 hot keys,", "hot,")));
    let columns: Vec<Vec<f64>> = map::WORKS
        .iter()
        .map(|work| {
            let ours = SHARDS.iter().map(|shards| map::sharded(*shards, work, smoke));
            let sides: Vec<_> = ours.chain(map::others(work, smoke)).collect();
            contest(&sides, threads, smoke, |turn| turn.each)
        })
        .collect();
    let names = SHARDS.iter().map(|shards| format!("Map, {shards}"));
    lines(names.chain(["dashmap".to_owned(), "scc".to_owned()]), &columns);
}

fn stripes(smoke: bool) {
    const STRIPES: [usize; 6] = [1, 2, 4, 8, 16, 64];
    heading("stripes", STRIPES.iter().map(ToString::to_string));
    for kind in [counter::get, gauge::get, stats::snapshot, stats::spread, stats::take] {
        let sides: Vec<_> = STRIPES.iter().map(|stripes| kind(*stripes)).collect();
        let found = contest(&sides, 1, smoke, |turn| turn.each / 1e3);
        line(sides[0].name, &found.into_iter().map(Some).collect::<Vec<_>>());
    }
}

/// Tens to these powers.
fn sizes(smoke: bool) -> Vec<u32> {
    if smoke { vec![2] } else { (3..=7).collect() }
}

/// What a process of its own says of one map, which it fills.
const RESIDENT: &str = "--resident";
const LOOK_UP: &str = "--look-up";

/// Each map in turn, as often as this, by a process that takes the median of so many turns of its own. They are long, for
/// each begins with cold caches.
const LOOK_UPS: usize = 5;
const TURNS: usize = 7;
const A_TURN: u64 = 400_000;

/// In one process, the maps would evict each other from the caches.
fn lookups(names: &[&str], sizes: &[u32], smoke: bool) {
    heading("entries", sizes.iter().map(|size| format!("10^{size}")));
    let rounds = if smoke { 1 } else { LOOK_UPS };
    let lookup = |entries: u64| -> Vec<f64> {
        let mut found = vec![Vec::new(); names.len()];
        for round in 0..rounds {
            for place in 0..found.len() {
                let number = (round + place) % found.len();
                found[number].extend(by_child(LOOK_UP, names[number], entries));
            }
        }
        found.into_iter().map(median).collect()
    };
    let columns: Vec<Vec<f64>> = sizes.iter().map(|size| lookup(10_u64.pow(*size))).collect();
    lines(names.iter().map(ToString::to_string), &columns);
}

fn memory(smoke: bool) {
    // With few entries, what is resident at all hides them.
    let sizes: Vec<u32> = sizes(smoke).into_iter().filter(|size| smoke || *size >= 5).collect();
    heading("entries", sizes.iter().map(|size| format!("10^{size}")));
    for name in map::NAMES {
        let values: Vec<_> =
            sizes.iter().map(|size| by_child(RESIDENT, name, 10_u64.pow(*size))).collect();
        line(name, &values);
    }
}

fn by_child(measure: &str, name: &str, entries: u64) -> Option<f64> {
    let program = std::env::current_exe().ok()?;
    let output = Command::new(program).args([measure, name, &entries.to_string()]).output().ok()?;
    String::from_utf8_lossy(&output.stdout).trim().parse().ok()
}

/// That process: bytes for each of `entries`, or nanoseconds a look-up among them.
pub(crate) fn child(measure: &str, name: &str, entries: u64) -> Option<f64> {
    match measure {
        RESIDENT => {
            let before = kibibytes()?;
            let after = map::holding(name, entries, kibibytes)??;
            Some((after - before) * 1024.0 / crate::rounds::as_float(entries))
        }
        LOOK_UP => {
            let side = map::lookups(name, entries).or_else(|| by_hand::lookups(name, entries))?;
            let turn = |round| (side.run)(Load { threads: 1, ops: A_TURN, round }).each;
            Some(median((0..TURNS).map(turn).collect()))
        }
        _ => None,
    }
}

fn kibibytes() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}
