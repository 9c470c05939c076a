//! `Counter` against a sequential one, and on real threads.

use std::cell::RefCell;
use std::sync::Arc;
use std::thread;

use proptest::prelude::*;
use selvedge::{Counter, CounterError, CounterHandle};
use static_assertions::{assert_impl_all, assert_not_impl_any};

assert_impl_all!(Counter: Send, Sync, Default, std::fmt::Debug);
assert_impl_all!(CounterHandle: Send, std::fmt::Debug);
// Two handles on one cell would overwrite each other's adds.
assert_not_impl_any!(CounterHandle: Clone, Copy);

fn with_stripes(stripes: usize) -> Counter {
    Counter::with_stripes(stripes).expect("the number is in range")
}

/// What a single thread can do with a counter.
#[derive(Debug, Clone)]
enum Operation {
    Add(u64),
    Increment,
    Get,
    Take,
    OpenHandle,
    /// Of the handles that are open, the one at this position (modulo their number).
    AddByHandle(usize, u64),
    DropHandle(usize),
}

fn operation() -> impl Strategy<Value = Operation> {
    // Amounts near the ends as well, so that sums wrap around.
    let amount = prop_oneof![0..10_u64, Just(u64::MAX), (u64::MAX - 10)..u64::MAX, any::<u64>()];
    prop_oneof![
        amount.clone().prop_map(Operation::Add),
        Just(Operation::Increment),
        Just(Operation::Get),
        Just(Operation::Take),
        Just(Operation::OpenHandle),
        (any::<usize>(), amount).prop_map(|(which, n)| Operation::AddByHandle(which, n)),
        any::<usize>().prop_map(Operation::DropHandle),
    ]
}

proptest! {
    #[test]
    fn behaves_like_a_sequential_counter(
        stripes in 1..9_usize,
        operations in prop::collection::vec(operation(), 0..60),
    ) {
        let counter = with_stripes(stripes);
        let mut handles = Vec::new();
        let mut expected = 0_u64;
        for operation in operations {
            match operation {
                Operation::Add(n) => {
                    counter.add(n);
                    expected = expected.wrapping_add(n);
                }
                Operation::Increment => {
                    counter.increment();
                    expected = expected.wrapping_add(1);
                }
                Operation::Get => prop_assert_eq!(counter.get(), expected),
                Operation::Take => prop_assert_eq!(counter.take(), std::mem::take(&mut expected)),
                Operation::OpenHandle => handles.push(counter.handle()),
                Operation::AddByHandle(which, n) if !handles.is_empty() => {
                    let which = which % handles.len();
                    handles[which].add(n);
                    expected = expected.wrapping_add(n);
                }
                Operation::DropHandle(which) if !handles.is_empty() => {
                    drop(handles.swap_remove(which % handles.len()));
                }
                Operation::AddByHandle(..) | Operation::DropHandle(_) => {}
            }
        }
        drop(handles);
        prop_assert_eq!(counter.get(), expected);
    }
}

#[test]
fn a_new_counter_is_at_zero() {
    assert_eq!(Counter::new().get(), 0);
    assert_eq!(Counter::default().take(), 0);
}

#[test]
fn a_count_wraps_around() {
    let counter = Counter::new();
    counter.add(u64::MAX);
    counter.increment();
    counter.handle().add(5);
    assert_eq!(counter.get(), 5, "2^64 + 5 is 5 modulo 2^64");
    assert_eq!(counter.take(), 5);
    assert_eq!(counter.get(), 0);
}

#[test]
fn a_number_of_stripes_out_of_range_is_refused_by_name() {
    for requested in [0, selvedge::counter::MAX_STRIPES + 1, usize::MAX] {
        let error = Counter::with_stripes(requested).unwrap_err();
        assert_eq!(error, CounterError::Stripes { requested });
        let text = error.to_string();
        assert!(text.contains(&requested.to_string()) && text.contains("1 to 65536"), "{text}");
    }
    for accepted in [1, 3, 64, selvedge::counter::MAX_STRIPES] {
        assert_eq!(with_stripes(accepted).get(), 0, "{accepted} stripes are accepted");
    }
}

