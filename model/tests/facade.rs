//! The drop-in is no narrower than `std`.

use selvedge_model::sync::atomic::{
    AtomicBool, AtomicI8, AtomicI16, AtomicI32, AtomicI64, AtomicIsize, AtomicPtr, AtomicU8,
    AtomicU16, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
};
use selvedge_model::sync::cell::UnsafeCell;
use selvedge_model::sync::{Arc, Condvar, Mutex, PoisonError, RwLock, TryLockError, hint, thread};

macro_rules! integers_are_whole {
    ($($test:ident: $atomic:ident, $int:ty;)*) => {
        $(
            /// Every operation that the façade names, against plain arithmetic.
            #[test]
            fn $test() {
                let cell = $atomic::new(5);
                assert_eq!(cell.load(Ordering::SeqCst), 5);
                cell.store(<$int>::MAX, Ordering::Release);
                assert_eq!(cell.fetch_add(2, Ordering::AcqRel), <$int>::MAX);
                assert_eq!(cell.load(Ordering::Acquire), <$int>::MIN + 1, "it wraps around");
                assert_eq!(cell.fetch_sub(2, Ordering::Relaxed), <$int>::MIN + 1);
                assert_eq!(cell.swap(12, Ordering::SeqCst), <$int>::MAX);
                assert_eq!(cell.fetch_and(10, Ordering::SeqCst), 12);
                assert_eq!(cell.fetch_or(3, Ordering::SeqCst), 8);
                assert_eq!(cell.fetch_xor(1, Ordering::SeqCst), 11);
                assert_eq!(cell.fetch_nand(6, Ordering::SeqCst), 10);
                assert_eq!(cell.swap(7, Ordering::SeqCst), !2);
                assert_eq!(cell.fetch_max(9, Ordering::SeqCst), 7);
                assert_eq!(cell.fetch_min(4, Ordering::SeqCst), 9);
                let (ok, err) = (Ordering::SeqCst, Ordering::Relaxed);
                assert_eq!(cell.compare_exchange(4, 6, ok, err), Ok(4));
                assert_eq!(cell.compare_exchange(4, 8, ok, err), Err(6));
                assert_eq!(cell.fetch_update(ok, err, |n| (n == 6).then_some(1)), Ok(6));
                assert_eq!(cell.fetch_update(ok, err, |n| (n == 6).then_some(1)), Err(1));
                assert_eq!(format!("{cell:?}"), "1");
                assert_eq!($atomic::default().into_inner(), 0);
            }
        )*
    };
}

integers_are_whole! {
    u8_is_whole: AtomicU8, u8;
    u16_is_whole: AtomicU16, u16;
    u32_is_whole: AtomicU32, u32;
    u64_is_whole: AtomicU64, u64;
    usize_is_whole: AtomicUsize, usize;
    i8_is_whole: AtomicI8, i8;
    i16_is_whole: AtomicI16, i16;
    i32_is_whole: AtomicI32, i32;
    i64_is_whole: AtomicI64, i64;
    isize_is_whole: AtomicIsize, isize;
}

#[test]
fn bool_and_pointer_are_whole() {
    let flag = AtomicBool::new(true);
    assert!(flag.fetch_and(false, Ordering::SeqCst));
    assert!(!flag.fetch_or(true, Ordering::SeqCst));
    assert!(flag.fetch_xor(true, Ordering::SeqCst));
    assert!(!flag.fetch_nand(true, Ordering::SeqCst));
    assert!(flag.swap(false, Ordering::AcqRel));

    let (mut a, mut b) = (1, 2);
    let (a, b): (*mut i32, *mut i32) = (&raw mut a, &raw mut b);
    let slot = AtomicPtr::new(a);
    assert_eq!(slot.swap(b, Ordering::SeqCst), a);
    assert_eq!(slot.compare_exchange(a, a, Ordering::SeqCst, Ordering::SeqCst), Err(b));
    assert_eq!(slot.load(Ordering::SeqCst), b);
    fence(Ordering::SeqCst);
}

/// Outside a model the façade is `std`, under `--cfg loom` too: real threads, real blocking.
#[test]
fn outside_a_model_everything_works_on_real_threads() {
    let shared = Arc::new((Mutex::new(0), Condvar::new(), RwLock::new(String::new())));
    let worker = {
        let shared = Arc::clone(&shared);
        thread::Builder::new()
            .name("worker".to_owned())
            .spawn(move || {
                *shared.0.lock().unwrap_or_else(PoisonError::into_inner) += 1;
                shared.2.write().unwrap_or_else(PoisonError::into_inner).push('x');
                shared.1.notify_all();
                thread::current().name().map(str::to_owned)
            })
            .expect("the system starts a thread")
    };
    let count = shared.0.lock().unwrap_or_else(PoisonError::into_inner);
    let count =
        shared.1.wait_while(count, |count| *count == 0).unwrap_or_else(PoisonError::into_inner);
    assert_eq!(*count, 1);
    drop(count);
    assert_eq!(worker.join().expect("it does not panic").as_deref(), Some("worker"));
    assert_eq!(*shared.2.read().unwrap_or_else(PoisonError::into_inner), "x");
    assert_eq!(Arc::strong_count(&shared), 1);
    let parked = thread::spawn(thread::park);
    parked.thread().unpark();
    parked.join().expect("an unparked thread ends");
    hint::spin_loop();
    thread::yield_now();
}

