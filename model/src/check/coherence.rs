//! Whether an execution is consistent under the C++20 model: whether a modification order explains its reads.
//!
//! Where nothing orders two threads' stores to one atomic, loom 0.7.3 lets each load choose anew
//! which of them is the newer; and it takes `SeqCst` loads and stores for `AcqRel`. C++ gives every
//! atomic one modification order, in which no thread reads backwards, and all `SeqCst` operations one
//! order that agrees with it. So an execution of the weak-memory pass is held against both rules, and
//! if no order of the stores keeps them, it is void: no program on any machine behaves so.
//!
//! Not all of the rules are applied. Only what each thread did one after the other is looked at, and
//! that the observations come last, and whom the harness made wait for whom, not what synchronisation
//! orders besides; and of the single order
//! only what concerns accesses, not fences. So nothing that is allowed is taken for void.

use std::collections::BTreeMap;

use crate::sync::checked::event::{Action, Event, Pass, Phase, Trace, Value};
use crate::sync::checked::record;

/// Atomics with more stores than this are taken to be coherent: the orders are too many to try.
const MOST_STORES: usize = 8;
/// So are executions of which more than this many combinations would have to be tried.
const MOST_COMBINATIONS: usize = 5_000;

/// What a thread did with one atomic.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Read(Value),
    /// The store with this number.
    Write(usize),
    /// The same, right after a store of this value.
    Update(Value, usize),
}

#[derive(Debug, Clone, Copy)]
struct Access {
    kind: Kind,
    /// Its number among the `SeqCst` accesses, if it is one.
    seq_cst: Option<usize>,
}

/// What a thread did while others ran.
#[derive(Debug, Clone, Copy)]
enum Step {
    Access(Access),
    /// It let others know, at the handover of this number, all that it knew.
    Gives(usize),
    /// It learned that.
    Takes(usize),
}

/// One atomic: the values stored, the initial one first, and who did what.
#[derive(Debug, Default)]
struct History {
    stores: Vec<Value>,
    /// While others ran, as it came: the thread, and what it did.
    steps: Vec<(usize, Step)>,
    /// Before and after.
    setup: Vec<Access>,
    finally: Vec<Access>,
}

/// Where in the modification order a `SeqCst` access stands.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    /// The store that it read; `None` also if it may have been one of several.
    read: Option<usize>,
    written: Option<usize>,
}

/// Whether the current execution cannot be, as far as it has come. Once void, it stays so.
pub(crate) fn is_void() -> bool {
    let trace = record::with(|recorder| {
        (recorder.pass == Pass::WeakMemory && !recorder.void).then(|| recorder.trace())
    });
    if trace.flatten().is_some_and(|trace| !is_coherent(&trace)) {
        record::with(|recorder| recorder.void = true);
    }
    record::holds(|recorder| recorder.void)
}

/// Whether the stores to the atomics can be put in orders that explain all reads.
fn is_coherent(trace: &Trace) -> bool {
    let (histories, threads) = histories(trace);
    let mut orders = Vec::new();
    for history in &histories {
        let all = history.orders();
        if all.as_ref().is_some_and(Vec::is_empty) {
            return false;
        }
        orders.push(all);
    }
    one_order_of_all(&histories, &orders, &threads)
}

/// Whether, with some combination of modification orders, the `SeqCst` accesses have one order that
/// agrees with them. `threads` says which thread took each of the accesses, in program order.
fn one_order_of_all(
    histories: &[History],
    orders: &[Option<Vec<Vec<usize>>>],
    threads: &[usize],
) -> bool {
    let mut counts = orders.iter().map(|orders| orders.as_ref().map(Vec::len));
    let combinations = counts.try_fold(1_usize, |product, orders| {
        orders
            .and_then(|orders| product.checked_mul(orders))
            .filter(|all| *all <= MOST_COMBINATIONS)
    });
    let Some(combinations) = combinations.filter(|_| threads.len() > 1) else { return true };
    (0..combinations).any(|combination| {
        let mut rest = combination;
        // For each access the atomic and the place.
        let mut places = vec![(0, Place::default()); threads.len()];
        for (atomic, (history, orders)) in histories.iter().zip(orders).enumerate() {
            let Some(orders) = orders else { continue };
            let order = &orders[rest % orders.len()];
            rest /= orders.len();
            history.explains(order, &mut |access, place| places[access] = (atomic, place));
        }
        let before = |a: usize, b: usize| {
            let ((here, first), (there, second)) = (places[a], places[b]);
            let later = |at: usize| {
                second.written.is_some_and(|other| at < other)
                    || second.read.is_some_and(|other| at < other)
            };
            let in_program = threads[a] == threads[b] && a < b;
            in_program
                || here == there
                    && (first.read.is_some_and(later)
                        || first.written.is_some_and(|at| later(at) || second.read == Some(at)))
        };
        is_acyclic(threads.len(), before)
    })
}

