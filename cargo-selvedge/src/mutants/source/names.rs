//! The names of operations and orderings, and of macros.

use std::ops::Range;

/// A method of atomics: its name, how many arguments it has, and which of them are orderings.
pub(super) type Method = (&'static str, usize, Range<usize>);

/// Those whose names methods of other types have too.
pub(super) const ATOMIC: [Method; 5] = [
    ("load", 1, 0..1),
    ("store", 2, 1..2),
    ("swap", 2, 1..2),
    ("update", 3, 0..2),
    ("try_update", 3, 0..2),
];
/// Those with names of their own.
pub(super) const ONLY_ATOMIC: [Method; 17] = [
    ("compare_exchange", 4, 2..4),
    ("compare_exchange_weak", 4, 2..4),
    ("compare_and_swap", 3, 2..3),
    ("fetch_update", 3, 0..2),
    ("fetch_not", 1, 0..1),
    ("fetch_add", 2, 1..2),
    ("fetch_sub", 2, 1..2),
    ("fetch_max", 2, 1..2),
    ("fetch_min", 2, 1..2),
    ("fetch_and", 2, 1..2),
    ("fetch_nand", 2, 1..2),
    ("fetch_or", 2, 1..2),
    ("fetch_xor", 2, 1..2),
    ("fetch_ptr_add", 2, 1..2),
    ("fetch_ptr_sub", 2, 1..2),
    ("fetch_byte_add", 2, 1..2),
    ("fetch_byte_sub", 2, 1..2),
];
/// The operations of locks and threads without arguments, and the types that have them.
pub(super) const BARE: [(&str, &str); 9] = [
    ("lock", "Mutex"),
    ("try_lock", "Mutex"),
    ("read", "RwLock"),
    ("write", "RwLock"),
    ("try_read", "RwLock"),
    ("try_write", "RwLock"),
    ("notify_one", "Condvar"),
    ("notify_all", "Condvar"),
    ("unpark", "Thread"),
];
/// Methods whose first argument is a guard.
pub(super) const WAITS: [(&str, &str, usize); 2] =
    [("wait", "Condvar", 1), ("wait_while", "Condvar", 2)];
/// Macros of `std` that evaluate the expressions among their arguments.
pub(super) const EVALUATING: [&str; 20] = [
    "assert",
    "assert_eq",
    "assert_ne",
    "dbg",
    "debug_assert",
    "debug_assert_eq",
    "debug_assert_ne",
    "eprint",
    "eprintln",
    "format",
    "format_args",
    "matches",
    "panic",
    "print",
    "println",
    "unimplemented",
    "unreachable",
    "vec",
    "write",
    "writeln",
];
/// Those that do not.
pub(super) const QUOTING: [&str; 3] = ["concat", "quote", "stringify"];
/// As they are written, without what they are in.
pub(super) const ORDERINGS: [&str; 5] = ["Relaxed", "Acquire", "Release", "AcqRel", "SeqCst"];
