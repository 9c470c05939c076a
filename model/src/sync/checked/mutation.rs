//! One small change to one operation: what a suite is put to the proof with.
//!
//! `SELVEDGE_MUTANT=src/counter.rs:120:9/fetch_add/relaxed` makes the `fetch_add` at that place
//! relaxed, in every model, without compiling anything again. A suite that needs the ordering turns
//! red; one that stays green lacks a test, or the ordering is stronger than it need be.
//!
//! With `SELVEDGE_SITES` set, the result of each model lists the operations that it executed and
//! what can be changed about each. `cargo ci mutants` does one after the other.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::str::FromStr;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst};
use std::sync::{Arc, Mutex, PoisonError};

use super::event::Site;
use super::record;
use crate::check::place::plain_path;

/// What is changed about an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
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
    /// A lock is not taken.
    Skipped,
    /// A lock is given back as soon as it is taken.
    Ended,
    /// A lock is taken for reading instead of for writing.
    Read,
    /// A lock that is tried is never free.
    Fails,
    /// A wait is over at once.
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

fn name(order: Ordering) -> &'static str {
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
fn changes(operation: &str, orders: &[Ordering]) -> Vec<Change> {
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
        // Those with a time may be over at any moment as it is.
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

/// The change in force.
#[derive(Debug, Clone)]
struct Mutant {
    file: String,
    line: u32,
    column: u32,
    operation: String,
    change: Change,
}

impl FromStr for Mutant {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let (place, change) = text.rsplit_once('/')?;
            let (place, operation) = place.rsplit_once('/')?;
            let (place, column) = place.rsplit_once(':')?;
            let (file, line) = place.rsplit_once(':')?;
            Some(Self {
                file: file.to_owned(),
                line: line.parse().ok()?,
                column: column.parse().ok()?,
                operation: operation.to_owned(),
                change: change.parse().ok()?,
            })
        };
        parse().ok_or_else(|| {
            format!(
                "SELVEDGE_MUTANT must be FILE:LINE:COLUMN/OPERATION/CHANGE, such as \
                 src/counter.rs:120:9/fetch_add/relaxed, got {text:?}"
            )
        })
    }
}

/// An operation of the code under test.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    file: &'static str,
    line: u32,
    column: u32,
    operation: &'static str,
    /// The orderings it was called with.
    orders: Vec<&'static str>,
}

/// What a model is asked beside its own question: which operations it executes, or how it takes the
/// change of one.
#[derive(Debug, Default)]
pub(crate) struct Probe {
    mutant: Option<Mutant>,
    /// How often the change was made.
    applied: AtomicU64,
    /// The operations that were executed, if they are asked for.
    sites: Option<Mutex<Sites>>,
}

/// Operations that were executed.
#[derive(Debug, Default)]
struct Sites {
    all: BTreeMap<Place, Seen>,
    /// Those of which nothing new can be learned, by the addresses of site, name and orderings: most of
    /// what is executed has been before.
    known: HashSet<([usize; 4], bool)>,
}

impl Sites {
    fn add(&mut self, site: Site, operation: &'static str, orders: &[Ordering], contended: bool) {
        let place = Place {
            file: site.file(),
            line: site.line(),
            column: site.column(),
            operation,
            orders: orders.iter().map(|order| name(*order)).collect(),
        };
        let seen = self
            .all
            .entry(place)
            .or_insert_with(|| Seen { changes: changes(operation, orders), contended });
        seen.contended |= contended;
    }
}

/// What is known of an operation.
#[derive(Debug)]
struct Seen {
    changes: Vec<Change>,
    /// Whether it was ever executed while other threads ran.
    contended: bool,
}

/// An operation that a model has executed, for its result.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Executed {
    file: String,
    line: u32,
    column: u32,
    operation: &'static str,
    ordering: String,
    contended: bool,
    changes: Vec<String>,
}

impl Probe {
    /// What the environment asks for.
    ///
    /// # Errors
    ///
    /// If `SELVEDGE_MUTANT` cannot be understood.
    pub(crate) fn from_environment() -> Result<Arc<Self>, String> {
        let mutant = std::env::var("SELVEDGE_MUTANT").ok().map(|text| text.parse()).transpose()?;
        let sites = std::env::var_os("SELVEDGE_SITES").map(|_| Mutex::default());
        Ok(Arc::new(Self { mutant, sites, ..Self::default() }))
    }

