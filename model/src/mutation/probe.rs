//! What an exploration is asked beside its own question.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use selvedge_results::Site;

use super::change::name;
use super::{Change, Mutant, changes};
use crate::place::plain_path;

/// Which operations an exploration executes, or what it finds if one of them is changed.
#[derive(Debug, Default)]
pub struct Probe {
    mutant: Option<Mutant>,
    /// How often the change was made. Relaxed: it is read when the exploration has ended.
    applied: AtomicU64,
    /// What was executed at the line of the mutant, and is not what it changes: places and operations.
    near: Mutex<BTreeSet<String>>,
    /// The operations that were executed, if they are asked for.
    sites: Option<Mutex<BTreeMap<Operation, Seen>>>,
}

/// An operation of the code under test: where it is, its name, and its orderings, two at most.
type Operation = (&'static str, u32, u32, &'static str, [Option<&'static str>; 2]);

/// What is known of an operation.
#[derive(Debug)]
struct Seen {
    changes: Vec<Change>,
    /// Whether it was ever executed while other threads could run.
    contended: bool,
}

impl Probe {
    /// Makes the change of `mutant`, if there is one; notes the operations that are executed, if `sites`.
    pub fn new(mutant: Option<Mutant>, sites: bool) -> Self {
        let sites = sites.then(Mutex::default);
        Self { mutant, applied: AtomicU64::new(0), near: Mutex::default(), sites }
    }

    /// What the environment asks for; `None` if that is nothing.
    ///
    /// # Errors
    ///
    /// If `SELVEDGE_MUTANT` is malformed.
    pub fn from_environment() -> Result<Option<Arc<Self>>, String> {
        let mutant = std::env::var("SELVEDGE_MUTANT").ok().map(|text| text.parse()).transpose()?;
        let sites = std::env::var_os(selvedge_results::SITES).is_some();
        Ok((mutant.is_some() || sites).then(|| Arc::new(Self::new(mutant, sites))))
    }

    /// How often the change was made, if there is one.
    pub fn applied(&self) -> Option<u64> {
        self.mutant.is_some().then(|| self.applied.load(Ordering::Relaxed))
    }

    /// Of a mutant whose change was not made: which, and what it could have been, in words.
    pub fn not_made(&self) -> Option<String> {
        let mutant = self.mutant.as_ref().filter(|_| self.applied() == Some(0))?;
        let near = self.near.lock().unwrap_or_else(PoisonError::into_inner);
        let near: Vec<&str> = near.iter().map(String::as_str).collect();
        let there = match &*near {
            [] => format!("no operation at {}:{}", mutant.file, mutant.line),
            near => near.join(", "),
        };
        Some(format!("SELVEDGE_MUTANT={mutant} changes nothing here: this model executes {there}"))
    }

    /// What was executed, if that was asked for.
    pub fn executed(&self) -> Option<Vec<Site>> {
        let sites = self.sites.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        let executed =
            |(&(file, line, column, operation, orders), seen): (&Operation, &Seen)| Site {
                file: plain_path(file),
                line,
                column,
                operation: operation.into(),
                ordering: orders.into_iter().flatten().collect::<Vec<_>>().join(", "),
                contended: seen.contended,
                changes: seen.changes.iter().map(ToString::to_string).collect(),
            };
        Some(sites.iter().map(executed).collect())
    }

    /// An operation is about to be executed, while other threads can run if `contended`. Returns what
    /// is to be changed about it.
    pub fn meet(
        &self,
        site: &'static Location<'static>,
        operation: &'static str,
        orders: &[Ordering],
        contended: bool,
    ) -> Option<Change> {
        if let Some(sites) = &self.sites {
            let mut names = orders.iter().map(|order| name(*order));
            let key =
                (site.file(), site.line(), site.column(), operation, [names.next(), names.next()]);
            let mut sites = sites.lock().unwrap_or_else(PoisonError::into_inner);
            let new = || Seen { changes: changes(operation, orders), contended };
            sites.entry(key).or_insert_with(new).contended |= contended;
        }
        let here =
            |mutant: &&Mutant| mutant.line == site.line() && mutant.file == plain_path(site.file());
        let mutant = self.mutant.as_ref().filter(here)?;
        let changes = changes(operation, orders);
        let is_meant = mutant.column == site.column() && mutant.operation == operation;
        if !is_meant || !changes.contains(&mutant.change) {
            let names: Vec<String> = changes.iter().map(ToString::to_string).collect();
            let place = format!("{}:{}:{}", mutant.file, mutant.line, site.column());
            let there = format!("{place}/{operation}/{{{}}}", names.join(","));
            self.near.lock().unwrap_or_else(PoisonError::into_inner).insert(there);
            return None;
        }
        self.applied.fetch_add(1, Ordering::Relaxed);
        Some(mutant.change)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};

    use super::*;

    fn here() -> &'static Location<'static> {
        static HERE: &Location<'static> = Location::caller();
        HERE
    }

    fn mutant(operation: &str, change: Change) -> Mutant {
        let (file, line, column) = (plain_path(here().file()), here().line(), here().column());
        Mutant { file, line, column, operation: operation.to_owned(), change }
    }

    fn probe(operation: &str, change: Change) -> Probe {
        Probe::new(Some(mutant(operation, change)), true)
    }

    #[test]
    fn only_the_operation_that_the_mutant_names_is_changed() {
        let named = mutant("swap", Change::Weaker(Relaxed));
        let others = [
            Mutant { file: format!("other/{}", named.file), ..named.clone() },
            Mutant { line: named.line + 1, ..named.clone() },
            Mutant { column: named.column + 1, ..named.clone() },
            Mutant { operation: "fetch_add".to_owned(), ..named.clone() },
        ];
        for other in others {
            let probe = Probe::new(Some(other), true);
            assert_eq!(probe.meet(here(), "swap", &[Acquire], true), None, "{probe:?}");
            assert_eq!(probe.applied(), Some(0));
        }
        let probe = Probe::new(Some(named), true);
        assert_eq!(probe.meet(here(), "swap", &[Acquire], true), Some(Change::Weaker(Relaxed)));
        assert_eq!(probe.applied(), Some(1));
    }

    /// One place may have orderings that differ from call to call, and a mutant may name a change that
    /// its operation does not have.
    #[test]
    fn a_change_that_the_operation_does_not_have_is_not_made() {
        let weaker = probe("fetch_add", Change::Weaker(Acquire));
        assert_eq!(weaker.meet(here(), "fetch_add", &[Relaxed], true), None);
        assert_eq!(
            weaker.meet(here(), "fetch_add", &[AcqRel], true),
            Some(Change::Weaker(Acquire))
        );
        assert_eq!(weaker.applied(), Some(1));
        let dropped = probe("lock", Change::Dropped);
        assert_eq!(dropped.meet(here(), "lock", &[], true), None);
    }

    #[test]
    fn what_was_executed_is_listed_once_for_each_ordering_and_contended_if_it_ever_was() {
        let probe = Probe::new(None, true);
        for (orders, contended) in
            [(&[Acquire][..], false), (&[Acquire], true), (&[Acquire], false), (&[Relaxed], false)]
        {
            assert_eq!(probe.meet(here(), "load", orders, contended), None);
        }
        let executed = probe.executed().expect("asked for");
        let seen: Vec<_> =
            executed.iter().map(|site| (&*site.ordering, site.contended, &*site.changes)).collect();
        let relaxed = ["relaxed".to_owned()];
        assert_eq!(seen, [("acquire", true, &relaxed[..]), ("relaxed", false, &[])]);
        assert_eq!(probe.applied(), None);
    }
}