/// Whether `before` contradicts itself nowhere.
fn is_acyclic(nodes: usize, before: impl Fn(usize, usize) -> bool) -> bool {
    let mut left: Vec<usize> = (0..nodes).collect();
    // Removes nodes without predecessors (Kahn).
    while let Some(at) = left.iter().position(|&b| !left.iter().any(|&a| a != b && before(a, b))) {
        left.swap_remove(at);
    }
    left.is_empty()
}

/// The atomics of `trace`, and which thread took each of the `SeqCst` accesses.
fn histories(trace: &Trace) -> (Vec<History>, Vec<usize>) {
    let mut histories: Vec<Option<History>> = trace
        .objects
        .iter()
        .map(|object| Some(History { stores: vec![object.initial?], ..History::default() }))
        .collect();
    let mut seq_cst = Vec::new();
    for event in &trace.events {
        let handover = match event.action {
            Action::Gives(number) => Some(Step::Gives(number)),
            Action::Takes(number) => Some(Step::Takes(number)),
            _ => None,
        };
        if let Some(handover) = handover {
            for history in histories.iter_mut().flatten() {
                history.steps.push((event.thread, handover));
            }
        }
        let history = event.object.and_then(|object| histories[object].as_mut());
        let Some((history, (kind, order))) = history.and_then(|history| {
            let kind = access(event, &mut history.stores)?;
            Some((history, kind))
        }) else {
            continue;
        };
        let counts = order == "sc" && event.phase == Phase::Parallel;
        let access = Access { kind, seq_cst: counts.then_some(seq_cst.len()) };
        if counts {
            seq_cst.push(event.thread);
        }
        match event.phase {
            Phase::Setup => history.setup.push(access),
            Phase::Parallel => history.steps.push((event.thread, Step::Access(access))),
            Phase::Finally => history.finally.push(access),
        }
    }
    (histories.into_iter().flatten().collect(), seq_cst)
}

/// What `event` is to an atomic, and its ordering; adds what it stores to `stores`.
pub(super) fn access(event: &Event, stores: &mut Vec<Value>) -> Option<(Kind, &'static str)> {
    let mut store = |value| {
        stores.push(value);
        stores.len() - 1
    };
    Some(match event.action {
        Action::Load { value, order, .. } => (Kind::Read(value), order),
        Action::CompareExchange { expected, found, order, .. } if expected != found => {
            (Kind::Read(found), order)
        }
        Action::Store { value, order } => (Kind::Write(store(value)), order),
        Action::Update { before, after, order, .. } => (Kind::Update(before, store(after)), order),
        Action::CompareExchange { found, new, order, .. } => {
            (Kind::Update(found, store(new)), order)
        }
        _ => return None,
    })
}

impl History {
    /// All orders of the stores that explain the reads; `None` if there are too many to try.
    fn orders(&self) -> Option<Vec<Vec<usize>>> {
        let mut found = Vec::new();
        if self.stores.len() > MOST_STORES {
            return None;
        }
        self.extend(&mut vec![0], &mut found);
        Some(found)
    }

    /// Adds to `found` what begins with `order`.
    fn extend(&self, order: &mut Vec<usize>, found: &mut Vec<Vec<usize>>) {
        if order.len() == self.stores.len() {
            if self.explains(order, &mut |_, _| ()) {
                found.push(order.clone());
            }
            return;
        }
        for store in 0..self.stores.len() {
            if !order.contains(&store) {
                order.push(store);
                self.extend(order, found);
                order.pop();
            }
        }
    }

    /// Whether no thread goes backwards in `order`, nothing comes between an update and what it
    /// read, and the observations come after all. `note` is told where `SeqCst` accesses stand.
    fn explains(&self, order: &[usize], note: &mut impl FnMut(usize, Place)) -> bool {
        let Some(start) = self.follow(order, &self.setup, 0, note) else { return false };
        let mut ends: BTreeMap<usize, usize> = BTreeMap::new();
        let mut given: BTreeMap<usize, usize> = BTreeMap::new();
        for (thread, step) in &self.steps {
            let at = ends.entry(*thread).or_insert(start);
            match step {
                Step::Gives(number) => {
                    given.insert(*number, *at);
                }
                Step::Takes(number) => {
                    *at = given.get(number).map_or(*at, |known| *known.max(at));
                }
                Step::Access(access) => match self.follow(order, &[*access], *at, note) {
                    Some(further) => *at = further,
                    None => return false,
                },
            }
        }
        let end = ends.into_values().max().unwrap_or(start);
        self.follow(order, &self.finally, end, note).is_some()
    }

