//! The façade inside a model: each type does there what it does outside.

use std::panic::{AssertUnwindSafe, catch_unwind};

use selvedge_model::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use selvedge_model::sync::{
    Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, TryLockError, thread,
};
use selvedge_model::{Failure, Model};

#[test]
fn a_mutex_lets_in_one_at_a_time() {
    let add = |count: &Mutex<u64>| {
        let mut count = count.lock().unwrap_or_else(PoisonError::into_inner);
        let before = *count;
        thread::yield_now();
        *count = before + 1;
    };
    Model::new(|| Mutex::new(0))
        .thread("alice", add)
        .thread("bob", add)
        .finally("count", |count| *count.lock().unwrap_or_else(PoisonError::into_inner))
        .acceptable("count=2", "no update is lost")
        .check();
}

#[test]
fn try_lock_does_not_wait() {
    let try_add = |count: &Mutex<u64>| match count.try_lock() {
        Ok(mut count) => {
            *count += 1;
            true
        }
        Err(TryLockError::WouldBlock) => false,
        Err(TryLockError::Poisoned(_)) => unreachable!("no thread panics"),
    };
    Model::new(|| Mutex::new(0))
        .thread("alice", try_add)
        .thread("bob", |count: &Mutex<u64>| {
            let mut count = count.lock().unwrap_or_else(PoisonError::into_inner);
            thread::yield_now();
            *count += 1;
        })
        .finally("count", |count| *count.lock().unwrap_or_else(PoisonError::into_inner))
        .acceptable("alice=true count=2", "the lock was free")
        .acceptable("alice=false count=1", "the lock was taken")
        .check();
}

/// Whichever of the two is declared first.
#[test]
fn try_read_and_try_write_do_not_wait() {
    let hold = |lock: &RwLock<u64>| {
        let _guard = lock.write().unwrap_or_else(PoisonError::into_inner);
        thread::yield_now();
    };
    let reads = |lock: &RwLock<u64>| lock.try_read().is_ok();
    let writes = |lock: &RwLock<u64>| lock.try_write().is_ok();
    let model = || Model::new(|| RwLock::new(0));
    for model in [
        model().thread("hold", hold).thread("try", reads),
        model().thread("hold", hold).thread("try", writes),
        model().thread("try", reads).thread("hold", hold),
        model().thread("try", writes).thread("hold", hold),
    ] {
        model
            .acceptable("try=true", "the lock was free")
            .acceptable("try=false", "the lock was taken")
            .check();
    }
}

#[test]
fn readers_share_and_writers_do_not() {
    Model::new(|| RwLock::new((0, 0)))
        .thread("writer", |pair| {
            let mut pair = pair.write().unwrap_or_else(PoisonError::into_inner);
            pair.0 = 1;
            thread::yield_now();
            pair.1 = 1;
        })
        .thread("reader", |pair| *pair.read().unwrap_or_else(PoisonError::into_inner))
        .acceptable("reader=(0, 0)", "before")
        .acceptable("reader=(1, 1)", "after")
        .check();
}

#[test]
fn two_readers_hold_a_lock_at_once() {
    let meet = |(lock, inside): &(RwLock<()>, AtomicU64)| {
        let _guard = lock.read().unwrap_or_else(PoisonError::into_inner);
        let others = inside.fetch_add(1, SeqCst);
        inside.fetch_sub(1, SeqCst);
        others
    };
    Model::new(|| (RwLock::new(()), AtomicU64::new(0)))
        .thread("alice", meet)
        .thread("bob", meet)
        .acceptable("alice=0 bob=0", "one after the other")
        .interesting("alice=0 bob=1", "together")
        .interesting("alice=1 bob=0", "together")
        .check();
}

