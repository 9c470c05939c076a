//! The memory of an execution: which thread was given it, and when.
//!
//! To make a value is no operation, so that `new` can be `const`. By whom it was made is known from the
//! memory that it lies in: a block from the [`Allocator`], or the stack of a thread.
//!
//! Blocks that a program frees are kept until its execution is over. A value that is used after its
//! memory was freed can be read still, and the use is reported.
//!
//! # Limits
//!
//! A value counts as made when its block was allocated. One that is put into older memory, such as a free
//! slot of a pool, by a thread that publishes it without synchronisation, is not found.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::overflow::Running;
use crate::kernel::statics::is_static;
use crate::kernel::{self, Memory as Where, Moment, Owned, StaticCopy};

/// The global allocator of programs under test: `A`, and a note of each block that an execution
/// allocates or frees.
///
/// With `--cfg loom` and the feature `check` it is the global allocator. A program with one of its own sets
/// `--cfg own_allocator` besides, and declares it around its own:
///
/// ```
/// # use std::alloc::System;
/// # #[cfg(any())]
/// #[global_allocator]
/// static ALLOCATOR: selvedge_model::Allocator<System> = selvedge_model::Allocator(System);
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Allocator<A = System>(pub A);

// SAFETY: each method does what that of `A` does. What `dealloc` does not pass on at once is passed on
// by `Memory::release`, with the same layout.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Allocator<A> {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's contract is that of `A`.
        let pointer = unsafe { self.0.alloc(layout) };
        kernel::with(|engine| engine.allocated(pointer, layout));
        pointer
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's contract is that of `A`.
        let pointer = unsafe { self.0.alloc_zeroed(layout) };
        kernel::with(|engine| engine.allocated(pointer, layout));
        pointer
    }

    #[inline]
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        if kernel::with(|engine| engine.keeps(pointer, layout)) != Some(true) {
            // SAFETY: the caller's contract is that of `A`.
            unsafe { self.0.dealloc(pointer, layout) };
        }
    }

    #[inline]
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if kernel::with(|engine| engine.is_at_work()) != Some(false) {
            kernel::with(|engine| engine.know_owners(pointer.addr()));
            // SAFETY: the caller's contract is that of `A`.
            return unsafe { self.0.realloc(pointer, layout, size) };
        }
        // SAFETY: the caller says that `size`, rounded up to the alignment, is no more than `isize::MAX`.
        let new = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        // SAFETY: `size` is not 0, says the caller.
        let to = unsafe { self.alloc(new) };
        if !to.is_null() {
            // SAFETY: both are blocks of at least so many bytes, and the new one is no part of the old one.
            unsafe { to.copy_from_nonoverlapping(pointer, layout.size().min(size)) };
            // SAFETY: the caller says that the old block is of this layout, and gives it up.
            unsafe { self.dealloc(pointer, layout) };
        }
        to
    }
}

#[cfg(not(own_allocator))]
#[global_allocator]
static ALLOCATOR: Allocator = Allocator(System);

/// A block that begins with what may be the counts of an `Arc` of `std`, or of an `Rc`: strong and weak.
#[derive(Debug)]
struct Counts {
    at: *const [usize; 2],
    /// There was an owner when a thread came to a step.
    owned: bool,
}

impl Counts {
    fn read(&self) -> [usize; 2] {
        // SAFETY: the block is at least so large and so aligned, and is taken from the list before it is freed. The read
        // is volatile because the program need not have written there: the compiler cannot know what the bytes are.
        unsafe { self.at.read_volatile() }
    }
}

#[derive(Debug)]
struct Block {
    start: usize,
    bytes: usize,
    given: Moment,
}

/// A block that was freed, and is kept.
#[derive(Debug)]
struct Kept {
    pointer: *mut u8,
    layout: Layout,
    freed: Moment,
}

/// What was allocated and freed in an execution.
#[derive(Default)]
pub(in crate::engine) struct Memory {
    /// In the order in which they were allocated.
    blocks: Vec<Block>,
    /// Of those that are not freed.
    counts: Vec<Counts>,
    /// One of them lost its last owner when it was freed.
    lost: bool,
    kept: Vec<Kept>,
    copies: Vec<StaticCopy>,
}

impl Memory {
    pub(in crate::engine) fn allocated(&mut self, start: usize, bytes: usize, given: Moment) {
        self.blocks.push(Block { start, bytes, given });
    }

    /// A block was allocated: it may be that of an `Arc` of `std`.
    pub(in crate::engine) fn may_count(&mut self, pointer: *mut u8, layout: Layout) {
        let counts = Layout::new::<[usize; 2]>();
        if layout.size() >= counts.size() && layout.align() >= counts.align() && !pointer.is_null()
        {
            self.counts.push(Counts { at: pointer.cast(), owned: false });
        }
    }

