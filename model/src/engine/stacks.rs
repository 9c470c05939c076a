//! The stacks of threads under test: kept from execution to execution, and those of the default size from
//! exploration to exploration. Mapping a stack costs more than an execution.

use std::cell::{Cell, RefCell};
use std::sync::{Mutex, PoisonError};

use corosensei::stack::{DefaultStack, Stack as _};

/// The default size in bytes.
pub(crate) const DEFAULT_BYTES: usize = 1 << 20;

/// Stacks of the default size that no exploration uses.
static POOL: Mutex<Vec<DefaultStack>> = Mutex::new(Vec::new());

/// The stacks of one exploration.
pub(super) struct Stacks {
    /// The size of a stack, unless more is asked for.
    bytes: usize,
    /// The length of a stack of that size, its guard page included; 0 until there is one.
    length: Cell<usize>,
    /// Stacks of that size that no thread uses.
    unused: RefCell<Vec<DefaultStack>>,
}

impl Stacks {
    pub(super) fn new(bytes: usize) -> Self {
        Self { bytes, length: Cell::new(0), unused: RefCell::default() }
    }

    /// A stack for a thread, which may ask for more bytes than others have.
    pub(super) fn take(&self, asked: Option<usize>) -> DefaultStack {
        let new = |bytes| DefaultStack::new(bytes).expect("memory for a stack");
        if let Some(asked) = asked.filter(|&asked| asked > self.bytes) {
            return new(asked);
        }
        let unused = self.unused.borrow_mut().pop().or_else(|| self.pool()?.pop());
        let stack = unused.unwrap_or_else(|| new(self.bytes));
        self.length.set(length(&stack));
        stack
    }

    /// Takes back the stack of a thread that has ended.
    pub(super) fn keep(&self, stack: DefaultStack) {
        if length(&stack) == self.length.get() {
            self.unused.borrow_mut().push(stack);
        }
    }

    /// The pool, if it has stacks of this size.
    fn pool(&self) -> Option<std::sync::MutexGuard<'static, Vec<DefaultStack>>> {
        let shared = self.bytes == DEFAULT_BYTES;
        shared.then(|| POOL.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Stacks {
    fn drop(&mut self) {
        if let Some(mut pool) = self.pool() {
            pool.append(self.unused.get_mut());
        }
    }
}

fn length(stack: &DefaultStack) -> usize {
    stack.base().get() - stack.limit().get()
}

#[cfg(test)]
mod tests {
    use super::{DEFAULT_BYTES, DefaultStack, Stacks, length};
    use corosensei::stack::Stack as _;

    fn place(stack: &DefaultStack) -> usize {
        stack.base().get()
    }

    /// One test, for the pool is that of the process.
    #[test]
    fn stacks_of_the_default_size_outlive_their_exploration() {
        let first = Stacks::new(DEFAULT_BYTES);
        let (usual, larger) = (first.take(None), first.take(Some(4 * DEFAULT_BYTES)));
        assert!(length(&usual) > DEFAULT_BYTES && length(&larger) > 4 * DEFAULT_BYTES);
        let (place_of_usual, usual_length) = (place(&usual), length(&usual));
        first.keep(usual);
        first.keep(larger);
        let again = first.take(Some(DEFAULT_BYTES));
        assert_eq!(place(&again), place_of_usual, "the exploration keeps it");
        assert_eq!(length(&first.take(None)), usual_length, "a larger one is not kept");
        first.keep(again);
        drop(first);
        let later = std::thread::spawn(|| place(&Stacks::new(DEFAULT_BYTES).take(None)));
        assert_eq!(later.join().expect("it does not panic"), place_of_usual);
        let other = Stacks::new(2 * DEFAULT_BYTES);
        other.keep(other.take(None));
        drop(other);
        let stack = Stacks::new(DEFAULT_BYTES).take(None);
        assert_eq!(length(&stack), usual_length, "other sizes are not shared");
    }
}
