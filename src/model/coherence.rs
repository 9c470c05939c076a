//! Whether an execution can be: whether each atomic's stores have an order that explains what was
//! read.
//!
//! Where nothing orders two threads' stores to one atomic, loom 0.7.3 lets each load choose anew
//! which of them is the newer. C++ gives every atomic one modification order, and no thread reads
//! backwards in it. So an execution of the weak-memory pass is held against that rule, and if no
//! order of the stores keeps it, the execution is void: no program on any machine behaves so.
//!
//! Only what each thread did one after the other is looked at, and that the observations come last,
//! not what synchronisation orders besides. So nothing that is allowed is taken for void.

use crate::sync::checked::event::{Action, Phase, Trace, Value};

/// Atomics with more stores than this are taken to be coherent: the orders are too many to try.
const MOST: usize = 8;

/// What a thread did with one atomic.
#[derive(Debug, Clone, Copy)]
enum Access {
    Read(Value),
    /// The store with this number.
    Write(usize),
    /// The same, right after a store of this value.
    Update(Value, usize),
}

/// One atomic: the values stored, the initial one first, and who did what.
struct History {
    stores: Vec<Value>,
    /// Of each thread, while others ran.
    threads: Vec<Vec<Access>>,
    /// Before and after.
    setup: Vec<Access>,
    finally: Vec<Access>,
}

/// Whether the stores to every atomic can be put in an order that explains all reads.
pub(super) fn is_coherent(trace: &Trace) -> bool {
    (0..trace.objects.len()).all(|object| {
        history(trace, object).is_none_or(|history| {
            let stores = history.stores.len();
            stores > MOST || any_order(&mut vec![0], stores, &|order| history.explains(order))
        })
    })
}

/// Whether `explains` holds for any order of all stores that begins with `order`.
fn any_order(order: &mut Vec<usize>, stores: usize, explains: &impl Fn(&[usize]) -> bool) -> bool {
    if order.len() == stores {
        return explains(order);
    }
    (0..stores).any(|store| {
        if order.contains(&store) {
            return false;
        }
        order.push(store);
        let found = any_order(order, stores, explains);
        order.pop();
        found
    })
}

/// What was done with `object`; `None` if it is no atomic.
fn history(trace: &Trace, object: usize) -> Option<History> {
    let mut history = History {
        stores: vec![trace.objects[object].initial?],
        threads: vec![Vec::new(); trace.threads.len()],
        setup: Vec::new(),
        finally: Vec::new(),
    };
    for event in trace.events.iter().filter(|event| event.object == Some(object)) {
        let number = history.stores.len();
        let access = match event.action {
            Action::Load { value, .. } => Access::Read(value),
            Action::CompareExchange { expected, found, .. } if expected != found => {
                Access::Read(found)
            }
            Action::Store { value, .. } => {
                history.stores.push(value);
                Access::Write(number)
            }
            Action::Update { before, after, .. } => {
                history.stores.push(after);
                Access::Update(before, number)
            }
            Action::CompareExchange { found, new, .. } => {
                history.stores.push(new);
                Access::Update(found, number)
            }
            _ => continue,
        };
        match event.phase {
            Phase::Setup => history.setup.push(access),
            Phase::Parallel => history.threads[event.thread].push(access),
            Phase::Finally => history.finally.push(access),
        }
    }
    Some(history)
}

impl History {
    /// Whether no thread goes backwards in `order`, nothing comes between an update and what it
    /// read, and the observations come after all.
    fn explains(&self, order: &[usize]) -> bool {
        let Some(start) = self.follow(order, &self.setup, 0) else { return false };
        let mut end = start;
        for accesses in &self.threads {
            match self.follow(order, accesses, start) {
                Some(at) => end = end.max(at),
                None => return false,
            }
        }
        self.follow(order, &self.finally, end).is_some()
    }

    /// Where a thread ends that starts at the store at position `at`; `None` if it would have to go
    /// back. A read takes the first store that it can have read: later ones would only leave less.
    fn follow(&self, order: &[usize], accesses: &[Access], mut at: usize) -> Option<usize> {
        let value = |position: usize| self.stores[order[position]];
        for access in accesses {
            at = match *access {
                Access::Read(read) => {
                    (at..order.len()).find(|&position| value(position) == read)?
                }
                Access::Write(store) | Access::Update(_, store) => {
                    let position = order.iter().position(|&other| other == store)?;
                    let before = position.checked_sub(1)?;
                    if before < at
                        || matches!(*access, Access::Update(read, _) if value(before) != read)
                    {
                        return None;
                    }
                    position
                }
            };
        }
        Some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(stores: &[u64], threads: &[&[Access]], finally: &[Access]) -> History {
        History {
            stores: stores.iter().map(|value| Value::Unsigned(*value)).collect(),
            threads: threads.iter().map(|accesses| accesses.to_vec()).collect(),
            setup: Vec::new(),
            finally: finally.to_vec(),
        }
    }

    fn coherent(history: &History) -> bool {
        any_order(&mut vec![0], history.stores.len(), &|order| history.explains(order))
    }

    const fn read(value: u64) -> Access {
        Access::Read(Value::Unsigned(value))
    }

    #[test]
    fn what_a_thread_has_seen_replaced_is_not_the_last() {
        let threads: [&[Access]; 2] =
            [&[Access::Write(1), Access::Write(2)], &[Access::Write(3), read(20)]];
        let stores = [0, 20, 30, 10];
        assert!(coherent(&history(&stores, &threads, &[read(30)])), "10, 20, 30");
        assert!(!coherent(&history(&stores, &threads, &[read(10)])), "20 came after 10");
    }

    #[test]
    fn no_two_threads_disagree_on_the_order() {
        let writers: [&[Access]; 2] = [&[Access::Write(1)], &[Access::Write(2)]];
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
        let update = |before: u64, store: usize| Access::Update(Value::Unsigned(before), store);
        let add = |second: u64| {
            let threads: [&[Access]; 2] = [&[update(0, 1)], &[update(second, 2)]];
            coherent(&history(&[0, 1, second + 1], &threads, &[]))
        };
        assert!(add(1));
        assert!(!add(0), "both add to 0");
    }
}