/// Each takes steps while it holds the lock, and no other thread does meanwhile.
#[test]
fn a_writer_is_alone() {
    type Shared = (Mutex<()>, RwLock<()>, AtomicU64);
    fn meet(inside: &AtomicU64) -> u64 {
        let others = inside.fetch_add(1, SeqCst);
        inside.fetch_sub(1, SeqCst);
        others
    }
    let lock = |(mutex, _, inside): &Shared| {
        let _guard = mutex.lock().unwrap_or_else(PoisonError::into_inner);
        meet(inside)
    };
    let write = |(_, lock, inside): &Shared| {
        let _guard = lock.write().unwrap_or_else(PoisonError::into_inner);
        meet(inside)
    };
    let read = |(_, lock, inside): &Shared| {
        let _guard = lock.read().unwrap_or_else(PoisonError::into_inner);
        meet(inside)
    };
    let model = || Model::new(|| (Mutex::new(()), RwLock::new(()), AtomicU64::new(0)));
    for model in [
        model().thread("alice", lock).thread("bob", lock),
        model().thread("alice", write).thread("bob", write),
        model().thread("alice", write).thread("bob", read),
    ] {
        model.acceptable("alice=0 bob=0", "one after the other").check();
    }
}

#[test]
fn notify_one_wakes_a_waiter() {
    Model::new(|| (Mutex::new(false), Condvar::new()))
        .thread("waiter", |(ready, changed)| {
            let ready = ready.lock().unwrap_or_else(PoisonError::into_inner);
            let ready = changed.wait_while(ready, |ready| !*ready);
            *ready.unwrap_or_else(PoisonError::into_inner)
        })
        .thread("waker", |(ready, changed)| {
            *ready.lock().unwrap_or_else(PoisonError::into_inner) = true;
            changed.notify_one();
        })
        .acceptable("waiter=true", "it always wakes")
        .check();
}

#[test]
fn park_waits_for_unpark() {
    Model::new(|| ())
        .thread("main", |()| {
            let flag = Arc::new(AtomicBool::new(false));
            let waiter = {
                let flag = Arc::clone(&flag);
                thread::spawn(move || {
                    while !flag.load(SeqCst) {
                        thread::park();
                    }
                    true
                })
            };
            flag.store(true, SeqCst);
            waiter.thread().unpark();
            waiter.join().expect("it does not panic")
        })
        .acceptable("main=true", "it ends: unpark comes after the store")
        .check();
}

/// A parked thread that no thread unparks waits for ever.
#[test]
fn the_end_of_a_thread_does_not_unpark() {
    for name in ["first", "second"] {
        let (park, end) = (|(): &()| thread::park(), |(): &()| ());
        let model = Model::new(|| ());
        let model = if name == "first" {
            model.thread("parks", park).thread("ends", end)
        } else {
            model.thread("ends", end).thread("parks", park)
        };
        model.fails(Failure::Deadlock).check();
    }
}

#[test]
fn the_last_owner_drops_the_value() {
    struct Counted(Arc<AtomicU64>);
    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.fetch_add(1, SeqCst);
        }
    }
    Model::new(|| {
        let drops = Arc::new(AtomicU64::new(0));
        let value = Arc::new(Counted(Arc::clone(&drops)));
        let owners = [Arc::clone(&value), value].map(|owner| Mutex::new(Some(owner)));
        (owners, drops)
    })
    .thread("alice", |(owners, _)| drop(take(&owners[0])))
    .thread("bob", |(owners, _)| drop(take(&owners[1])))
    .finally("drops", |(_, drops)| drops.load(SeqCst))
    .acceptable("drops=1", "once, by whoever came last")
    .check();
}

