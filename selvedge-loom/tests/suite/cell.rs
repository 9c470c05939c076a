//! `cell`.

use loom::cell::{Cell, ConstPtr, MutPtr, UnsafeCell};
use loom::sync::Arc;
use loom::sync::atomic::AtomicBool;
use loom::sync::atomic::Ordering::{Acquire, Release};
use loom::thread;

use super::{fails, fails_without_panic, passes};

struct Shared<T>(T);

// SAFETY: that it is not sound is what the models are about.
unsafe impl<T> Sync for Shared<T> {}
// SAFETY: as above.
unsafe impl<T> Send for Shared<T> {}

#[test]
fn cells_hold_a_value() {
    passes(|| {
        let cell = UnsafeCell::new(1);
        // SAFETY: there is no other thread, and one access at a time.
        unsafe {
            cell.with_mut(|value| *value += 1);
            *cell.get_mut().deref() += 1;
            cell.get_mut().with(|value| *value += 1);
            assert_eq!(*cell.get().deref() + cell.get().with(|value| *value), 8);
            assert_eq!(cell.with(|value| *value), 4);
        }
        assert_eq!(cell.into_inner(), 4);
        assert_eq!(UnsafeCell::from(3).into_inner(), 3);
        assert_eq!(UnsafeCell::<u8>::default().into_inner(), 0);
        let (one, two) = (Cell::new(1), Cell::from(2));
        one.swap(&two);
        two.set(5);
        assert_eq!((one.get(), two.replace(6), two.take()), (2, 5, 6));
        assert!(one.clone() > two && one != two && Cell::<u8>::default().into_inner() == 0);
    });
}

/// Two threads, each with an access to one cell.
fn two(first: fn(&UnsafeCell<usize>), second: fn(&UnsafeCell<usize>)) {
    let cell = Arc::new(Shared(UnsafeCell::new(0)));
    let other = Arc::clone(&cell);
    let thread = thread::spawn(move || second(&other.0));
    first(&cell.0);
    thread.join().unwrap();
}

fn read(cell: &UnsafeCell<usize>) {
    // SAFETY: that it races is what the models are about.
    cell.with(|value| unsafe { *value });
}

fn write(cell: &UnsafeCell<usize>) {
    // SAFETY: as above.
    cell.with_mut(|value| unsafe { *value += 1 });
}

#[test]
fn unordered_accesses_race_if_one_is_a_write() {
    passes(|| two(read, read));
    fails_without_panic(|| two(read, write));
    fails_without_panic(|| two(write, write));
}

/// The pointer lives on while the flag says that the cell is free.
fn held(access: impl FnOnce(&UnsafeCell<usize>, &dyn Fn())) {
    let shared = Arc::new(Shared((UnsafeCell::new(0), AtomicBool::new(false))));
    let other = Arc::clone(&shared);
    let thread = thread::spawn(move || {
        let (cell, free) = &other.0;
        if free.load(Acquire) {
            write(cell);
        }
    });
    let (cell, free) = &shared.0;
    // Twice: loom looks between the steps of a thread.
    access(cell, &|| (0..2).for_each(|_| free.store(true, Release)));
    thread.join().unwrap();
}

#[test]
fn an_access_lasts_as_long_as_its_pointer() {
    passes(|| {
        held(|cell, free| {
            drop(cell.get());
            free();
        });
    });
    fails(|| {
        held(|cell, free| {
            let pointer: ConstPtr<usize> = cell.get();
            free();
            drop(pointer);
        });
    });
    fails(|| {
        held(|cell, free| {
            let pointer: MutPtr<usize> = cell.get_mut();
            free();
            drop(pointer);
        });
    });
    fails(|| held(|cell, free| cell.with(|_| free())));
}

/// An access that another thread ends: after a join the cell is free.
#[test]
fn a_pointer_is_moved_to_another_thread() {
    fn moved<T: 'static>(
        begin: fn(&UnsafeCell<usize>) -> T,
        joins: bool,
        then: fn(&UnsafeCell<usize>),
    ) {
        let cell = Arc::new(Shared(UnsafeCell::new(0)));
        let (pointer, keeps) = (begin(&cell.0), Arc::clone(&cell));
        let thread = thread::spawn(move || {
            drop(pointer);
            drop(keeps);
        });
        if joins {
            thread.join().unwrap();
            let other = Arc::clone(&cell);
            thread::spawn(move || then(&other.0)).join().unwrap();
        }
        then(&cell.0);
    }
    passes(|| moved(UnsafeCell::get, true, write));
    passes(|| moved(UnsafeCell::get_mut, true, write));
    passes(|| moved(UnsafeCell::get, false, read));
    fails(|| moved(UnsafeCell::get, false, write));
    fails(|| moved(UnsafeCell::get_mut, false, read));
    fails(|| moved(UnsafeCell::get_mut, false, write));
}

#[test]
fn a_thread_must_not_write_what_it_reads() {
    passes(|| {
        let cell = UnsafeCell::new(0);
        cell.with(|_| cell.with(|_| ()));
    });
    fails(|| {
        let cell = UnsafeCell::new(0);
        cell.with(|_| cell.with_mut(|_| ()));
    });
    fails(|| {
        let cell = UnsafeCell::new(0);
        cell.with_mut(|_| cell.with(|_| ()));
    });
    fails(|| {
        let cell = UnsafeCell::new(0);
        let _pointer = cell.get_mut();
        cell.with_mut(|_| ());
    });
}

#[test]
fn a_shared_cell_races() {
    fails_without_panic(|| {
        let cell = Arc::new(Shared(Cell::new(0)));
        let other = Arc::clone(&cell);
        let thread = thread::spawn(move || {
            let cell = &other;
            cell.0.set(1);
        });
        cell.0.set(2);
        thread.join().unwrap();
    });
}