    /// How often the change was made, if there is one.
    pub(crate) fn applied(&self) -> Option<u64> {
        self.mutant.is_some().then(|| self.applied.load(Relaxed))
    }

    /// What was executed, if that was asked for.
    pub(crate) fn executed(&self) -> Option<Vec<Executed>> {
        let sites = self.sites.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        let executed = |(place, seen): (&Place, &Seen)| Executed {
            file: plain_path(place.file),
            line: place.line,
            column: place.column,
            operation: place.operation,
            ordering: place.orders.join(", "),
            contended: seen.contended,
            changes: seen.changes.iter().map(ToString::to_string).collect(),
        };
        Some(sites.all.iter().map(executed).collect())
    }

    /// Whether a lock may be changed, so that what it protects has to be watched.
    pub(crate) fn changes_a_lock(&self) -> bool {
        self.mutant.as_ref().is_some_and(|mutant| {
            matches!(mutant.change, Change::Skipped | Change::Ended | Change::Read)
        })
    }

    /// An operation is about to be executed.
    fn meet(
        &self,
        site: Site,
        operation: &'static str,
        orders: &[Ordering],
        contended: bool,
    ) -> Option<Change> {
        if let Some(sites) = &self.sites {
            let mut sites = sites.lock().unwrap_or_else(PoisonError::into_inner);
            let order = |order: Option<&Ordering>| order.map_or(0, |o| name(*o).as_ptr().addr());
            let (first, last) = (order(orders.first()), order(orders.last()));
            let place = [std::ptr::from_ref(site).addr(), operation.as_ptr().addr(), first, last];
            if sites.known.insert((place, contended)) {
                sites.add(site, operation, orders, contended);
            }
        }
        let mutant = self.mutant.as_ref().filter(|mutant| {
            mutant.line == site.line()
                && mutant.column == site.column()
                && mutant.operation == operation
                && mutant.file == plain_path(site.file())
        })?;
        self.applied.fetch_add(1, Relaxed);
        Some(mutant.change)
    }
}

/// What is to be changed about the operation that is about to be executed in a model.
pub(super) fn at(site: Site, operation: &'static str, orders: &[Ordering]) -> Option<Change> {
    record::with(|recorder| {
        let change = recorder.probe.meet(site, operation, orders, recorder.contended())?;
        // An operation that is left out was a step all the same.
        recorder.stepped |= 1 << recorder.current();
        Some(change)
    })
    .flatten()
}

/// The ordering of an operation that is about to be executed in a model.
pub(super) fn ordering(site: Site, operation: &'static str, order: Ordering) -> Ordering {
    match at(site, operation, &[order]) {
        Some(Change::Weaker(weaker)) => weaker,
        _ => order,
    }
}

/// The acquiring half of an ordering, for the load of a read-modify-write that is split.
pub(super) fn of_load(order: Ordering) -> Ordering {
    match order {
        Release => Relaxed,
        AcqRel => Acquire,
        order => order,
    }
}

/// The releasing half.
pub(super) fn of_store(order: Ordering) -> Ordering {
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
        assert_eq!(names("write", &[]), ["skipped", "ended", "read"]);
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

    #[test]
    fn a_mutant_that_names_no_change_is_refused_with_its_value() {
        let mutant: Mutant = "src/a.rs:12:9/load/relaxed".parse().expect("well formed");
        assert_eq!((mutant.file.as_str(), mutant.line, mutant.column), ("src/a.rs", 12, 9));
        for text in
            ["", "src/a.rs:12/load/relaxed", "src/a.rs:12:9/load/harder", "src/a.rs:x:9/a/one"]
        {
            let error = text.parse::<Mutant>().expect_err("malformed");
            assert!(
                error.starts_with("SELVEDGE_MUTANT must be FILE:LINE:COLUMN/OPERATION/CHANGE, ")
                    && error.ends_with(&format!("got {text:?}")),
                "{error}"
            );
        }
    }
}
