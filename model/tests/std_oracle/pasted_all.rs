#[test]
#[allow(unused, clippy::all, clippy::pedantic)]
fn pasted_all() {
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
        f0: AtomicBool,
        p0: AtomicPtr<u64>,
        m0: Mutex<()>,
        w0: RwLock<()>,
        c0: Condvar,
        o0: OnceLock<u64>,
        cell0: Plain,
        h2: Mutex<Option<Thread>>,
        t2_a0: Slot<Arc<Plain>>,
        t3_a0: Slot<Arc<Plain>>,
        t2_s0: Slot<Sender<u64>>,
        t3_r0: Slot<Receiver<u64>>,
        t2_s1: Slot<SyncSender<u64>>,
        t3_r1: Slot<Receiver<u64>>,
        t2_s2: Slot<SyncSender<u64>>,
        t3_r2: Slot<Receiver<u64>>,
    }
    let init = || {
        let a0 = Arc::new(Plain::default());
        let (s0, r0) = mpsc::channel();
        let t2_s0 = slot(s0.clone());
        drop(s0);
        let (s1, r1) = mpsc::sync_channel(1);
        let t2_s1 = slot(s1.clone());
        drop(s1);
        let (s2, r2) = mpsc::sync_channel(2);
        let t2_s2 = slot(s2.clone());
        drop(s2);
        Std::new(Shared {
            x0: AtomicU64::new(0),
            f0: AtomicBool::new(false),
            p0: AtomicPtr::new(p(0)),
            m0: Mutex::new(()),
            w0: RwLock::new(()),
            c0: Condvar::new(),
            o0: OnceLock::new(),
            cell0: Plain::default(),
            h2: Mutex::new(None),
            t2_a0: slot(a0.clone()),
            t3_a0: slot(a0),
            t2_s0: t2_s0,
            t3_r0: slot(r0),
            t2_s1: t2_s1,
            t3_r1: slot(r1),
            t2_s2: t2_s2,
            t3_r2: slot(r2),
        })
    };
    let model = Model::new(init)
        .thread("t0", |s: &Std<Shared>| {
            let mut log = Vec::<u64>::new();
            let mut children: Vec<thread::JoinHandle<Vec<u64>>> = Vec::new();
            assert!(s.x0.fetch_add(0, SeqCst) != 0, "on purpose");
            log.push(s.x0.swap(1, Relaxed));
            log.push(s.x0.fetch_add(1, Relaxed));
            log.push(s.x0.fetch_sub(1, Relaxed));
            log.push(s.x0.fetch_and(1, Relaxed));
            log.push(s.x0.fetch_or(1, Relaxed));
            log.push(s.x0.fetch_xor(1, Relaxed));
            log.push(s.x0.fetch_nand(1, Relaxed));
            log.push(s.x0.fetch_max(1, Relaxed));
            log.push(s.x0.fetch_min(1, Relaxed));
            log.push(s.x0.load(Acquire));
            s.x0.store(1, Release);
            log.push(either(s.x0.compare_exchange(0, 1, SeqCst, Relaxed)));
            log.push(either(s.x0.compare_exchange_weak(0, 1, SeqCst, Relaxed)));
            log.push(s.f0.load(Acquire) as u64);
            s.f0.store(true, Release);
            log.push(either(s.f0.compare_exchange(false, true, SeqCst, Relaxed)));
            log.push(either(s.f0.compare_exchange_weak(false, true, SeqCst, Relaxed)));
            log.push(n(s.p0.load(Acquire)));
            s.p0.store(p(1), Release);
            log.push(either(s.p0.compare_exchange(p(0), p(1), SeqCst, Relaxed).map(n).map_err(n)));
            log.push(either(s.p0.compare_exchange_weak(p(0), p(1), SeqCst, Relaxed).map(n).map_err(n)));
            log.push(s.f0.fetch_nand(true, Relaxed) as u64);
            log.push(n(s.p0.swap(p(1), Relaxed)));
            log.push(either(s.x0.fetch_update(Release, Acquire, |v| (v < 2).then(|| v + 1))));
            fence(SeqCst);
            hint::wait_until(|| s.x0.load(Acquire) == 1);
            while s.f0.load(Acquire) != true {
                hint::spin_loop();
            }
            (0..2).for_each(|_| hint::spin_loop());
            log
        })
        .thread("t1", |s: &Std<Shared>| {
            let mut log = Vec::<u64>::new();
            let mut children: Vec<thread::JoinHandle<Vec<u64>>> = Vec::new();
            let caught_1 = catch_unwind(AssertUnwindSafe(|| {
                {
                    let (mut guard_2, poisoned) = split(s.m0.lock());
                    log.push(poisoned);
                    let mut guard_2 = Some(guard_2);
                    panic!("on purpose");
                    drop(guard_2);
                }
            }));
            log.push(caught_1.is_err() as u64);
            if let Some((mut guard_3, poisoned)) = try_split(s.m0.try_lock()) {
                log.push(poisoned);
                let mut guard_3 = Some(guard_3);
                let (again, poisoned) = split(s.c0.wait(guard_3.take().unwrap()));
                guard_3 = Some(again);
                log.push(poisoned);
                let ((again, result), poisoned) = split(s.c0.wait_timeout(guard_3.take().unwrap(), SOON));
                guard_3 = Some(again);
                log.extend([result.timed_out() as u64, poisoned]);
                while s.x0.fetch_add(0, SeqCst) != 1 {
                    guard_3 = Some(split(s.c0.wait(guard_3.take().unwrap())).0);
                }
                drop(guard_3);
            } else {
                log.push(2);
            }
            {
                let (mut guard_4, poisoned) = split(s.w0.read());
                log.push(poisoned);
                s.c0.notify_one();
                drop(guard_4);
            }
            {
                let (mut guard_5, poisoned) = split(s.w0.write());
                log.push(poisoned);
                s.c0.notify_all();
                drop(guard_5);
            }
            if let Some((mut guard_6, poisoned)) = try_split(s.w0.try_read()) {
                log.push(poisoned);
                drop(guard_6);
            } else {
                log.push(2);
            }
            if let Some((mut guard_7, poisoned)) = try_split(s.w0.try_write()) {
                log.push(poisoned);
                drop(guard_7);
            } else {
                log.push(2);
            }
            if log.last() == Some(&2) {
                log.push(s.cell0.read());
                s.cell0.write();
            }
            log.push(s.o0.set(1).is_err() as u64);
            log.push(s.o0.get().copied().unwrap_or(0));
            let made_8 = *s.o0.get_or_init(|| {
                log.push(s.x0.fetch_add(1, SeqCst));
                2
            });
            log.push(made_8);
            log
        })
        .thread("t2", |s: &Std<Shared>| {
            let mut s2 = s.t2_s2.lock().unwrap().take();
            let mut s1 = s.t2_s1.lock().unwrap().take();
            let mut s0 = s.t2_s0.lock().unwrap().take();
            let mut a0 = s.t2_a0.lock().unwrap().take();
            let mut log = Vec::<u64>::new();
            let mut children: Vec<thread::JoinHandle<Vec<u64>>> = Vec::new();
            *split(s.h2.lock()).0 = Some(thread::current());
            thread::park();
            thread::park_timeout(SOON);
            while n(s.p0.compare_exchange(p(0), p(0), SeqCst, SeqCst).unwrap_or_else(|p| p)) != 1 {
                thread::park();
            }
            if let Some(end) = &s0 { log.push(sent(end.send(1).map_err(TrySendError::from))); }
            if let Some(end) = &s1 { log.push(sent(end.send(1).map_err(TrySendError::from))); }
            if let Some(end) = &s2 { log.push(sent(end.try_send(1))); }
            drop(s0.take());
            if let Some(end) = &a0 { log.push(Arc::strong_count(end) as u64); }
            if let Some(end) = &mut a0 { log.push(Arc::get_mut(end).map(|inside| inside.write()).is_some() as u64); }
            if let Some(end) = &a0 { end.read(); }
            if let Some(end) = a0.take() { log.push(Arc::into_inner(end).is_some() as u64); }
            log
        })
        .thread("t3", |s: &Std<Shared>| {
            let mut r2 = s.t3_r2.lock().unwrap().take();
            let mut r1 = s.t3_r1.lock().unwrap().take();
            let mut r0 = s.t3_r0.lock().unwrap().take();
            let mut a0 = s.t3_a0.lock().unwrap().take();
            let mut log = Vec::<u64>::new();
            let mut children: Vec<thread::JoinHandle<Vec<u64>>> = Vec::new();
            let handle_1 = split(s.h2.lock()).0.clone();
            log.push(handle_1.is_some() as u64);
            if let Some(thread) = handle_1 {
                thread.unpark();
            }
            if let Some(end) = &r0 { log.push(end.recv().map_or(0, |v| 10 + v)); }
            if let Some(end) = &r1 { log.push(match end.try_recv() { Ok(v) => 10 + v, Err(TryRecvError::Empty) => 1, Err(_) => 0 }); }
            if let Some(end) = &r2 { log.push(match end.recv_timeout(SOON) { Ok(v) => 10 + v, Err(RecvTimeoutError::Timeout) => 1, Err(_) => 0 }); }
            drop(r2.take());
            children.push({
                let (s, parent) = (Std::clone(s), thread::current());
                thread::spawn(move || {
                    let s = &s;
                    let mut log = Vec::<u64>::new();
                    let mut children: Vec<thread::JoinHandle<Vec<u64>>> = Vec::new();
                    parent.unpark();
                    {
                        let s = Std::clone(s);
                        let later = Box::new(move || {
                            let mut log = Vec::<u64>::new();
                            log.push(s.x0.fetch_add(1, SeqCst));
                        });
                        LATER.with(|slot| *slot.borrow_mut() = Some(Later(Some(later))));
                    }
                    log
                })
            });
            children.last().unwrap().thread().unpark();
            match children.pop().unwrap().join() {
                Ok(theirs) => {
                    log.push(50);
                    log.extend(theirs);
                }
                Err(_) => log.push(60),
            }
            drop(a0.take());
            log
        })
        .spurious(1)
        .finally("finals", |s| Vec::<u64>::from([s.x0.fetch_add(0, SeqCst), s.f0.fetch_or(false, SeqCst) as u64, n(s.p0.compare_exchange(p(0), p(0), SeqCst, SeqCst).unwrap_or_else(|p| p))]));
    let error = model.explore().expect_err("it may end in Panic");
    println!("{error}");
}
