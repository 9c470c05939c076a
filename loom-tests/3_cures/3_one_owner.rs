//! # Who may change the balance?
//!
//! An account has 10 left. Alice and bob withdraw 10 each:
//!
//! ```rust
//! let granted = balance.load(Relaxed) >= 10;
//! if granted {
//!     balance.fetch_sub(10, Relaxed);
//! }
//! ```
//!
//! **Guess:** can this be made right without a lock, and with a balance that is a plain `i64`?
//!
//! **Output.** As it is, the account is overdrawn:
//!
//! ```text
//!   alice=true bob=false balance=0   acceptable          1  alice is first
//!   alice=false bob=true balance=0   acceptable          1  bob is first
//!   alice=true bob=true balance=-10  interesting         2  both check before either withdraws
//!   alice=true bob=true balance=-10 is reached like this:
//!       alice                      bob
//!    1                             a1.load = 10
//!                                  ~~ preempted ~~
//!    2  a1.load = 10
//!    3  a1.fetch_sub(10): 10 -> 0
//!    4                             a1.fetch_sub(10): 0 -> -10
//! ```
//!
//! On real threads it was overdrawn in none of 20,000 rounds, in three runs of `SELVEDGE_ROUNDS=20000 cargo test
//! --test book -- one_owner:: --nocapture` (two cores, 2026-11-29).
//!
//! **Why.** Both threads check, and then both act: **check-then-act**, the defect of lesson 2.2, here without a lock.
//!
//! **Fix.** Give the balance one **owner**: a thread, also called an *actor*, that has it as a local variable. The
//! others send a request and wait for the answer. The owner serves one request after the other, so nothing comes
//! between its check and its act, and its code is that of a program with one thread. The price: two messages for each
//! request, and one core serves them all. Its loop ends when the last sender is dropped, and waits until then (last
//! test).
//!
//! **Break it yourself.** Delete `drop(owner);` in `two_withdrawals`. `an_owned_balance_is_not_overdrawn` fails:
//! *deadlock: main is blocked in join thread2; thread2 is blocked in q3.recv*.

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

/// A withdrawal of 10: where the answer goes.
type Request = Sender<bool>;

/// Sound: one thread owns the balance. It ends with the last sender.
fn own(mut balance: i64, requests: Receiver<Request>) -> i64 {
    for answer in requests {
        let granted = balance >= 10;
        balance -= if granted { 10 } else { 0 };
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
        .acceptable(["main=(true, false, 0)", "main=(false, true, 0)"], "the first one")
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
