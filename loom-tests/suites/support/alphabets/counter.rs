//! The operations of a counter.

use selvedge::{Counter, CounterHandle};
use selvedge_model::{Linearizable, linearizable};

/// Two stripes, so that two threads have a cell each and the third shares one; and a handle for each
/// thread that uses one. The stripe depends on the thread, so threads differ.
pub(crate) fn counter() -> Linearizable<Counter, CounterHandle> {
    linearizable(|| Counter::with_stripes(2).expect("2 are accepted"))
        .local(Counter::handle)
        .threads_differ()
        .operation("add 1", |counter| counter.add(1))
        .operation("get", Counter::get)
        .operation("take", Counter::take)
        .finally("total", Counter::get)
}
