#[test]
#[allow(unused, clippy::all, clippy::pedantic)]
fn pasted() {
    use std::cell::RefCell;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Arc as Std;
    use std::time::Duration;

    use selvedge_model::Model;
    use selvedge_model::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering::*, fence};
    use selvedge_model::sync::cell::UnsafeCell;
    use selvedge_model::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, SyncSender, TryRecvError, TrySendError};
    use selvedge_model::sync::thread::{self, Thread};
    use selvedge_model::sync::{Arc, Condvar, LockResult, Mutex, OnceLock, PoisonError, RwLock, TryLockError, hint};

    type Slot<T> = std::sync::Mutex<Option<T>>;
    fn slot<T>(end: T) -> Slot<T> {
        std::sync::Mutex::new(Some(end))
    }
    fn p(number: usize) -> *mut u64 {
        std::ptr::without_provenance_mut(8 * number)
    }
    fn n(pointer: *mut u64) -> u64 {
        pointer.addr() as u64 / 8
    }
    fn either<T: Into<u64>>(result: Result<T, T>) -> u64 {
        match result {
            Ok(value) => value.into().wrapping_mul(2),
            Err(value) => value.into().wrapping_mul(2) + 1,
        }
    }
    fn sent(result: Result<(), TrySendError<u64>>) -> u64 {
        match result {
            Ok(()) => 0,
            Err(TrySendError::Disconnected(_)) => 1,
            Err(TrySendError::Full(_)) => 2,
        }
    }
    fn split<G>(result: LockResult<G>) -> (G, u64) {
        match result {
            Ok(guard) => (guard, 0),
            Err(poison) => (poison.into_inner(), 1),
        }
    }
    fn try_split<G>(result: Result<G, TryLockError<G>>) -> Option<(G, u64)> {
        match result {
            Ok(guard) => Some((guard, 0)),
            Err(TryLockError::Poisoned(poison)) => Some((poison.into_inner(), 1)),
            Err(TryLockError::WouldBlock) => None,
        }
    }
    const SOON: Duration = Duration::from_micros(50);
    #[derive(Default)]
    struct Plain(UnsafeCell<u64>);
    // SAFETY: none: the checker finds the races.
    unsafe impl Sync for Plain {}
    impl Plain {
        fn read(&self) -> u64 {
            // SAFETY: none; as above.
            self.0.with(|value| unsafe { *value })
        }
        fn write(&self) {
            // SAFETY: none; as above.
            self.0.with_mut(|value| unsafe { *value += 1 });
        }
    }
    struct Later(Option<Box<dyn FnOnce()>>);
    impl Drop for Later {
        fn drop(&mut self) {
            if let Some(steps) = self.0.take() {
                steps();
            }
        }
    }
    selvedge_model::sync::thread_local! {
        static LATER: RefCell<Option<Later>> = RefCell::new(None);
    }
    struct Shared {
        x0: AtomicU64,
        x1: AtomicU64,
        m0: Mutex<()>,
        c0: Condvar,
        t0_s1: Slot<SyncSender<u64>>,
        t1_r1: Slot<Receiver<u64>>,
    }
    let init = || {
        let (s1, r1) = mpsc::sync_channel(1);
        let t0_s1 = slot(s1.clone());
        drop(s1);
        Std::new(Shared {
            x0: AtomicU64::new(0),
            x1: AtomicU64::new(0),
            m0: Mutex::new(()),
            c0: Condvar::new(),
            t0_s1: t0_s1,
            t1_r1: slot(r1),
        })
    };
    let model = Model::new(init)
        .thread("t0", |s: &Std<Shared>| {
            let mut s1 = s.t0_s1.lock().unwrap().take();
            let mut log = Vec::<u64>::new();
            let mut children: Vec<thread::JoinHandle<Vec<u64>>> = Vec::new();
            {
                let (mut guard_1, poisoned) = split(s.m0.lock());
                log.push(poisoned);
                let mut guard_1 = Some(guard_1);
                let ((again, result), poisoned) = split(s.c0.wait_timeout(guard_1.take().unwrap(), SOON));
                guard_1 = Some(again);
                log.extend([result.timed_out() as u64, poisoned]);
                s.x0.store(2, Release);
                drop(guard_1);
            }
            if let Some(end) = &s1 { log.push(sent(end.try_send(1))); }
            log
        })
        .thread("t1", |s: &Std<Shared>| {
            let mut r1 = s.t1_r1.lock().unwrap().take();
            let mut log = Vec::<u64>::new();
            let mut children: Vec<thread::JoinHandle<Vec<u64>>> = Vec::new();
            s.c0.notify_one();
            if let Some(end) = &r1 { log.push(end.recv().map_or(0, |v| 10 + v)); }
            {
                let s = Std::clone(s);
                let later = Box::new(move || {
                    let mut log = Vec::<u64>::new();
                    log.push(s.x1.fetch_add(1, SeqCst));
                });
                LATER.with(|slot| *slot.borrow_mut() = Some(Later(Some(later))));
            }
            log
        })
        .spurious(0)
        .finally("finals", |s| Vec::<u64>::from([s.x0.load(SeqCst), s.x1.load(SeqCst)]));
    let report = model.explore().expect("it does not fail");
    let expected = [
        "t0=[0, 0, 0, 0] t1=[11] finals=[2, 1]",
        "t0=[0, 1, 0, 0] t1=[11] finals=[2, 1]",
    ];
    for outcome in expected {
        assert!(report.seen(outcome) > 0, "missed: {outcome}");
    }
}