    pub(in crate::engine) fn keep(&mut self, pointer: *mut u8, layout: Layout, freed: Moment) {
        let counts = self.take_counts(pointer.addr());
        self.lost |= counts.is_some_and(|counts| counts.owned && counts.read() == [0, 0]);
        self.kept.push(Kept { pointer, layout, freed });
    }

    /// Which thread drops the last owner of a block is known by steps, or makes no difference; or the block is freed.
    pub(in crate::engine) fn know_owners(&mut self, start: usize) {
        self.take_counts(start);
    }

    fn take_counts(&mut self, start: usize) -> Option<Counts> {
        let at = self.counts.iter().rposition(|counts| counts.at.addr() == start)?;
        Some(self.counts.swap_remove(at))
    }

    /// A thread has come to a step. Whether what may be the last owner of an `Arc` of `std` was dropped since this was
    /// asked last.
    pub(in crate::engine) fn lost_last_owner(&mut self) -> bool {
        // There are never more owners. Other memory seldom looks like that.
        const MOST: usize = 1 << 20;

        let mut lost = std::mem::take(&mut self.lost);
        self.counts.retain_mut(|counts| {
            let [strong, weak] = counts.read();
            if strong > MOST || !(1..=MOST).contains(&weak) {
                return false;
            }
            let is_lost = counts.owned && strong == 0;
            lost |= is_lost;
            // Without an owner, the value is not made yet.
            counts.owned = strong > 0;
            !is_lost
        });
        lost
    }

    pub(in crate::engine) fn add_copy(&mut self, copy: StaticCopy) {
        self.copies.push(copy);
    }

    /// Drops what the copies of statics hold. A destructor may use other statics.
    pub(in crate::engine) fn drop_copies(this: &RefCell<Self>) {
        let mut next = 0;
        loop {
            let drop = this
                .borrow_mut()
                .copies
                .get_mut(next)
                .map(|copy| std::mem::replace(&mut copy.drop, Box::new(|| ())));
            let Some(drop) = drop else { return };
            // In a program, a static is never dropped.
            let _ = catch_unwind(AssertUnwindSafe(drop));
            next += 1;
        }
    }

    /// A static, or the copy of one.
    fn find_copy(&self, address: usize) -> Option<Where> {
        self.copies.iter().find_map(|copy| {
            if copy.of == address {
                return Some(Where::Static(Some(copy.pointer)));
            }
            let at = address.checked_sub(copy.pointer.addr());
            let at = at.filter(|&at| at < copy.layout.size())?;
            Some(Where::Owned(Owned::in_static(copy.of + at)))
        })
    }

    /// The block that an address is in. The newest first: what is freed by the engine can be allocated
    /// again.
    fn find_block(&self, address: usize) -> Option<Owned> {
        let offset =
            |block: &Block| address.checked_sub(block.start).filter(|&at| at < block.bytes);
        let mut blocks = self.blocks.iter().enumerate().rev();
        let found = blocks.find_map(|(number, block)| Some((number, block, offset(block)?)));
        let (number, block, offset) = found?;
        let kept = self.kept.iter().find(|kept| kept.pointer.addr() == block.start);
        let freed = kept.map(|kept| kept.freed);
        Some(Owned::in_block(number, offset, block.given, freed))
    }

    /// The execution is over: frees what was kept, and the copies of statics.
    pub(in crate::engine) fn release(&mut self) {
        self.blocks.clear();
        self.counts.clear();
        self.lost = false;
        for StaticCopy { pointer, layout, .. } in self.copies.drain(..) {
            // SAFETY: it was allocated with this layout, and nothing uses it any more.
            unsafe { std::alloc::dealloc(pointer, layout) };
        }
        for Kept { pointer, layout, .. } in self.kept.drain(..) {
            // SAFETY: the program gave it to `dealloc` with this layout, which did not pass it on. No engine
            // runs or it is at work, so that it is passed on now.
            unsafe { std::alloc::dealloc(pointer, layout) };
        }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.release();
    }
}

/// What an address is in, given the stacks of the threads.
pub(in crate::engine) fn find(
    address: usize,
    stacks: impl Iterator<Item = Running>,
    memory: &Memory,
) -> Where {
    if let Some(found) = memory.find_copy(address) {
        return found;
    }
    let mut stacks = stacks.enumerate();
    let on_stack = stacks.find_map(|(thread, stack)| Some((thread, stack.offset(address)?)));
    let owned = on_stack.map(|(thread, offset)| Owned::on_stack(thread, offset));
    match owned.or_else(|| memory.find_block(address)) {
        Some(owned) => Where::Owned(owned),
        None if is_static(address) => Where::Static(None),
        None => Where::Foreign,
    }
}
