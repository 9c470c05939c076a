//! Executions that end with an error, and what is said of it.

use std::ops::ControlFlow;
use std::sync::Arc as Shared;

use selvedge_model::engine::graph::{Config, Ending, explore_results};
use selvedge_model::kernel::{self, Access, CellKind, Made};
use selvedge_model::render::{Detail, picture};
use selvedge_model::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use selvedge_model::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, fence};
use selvedge_model::sync::{Condvar, Mutex, RwLock, hint};

use super::support::{Plain, error, pair, spawn};

#[test]
fn message_passing_without_release() {
    let (picture, told) = error(|| {
        pair(
            (Plain::new(), AtomicBool::new(false)),
            |(memory, ready)| {
                memory.write(1);
                ready.store(true, Relaxed);
            },
            |(memory, ready)| ready.load(Acquire).then(|| memory.read()),
        )
    });
    assert_eq!(
        picture,
        r"
      alice                      bob
   1  c1.write
   2  a1.store true
   3                             a1.load = true
                                 c1.read: data race

  a1: AtomicBool
  c1: UnsafeCell
"
    );
    assert_eq!(
        told,
        "c1: alice writes at :, bob reads at :, and no happens-before edge orders the \
         two; bob's a1.load acq at : reads from alice's a1.store rlx at :, but they do \
         not synchronise: the store must release"
    );
}

#[test]
fn a_race_is_shown_last_whatever_ran_first() {
    let mut seconds = Vec::new();
    for reversed in [false, true] {
        let program = || {
            let write = |memory: &Plain| {
                fence(Release);
                memory.write(1);
            };
            let memory = Shared::new(Plain::new());
            let shared = memory.clone();
            let alice = spawn("alice", move || write(&shared));
            write(&memory);
            alice.join().unwrap();
        };
        let config = Config { reversed, ..Config::default() };
        explore_results(&config, program, |execution, _| {
            let Ending::Race { second, .. } = *execution.ending() else { panic!("a race") };
            let picture = picture(execution, Detail::Threads);
            let last = picture.rows.last().expect("a row");
            assert_eq!((&*last.text, last.thread), ("c1.write: data race", second.thread));
            seconds.push(second.thread);
            ControlFlow::Break(())
        });
    }
    assert_eq!(seconds, [1, 0]);
}

/// As where a lock fails to protect it, which takes a mutation.
#[test]
fn a_race_on_what_a_mutex_protects() {
    let (picture, told) = error(|| {
        let mutex = Shared::new(Mutex::new(0));
        let site = std::panic::Location::caller();
        let contents = kernel::with(|engine| {
            let kind = CellKind::Contents { lock: engine.make(mutex_state(), site) };
            engine.make(Made::Cell(kind), site)
        });
        let write = move || {
            kernel::with(|engine| engine.access(contents.unwrap(), Access::Write, site));
        };
        pair(mutex, move |_| write(), move |mutex| drop((mutex.lock(), write())));
    });
    assert_eq!(
        picture,
        r"
      alice                      bob
   1  m2.contents.write
   2                             m1.lock
                                 m2.contents.write: data
                                   race

  m1: Mutex
  m2: Mutex
"
    );
    assert_eq!(
        told,
        "m2.contents: alice writes at :, bob writes at :, and no happens-before edge orders the two"
    );
}

fn mutex_state() -> Made {
    Made::Object(kernel::object::Mutex::default().into())
}

#[test]
fn what_a_race_lacks() {
    let told = |store, load| {
        let (_, told) = error(move || {
            pair(
                (Plain::new(), AtomicBool::new(false)),
                move |(memory, ready)| {
                    memory.write(1);
                    ready.store(true, store);
                },
                move |(memory, ready)| ready.load(load).then(|| memory.read()),
            )
        });
        told.rsplit_once(": ").map(|(_, needed)| needed.to_owned())
    };
    assert_eq!(told(Release, Relaxed).as_deref(), Some("the load must acquire"));
    let both = "the store must release and the load must acquire";
    assert_eq!(told(Relaxed, Relaxed).as_deref(), Some(both));
    // No read could have told.
    let (_, alone) = error(|| pair(Plain::new(), |memory| memory.write(1), |memory| memory.read()));
    assert_eq!(
        alone,
        "c1: alice writes at :, bob reads at :, and no happens-before edge orders the \
         two"
    );
}

#[test]
fn an_object_published_without_release() {
    let (picture, told) = error(|| {
        pair(
            AtomicPtr::new(std::ptr::null_mut()),
            |slot| slot.store(Box::into_raw(Box::new(AtomicU64::new(1))), Relaxed),
            |slot| {
                let found = slot.load(Relaxed);
                // SAFETY: it is never freed, and a race ends the execution.
                (!found.is_null()).then(|| unsafe { &*found }.load(Relaxed))
            },
        )
    });
    assert_eq!(
        picture,
        r"
      alice                      bob
   1  a1.store p1
   2                             a1.load = p1
                                 a2.load: data race

  a1: AtomicPtr
  a2: AtomicU64
"
    );
    assert_eq!(
        told,
        "a2: alice makes it at :, bob loads rlx at :, and no happens-before edge \
         orders the two; bob's a1.load rlx at : reads from alice's a1.store rlx at :, \
         but they do not synchronise: the store must release and the load must acquire"
    );
}