#[test]
fn a_panic_poisons_a_lock() {
    let lock = Arc::new((Mutex::new(1), RwLock::new(2)));
    let other = Arc::clone(&lock);
    let panicked = thread::spawn(move || {
        let _one = other.0.lock();
        let _two = other.1.write();
        panic!("on purpose");
    });
    assert!(panicked.join().is_err(), "it panicked");
    assert!(lock.0.is_poisoned() && lock.1.is_poisoned());
    assert!(matches!(lock.0.try_lock(), Err(TryLockError::Poisoned(_))));
    assert!(lock.1.read().is_err());
    lock.0.clear_poison();
    assert_eq!(lock.0.lock().ok().as_deref(), Some(&1));
}

#[test]
fn a_cell_lends_its_value() {
    let cell = UnsafeCell::new(1);
    // SAFETY: the cell is this thread's alone.
    cell.with_mut(|value| unsafe { *value += 1 });
    // SAFETY: as above.
    assert_eq!(cell.with(|value| unsafe { *value }), 2);
    assert_eq!(cell.into_inner(), 2);
}

selvedge_model::sync::thread_local! {
    static CALLS: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
    static NAMES: std::cell::RefCell<Vec<String>> =
        const { std::cell::RefCell::new(Vec::new()) };
}

#[test]
fn a_thread_local_value_is_the_threads_own() {
    CALLS.set(CALLS.get() + 1);
    NAMES.with_borrow_mut(|names| names.push("here".to_owned()));
    let elsewhere = thread::spawn(|| (CALLS.get(), NAMES.with_borrow(Vec::len)));
    assert_eq!(elsewhere.join().expect("it does not panic"), (0, 0));
    assert_eq!((CALLS.get(), NAMES.with_borrow(Vec::len)), (1, 1));
}

/// As in `std`, an ordering that makes no sense panics. (Chosen at run time: the compiler denies it.)
#[test]
fn a_load_that_releases_is_refused() {
    for order in [Ordering::Release, Ordering::AcqRel] {
        let load = || AtomicU64::new(0).load(std::hint::black_box(order));
        assert!(std::panic::catch_unwind(load).is_err(), "a load with {order:?}");
        let fail = || {
            let (cell, order) = (AtomicU64::new(0), std::hint::black_box(order));
            cell.compare_exchange(0, 1, Ordering::SeqCst, order)
        };
        assert!(std::panic::catch_unwind(fail).is_err(), "a failed exchange with {order:?}");
    }
    for order in [Ordering::Acquire, Ordering::AcqRel] {
        let store = || AtomicU64::new(0).store(1, std::hint::black_box(order));
        assert!(std::panic::catch_unwind(store).is_err(), "a store with {order:?}");
    }
}

/// As in `std`: whatever has a `const fn new` there has one here.
#[test]
fn constants_can_be_made() {
    use selvedge_model::sync::{Barrier, LazyLock, Once, OnceLock, Weak};

    macro_rules! integers {
        ($($atomic:ident)*) => { $(const _: $atomic = $atomic::new(1);)* };
    }
    integers! { AtomicI8 AtomicI16 AtomicI32 AtomicI64 AtomicIsize }
    integers! { AtomicU8 AtomicU16 AtomicU32 AtomicU64 AtomicUsize }
    const _: AtomicBool = AtomicBool::new(true);
    const _: AtomicPtr<u8> = AtomicPtr::new(std::ptr::null_mut());
    const _: UnsafeCell<u8> = UnsafeCell::new(1);
    const _: Mutex<Vec<u8>> = Mutex::new(Vec::new());
    const _: RwLock<Vec<u8>> = RwLock::new(Vec::new());
    const _: Condvar = Condvar::new();
    const _: Once = Once::new();
    const _: OnceLock<String> = OnceLock::new();
    const _: LazyLock<String> = LazyLock::new(String::new);
    const _: Barrier = Barrier::new(2);
    const _: Weak<u8> = Weak::new();

    static COUNT: AtomicU64 = AtomicU64::new(1);
    assert_eq!(COUNT.fetch_add(1, Ordering::Relaxed), 1);
    assert_eq!(COUNT.load(Ordering::Relaxed), 2, "a static changes outside a model");
}