    /// Where a thread ends that starts at the store at position `at`; `None` if it would have to go
    /// back. A read takes the first store that it can have read: later ones would only leave less.
    fn follow(
        &self,
        order: &[usize],
        accesses: &[Access],
        mut at: usize,
        note: &mut impl FnMut(usize, Place),
    ) -> Option<usize> {
        let value = |position: usize| self.stores[order[position]];
        for access in accesses {
            let mut place = Place::default();
            match access.kind {
                Kind::Read(read) => {
                    let mut candidates =
                        (at..order.len()).filter(|&position| value(position) == read);
                    at = candidates.next()?;
                    place.read = candidates.next().is_none().then_some(at);
                }
                Kind::Write(store) | Kind::Update(_, store) => {
                    let position = order.iter().position(|&other| other == store)?;
                    let before = position.checked_sub(1).filter(|before| *before >= at)?;
                    if let Kind::Update(read, _) = access.kind {
                        if value(before) != read {
                            return None;
                        }
                        place.read = Some(before);
                    }
                    place.written = Some(position);
                    at = position;
                }
            }
            if let Some(number) = access.seq_cst {
                note(number, place);
            }
        }
        Some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(stores: &[u64], threads: &[&[Access]], finally: &[Access]) -> History {
        let steps = threads.iter().enumerate().flat_map(|(thread, accesses)| {
            accesses.iter().map(move |access| (thread, Step::Access(*access)))
        });
        History {
            stores: stores.iter().map(|value| Value::Unsigned(*value)).collect(),
            steps: steps.collect(),
            setup: Vec::new(),
            finally: finally.to_vec(),
        }
    }

    fn coherent(history: &History) -> bool {
        history.orders().is_some_and(|orders| !orders.is_empty())
    }

    const fn relaxed(kind: Kind) -> Access {
        Access { kind, seq_cst: None }
    }

    const fn read(value: u64) -> Access {
        relaxed(Kind::Read(Value::Unsigned(value)))
    }

    const fn write(store: usize) -> Access {
        relaxed(Kind::Write(store))
    }

    #[test]
    fn what_a_thread_has_seen_replaced_is_not_the_last() {
        let threads: [&[Access]; 2] = [&[write(1), write(2)], &[write(3), read(20)]];
        let stores = [0, 20, 30, 10];
        assert!(coherent(&history(&stores, &threads, &[read(30)])), "10, 20, 30");
        assert!(!coherent(&history(&stores, &threads, &[read(10)])), "20 came after 10");
    }

    /// An update is right behind what it read. So it came before the store, and who was told of the
    /// store reads that or a later one.
    #[test]
    fn who_was_told_of_a_store_reads_nothing_older() {
        let update = relaxed(Kind::Update(Value::Unsigned(0), 1));
        let read_after = |told: bool| {
            let mut history = history(&[0, 5, 1], &[&[update]], &[]);
            history.steps.push((1, Step::Access(write(2))));
            if told {
                history.steps.extend([(1, Step::Gives(0)), (0, Step::Takes(0))]);
            }
            history.steps.push((0, Step::Access(read(5))));
            coherent(&history)
        };
        assert!(read_after(false));
        assert!(!read_after(true));
    }

    #[test]
    fn no_two_threads_disagree_on_the_order() {
        let writers: [&[Access]; 2] = [&[write(1)], &[write(2)]];
        let readers = |second: [Access; 2]| {
            let first = [read(1), read(2)];
            coherent(&history(&[0, 1, 2], &[writers[0], writers[1], &first, &second], &[]))
        };
        assert!(readers([read(1), read(2)]));
        assert!(readers([read(0), read(2)]));
        assert!(!readers([read(2), read(1)]));
    }

    #[test]
    fn nothing_comes_between_an_update_and_what_it_read() {
        let update = |before: u64, store| relaxed(Kind::Update(Value::Unsigned(before), store));
        let add = |second: u64| {
            let threads: [&[Access]; 2] = [&[update(0, 1)], &[update(second, 2)]];
            coherent(&history(&[0, 1, second + 1], &threads, &[]))
        };
        assert!(add(1));
        assert!(!add(0), "both add to 0");
    }

    /// Store buffering: each writes its own and reads the other's.
    #[test]
    fn of_two_seq_cst_stores_one_comes_first() {
        let seq_cst = |access: Access, number| Access { seq_cst: Some(number), ..access };
        let both = |left: u64, right: u64| {
            // In the order of execution: left's write, left's read, right's write, right's read.
            let x = history(&[0, 1], &[&[seq_cst(write(1), 0)], &[seq_cst(read(right), 3)]], &[]);
            let y = history(&[0, 1], &[&[seq_cst(read(left), 1)], &[seq_cst(write(1), 2)]], &[]);
            let orders = [x.orders(), y.orders()];
            one_order_of_all(&[x, y], &orders, &[0, 0, 1, 1])
        };
        assert!(both(0, 1) && both(1, 0) && both(1, 1));
        assert!(!both(0, 0), "neither came first");
    }
}
