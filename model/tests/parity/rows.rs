// What `std` has, each item as a row that must compile: included for `std` and for the drop-in, whose names are in
// scope here.

names! {
    ["sync" = sync] Arc Barrier BarrierWaitResult Condvar LazyLock LockResult Mutex MutexGuard Once OnceLock OnceState
        PoisonError RwLock RwLockReadGuard RwLockWriteGuard TryLockError TryLockResult WaitTimeoutResult Weak;
    ["sync::atomic" = sync::atomic] AtomicBool AtomicI8 AtomicI16 AtomicI32 AtomicI64 AtomicIsize AtomicPtr AtomicU8
        AtomicU16 AtomicU32 AtomicU64 AtomicUsize Ordering compiler_fence fence;
    ["sync::mpsc" = sync::mpsc] IntoIter Iter Receiver RecvError RecvTimeoutError SendError Sender SyncSender TryIter
        TryRecvError TrySendError channel sync_channel;
    ["thread" = thread] AccessError Builder JoinHandle LocalKey Scope ScopedJoinHandle Thread ThreadId
        available_parallelism current panicking park park_timeout scope sleep spawn yield_now;
}

methods! {

    "Arc::new" => { let _: Arc<u8> = Arc::new(1); }
    "Arc::new_cyclic" => { let _: Arc<u8> = Arc::new_cyclic(|_: &Weak<u8>| 1); }
    "Arc::new_uninit" => { let _: Arc<MaybeUninit<u8>> = Arc::new_uninit(); }
    "Arc::pin" => { let _: Pin<Arc<u8>> = Arc::pin(1); }
    "Arc::try_unwrap" => { let _: Result<u8, Arc<u8>> = Arc::try_unwrap(Arc::new(1)); }
    "Arc::into_inner" => { let _: Option<u8> = Arc::into_inner(Arc::new(1)); }
    "Arc::new_uninit_slice" => { let _: Arc<[MaybeUninit<u8>]> = Arc::new_uninit_slice(2); }
    // SAFETY: it is never called.
    "Arc::assume_init" => { let _: Arc<u8> = unsafe { Arc::<u8>::new_uninit().assume_init() }; }
    // SAFETY: it is never called.
    "Arc::from_raw" => { let _: Arc<str> = unsafe { Arc::from_raw(of()) }; }
    "Arc::into_raw" => { let _: *const str = Arc::into_raw(of::<Arc<str>>()); }
    // SAFETY: it is never called.
    "Arc::increment_strong_count" => { unsafe { Arc::increment_strong_count(of::<*const str>()) } }
    // SAFETY: it is never called.
    "Arc::decrement_strong_count" => { unsafe { Arc::decrement_strong_count(of::<*const str>()) } }
    "Arc::as_ptr" => { let _: *const str = Arc::as_ptr(&of::<Arc<str>>()); }
    "Arc::downgrade" => { let _: Weak<str> = Arc::downgrade(&of::<Arc<str>>()); }
    "Arc::weak_count" => { let _: usize = Arc::weak_count(&of::<Arc<str>>()); }
    "Arc::strong_count" => { let _: usize = Arc::strong_count(&of::<Arc<str>>()); }
    "Arc::ptr_eq" => { let _: bool = Arc::ptr_eq(&of::<Arc<str>>(), &of()); }
    "Arc::make_mut" => { let _: &mut u8 = Arc::make_mut(&mut Arc::new(1)); }
    "Arc::unwrap_or_clone" => { let _: u8 = Arc::unwrap_or_clone(Arc::new(1)); }
    "Arc::get_mut" => { let _: Option<&mut str> = Arc::get_mut(&mut of::<Arc<str>>()); }
    "Arc::downcast" => { let _: Result<Arc<u8>, _> = of::<Arc<dyn Any + Send + Sync>>().downcast(); }

    "Weak::new" => { let _: Weak<u8> = Weak::new(); }
    "const Weak::new" => { const { drop_later(Weak::<u8>::new()) } }
    // SAFETY: it is never called.
    "Weak::from_raw" => { let _: Weak<str> = unsafe { Weak::from_raw(of()) }; }
    "Weak::into_raw" => { let _: *const str = of::<Weak<str>>().into_raw(); }
    "Weak::as_ptr" => { let _: *const str = of::<Weak<str>>().as_ptr(); }
    "Weak::upgrade" => { let _: Option<Arc<str>> = of::<Weak<str>>().upgrade(); }
    "Weak::strong_count" => { let _: usize = of::<Weak<str>>().strong_count(); }
    "Weak::weak_count" => { let _: usize = of::<Weak<str>>().weak_count(); }
    "Weak::ptr_eq" => { let _: bool = of::<Weak<str>>().ptr_eq(&of()); }

    "Barrier::new" => { let _ = Barrier::new(1); }
    "const Barrier::new" => { const { drop_later(Barrier::new(1)) } }
    "Barrier::wait" => { let _: BarrierWaitResult = of::<Barrier>().wait(); }
    "BarrierWaitResult::is_leader" => { let _: bool = of::<BarrierWaitResult>().is_leader(); }

    "Condvar::new" => { let _ = Condvar::new(); }
    "const Condvar::new" => { const { drop_later(Condvar::new()) } }
    "Condvar::wait" => { let _is: LockResult<MutexGuard<'_, u8>> = of::<&Condvar>().wait(of()); }
    "Condvar::wait_while" => { let _is: LockResult<MutexGuard<'_, u8>> = of::<&Condvar>().wait_while(of(), |_: &mut u8| true); }
    "Condvar::wait_timeout" => {
        let _is: LockResult<(MutexGuard<'_, u8>, WaitTimeoutResult)> = of::<&Condvar>().wait_timeout(of(), Duration::ZERO);
    }
    "Condvar::wait_timeout_while" => {
        let _is: LockResult<(MutexGuard<'_, u8>, WaitTimeoutResult)> =
            of::<&Condvar>().wait_timeout_while(of(), Duration::ZERO, |_: &mut u8| true);
    }
    "Condvar::notify_one" => { of::<Condvar>().notify_one(); }
    "Condvar::notify_all" => { of::<Condvar>().notify_all(); }
    "WaitTimeoutResult::timed_out" => { let _: bool = of::<WaitTimeoutResult>().timed_out(); }

    "LazyLock::new" => { let _: LazyLock<u8, _> = LazyLock::new(|| 1); }
    "const LazyLock::new" => { const { drop_later(LazyLock::<u8>::new(|| 1)) } }
    "LazyLock::force" => { let _: &u8 = LazyLock::force(&of::<LazyLock<u8>>()); }

    "Mutex::new" => { let _ = Mutex::new(1); }
    "const Mutex::new" => { const { drop_later(Mutex::new(1)) } }
    "Mutex::lock" => { let _is: LockResult<MutexGuard<'_, str>> = of::<&Mutex<str>>().lock(); }
    "Mutex::try_lock" => { let _is: TryLockResult<MutexGuard<'_, str>> = of::<&Mutex<str>>().try_lock(); }
    "Mutex::is_poisoned" => { let _: bool = of::<&Mutex<str>>().is_poisoned(); }
    "Mutex::clear_poison" => { of::<&Mutex<str>>().clear_poison(); }
    "Mutex::into_inner" => { let _is: LockResult<u8> = Mutex::new(1).into_inner(); }
    "Mutex::get_mut" => { let _is: LockResult<&mut str> = of::<&mut Mutex<str>>().get_mut(); }

    "Once::new" => { let _ = Once::new(); }
    "const Once::new" => { const { drop_later(Once::new()) } }
    "Once::call_once" => { Once::new().call_once(|| ()); }
    "Once::call_once_force" => { Once::new().call_once_force(|_: &OnceState| ()); }
    "Once::is_completed" => { let _: bool = Once::new().is_completed(); }
    "Once::wait" => { Once::new().wait(); }
    "Once::wait_force" => { Once::new().wait_force(); }
    "OnceState::is_poisoned" => { let _: bool = of::<OnceState>().is_poisoned(); }

    "OnceLock::new" => { let _: OnceLock<u8> = OnceLock::new(); }
    "const OnceLock::new" => { const { drop_later(OnceLock::<u8>::new()) } }
    "OnceLock::get" => { let _: Option<&u8> = of::<OnceLock<u8>>().get(); }
    "OnceLock::get_mut" => { let _: Option<&mut u8> = of::<OnceLock<u8>>().get_mut(); }
    "OnceLock::wait" => { let _: &u8 = of::<OnceLock<u8>>().wait(); }
    "OnceLock::set" => { let _: Result<(), u8> = of::<OnceLock<u8>>().set(1); }
    "OnceLock::get_or_init" => { let _: &u8 = of::<OnceLock<u8>>().get_or_init(|| 1); }
    "OnceLock::into_inner" => { let _: Option<u8> = of::<OnceLock<u8>>().into_inner(); }
    "OnceLock::take" => { let _: Option<u8> = of::<OnceLock<u8>>().take(); }

    "RwLock::new" => { let _ = RwLock::new(1); }
    "const RwLock::new" => { const { drop_later(RwLock::new(1)) } }
    "RwLock::read" => { let _is: LockResult<RwLockReadGuard<'_, str>> = of::<&RwLock<str>>().read(); }
    "RwLock::try_read" => { let _is: TryLockResult<RwLockReadGuard<'_, str>> = of::<&RwLock<str>>().try_read(); }
    "RwLock::write" => { let _is: LockResult<RwLockWriteGuard<'_, str>> = of::<&RwLock<str>>().write(); }
    "RwLock::try_write" => { let _is: TryLockResult<RwLockWriteGuard<'_, str>> = of::<&RwLock<str>>().try_write(); }
    "RwLock::is_poisoned" => { let _: bool = of::<&RwLock<str>>().is_poisoned(); }
    "RwLock::clear_poison" => { of::<&RwLock<str>>().clear_poison(); }
    "RwLock::into_inner" => { let _is: LockResult<u8> = RwLock::new(1).into_inner(); }
    "RwLock::get_mut" => { let _is: LockResult<&mut str> = of::<&mut RwLock<str>>().get_mut(); }

    "Sender::send" => { let _: Result<(), SendError<u8>> = of::<Sender<u8>>().send(1); }
    "SyncSender::send" => { let _: Result<(), SendError<u8>> = of::<SyncSender<u8>>().send(1); }
    "SyncSender::try_send" => { let _: Result<(), TrySendError<u8>> = of::<SyncSender<u8>>().try_send(1); }
    "Receiver::recv" => { let _: Result<u8, RecvError> = of::<Receiver<u8>>().recv(); }
    "Receiver::try_recv" => { let _: Result<u8, TryRecvError> = of::<Receiver<u8>>().try_recv(); }
    "Receiver::recv_timeout" => { let _: Result<u8, RecvTimeoutError> = of::<Receiver<u8>>().recv_timeout(Duration::ZERO); }
    "Receiver::iter" => { let _: Iter<'_, u8> = of::<Receiver<u8>>().iter(); }
    "Receiver::try_iter" => { let _: TryIter<'_, u8> = of::<Receiver<u8>>().try_iter(); }

    "use thread::Result" => { let _: thread::Result<u8> = Ok(1); }
    "Builder::new" => { let _ = Builder::new(); }
    "Builder::name" => { let _: Builder = Builder::new().name(String::new()); }
    "Builder::stack_size" => { let _: Builder = Builder::new().stack_size(1); }
    "Builder::spawn" => { let _: io::Result<JoinHandle<u8>> = Builder::new().spawn(|| 1); }
    // SAFETY: it is never called.
    "Builder::spawn_unchecked" => { let _: io::Result<JoinHandle<u8>> = unsafe { Builder::new().spawn_unchecked(|| 1) }; }
    "Builder::spawn_scoped" => {
        thread::scope(|scope| {
            let _: io::Result<ScopedJoinHandle<'_, u8>> = Builder::new().spawn_scoped(scope, || 1);
        });
    }
    "JoinHandle::thread" => { let _: &Thread = of::<JoinHandle<u8>>().thread(); }
    "JoinHandle::is_finished" => { let _: bool = of::<&JoinHandle<u8>>().is_finished(); }
    "JoinHandle::join" => { let _: thread::Result<u8> = of::<JoinHandle<u8>>().join(); }
    "ScopedJoinHandle::thread" => { let _: &Thread = of::<ScopedJoinHandle<'_, u8>>().thread(); }
    "ScopedJoinHandle::is_finished" => { let _: bool = of::<&ScopedJoinHandle<'_, u8>>().is_finished(); }
    "ScopedJoinHandle::join" => { let _: thread::Result<u8> = of::<ScopedJoinHandle<'_, u8>>().join(); }
    "Scope::spawn" => { thread::scope(|scope| { let _: ScopedJoinHandle<'_, u8> = scope.spawn(|| 1); }); }
    "Thread::unpark" => { of::<Thread>().unpark(); }
    "Thread::id" => { let _: ThreadId = of::<Thread>().id(); }
    "Thread::name" => { let _: Option<&str> = of::<Thread>().name(); }
    "LocalKey::with" => { let _: u8 = of::<&LocalKey<u8>>().with(|&value: &u8| value); }
    "LocalKey::try_with" => { let _: Result<u8, AccessError> = of::<&LocalKey<u8>>().try_with(|&value| value); }
    "LocalKey::set" => { of::<&LocalKey<Cell<u8>>>().set(1); of::<&LocalKey<RefCell<u8>>>().set(1); }
    "LocalKey::get" => { let _: u8 = of::<&LocalKey<Cell<u8>>>().get(); }
    "LocalKey::take" => {
        let _: u8 = of::<&LocalKey<Cell<u8>>>().take();
        let _: u8 = of::<&LocalKey<RefCell<u8>>>().take();
    }
    "LocalKey::replace" => {
        let _: u8 = of::<&LocalKey<Cell<u8>>>().replace(1);
        let _: u8 = of::<&LocalKey<RefCell<u8>>>().replace(1);
    }
    "LocalKey::with_borrow" => { let _: u8 = of::<&LocalKey<RefCell<u8>>>().with_borrow(|&value: &u8| value); }
    "LocalKey::with_borrow_mut" => { of::<&LocalKey<RefCell<u8>>>().with_borrow_mut(|value: &mut u8| *value = 1); }

    "UnsafeCell::new" => { let _ = UnsafeCell::new(1); }
    "const UnsafeCell::new" => { const { drop_later(UnsafeCell::new(1)) } }
    "UnsafeCell::into_inner" => { let _: u8 = UnsafeCell::new(1).into_inner(); }
    "UnsafeCell::get" => { let _: *mut str = of::<&UnsafeCell<str>>().get(); }
    "UnsafeCell::get_mut" => { let _: &mut str = of::<&mut UnsafeCell<str>>().get_mut(); }
}

traits! {
    Arc<str> as "Arc<T>": AsRef<str> as "AsRef<T>", Borrow<str> as "Borrow<T>", Clone, Debug, Deref, Display, Hash, Ord,
        PartialEq, PartialOrd, Pointer, Eq, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe, From<Box<str>> as "From<Box<T>>";
    Arc<dyn Error> as "Arc<T>": Error;
    Arc<File> as "Arc<T>": AsFd, AsRawFd;
    Arc<u8> as "Arc<T>": Default, From<u8> as "From<T>";
    Arc<File> as "Arc<File>": Read, Seek, Write;
    Arc<[u8]> as "Arc<[T]>": Default, From<&'static [u8]> as "From<&[T]>", From<&'static mut [u8]> as "From<&mut [T]>",
        From<[u8; 2]> as "From<[T; N]>", From<Vec<u8>> as "From<Vec<T>>", FromIterator<u8> as "FromIterator<T>";
    Arc<[u8]> as "Arc<[u8]>": From<Arc<str>> as "From<Arc<str>>";
    Arc<[u8; 2]> as "Arc<[T; N]>": TryFrom<Arc<[u8]>> as "TryFrom<Arc<[T]>>";
    Arc<str> as "Arc<str>": Default, From<&'static str> as "From<&str>", From<&'static mut str> as "From<&mut str>",
        From<String>;
    Arc<str> as "Arc<B>": From<Cow<'static, str>> as "From<Cow<'a, B>>";
    Arc<CStr> as "Arc<CStr>": Default, From<&'static CStr> as "From<&CStr>", From<&'static mut CStr> as "From<&mut CStr>",
        From<CString>;
    Arc<OsStr> as "Arc<OsStr>": From<&'static OsStr> as "From<&OsStr>",
        From<&'static mut OsStr> as "From<&mut OsStr>", From<OsString>;
    Arc<Path> as "Arc<Path>": From<&'static Path> as "From<&Path>", From<&'static mut Path> as "From<&mut Path>",
        From<PathBuf>;
    Weak<str> as "Weak<T>": Clone, Debug, Send, Sync, RefUnwindSafe, Unpin, UnwindSafe;
    Weak<u8> as "Weak<T>": Default;
    Barrier as "Barrier": Debug, RefUnwindSafe, Send, Sync, Unpin, UnwindSafe;
    BarrierWaitResult as "BarrierWaitResult": Debug, RefUnwindSafe, Send, Sync, Unpin, UnwindSafe;
    Condvar as "Condvar": Debug, Default, RefUnwindSafe, UnwindSafe, Send, Sync, Unpin;
    WaitTimeoutResult as "WaitTimeoutResult": Clone, Debug, PartialEq, Copy, Eq, RefUnwindSafe, Send, Sync, Unpin,
        UnwindSafe;
    LazyLock<u8> as "LazyLock<T, F>": Debug, Deref, RefUnwindSafe, Sync, UnwindSafe, Send, Unpin;
    LazyLock<u8> as "LazyLock<T>": Default;
    Mutex<Cell<u8>> as "Mutex<T>": Debug, Default, From<Cell<u8>> as "From<T>", RefUnwindSafe, Send, Sync, UnwindSafe,
        Unpin;
    MutexGuard<'static, str> as "MutexGuard<T>": Debug, Deref, DerefMut, Display, Sync, RefUnwindSafe, Unpin, UnwindSafe;
    Once as "Once": Debug, RefUnwindSafe, UnwindSafe, Send, Sync, Unpin;
    OnceState as "OnceState": Debug, Send, Unpin, UnwindSafe;
    OnceLock<u8> as "OnceLock<T>": Clone, Debug, Default, From<u8> as "From<T>", PartialEq, Eq, RefUnwindSafe, Send,
        Sync, UnwindSafe, Unpin;
    RwLock<u8> as "RwLock<T>": Debug, Default, From<u8> as "From<T>", RefUnwindSafe, Send, Sync, UnwindSafe, Unpin;
    RwLockReadGuard<'static, str> as "RwLockReadGuard<T>": Debug, Deref, Display, Sync, RefUnwindSafe, Unpin, UnwindSafe;
    RwLockWriteGuard<'static, str> as "RwLockWriteGuard<T>": Debug, Deref, DerefMut, Display, Sync, RefUnwindSafe, Unpin,
        UnwindSafe;
    Sender<Cell<u8>> as "Sender<T>": Clone, Debug, Send, Sync, RefUnwindSafe, Unpin, UnwindSafe;
    SyncSender<Cell<u8>> as "SyncSender<T>": Clone, Debug, Send, Sync, RefUnwindSafe, Unpin, UnwindSafe;
    Receiver<Cell<u8>> as "Receiver<T>": Debug, Send, IntoIterator, RefUnwindSafe, Unpin, UnwindSafe;
    &'static Receiver<u8> as "&Receiver<T>": IntoIterator;
    Iter<'static, u8> as "Iter<T>": Debug, Iterator, RefUnwindSafe, Unpin, UnwindSafe;
    TryIter<'static, u8> as "TryIter<T>": Debug, Iterator, RefUnwindSafe, Unpin, UnwindSafe;
    IntoIter<u8> as "IntoIter<T>": Debug, Iterator, Send, RefUnwindSafe, Unpin, UnwindSafe;
    Builder as "Builder": Debug, RefUnwindSafe, Send, Sync, Unpin, UnwindSafe;
    JoinHandle<*const u8> as "JoinHandle<T>": Debug, Send, Sync, Unpin;
    ScopedJoinHandle<'static, u8> as "ScopedJoinHandle<T>": Debug, Send, Sync, Unpin;
    Scope<'static, 'static> as "Scope": Debug, RefUnwindSafe, Send, Sync, Unpin;
    Thread as "Thread": Clone, Debug, RefUnwindSafe, Send, Sync, Unpin, UnwindSafe;
    ThreadId as "ThreadId": Clone, Debug, Hash, PartialEq, Copy, Eq, RefUnwindSafe, Send, Sync, Unpin, UnwindSafe;
    LocalKey<Cell<*const u8>> as "LocalKey<T>": Debug, RefUnwindSafe, Send, Sync, Unpin, UnwindSafe;
    AccessError as "AccessError": Clone, Debug, Display, Error, PartialEq, Copy, Eq, RefUnwindSafe, Send, Sync, Unpin,
        UnwindSafe;
    UnsafeCell<u8> as "UnsafeCell<T>": Debug, Default, From<u8> as "From<T>", Send, Unpin, UnwindSafe;
    AtomicBool as "AtomicBool": From<bool>;
    AtomicPtr<u8> as "AtomicPtr<T>": From<*mut u8> as "From<*mut T>", Pointer;
}

not! {
    MutexGuard<'static, u8> as "MutexGuard<T>": Send;
    OnceState as "OnceState": Sync, RefUnwindSafe;
    RwLockReadGuard<'static, u8> as "RwLockReadGuard<T>": Send;
    RwLockWriteGuard<'static, u8> as "RwLockWriteGuard<T>": Send;
    Receiver<u8> as "Receiver<T>": Sync;
    Iter<'static, u8> as "Iter<T>": Send, Sync;
    TryIter<'static, u8> as "TryIter<T>": Send, Sync;
    IntoIter<u8> as "IntoIter<T>": Sync;
    JoinHandle<u8> as "JoinHandle<T>": UnwindSafe, RefUnwindSafe;
    ScopedJoinHandle<'static, u8> as "ScopedJoinHandle<T>": UnwindSafe, RefUnwindSafe;
    Scope<'static, 'static> as "Scope": UnwindSafe;
    UnsafeCell<u8> as "UnsafeCell<T>": Sync, RefUnwindSafe;
}

// Where a bound is missing: not rows of `std`, but as in `std`.
static_assertions::assert_not_impl_any!(MutexGuard<'static, Cell<u8>>: Sync);
static_assertions::assert_not_impl_any!(RwLockReadGuard<'static, Cell<u8>>: Sync);
static_assertions::assert_not_impl_any!(RwLockWriteGuard<'static, Cell<u8>>: Sync);
static_assertions::assert_not_impl_any!(Mutex<MutexGuard<'static, u8>>: Send, Sync);
static_assertions::assert_not_impl_any!(RwLock<Cell<u8>>: Sync);
static_assertions::assert_not_impl_any!(OnceLock<Cell<u8>>: Sync, RefUnwindSafe);
static_assertions::assert_not_impl_any!(LazyLock<Cell<u8>>: Sync, RefUnwindSafe);
static_assertions::assert_not_impl_any!(Arc<Cell<u8>>: Send, Sync, UnwindSafe);
static_assertions::assert_not_impl_any!(Weak<Cell<u8>>: Send, Sync, UnwindSafe);
static_assertions::assert_not_impl_any!(Sender<MutexGuard<'static, u8>>: Send, Sync);
static_assertions::assert_not_impl_any!(Receiver<MutexGuard<'static, u8>>: Send);
static_assertions::assert_not_impl_any!(BarrierWaitResult: Clone, PartialEq);

/// The types of the free functions.
fn functions() {
    let _: io::Result<NonZeroUsize> = available_parallelism();
    let _: (Sender<u8>, Receiver<u8>) = channel();
    let _: (SyncSender<u8>, Receiver<u8>) = sync_channel(0);
    let _: Thread = current();
    let _: bool = panicking();
    let _: u8 = scope(|_: &Scope<'_, '_>| 1);
    let _: JoinHandle<u8> = spawn(|| 1);
    (park(), park_timeout(Duration::ZERO), sleep(Duration::ZERO), yield_now());
    (fence(Ordering::SeqCst), compiler_fence(Ordering::SeqCst));
    let _is: LockResult<u8> = Ok(PoisonError::new(1).into_inner());
    let _is: TryLockResult<u8> = Err(TryLockError::WouldBlock);
}

atomics! {
    AtomicU8 u8; AtomicU16 u16; AtomicU32 u32; AtomicU64 u64; AtomicUsize usize;
    AtomicI8 i8; AtomicI16 i16; AtomicI32 i32; AtomicI64 i64; AtomicIsize isize;
}
all_atomics! {
    AtomicU8, "AtomicU8", u8; AtomicU16, "AtomicU16", u16; AtomicU32, "AtomicU32", u32;
    AtomicU64, "AtomicU64", u64; AtomicUsize, "AtomicUsize", usize; AtomicI8, "AtomicI8", i8;
    AtomicI16, "AtomicI16", i16; AtomicI32, "AtomicI32", i32; AtomicI64, "AtomicI64", i64;
    AtomicIsize, "AtomicIsize", isize; AtomicBool, "AtomicBool", bool; AtomicPtr, "AtomicPtr<T>", *mut u8;
}
flags! {
    fetch_and(true); fetch_nand(true); fetch_or(true); fetch_xor(true); fetch_not();
}
