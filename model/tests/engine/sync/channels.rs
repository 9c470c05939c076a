//! Channels.

use std::sync::atomic::Ordering::{Acquire, Release};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::facade::explore;
use selvedge_model::sync::atomic::AtomicBool;
use selvedge_model::sync::{mpsc, thread};

use super::Shared;

#[test]
fn a_message_hands_over() {
    let found = explore(|| {
        let (memory, (tx, rx)) = (Shared::new(), mpsc::channel());
        let there = memory.clone();
        let child = thread::spawn(move || {
            there.write(1);
            tx.send(()).unwrap();
            there.write(2);
        });
        rx.recv().unwrap();
        // Not ordered with the second write.
        memory.read();
        child.join().unwrap();
    });
    assert!(found.races());
    let found = explore(|| {
        let (memory, (tx, rx)) = (Shared::new(), mpsc::sync_channel(0));
        let there = memory.clone();
        let child = thread::spawn(move || {
            there.write(1);
            tx.send(7).unwrap();
        });
        let seen = (rx.recv().ok(), memory.read(), rx.recv().is_err());
        child.join().unwrap();
        seen
    });
    assert_eq!(found.all(), [(Some(7), 1, true)]);
}

/// `std` does not promise it: mostly it reads with `Relaxed` that the other side is gone.
#[test]
fn an_error_of_a_channel_orders_nothing() {
    let bounds = [None, Some(0), Some(1)];
    for bound in bounds {
        let ends = move || {
            let (tx, rx) = match bound {
                None => return (None, mpsc::channel()),
                Some(bound) => mpsc::sync_channel(bound),
            };
            (Some(tx), (mpsc::channel().0, rx))
        };
        let sent = explore(|| {
            let (memory, (bounded, (tx, rx))) = (Shared::new(), ends());
            let there = memory.clone();
            let child = thread::spawn(move || {
                there.write(1);
                drop(rx);
            });
            let result = match bounded {
                Some(bounded) => bounded.send(()),
                None => tx.send(()),
            };
            if result.is_err() {
                memory.read();
            }
            child.join().unwrap();
        });
        assert!(sent.races(), "{bound:?}");
        let received = explore(|| {
            let (memory, (bounded, (tx, rx))) = (Shared::new(), ends());
            let there = memory.clone();
            let child = thread::spawn(move || {
                there.write(1);
                drop((bounded, tx));
            });
            assert!(rx.recv().is_err());
            memory.read();
            child.join().unwrap();
        });
        assert!(received.races(), "{bound:?}");
    }
}

#[test]
fn try_send_meets_a_receiver_that_waits() {
    let found = explore(|| {
        let (tx, rx) = mpsc::sync_channel(0);
        let child = thread::spawn(move || tx.try_send(1).is_ok());
        let got = rx.recv().is_ok();
        assert_eq!(got, child.join().unwrap());
        got
    });
    assert_eq!(found.all(), [false, true]);
}

#[test]
fn a_try_send_knows_what_came_before_the_receive_that_it_meets() {
    let found = explore(|| {
        let (memory, (tx, rx)) = (Shared::new(), mpsc::sync_channel(0));
        let there = memory.clone();
        let child = thread::spawn(move || tx.try_send(1).is_ok().then(|| there.read()));
        memory.write(1);
        let received = rx.recv();
        assert_eq!(received.is_ok().then_some(1), child.join().unwrap());
        received.is_ok()
    });
    assert_eq!(found.all(), [false, true]);
}

#[test]
fn a_bounded_channel_blocks_its_sender() {
    let found = explore(|| {
        let (tx, rx) = mpsc::sync_channel(1);
        let child = thread::spawn(move || (0..3).map(|n| tx.send(n).is_ok()).collect::<Vec<_>>());
        let got: Vec<_> = rx.iter().collect();
        child.join().unwrap();
        got
    });
    assert_eq!(found.all(), [[0, 1, 2]]);
    let found = explore(|| {
        let (tx, _rx) = mpsc::sync_channel(1);
        tx.send(1).unwrap();
        tx.send(2).unwrap();
    });
    assert_eq!(found.report.deadlocks, 1);
}

#[test]
fn a_receive_with_a_limit_may_time_out() {
    let found = explore(|| {
        let (tx, rx) = mpsc::channel();
        let child = thread::spawn(move || tx.send(1));
        let got = rx.recv_timeout(Duration::from_secs(1));
        drop(child.join());
        got.map_err(|error| format!("{error:?}"))
    });
    assert_eq!(found.all(), [Ok(1), Err("Timeout".to_owned())]);
}