fn take<T>(slot: &Mutex<Option<T>>) -> Option<T> {
    slot.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// An owner is dropped before or after another one counts.
#[test]
fn owners_are_counted_at_any_moment() {
    type Slots = [Mutex<Option<Arc<u64>>>; 2];
    let slots = || {
        let value = Arc::new(7);
        [Arc::clone(&value), value].map(|owner| Mutex::new(Some(owner)))
    };
    let goes = |slots: &Slots| drop(take(&slots[0]));
    let count = |slots: &Slots| take(&slots[1]).map(|owner| Arc::strong_count(&owner) == 1);
    let only = |slots: &Slots| take(&slots[1]).map(|mut owner| Arc::get_mut(&mut owner).is_some());
    for model in [
        Model::new(slots).thread("goes", goes).thread("alone", count),
        Model::new(slots).thread("alone", count).thread("goes", goes),
        Model::new(slots).thread("goes", goes).thread("alone", only),
        Model::new(slots).thread("alone", only).thread("goes", goes),
    ] {
        model
            .acceptable("alone=Some(true)", "the other one had gone")
            .acceptable("alone=Some(false)", "it had not")
            .check();
    }
}

#[test]
fn an_arc_gives_its_value_back_to_the_only_owner() {
    Model::new(|| Mutex::new(Some(Arc::new(7))))
        .thread("alice", |slot| {
            let mut owner = take(slot)?;
            let second = Arc::clone(&owner);
            assert!(Arc::get_mut(&mut owner).is_none() && Arc::ptr_eq(&owner, &second));
            let owner = Arc::try_unwrap(owner).unwrap_err();
            drop(second);
            Arc::try_unwrap(owner).ok()
        })
        .acceptable("alice=Some(7)", "there was one owner in the end")
        .check();
}

#[test]
fn a_panic_that_is_caught_is_no_failure_and_poisons() {
    Model::new(|| (Mutex::new(1), RwLock::new(1)))
        .thread("alice", |(mutex, lock)| {
            let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                let _guards = (mutex.lock(), lock.write());
                panic!("on purpose");
            }));
            caught.is_err() && mutex.is_poisoned() && lock.is_poisoned()
        })
        .acceptable("alice=true", "caught, and the locks know")
        .check();
}

selvedge_model::sync::thread_local! {
    static MINE: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

#[test]
fn a_thread_local_value_starts_afresh_in_each_thread() {
    let body = |(): &()| {
        MINE.set(MINE.get() + 1);
        thread::yield_now();
        MINE.get()
    };
    Model::new(|| ())
        .thread("alice", body)
        .thread("bob", body)
        .finally("rest", |()| MINE.get())
        .rounds(1) // Real threads live on from round to round, and so do their values.
        .acceptable("alice=1 bob=1 rest=0", "each has its own")
        .check();
}

/// Which thread is numbered first depends on the interleaving, and that is no non-determinism.
#[test]
fn threads_spawned_at_the_same_time_are_told_apart() {
    let parent = |n| {
        move |count: &Arc<AtomicU64>| {
            count.fetch_add(1, SeqCst);
            let count = Arc::clone(count);
            let child = thread::spawn(move || count.fetch_add(n, SeqCst));
            child.thread().unpark();
            child.join().expect("an addition does not panic");
        }
    };
    Model::new(|| Arc::new(AtomicU64::new(0)))
        .thread("alice", parent(1))
        .thread("bob", parent(10))
        .finally("count", |count| count.load(SeqCst))
        .acceptable("count=13", "parents and children have all counted")
        .check();
}

/// Panics, and catches it, while it holds `guard`.
fn panics_with<G>(guard: impl FnOnce() -> G) {
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _held = guard();
        panic!("on purpose");
    }));
    assert!(caught.is_err(), "it panics");
}

/// Whatever a panic has poisoned can be taken again, by the same thread and by others.
#[test]
fn a_poisoned_lock_can_be_taken_again() {
    let add = |(mutex, lock): &(Mutex<u64>, RwLock<u64>)| {
        let mut mutex = mutex.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lock = lock.write().unwrap_or_else(PoisonError::into_inner);
        *mutex += 1;
        *lock += 1;
    };
    Model::new(|| (Mutex::new(0), RwLock::new(0)))
        .thread("panics", move |state| {
            panics_with(|| state.0.lock());
            panics_with(|| state.1.write());
            add(state);
            let tried =
                state.0.try_lock().is_err_and(|error| matches!(error, TryLockError::Poisoned(_)));
            let read = state.1.read().is_err();
            state.0.clear_poison();
            state.1.clear_poison();
            (tried, read)
        })
        .thread("adds", add)
        .finally("sums", |(mutex, lock)| {
            let sum = *mutex.lock().expect("declared sound");
            (sum, *lock.read().expect("declared sound"))
        })
        .acceptable("panics=(true, true) sums=(2, 2)", "nobody is locked out")
        .acceptable("panics=(false, true) sums=(2, 2)", "the other held the mutex")
        .check();
}

