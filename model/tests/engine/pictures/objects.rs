//! Locks, channels and other objects.

use selvedge_model::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use selvedge_model::sync::atomic::{AtomicBool, AtomicU64};
use selvedge_model::sync::{Arc, Barrier, Condvar, Mutex, Once, OnceLock, RwLock, mpsc, thread};
use std::sync::Arc as Shared;
use std::time::Duration;

use super::support::{drawn, pair, spawn};

/// Whether the flag was set in the end, and whether time was up in the last wait, or a wait with a limit
/// was not needed.
fn waits(limited: bool, loops: bool) -> ((bool, bool), ()) {
    pair(
        (Mutex::new(false), Condvar::new()),
        move |(set, changed)| {
            let mut timed_out = limited;
            let mut held = set.lock().unwrap();
            while !*held {
                if limited {
                    let result;
                    (held, result) = changed.wait_timeout(held, Duration::ZERO).unwrap();
                    timed_out = result.timed_out();
                } else {
                    held = changed.wait(held).unwrap();
                }
                if !loops {
                    break;
                }
            }
            (*held, timed_out)
        },
        |(set, changed)| {
            *set.lock().unwrap() = true;
            changed.notify_one();
        },
    )
}

#[test]
fn waits_on_a_condition_variable() {
    assert_eq!(
        drawn(&((true, false), ()), || waits(false, true)),
        r"
      alice                      bob
   1  m1.lock
   2  v1.wait: releases m1
   3                             m1.lock
   4                             m1.unlock
   5                             v1.notify_one
   6  v1.wait: woken
   7  m1.lock
   8  m1.unlock

  m1: Mutex
  v1: Condvar
"
    );
    assert_eq!(
        drawn(&((false, false), ()), || waits(false, false)),
        r"
      alice                      bob
   1  m1.lock
   2  v1.wait: releases m1
   3  v1.wait: wakes spuriously
   4  m1.lock
   5  m1.unlock
   6                             m1.lock
   7                             m1.unlock
   8                             v1.notify_one: no thread
                                   waits

  m1: Mutex
  v1: Condvar
"
    );
    assert_eq!(
        drawn(&((true, false), ()), || waits(true, false)),
        r"
      alice                      bob
   1  m1.lock
   2  v1.wait: releases m1
   3                             m1.lock
   4                             m1.unlock
   5                             v1.notify_one
   6  v1.wait: woken
   7  m1.lock
   8  m1.unlock

  m1: Mutex
  v1: Condvar
"
    );
    assert_eq!(
        drawn(&((false, true), ()), || waits(true, false)),
        r"
      alice                      bob
   1  m1.lock
   2  v1.wait: releases m1
   3  v1.wait: times out
   4  m1.lock
   5  m1.unlock
   6                             m1.lock
   7                             m1.unlock
   8                             v1.notify_one: no thread
                                   waits

  m1: Mutex
  v1: Condvar
"
    );
}

#[test]
fn a_reader_writer_lock() {
    let picture = drawn(&(1, false), || {
        pair(
            RwLock::new(1),
            |lock| *lock.read().unwrap(),
            |lock| {
                let free = lock.try_write().is_ok();
                *lock.write().unwrap() = 2;
                free
            },
        )
    });
    assert_eq!(
        picture,
        r"
      alice                      bob
   1  w1.read
      ~~ preempted ~~
   2                             w1.try_write: would block
   3                             w1.write: waits for
                                   readers
   4  w1.end read
   5                             w1.write
   6                             w1.end write

  w1: RwLock
"
    );
}

#[test]
fn a_channel() {
    let picture = drawn(&(Err(mpsc::TryRecvError::Empty), Ok(1)), || {
        let (sender, receiver) = mpsc::channel();
        let alice = spawn("alice", move || sender.send(1).unwrap());
        let bob = spawn("bob", move || (receiver.try_recv(), receiver.recv()));
        alice.join().unwrap();
        bob.join().unwrap()
    });
    assert_eq!(
        picture,
        r"
      alice                      bob
   1                             q1.try_recv: empty
   2  q1.send
   3  q1.drop sender
   4                             q1.recv
   5                             q1.drop receiver

  q1: channel
"
    );
}