/// Of one sender, which sends as the receiver receives, or before.
#[test]
fn the_messages_of_one_sender_are_one_execution() {
    let found = explore(|| {
        let (sender, receiver) = mpsc::channel();
        let child = thread::spawn(move || (0..9).for_each(|n| sender.send(n).unwrap()));
        let received: Vec<u64> = receiver.iter().collect();
        child.join().unwrap();
        received
    });
    assert_eq!(found.report.complete, 1);
    assert_eq!(found.all(), [(0..9).collect::<Vec<_>>()]);
}

/// Whether each attempt finds a message tells the executions apart, and nothing else: not how many were sent meanwhile.
#[test]
fn attempts_to_receive_are_not_ordered_with_later_sends() {
    let executions = |messages: u32| {
        let found = explore(|| {
            let (sender, receiver) = mpsc::channel();
            let child = thread::spawn(move || {
                (0..messages).for_each(|n| sender.send(n).unwrap());
                sender
            });
            let received: Vec<bool> = (0..messages).map(|_| receiver.try_recv().is_ok()).collect();
            drop(child.join());
            received
        });
        let complete = found.report.complete;
        assert_eq!(found.all().len() as u64, complete);
        complete
    };
    assert_eq!([1, 2, 3, 4].map(executions), [2, 4, 8, 16]);
}

/// Between the two steps by which the last sender closes the channel it finds neither.
#[test]
fn an_attempt_finds_no_message_or_no_sender() {
    let found = explore(|| {
        let (sender, receiver) = mpsc::channel::<()>();
        let child = thread::spawn(move || drop(sender));
        let closed = receiver.try_recv() == Err(mpsc::TryRecvError::Disconnected);
        child.join().unwrap();
        closed
    });
    assert_eq!(found.report.complete, 2);
    assert_eq!(found.all(), [false, true]);
}

/// The message of another sender may come first, and have its number but not be there yet.
#[test]
fn a_receiver_that_knows_of_a_send_finds_a_message() {
    let found = explore(|| {
        let (known, (sender, receiver)) = (Arc::new(AtomicBool::new(false)), mpsc::channel());
        let (tells, other) = (known.clone(), sender.clone());
        let children = [
            thread::spawn(move || other.send(1).unwrap()),
            thread::spawn(move || {
                sender.send(2).unwrap();
                tells.store(true, Release);
            }),
        ];
        let seen = (known.load(Acquire), receiver.try_recv().ok());
        children.into_iter().for_each(|child| child.join().unwrap());
        seen
    });
    let seen = [false, true].map(|known| [Some(1), Some(2)].map(|message| (known, message)));
    assert_eq!(found.all(), [&[(false, None)], &seen.concat()[..]].concat());
}

/// There are n! orders of n messages, and as many of drops, and clones, in so far as the messages do not order them.
#[test]
fn senders_are_counted_apart_from_their_messages() {
    let executions = |senders: u64| {
        let found = explore(|| {
            let (sender, receiver) = mpsc::channel();
            thread::scope(|scope| {
                for number in 0..senders {
                    let sender = sender.clone();
                    scope.spawn(move || sender.send(number).unwrap());
                }
                drop(sender);
                receiver.iter().count()
            })
        });
        found.report.complete
    };
    assert_eq!([1, 2, 3].map(executions), [2, 14, 202]);
}

/// The drop of the receiver drops the messages that are left, in order, until one panics: the rest leaks, as in `std`.
#[test]
fn messages_behind_one_whose_destructor_panics_are_not_dropped() {
    struct Message(u64, Arc<Mutex<Vec<u64>>>);

    impl Drop for Message {
        fn drop(&mut self) {
            self.1.lock().unwrap_or_else(PoisonError::into_inner).push(self.0);
            assert_ne!(self.0, 2, "on purpose");
        }
    }

    let found = explore(|| {
        let dropped = Arc::new(Mutex::new(Vec::new()));
        let (tx, rx) = mpsc::channel();
        let (bounded, received) = mpsc::sync_channel(3);
        for number in 1..=3 {
            tx.send(Message(number, dropped.clone())).unwrap();
            bounded.send(Message(number, dropped.clone())).unwrap();
        }
        let child = thread::spawn(move || drop(rx));
        assert!(child.join().is_err());
        assert!(thread::spawn(move || drop(received)).join().is_err());
        std::mem::take(&mut *dropped.lock().unwrap_or_else(PoisonError::into_inner))
    });
    assert_eq!(found.all(), [[1, 2, 1, 2]]);
}