#[test]
fn use_after_free() {
    let (picture, told) = error(|| {
        pair(
            (),
            |()| {
                let x = Box::into_raw(Box::new(AtomicU64::new(0)));
                // SAFETY: it was a box.
                drop(unsafe { Box::from_raw(x) });
                // SAFETY: not sound, and to be reported; the memory is kept until the execution is over.
                unsafe { &*x }.load(Relaxed);
            },
            |()| (),
        )
    });
    assert_eq!(
        picture,
        r"
      alice
   1  a1.drop
      a1.load: use after free

  a1: AtomicU64
"
    );
    assert_eq!(told, "a1: alice drops it (made at :), and alice loads rlx at : afterwards");
}

#[test]
fn deadlock_of_two_mutexes() {
    let (picture, told) = error(|| {
        pair(
            (Mutex::new(0), Mutex::new(0)),
            |(a, b)| drop((a.lock(), b.lock())),
            |(a, b)| drop((b.lock(), a.lock())),
        )
    });
    assert_eq!(
        picture,
        r"
      alice                      bob
   1  m1.lock
      ~~ preempted ~~
   2                             m2.lock
      m2.lock: not completed
                                 m1.lock: not completed

  m1: Mutex
  m2: Mutex
"
    );
    assert_eq!(
        told,
        "alice is blocked in m2.lock at : (held by bob); bob is blocked in m1.lock at \
         : (held by alice)"
    );
}

#[test]
fn deadlock_of_readers_and_a_writer() {
    let (picture, told) = error(|| {
        pair(RwLock::new(0), |lock| drop((lock.read(), lock.read())), |lock| drop(lock.write()))
    });
    assert_eq!(
        picture,
        r"
      alice                      bob
   1  w1.read
      ~~ preempted ~~
   2                             w1.write: waits for
                                   readers
      w1.read: not completed
                                 w1.write: not completed

  w1: RwLock
"
    );
    assert_eq!(
        told,
        "alice is blocked in w1.read at : (bob waits to write); bob is blocked in \
         w1.write at : (held by alice)"
    );
}

#[test]
fn a_loop_that_waits_for_ever() {
    let (picture, told) = error(|| {
        let wait = |flag: &AtomicBool| {
            while !flag.load(Acquire) {
                hint::spin_loop();
            }
        };
        pair(AtomicBool::new(false), wait, |_| ())
    });
    assert_eq!(
        picture,
        r"
      alice
   1  a1.load = false
   2  a1.load = false
      a1.load: waits in a loop

  a1: AtomicBool
"
    );
    assert_eq!(told, "alice waits in a loop, in a1.load at :");
}

#[test]
fn a_panic_is_a_row_wherever_it_happens() {
    let (picture, told) = error(|| {
        let alice = spawn("alice", || {
            let mutex = Mutex::new(0);
            let _held = mutex.lock();
            panic!("oh no");
        });
        drop(alice);
    });
    assert_eq!(
        picture,
        r"
      alice
   1  m1.lock
   2  panics: oh no
   3  m1.poison
   4  m1.unlock

  m1: Mutex
"
    );
    assert_eq!(told, "alice panicked: oh no (at :)");
    let (picture, told) = error(|| {
        let count = Shared::new(AtomicU64::new(0));
        let store = |count: &Shared<AtomicU64>| count.store(1, Relaxed);
        pair(count.clone(), store, |_| ());
        assert_ne!(count.load(Relaxed), 1, "too much");
    });
    assert_eq!(
        picture,
        r"
      main                       alice
   1                             a1.store 1
   2  a1.load = 1
   3  panics: assertion `left !=
        right` failed: too much
          left: 1
         right: 1

  a1: AtomicU64
"
    );
    assert_eq!(
        told,
        "main panicked: assertion `left != right` failed: too much
  left: 1
 right: 1 (at :)"
    );
}

#[test]
fn a_notification_that_comes_too_early() {
    let (picture, told) = error(|| {
        pair(
            (Mutex::new(()), Condvar::new()),
            |(mutex, ready)| drop(ready.wait(mutex.lock().unwrap())),
            |(_, ready)| ready.notify_one(),
        )
    });
    assert_eq!(
        picture,
        r"
      alice                      bob
   1                             v1.notify_one: no thread
                                   waits
   2  m1.lock
   3  v1.wait: releases m1
      v1.wait: not completed

  m1: Mutex
  v1: Condvar
"
    );
    assert_eq!(
        told,
        "alice is blocked in v1.wait at : (not notified: bob's v1.notify_one at : came before the wait)"
    );
}

#[test]
fn a_notification_that_another_thread_took_is_not_too_early() {
    let (_, told) = error(|| {
        let waits = |(waiting, ready): &(Mutex<u32>, Condvar)| {
            let mut waiting = waiting.lock().unwrap();
            *waiting += 1;
            drop(ready.wait(waiting));
        };
        let state = Shared::new((Mutex::new(0), Condvar::new()));
        let for_carol = state.clone();
        let carol = spawn("carol", move || {
            hint::wait_until(|| *for_carol.0.lock().unwrap() == 2);
            for_carol.1.notify_one();
        });
        let (for_alice, for_bob) = (state.clone(), state.clone());
        let alice = spawn("alice", move || waits(&for_alice));
        let bob = spawn("bob", move || waits(&for_bob));
        (alice.join().unwrap(), bob.join().unwrap(), carol.join().unwrap())
    });
    assert!(told.ends_with("(not notified)"), "{told}");
}
