//! `PARITY.md`: for each type of `std`, what the drop-in has of it.
//!
//! It follows from the list of `std`'s items and from the exceptions. That what is no exception compiles is another
//! test, [`items`](super::items). `PARITY_BLESS=1 cargo test -p selvedge-model --test parity table` writes it.

use std::fmt::Write as _;

use super::items::{EXCEPTIONS, matches};

/// A type or module of `std`, and its items.
struct Section<'a> {
    name: &'a str,
    items: Vec<&'a str>,
}

fn sections(list: &str) -> Vec<Section<'_>> {
    let mut sections: Vec<Section<'_>> = Vec::new();
    for line in list.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[') {
            let name = name.trim_end_matches(']');
            sections.push(Section { name, items: Vec::new() });
        } else if let (Some(section), Some((_, item))) = (sections.last_mut(), line.split_once(' '))
        {
            section.items.push(item.trim());
        }
    }
    sections
}

fn table() -> String {
    let sections = sections(include_str!("std-1.95.txt"));
    let is_exception = |item: &&&str| EXCEPTIONS.iter().any(|(pattern, _)| matches(pattern, item));
    let mut text = String::from(
        "# The drop-in and `std`\n\nEach stable item and trait implementation of `std` 1.95 for the types of \
         `selvedge_model::sync`. With the checker (`--cfg loom` and the feature `check`) each type is the checker's own; \
         without it, it is the one of `std`. Written and compared by `tests/parity`.\n\n\
         | | of `std` | with the checker | exceptions | without the checker |\n|---|---|---|---|---|\n",
    );
    let mut sum = [0, 0];
    // Writing to a string cannot fail.
    for Section { name, items } in &sections {
        let (all, excepted) = (items.len(), items.iter().filter(is_exception).count());
        sum = [sum[0] + all, sum[1] + excepted];
        let present = all - excepted;
        let plain = match *name {
            "cell::UnsafeCell" => "a newtype: the same",
            _ => "`std`'s own",
        };
        let _ = writeln!(text, "| `{name}` | {all} | {present} | {excepted} | {plain} |");
    }
    let [all, excepted] = sum;
    let _ = writeln!(text, "| all | {all} | {} | {excepted} | |", all - excepted);
    text.push_str("\n## Exceptions\n\n| | why |\n|---|---|\n");
    for (pattern, reason) in EXCEPTIONS {
        let items: Vec<_> = sections.iter().flat_map(|section| &section.items).collect();
        let items: Vec<String> = items
            .into_iter()
            .filter(|item| matches(pattern, item))
            .map(|item| {
                format!("`{}`", item.trim_start_matches("use ").trim_end_matches(" deprecated"))
            })
            .collect();
        let told = match items.len() {
            0..=4 => items.join(", "),
            many => format!("`{pattern}`: {many}"),
        };
        let _ = writeln!(text, "| {told} | {reason} |");
    }
    text
}

#[test]
fn the_table_says_what_there_is() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/PARITY.md");
    let table = table();
    if std::env::var_os("PARITY_BLESS").is_some() {
        std::fs::write(path, &table).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap();
    assert!(
        written == table,
        "PARITY.md is not what follows from the list: write it with PARITY_BLESS=1"
    );
}

/// Without the checker each type is the one of `std`.
#[cfg(not(loom))]
mod same {
    use selvedge_model::sync;
    use selvedge_model::sync::{atomic, mpsc, thread};

    type Cell = std::cell::Cell<u8>;

    macro_rules! same {
        ($of:ident: $($type:ident $(<$($argument:tt),+>)?),+) => {$(
            const _: fn(of_std::$of::$type $(<$($argument),+>)?) -> $of::$type $(<$($argument),+>)? = |same| same;
        )+};
    }

    mod of_std {
        pub(super) use std::sync::{self, atomic, mpsc};
        pub(super) use std::thread;
    }

    same! {
        sync: Arc<u8>, Weak<u8>, Barrier, BarrierWaitResult, Condvar, WaitTimeoutResult, LazyLock<u8>, Mutex<u8>,
            MutexGuard<'static, u8>, Once, OnceState, OnceLock<u8>, RwLock<u8>, RwLockReadGuard<'static, u8>,
            RwLockWriteGuard<'static, u8>, PoisonError<u8>, TryLockError<u8>
    }
    same! {
        atomic: AtomicBool, AtomicPtr<u8>, AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize, AtomicI8, AtomicI16,
            AtomicI32, AtomicI64, AtomicIsize, Ordering
    }
    same! { mpsc: Sender<u8>, SyncSender<u8>, Receiver<u8>, Iter<'static, u8>, TryIter<'static, u8>, IntoIter<u8> }
    same! {
        thread: Builder, JoinHandle<u8>, ScopedJoinHandle<'static, u8>, Scope<'static, 'static>, Thread, ThreadId,
            LocalKey<Cell>, AccessError
    }
}
