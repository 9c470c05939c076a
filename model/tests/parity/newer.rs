// What `std` has had only since versions that are newer than the one that this package supports: the checker's types
// have it on each.

methods! {
    "Arc::new_zeroed" => { let _: Arc<MaybeUninit<u8>> = Arc::new_zeroed(); }
    "Arc::new_zeroed_slice" => { let _: Arc<[MaybeUninit<u8>]> = Arc::new_zeroed_slice(2); }
    "LazyLock::force_mut" => { let _: &mut u8 = LazyLock::force_mut(&mut of::<LazyLock<u8>>()); }
    "LazyLock::get_mut" => { let _: Option<&mut u8> = LazyLock::get_mut(&mut of::<LazyLock<u8>>()); }
    "LazyLock::get" => { let _: Option<&u8> = LazyLock::get(&of::<LazyLock<u8>>()); }
    "RwLockWriteGuard::downgrade" => {
        let _is: RwLockReadGuard<'_, str> = RwLockWriteGuard::downgrade(of::<RwLockWriteGuard<'_, str>>());
    }
    "AtomicPtr::fetch_ptr_add" => { let _: *mut u8 = of::<AtomicPtr<u8>>().fetch_ptr_add(1, Ordering::SeqCst); }
    "AtomicPtr::fetch_ptr_sub" => { let _: *mut u8 = of::<AtomicPtr<u8>>().fetch_ptr_sub(1, Ordering::SeqCst); }
    "AtomicPtr::fetch_byte_add" => { let _: *mut u8 = of::<AtomicPtr<u8>>().fetch_byte_add(1, Ordering::SeqCst); }
    "AtomicPtr::fetch_byte_sub" => { let _: *mut u8 = of::<AtomicPtr<u8>>().fetch_byte_sub(1, Ordering::SeqCst); }
    "AtomicPtr::fetch_or" => { let _: *mut u8 = of::<AtomicPtr<u8>>().fetch_or(1, Ordering::SeqCst); }
    "AtomicPtr::fetch_and" => { let _: *mut u8 = of::<AtomicPtr<u8>>().fetch_and(1, Ordering::SeqCst); }
    "AtomicPtr::fetch_xor" => { let _: *mut u8 = of::<AtomicPtr<u8>>().fetch_xor(1, Ordering::SeqCst); }
}

traits! {
    Pin<Arc<str>> as "Pin<Arc<T>>": Default;
    LazyLock<u8> as "LazyLock<T, F>": DerefMut;
}

updates! {
    AtomicU8, u8; AtomicU16, u16; AtomicU32, u32; AtomicU64, u64; AtomicUsize, usize; AtomicI8, i8; AtomicI16, i16;
    AtomicI32, i32; AtomicI64, i64; AtomicIsize, isize; AtomicBool, bool; AtomicPtr, *mut u8;
}