#[test]
fn debug_shows_the_count() {
    let counter = with_stripes(3); // Rounded up to a power of two.
    counter.add(41);
    counter.handle().increment();
    assert_eq!(format!("{counter:?}"), "Counter { count: 42, stripes: 4, .. }");
}

/// Threads, more than stripes, by both ways of adding, while somebody takes.
#[test]
fn threads_lose_nothing() {
    const THREADS: u64 = 8;
    const ADDS: u64 = 20_000;
    for stripes in [1, 2, 64] {
        let counter = with_stripes(stripes);
        let taken: u64 = thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    for _ in 0..ADDS {
                        counter.increment();
                    }
                });
                scope.spawn(|| {
                    let mut mine = counter.handle();
                    for _ in 0..ADDS {
                        mine.increment();
                    }
                });
            }
            let taker = scope.spawn(|| (0..1_000).map(|_| counter.take()).sum());
            taker.join().expect("a take does not panic")
        });
        assert_eq!(taken + counter.take(), 2 * THREADS * ADDS, "with {stripes} stripes");
        assert_eq!(counter.get(), 0, "all was taken");
    }
}

/// A count never goes backwards while nobody takes.
#[test]
fn reads_never_go_backwards() {
    let counter = with_stripes(2);
    thread::scope(|scope| {
        let writers = [(); 3].map(|()| {
            scope.spawn(|| {
                let mut mine = counter.handle();
                for _ in 0..50_000 {
                    mine.increment();
                    counter.increment();
                }
            })
        });
        let mut last = 0;
        while !writers.iter().all(thread::ScopedJoinHandle::is_finished) {
            let now = counter.get();
            assert!(now >= last, "{now} was read after {last}");
            last = now;
        }
    });
    assert_eq!(counter.get(), 300_000);
}

/// Thousands of threads, one after the other, each with a handle: cells are used again.
#[test]
fn cells_are_used_again() {
    let counter = with_stripes(1);
    for round in 1..=2_000 {
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| counter.handle().increment());
            }
        });
        assert_eq!(counter.get(), 2 * round);
    }
}

#[test]
fn a_handle_moves_to_another_thread_and_outlives_its_counter() {
    let counter = Counter::new();
    let mut handle = counter.handle();
    handle.increment();
    assert_eq!(counter.get(), 1);
    drop(counter);
    thread::spawn(move || handle.increment()).join().expect("an increment does not panic");
}

/// What a handle added that was never dropped stays counted.
#[test]
fn a_handle_that_is_forgotten_loses_nothing() {
    let counter = Counter::new();
    let mut handle = counter.handle();
    handle.increment();
    std::mem::forget(handle);
    counter.handle().increment();
    assert_eq!(counter.take(), 2);
    assert_eq!(counter.take(), 0);
}

/// What thread-local values add when they are dropped, at the end of their thread, is counted.
#[test]
fn the_end_of_a_thread_can_be_counted() {
    struct Farewell(Arc<Counter>, CounterHandle);
    impl Drop for Farewell {
        fn drop(&mut self) {
            self.0.increment();
            self.1.increment();
            self.0.handle().increment();
        }
    }
    thread_local! {
        static FAREWELL: RefCell<Option<Farewell>> = const { RefCell::new(None) };
    }
    let counter = Arc::new(with_stripes(2));
    for round in 1..=3 {
        let theirs = Arc::clone(&counter);
        let thread = thread::spawn(move || {
            // The number that chooses its stripe is older than the farewell, or younger.
            if round % 2 == 0 {
                theirs.increment();
            }
            FAREWELL.set(Some(Farewell(Arc::clone(&theirs), theirs.handle())));
            if round % 2 == 1 {
                theirs.increment();
            }
        });
        thread.join().expect("it ends well");
        assert_eq!(counter.get(), 4 * round);
    }
}
