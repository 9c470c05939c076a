//! What can be changed about an operation, and the names of it.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst};

/// What is changed about an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It orders less.
    Weaker(Ordering),
    /// A `compare_exchange` orders less if it succeeds.
    Success(Ordering),
    /// A `compare_exchange` orders less if it fails.
    Failure(Ordering),
    /// A read-modify-write is a load, and then a store.
    Split,
    /// A `compare_exchange` writes whatever it finds.
    Always,
    /// A fence or a notification does not take place.
    Dropped,
    /// One waiting thread is notified instead of all.
    One,
    /// A lock is not acquired.
    Skipped,
    /// A lock is released as soon as it is acquired.
    Ended,
    /// A lock is acquired for reading instead of for writing.
    Read,
    /// An attempt to acquire a lock fails.
    Fails,
    /// A wait ends at once.
    Wakes,
}

/// All changes that have no ordering in them, by name.
const NAMED: [(&str, Change); 9] = [
    ("split", Change::Split),
    ("always", Change::Always),
    ("dropped", Change::Dropped),
    ("one", Change::One),
    ("skipped", Change::Skipped),
    ("ended", Change::Ended),
    ("read", Change::Read),
    ("fails", Change::Fails),
    ("wakes", Change::Wakes),
];

/// The orderings, by name.
const ORDERINGS: [(&str, Ordering); 5] = [
    ("relaxed", Relaxed),
    ("acquire", Acquire),
    ("release", Release),
    ("acq_rel", AcqRel),
    ("seq_cst", SeqCst),
];

pub(super) fn name(order: Ordering) -> &'static str {
    ORDERINGS.iter().find(|(_, known)| *known == order).map_or("", |(name, _)| name)
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Weaker(order) => f.write_str(name(*order)),
            Self::Success(order) => write!(f, "success={}", name(*order)),
            Self::Failure(order) => write!(f, "failure={}", name(*order)),
            change => {
                let named = NAMED.iter().find(|(_, known)| known == change);
                f.write_str(named.map_or("", |(name, _)| name))
            }
        }
    }
}

impl FromStr for Change {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let order =
            |text| ORDERINGS.iter().find(|(name, _)| *name == text).map(|(_, order)| *order);
        let change = match text.split_once('=') {
            Some(("success", text)) => order(text).map(Self::Success),
            Some(("failure", text)) => order(text).map(Self::Failure),
            Some(_) => None,
            None => order(text).map(Self::Weaker).or_else(|| {
                NAMED.iter().find(|(name, _)| *name == text).map(|(_, change)| *change)
            }),
        };
        change.ok_or(())
    }
}

/// All that can be changed about an operation with these orderings.
pub fn changes(operation: &str, orders: &[Ordering]) -> Vec<Change> {
    use Change::{Always, Dropped, Ended, Fails, One, Read, Skipped, Split, Wakes};

    let weaker = |wrap: fn(Ordering) -> Change, order: Ordering, candidates: &[Ordering]| {
        candidates.iter().filter(|weaker| is_weaker(**weaker, order)).map(|o| wrap(*o)).collect()
    };
    let all = |mut orders: Vec<Change>, more: &[Change]| {
        orders.extend(more);
        orders
    };
    match (operation, orders) {
        ("load", [order]) => weaker(Change::Weaker, *order, &[Acquire, Relaxed]),
        ("store", [order]) => weaker(Change::Weaker, *order, &[Release, Relaxed]),
        ("fence", [order]) => {
            all(weaker(Change::Weaker, *order, &[AcqRel, Acquire, Release]), &[Dropped])
        }
        (_, [order]) => {
            all(weaker(Change::Weaker, *order, &[AcqRel, Acquire, Release, Relaxed]), &[Split])
        }
        (_, [success, failure]) => {
            let success = weaker(Change::Success, *success, &[AcqRel, Acquire, Release, Relaxed]);
            let failure: Vec<Change> = weaker(Change::Failure, *failure, &[Acquire, Relaxed]);
            all(all(success, &failure), &[Split, Always])
        }
        ("lock" | "read", _) => vec![Skipped, Ended],
        ("write", _) => vec![Skipped, Ended, Read],
        ("try_lock" | "try_read" | "try_write", _) => vec![Fails, Skipped],
        ("notify_all", _) => vec![Dropped, One],
        ("notify_one" | "unpark", _) => vec![Dropped],
        // Those with a limit may end at any moment anyway.
        ("wait" | "park", _) => vec![Wakes],
        _ => Vec::new(),
    }
}

/// Whether `a` orders less than `b`.
fn is_weaker(a: Ordering, b: Ordering) -> bool {
    let rank = |order| match order {
        Relaxed => 0,
        Acquire | Release => 1,
        AcqRel => 2,
        _ => 3,
    };
    rank(a) < rank(b)
}

/// The acquiring half of an ordering, for the load of a read-modify-write that is split.
pub fn of_load(order: Ordering) -> Ordering {
    match order {
        Release => Relaxed,
        AcqRel => Acquire,
        order => order,
    }
}

/// The releasing half.
pub fn of_store(order: Ordering) -> Ordering {
    match order {
        Acquire => Relaxed,
        AcqRel => Release,
        order => order,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_changed_depends_on_the_operation_and_its_ordering() {
        let names = |operation, orders: &[Ordering]| -> Vec<String> {
            changes(operation, orders).iter().map(ToString::to_string).collect()
        };
        assert_eq!(names("load", &[SeqCst]), ["acquire", "relaxed"]);
        assert_eq!(names("load", &[Relaxed]), [""; 0]);
        assert_eq!(names("store", &[Release]), ["relaxed"]);
        assert_eq!(names("fetch_add", &[AcqRel]), ["acquire", "release", "relaxed", "split"]);
        assert_eq!(
            names("compare_exchange", &[AcqRel, Acquire]),
            [
                "success=acquire",
                "success=release",
                "success=relaxed",
                "failure=relaxed",
                "split",
                "always"
            ]
        );
        assert_eq!(names("fence", &[Release]), ["dropped"]);
        assert_eq!(names("lock", &[]), ["skipped", "ended"]);
        assert_eq!(names("read", &[]), ["skipped", "ended"]);
        assert_eq!(names("write", &[]), ["skipped", "ended", "read"]);
        for attempt in ["try_lock", "try_read", "try_write"] {
            assert_eq!(names(attempt, &[]), ["fails", "skipped"]);
        }
        assert_eq!(names("notify_all", &[]), ["dropped", "one"]);
        assert_eq!(names("notify_one", &[]), ["dropped"]);
        assert_eq!(names("unpark", &[]), ["dropped"]);
        assert_eq!(names("wait", &[]), ["wakes"]);
        assert_eq!(names("park", &[]), ["wakes"]);
        assert_eq!(names("send", &[]), [""; 0]);
    }

    #[test]
    fn a_change_is_read_as_it_is_written() {
        for (operation, orders) in [
            ("fence", &[SeqCst][..]),
            ("swap", &[SeqCst]),
            ("compare_exchange", &[SeqCst, SeqCst]),
            ("write", &[]),
            ("try_lock", &[]),
            ("notify_all", &[]),
            ("wait", &[]),
        ] {
            for change in changes(operation, orders) {
                assert_eq!(change.to_string().parse(), Ok(change), "of {operation}");
            }
        }
        assert_eq!("weaker".parse::<Change>(), Err(()));
    }
}
