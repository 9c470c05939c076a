//! Channels and `OnceLock`, on real threads and in a model: what is sent arrives once and in order,
//! and hands over what its sender knew.

use selvedge_model::Model;
use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};
use selvedge_model::sync::mpsc::{
    RecvTimeoutError, TryRecvError, TrySendError, channel, sync_channel,
};
use selvedge_model::sync::{Mutex, MutexGuard, OnceLock, PoisonError, thread};

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn what_is_sent_arrives_once_and_in_order() {
    Model::new(|| {
        let (sender, receiver) = channel();
        (Mutex::new(vec![sender.clone(), sender]), Mutex::new(Some(receiver)))
    })
    .thread("alice", |(senders, _)| {
        let sender = lock(senders).pop().expect("there are two");
        sender.send(1).expect("there is a receiver");
        sender.send(2).expect("there is a receiver");
    })
    .thread("bob", |(senders, _)| {
        let sender = lock(senders).pop().expect("there are two");
        sender.send(10).expect("there is a receiver");
    })
    .thread("carol", |(_, receiver)| {
        let receiver = lock(receiver).take().expect("there is one");
        receiver.into_iter().collect::<Vec<u64>>()
    })
    .acceptable("carol=[1, 2, 10]", "bob came last")
    .acceptable("carol=[1, 10, 2]", "bob came between")
    .acceptable("carol=[10, 1, 2]", "bob came first")
    .check();
}

#[test]
fn a_full_channel_makes_senders_wait_or_says_so() {
    Model::new(|| ())
        .thread("main", |()| {
            let (sender, receiver) = sync_channel(1);
            let child = thread::spawn(move || {
                sender.send(1).expect("there is a receiver");
                let full = sender.try_send(2) == Err(TrySendError::Full(2));
                sender.send(3).expect("there is a receiver");
                full
            });
            let got: Vec<u64> = receiver.iter().collect();
            (got, child.join().expect("it does not panic"))
        })
        .acceptable("main=([1, 3], true)", "the first had not been received")
        .acceptable("main=([1, 2, 3], false)", "it had")
        .check();
}

#[test]
fn of_two_that_wait_for_room_either_comes_first() {
    Model::new(|| ())
        .thread("main", |()| {
            let (sender, receiver) = sync_channel(1);
            sender.send(0).expect("there is a receiver");
            for number in [1, 2] {
                let sender = sender.clone();
                thread::spawn(move || sender.send(number).expect("there is a receiver"));
            }
            drop(sender);
            receiver.iter().collect::<Vec<u64>>()
        })
        .acceptable("main=[0, 1, 2]", "the first was first")
        .acceptable("main=[0, 2, 1]", "the second was first")
        .check();
}

#[test]
fn an_end_that_has_gone_is_told() {
    Model::new(|| ())
        .thread("main", |()| {
            let (sender, receiver) = channel::<u64>();
            let early = receiver.try_recv();
            assert_eq!(early, Err(TryRecvError::Empty), "nothing was sent");
            let child = thread::spawn(move || drop(sender));
            let late = receiver.recv_timeout(std::time::Duration::from_micros(1));
            assert!(late.is_err(), "nothing was sent");
            child.join().expect("it does not panic");
            assert!(receiver.recv().is_err(), "all senders have gone");
            let (sender, receiver) = channel::<u64>();
            drop(receiver);
            assert_eq!(sender.send(7).map_err(|error| error.0), Err(7), "the value comes back");
            late == Err(RecvTimeoutError::Timeout)
        })
        .acceptable("main=true", "time was up first")
        .acceptable("main=false", "the sender had gone")
        .check();
}

#[test]
fn a_value_is_made_once() {
    Model::new(|| (OnceLock::new(), AtomicU64::new(0)))
        .thread("alice", |(cell, made)| {
            *cell.get_or_init(|| {
                made.fetch_add(1, Relaxed);
                1
            })
        })
        .thread("bob", |(cell, made)| {
            *cell.get_or_init(|| {
                made.fetch_add(1, Relaxed);
                2
            })
        })
        .finally("made", |(_, made)| made.load(Relaxed))
        .acceptable("alice=1 bob=1 made=1", "alice made it")
        .acceptable("alice=2 bob=2 made=1", "bob made it")
        .check();
}

