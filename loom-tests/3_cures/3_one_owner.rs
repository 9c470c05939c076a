//! # Who may change the balance?
//!
//! ```text
//! ```

use selvedge_model::sync::atomic::{AtomicI64, Ordering::Relaxed};
use selvedge_model::sync::mpsc::{Receiver, Sender, channel};
use selvedge_model::sync::thread;
use selvedge_model::{Failure, Model};

use crate::shown::assert_shown;

/// Racy: any thread checks the balance and changes it.
fn withdraw(balance: &AtomicI64) -> bool {
    let granted = balance.load(Relaxed) >= 10;
    if granted {
        balance.fetch_sub(10, Relaxed);
    }
    granted
}

/// A withdrawal of 10, with the channel for the answer.
type Request = Sender<bool>;

/// Sound: one thread owns the balance. It ends with the last sender.
fn own(mut balance: i64, requests: Receiver<Request>) -> i64 {
    for answer in requests {
        let granted = balance >= 10;
        if granted {
            balance -= 10;
        }
        answer.send(granted).unwrap();
    }
    balance
}

fn ask(owner: &Sender<Request>) -> bool {
    let (answer, granted) = channel();
    owner.send(answer).unwrap();
    granted.recv().unwrap()
}

fn two_withdrawals() -> (bool, bool, i64) {
    let (owner, requests) = channel();
    thread::scope(|scope| {
        let account = scope.spawn(|| own(10, requests));
        let bob = owner.clone();
        let bob = scope.spawn(move || ask(&bob));
        let alice = ask(&owner);
        drop(owner);
        (alice, bob.join().unwrap(), account.join().unwrap())
    })
}

#[test]
fn a_shared_balance_is_overdrawn() {
    let report = Model::new(|| AtomicI64::new(10))
        .thread("alice", withdraw)
        .thread("bob", withdraw)
        .finally("balance", |balance| balance.load(Relaxed))
        .acceptable("alice=true bob=false balance=0", "alice is first")
        .acceptable("alice=false bob=true balance=0", "bob is first")
        .interesting("alice=true bob=true balance=-10", "both check before either withdraws")
        .check();
    assert_shown(include_str!("3_one_owner.rs"), &report.to_string());
}

#[test]
fn an_owned_balance_is_not_overdrawn() {
    Model::new(|| ())
        .thread("main", |()| two_withdrawals())
        .acceptable("main=(true, false, 0)", "alice's message is first")
        .acceptable("main=(false, true, 0)", "bob's message is first")
        .check();
}

#[test]
fn an_owner_waits_for_a_sender_that_is_kept() {
    Model::new(|| ())
        .thread("main", |()| {
            let (_owner, requests) = channel();
            own(10, requests)
        })
        .fails(Failure::Deadlock)
        .check();
}
