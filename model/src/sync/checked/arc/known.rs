//! The counts of all `Arc`s of the execution that runs, by the address of the value.
//!
//! A pointer to the value says nothing about where its counts are. What an execution frees is kept until it is over, so
//! that no two of its values have the same address.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::counts::Counts;
use crate::kernel;

#[derive(Default)]
struct Known {
    execution: u64,
    counts: BTreeMap<usize, Counts>,
}

std::thread_local! {
    // All threads of an exploration share an OS thread.
    static KNOWN: RefCell<Known> = RefCell::default();
}

/// Calls `f` with the counts of all `Arc`s of the execution that runs.
fn known<R>(f: impl FnOnce(&mut BTreeMap<usize, Counts>) -> R) -> Option<R> {
    let execution = kernel::with(|engine| engine.execution())?;
    // The map is not part of the program under test.
    kernel::outside(|| {
        KNOWN.with_borrow_mut(|known| {
            if known.execution != execution {
                *known = Known { execution, counts: BTreeMap::new() };
            }
            Some(f(&mut known.counts))
        })
    })
}

pub(super) fn remember<T: ?Sized>(value: &std::sync::Arc<T>, counts: Counts) {
    let address = std::sync::Arc::as_ptr(value).addr();
    known(|known| known.insert(address, counts));
    super::super::know_owners(value);
}

pub(super) fn recall<T: ?Sized>(pointer: *const T) -> Counts {
    let counts = known(|known| known.get(&pointer.addr()).copied()).flatten();
    counts.unwrap_or(Counts { strong: None, weak: None })
}

/// Whether the value of an [`Arc`] begins there. `std` has it in the same block as its own counts.
pub(in super::super) fn is_in_one(start: usize, end: usize) -> bool {
    known(|known| known.range(start..=end).next().is_some()) == Some(true)
}