/// With the receiver, in the order in which they were sent.
#[test]
fn messages_that_are_left_are_dropped_in_order() {
    struct Logs<'log>(u64, &'log std::sync::Mutex<Vec<u64>>);
    impl Drop for Logs<'_> {
        fn drop(&mut self) {
            self.1.lock().unwrap().push(self.0);
        }
    }
    Model::new(|| ())
        .thread("main", |()| {
            let log = std::sync::Mutex::default();
            let (sender, receiver) = channel();
            (0..4).for_each(|number| assert!(sender.send(Logs(number, &log)).is_ok()));
            drop((receiver, sender));
            log.into_inner().unwrap()
        })
        .acceptable("main=[0, 1, 2, 3]", "first in, first out")
        .check();
}

#[test]
fn a_cell_can_be_set_once_and_emptied() {
    let mut cell = OnceLock::new();
    assert_eq!((cell.get(), cell.set(1), cell.set(2)), (None, Ok(()), Err(2)));
    assert_eq!((cell.clone().into_inner(), cell.get_mut().copied()), (Some(1), Some(1)));
    assert_eq!((cell.take(), cell.get()), (Some(1), None));
    assert_eq!(OnceLock::from(3).get(), Some(&3));
}

#[cfg(loom)]
mod on_loom {
    use super::*;
    use crate::facts::{Body, exact_in_every_order};
    use selvedge_model::Failure;
    use selvedge_model::sync::Arc;
    use selvedge_model::sync::cell::UnsafeCell;

    /// `set` releases and `get` acquires, and no more: neither of two threads need see the other's value, as with an atomic
    /// of these orderings. Who sees the value sees what was done before it, and has it also in `get_or_init`.
    #[test]
    fn a_get_may_find_no_value_that_is_there() {
        type Two = (OnceLock<u64>, OnceLock<u64>);
        type Published = (AtomicU64, OnceLock<u64>);
        let left: Body<Two, u64> = |(x, y)| {
            x.set(1).unwrap();
            y.get().copied().unwrap_or(0)
        };
        let right: Body<Two, u64> = |(x, y)| {
            y.set(1).unwrap();
            x.get().copied().unwrap_or(0)
        };
        let all: [&[u64]; 4] = [&[0, 0], &[0, 1], &[1, 0], &[1, 1]];
        exact_in_every_order(Two::default, &[("left", left), ("right", right)], &all);

        let sets: Body<Published, (u64, u64)> = |(data, cell)| {
            data.store(7, Relaxed);
            (*cell.get_or_init(|| 1), 0)
        };
        let gets: Body<Published, (u64, u64)> = |(data, cell)| match cell.get() {
            Some(value) => (*value, data.load(Relaxed)),
            None => (0, *cell.get_or_init(|| 2)),
        };
        let rows: [&[(u64, u64)]; 3] = [&[(1, 0), (1, 7)], &[(1, 0), (0, 1)], &[(2, 0), (0, 2)]];
        exact_in_every_order(Published::default, &[("sets", sets), ("gets", gets)], &rows);
    }

    /// Plain memory that pretends to be shared safely.
    #[derive(Default)]
    struct Plain(UnsafeCell<u64>);

    // SAFETY: none; whether access is ordered is what the tests are about.
    unsafe impl Sync for Plain {}
    // SAFETY: as above.
    unsafe impl Send for Plain {}

    impl Plain {
        fn set(&self) {
            // SAFETY: none; see above.
            self.0.with_mut(|cell| unsafe { *cell += 1 });
        }
    }

    /// What its sender did before is over for who receives a message; what other senders did is not,
    /// even if their messages are there.
    #[test]
    fn a_message_tells_of_its_own_sender() {
        let model = |other_too: bool| {
            Model::new(|| ()).thread("main", move |()| {
                let values = Arc::new([Plain::default(), Plain::default()]);
                let sent = Arc::new([AtomicU64::new(0), AtomicU64::new(0)]);
                let (sender, receiver) = channel();
                let children = [0, 1].map(|number| {
                    let (values, sender) = (Arc::clone(&values), sender.clone());
                    let sent = Arc::clone(&sent);
                    thread::spawn(move || {
                        values[number].set();
                        sender.send(number).expect("there is a receiver");
                        sent[number].store(1, Relaxed);
                    })
                });
                let both = sent.iter().all(|sent| sent.load(Relaxed) == 1);
                let first = receiver.recv().expect("two are sent");
                values[first].set();
                if other_too && both {
                    values[1 - first].set();
                }
                for child in children {
                    child.join().expect("it does not panic");
                }
            })
        };
        model(false).acceptable("()", "ordered by the message").check();
        model(true).fails(Failure::DataRace).check();
    }