/// While one thread unwinds others run: they neither panic nor poison.
#[test]
fn a_thread_that_does_not_panic_poisons_nothing() {
    struct Steps<'a>(&'a AtomicU64);
    impl Drop for Steps<'_> {
        fn drop(&mut self) {
            assert!(thread::panicking(), "this one does");
            self.0.fetch_add(1, SeqCst);
        }
    }
    Model::new(|| (Mutex::new(0), AtomicU64::new(0)))
        .thread("panics", |(_, steps)| panics_with(|| Steps(steps)))
        .thread("works", |(mutex, steps)| {
            let mut held = mutex.lock().expect("no holder panics");
            *held += 1;
            steps.fetch_add(1, SeqCst);
            thread::panicking()
        })
        .finally("poisoned", |(mutex, _)| mutex.is_poisoned())
        .acceptable("works=false poisoned=false", "whatever the other one does")
        .check();
}

/// `resume_unwind` calls no panic hook; a lock that is held is poisoned, as in `std`.
#[test]
fn a_resumed_panic_poisons() {
    let resumes = |(mutex, lock): &(Mutex<u64>, RwLock<u64>)| {
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _guards = (mutex.lock(), lock.write());
            std::panic::resume_unwind(Box::new("on purpose"));
        }));
        caught.is_err() && mutex.is_poisoned() && lock.is_poisoned()
    };
    let works = |mutex: &Mutex<u64>| {
        *mutex.lock().expect("no thread panics that holds it") += 1;
        mutex.is_poisoned() || thread::panicking()
    };
    Model::new(|| ((Mutex::new(0), RwLock::new(0)), Mutex::new(0)))
        .thread("resumes", move |(locks, _)| resumes(locks))
        .thread("works", move |(_, mutex)| works(mutex))
        .acceptable("resumes=true works=false", "only the locks that were held are poisoned")
        .check();
}

/// What `is_poisoned` returns may decide what a thread does next: that is deterministic.
#[test]
fn a_thread_may_branch_on_is_poisoned() {
    type State = (Mutex<()>, RwLock<()>, AtomicU64);
    let check = |is_poisoned: fn(&State) -> bool| {
        Model::new(|| (Mutex::new(()), RwLock::new(()), AtomicU64::new(0)))
            .thread("asks", move |state: &State| {
                let before = state.2.load(SeqCst);
                let poisoned = is_poisoned(state);
                let flag = &state.2;
                let after = if poisoned { flag.swap(2, SeqCst) } else { flag.load(SeqCst) };
                (before, poisoned, after)
            })
            .thread("poisons", |(mutex, lock, flag)| {
                panics_with(|| mutex.lock());
                panics_with(|| lock.write());
                flag.store(1, SeqCst);
            })
            .acceptable("asks=(0, false, 0)", "it came first")
            .acceptable("asks=(0, false, 1)", "not yet poisoned, and the flag set since")
            .acceptable("asks=(0, true, 0)", "poisoned, and the flag not yet set")
            .acceptable("asks=(0, true, 1)", "poisoned, and the flag set since")
            .acceptable("asks=(1, true, 1)", "the flag was set before")
            .check();
    };
    check(|state| state.0.is_poisoned());
    check(|state| state.1.is_poisoned());
}

/// As in `std`. A trace shows a name all the same.
#[test]
fn a_thread_spawned_without_a_name_has_none() {
    let name = || thread::current().name().map(str::to_owned);
    Model::new(|| ())
        .thread("alice", move |()| {
            let unnamed = thread::spawn(name).join().expect("it does not panic");
            let named = thread::Builder::new().name("worker".to_owned()).spawn(name);
            let named = named.expect("it starts").join().expect("it does not panic");
            (unnamed, named)
        })
        .rounds(10)
        .acceptable("alice=(None, Some(\"worker\"))", "a name is what the thread was given")
        .check();
}