#[test]
fn a_channel_without_room() {
    let picture = drawn(&true, || {
        let (sender, receiver) = mpsc::sync_channel(0);
        let alice = spawn("alice", move || sender.send(1));
        let bob = spawn("bob", move || receiver.recv_timeout(Duration::ZERO).is_ok());
        let _ = alice.join().unwrap();
        bob.join().unwrap()
    });
    assert_eq!(
        picture,
        r"
      alice                      bob
   1  q1.send
   2                             q1.recv_timeout
                                 ~~ preempted ~~
   3  q1.send: received
   4  q1.drop sender
   5                             q1.drop receiver

  q1: channel
"
    );
}

#[test]
fn parking() {
    let picture = drawn(&1, || {
        let flag = Shared::new(AtomicBool::new(false));
        let shared = flag.clone();
        let alice = spawn("alice", move || {
            let mut turns = 0;
            while !shared.load(Acquire) {
                thread::park();
                turns += 1;
            }
            turns
        });
        flag.store(true, Release);
        alice.thread().unpark();
        alice.join().unwrap()
    });
    assert_eq!(
        picture,
        r"
      main                       alice
   1                             a1.load = false
   2  a1.store true
   3  unpark alice
   4                             park
   5                             a1.load = true

  a1: AtomicBool
"
    );
}

#[test]
fn owners_of_an_arc() {
    let picture = drawn(&(true, false), || {
        let value = Arc::new(AtomicU64::new(0));
        let mut second = value.clone();
        let alice = spawn("alice", move || value.store(1, Relaxed));
        let bob = spawn("bob", move || {
            let alone = Arc::get_mut(&mut second).is_some();
            let weak = Arc::downgrade(&second);
            drop(second);
            (alone, weak.upgrade().is_some())
        });
        alice.join().unwrap();
        bob.join().unwrap()
    });
    assert_eq!(
        picture,
        r"
      alice                      bob
   1  a1.store 1
   2  r1.drop
   3                             r1.get_mut: ok
   4                             r1.downgrade
   5                             r1.drop (the last)
   6                             r1.strong_count = 0
   7                             r1.drop weak

  r1: Arc
  a1: AtomicU64
"
    );
}

#[test]
fn a_weak_owner_becomes_a_strong_one() {
    let picture = drawn(&true, || {
        let value = Arc::new(0);
        let weak = Arc::downgrade(&value);
        let alice = spawn("alice", move || weak.upgrade().is_some());
        let bob = spawn("bob", move || Arc::try_unwrap(value).is_ok());
        alice.join().unwrap() && !bob.join().unwrap()
    });
    assert_eq!(
        picture,
        r"
      alice                      bob
   1  r1.upgrade: ok
      ~~ preempted ~~
   2                             r1.try_unwrap: shared
                                 ~~ preempted ~~
   3  r1.drop
   4  r1.drop weak
   5                             r1.drop (the last)

  r1: Arc
"
    );
}

#[test]
fn what_is_done_once_and_by_all() {
    let picture = drawn(&(true, Some(3)), || {
        pair(
            (Once::new(), Barrier::new(2), OnceLock::new()),
            |(once, barrier, cell)| {
                once.call_once(|| ());
                barrier.wait();
                cell.set(3).is_ok()
            },
            |(once, barrier, cell)| {
                once.call_once(|| ());
                barrier.wait();
                cell.get().copied()
            },
        )
    });
    assert_eq!(
        picture,
        r"
      alice                      bob
   1  o1.call_once: begins
   2  o1.call_once: done
   3  b1.wait: arrives
   4                             o1.call_once: done before
   5                             b1.wait: leader
                                 ~~ preempted ~~
   6  b1.wait: released
   7  o2.init: begins
   8  o2.init: done
   9                             o2.get = some

  o1: Once
  b1: Barrier
  o2: OnceLock
"
    );
}