    /// A message to nobody is a message too early or too late: either is explored.
    #[test]
    fn a_receiver_may_go_before_a_message_or_after_it() {
        Model::new(|| ())
            .thread("main", |()| {
                let (sender, receiver) = channel();
                let child = thread::spawn(move || sender.send(1).is_ok());
                drop(receiver);
                child.join().expect("it does not panic")
            })
            .acceptable("main=true", "it was still there")
            .acceptable("main=false", "it had gone")
            .check();
    }

    /// Whoever finds a value knows what its maker knew.
    #[test]
    fn a_value_tells_of_its_maker() {
        let model = |looks: bool| {
            Model::new(|| (OnceLock::new(), Plain::default()))
                .thread("maker", |(cell, value)| {
                    value.set();
                    assert_eq!(cell.set(1), Ok(()), "nobody else makes it");
                })
                .thread("finder", move |(cell, value)| {
                    if !looks || cell.get().is_some() {
                        value.set();
                    }
                })
        };
        model(true).acceptable("()", "ordered by the value").check();
        model(false).fails(Failure::DataRace).check();
    }

    /// Whoever comes too late to set a value learns of its maker, and of no other latecomer.
    #[test]
    fn who_is_too_late_to_set_a_value_teaches_nothing() {
        Model::new(|| (OnceLock::from(0), Plain::default(), AtomicU64::new(0)))
            .thread("alice", |(cell, value, told)| {
                value.set();
                assert_eq!(cell.set(1), Err(1), "it has a value");
                told.store(1, Relaxed);
            })
            .thread("bob", |(cell, value, told)| {
                if told.load(Relaxed) == 1 {
                    assert_eq!(cell.set(2), Err(2), "it has a value");
                    value.set();
                }
            })
            .fails(Failure::DataRace)
            .check();
    }

    /// `std` finds out by a relaxed load that all senders have gone: a join or a message tells what they did.
    #[test]
    fn the_end_of_a_channel_is_no_synchronisation() {
        Model::new(|| ())
            .thread("main", |()| {
                let value = Arc::new(Plain::default());
                let (sender, receiver) = channel::<()>();
                let theirs = Arc::clone(&value);
                let child = thread::spawn(move || {
                    theirs.set();
                    drop(sender);
                });
                assert!(receiver.recv().is_err(), "nothing is sent");
                value.set();
                child.join().expect("it does not panic");
            })
            .fails(Failure::DataRace)
            .check();
    }

    #[test]
    fn who_waits_for_a_message_that_nobody_sends_waits_for_ever() {
        Model::new(|| ())
            .thread("main", |()| {
                let (sender, receiver) = channel::<u64>();
                let got = receiver.recv();
                drop(sender);
                got.is_ok()
            })
            .fails(Failure::Deadlock)
            .check();
    }
}

/// A `Receiver` that two threads may use because a wrapper says so: only a lock makes that right.
#[cfg(loom)]
#[test]
fn a_receiver_that_two_threads_use_at_once_is_a_data_race() {
    use selvedge_model::sync::mpsc::{Receiver, channel};
    use selvedge_model::sync::{Mutex, PoisonError};
    use selvedge_model::{Failure, Model};

    struct Shared(Receiver<u64>, Mutex<()>);
    // SAFETY: none where the lock is not held: that is the race which the test is about.
    unsafe impl Sync for Shared {}

    let model = |locks: bool| {
        let receive = move |Shared(receiver, lock): &Shared| {
            let _held = locks.then(|| lock.lock().unwrap_or_else(PoisonError::into_inner));
            receiver.try_recv().is_ok()
        };
        let init = || {
            let (sender, receiver) = channel();
            sender.send(1).expect("the receiver is there");
            Shared(receiver, Mutex::new(()))
        };
        Model::new(init).thread("alice", receive).thread("bob", receive)
    };
    model(false).fails(Failure::DataRace).check();
    model(true)
        .acceptable("alice=true bob=false", "alice came first")
        .acceptable("alice=false bob=true", "bob came first")
        .check();
}