/// As in `std`.
#[test]
fn a_name_with_a_null_byte_panics() {
    fn message(spawn: impl FnOnce(thread::Builder)) -> String {
        let builder = thread::Builder::new().name("a\0b".to_owned());
        let payload = catch_unwind(AssertUnwindSafe(|| spawn(builder))).expect_err("it panics");
        let message = payload.downcast::<String>().expect("it has a message");
        message.split(':').next().unwrap_or_default().to_owned()
    }
    let spawns = || {
        let alone = message(|builder| _ = builder.spawn(|| ()));
        let scoped = message(|builder| {
            thread::scope(|scope| _ = builder.spawn_scoped(scope, || ()));
        });
        (alone == scoped, alone)
    };
    let expected = "alice=(true, \"thread name may not contain interior null bytes\")";
    Model::new(|| ())
        .thread("alice", move |()| spawns())
        .rounds(10)
        .acceptable(expected, "as in std")
        .check();
}

/// 64 KiB on the stack of a spawned thread, which asks for a megabyte, and of a declared one.
#[test]
#[expect(clippy::large_stack_arrays, reason = "that is what is tested")]
fn a_thread_has_a_deep_stack() {
    fn sums() -> u64 {
        let array = std::hint::black_box([1_u8; 1 << 16]);
        array.iter().map(|one| u64::from(*one)).sum()
    }
    let spawns = |count: &AtomicU64| {
        count.fetch_add(1, SeqCst);
        let child = thread::Builder::new().stack_size(1 << 20).spawn(|| {
            let more = std::hint::black_box([1_u8; 1 << 19]);
            sums() + u64::from(more[17])
        });
        child.expect("it starts").join().expect("it does not panic")
    };
    Model::new(|| AtomicU64::new(0))
        .thread("parent", spawns)
        .thread("declared", |count| {
            count.fetch_add(1, SeqCst);
            sums()
        })
        .rounds(10)
        .acceptable("parent=65537 declared=65536", "the arrays are whole")
        .check();
}

/// The mutex is poisoned, and locked once more by a destructor of the thread that unwinds.
#[test]
fn a_destructor_may_lock_while_its_thread_unwinds() {
    struct Adds<'a>(&'a Mutex<u64>);

    impl Drop for Adds<'_> {
        fn drop(&mut self) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        }
    }

    let add = |sum: &Mutex<u64>| *sum.lock().unwrap_or_else(PoisonError::into_inner) += 1;
    Model::new(|| Mutex::new(0))
        .thread("unwinds", |sum| panics_with(|| (sum.lock(), Adds(sum))))
        .thread("adds", add)
        .finally("sum", |sum| *sum.lock().unwrap_or_else(PoisonError::into_inner))
        .acceptable("sum=2", "the destructor counts, and so does the other thread")
        .check();
}

/// A guard that is older than the panic poisons the mutex when it is dropped, not when it is given to a wait.
#[test]
fn a_wait_in_a_destructor_during_unwinding_does_not_poison() {
    struct Waits<'a>(Option<MutexGuard<'a, bool>>, &'a Condvar);
    impl Drop for Waits<'_> {
        fn drop(&mut self) {
            let mut ready = self.0.take().expect("it is dropped once");
            while !*ready {
                ready = self.1.wait(ready).expect("no thread has poisoned it");
            }
        }
    }
    Model::new(|| (Mutex::new(false), Condvar::new()))
        .thread("waits", |(ready, changed)| {
            let panics = || {
                let _waits = Waits(ready.lock().ok(), changed);
                panic!("on purpose");
            };
            catch_unwind(AssertUnwindSafe(panics)).is_err()
        })
        .thread("sets", |(ready, changed)| {
            let mut guard = ready.lock().unwrap_or_else(PoisonError::into_inner);
            *guard = true;
            changed.notify_one();
        })
        .finally("poisoned", |(ready, _)| ready.is_poisoned())
        .acceptable("waits=true poisoned=true", "by the guard that was dropped")
        .check();
}
