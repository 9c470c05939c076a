//! # Can two requests of one visitor lose each other's changes?
//!
//! The session of a visitor holds the number of articles read and the number of items in the cart. Of two requests one
//! reads an article, the other one adds an item. A request loads the session, changes its copy, and saves it:
//!
//! ```rust
//! let mut session = sessions.get(&VISITOR)?;
//! session.read += 1;                              // or: session.items += 1
//! sessions.insert(VISITOR, session);
//! ```
//!
//! The map is thread-safe, and the requests change different fields. **Guess:** are both changes in the session?
//!
//! **Output.** Not always:
//!
//! ```text
//!       first                     second
//!    1                            w1.read
//!    2                            w1.end read
//!                                 ~~ preempted ~~
//!    3  w1.read
//!    4  w1.end read
//!       ~~ preempted ~~
//!    5                            w1.write
//!    6                            a1.store 1
//!    7                            w1.end write
//!    8  w1.write
//!    9  a1.store 1
//!   10  w1.end write
//! ```
//!
//! `w1` is the lock of the map, `a1` its length. The first request reads an article, the second one adds an item. Real
//! threads showed it in 0 to 9,786 of 20,000 rounds (`SELVEDGE_ROUNDS=20000 cargo test --test book -- sessions::
//! --nocapture`, 2026-11-29, two cores).
//!
//! **Why.** A **lost update**, the defect of lesson 1.2: the request saves all fields, and the one that it did not
//! change is as old as its load. The later save replaces the earlier one. For the same reason a request that overlaps
//! the log-out saves the session again after it was removed (second test): the visitor is logged in again.
//!
//! **Fix.** Change the session where it is, in one step: `Map::update` calls the closure with the current session while
//! it holds the lock. If the session was removed, `update` changes nothing and returns `None`.
//!
//! **Break it yourself.** In `update` make a session if there is none:
//! `sessions.compute(VISITOR, |session| Some(change(session.copied().unwrap_or_default())));`.
//! `update_does_not_restore_a_session_that_has_ended` fails: *reached session=Some(Session { read: 0, items: 1 })*.

use selvedge::Map;
use selvedge_model::Model;

use crate::shown::assert_shown;

const VISITOR: u64 = 1;

#[derive(Debug, Clone, Copy, Default)]
struct Session {
    read: u32,
    items: u32,
}

type Sessions = Map<u64, Session>;
type Change = fn(Session) -> Session;
const READ_ONE: Change = |session| Session { read: session.read + 1, ..session };
const ADD_ITEM: Change = |session| Session { items: session.items + 1, ..session };

/// Racy: loads, changes a copy, and saves it.
fn load_then_save(sessions: &Sessions, change: Change) {
    if let Some(session) = sessions.get(&VISITOR) {
        sessions.insert(VISITOR, change(session));
    }
}

/// Sound: changes the session in one step.
fn update(sessions: &Sessions, change: Change) {
    sessions.update(&VISITOR, |session| change(*session));
}

/// A new session, two requests, and the session in the end.
fn model(first: fn(&Sessions), second: fn(&Sessions)) -> Model<Sessions> {
    let one_session = || {
        let sessions = Map::with_shards(1).unwrap();
        sessions.insert(VISITOR, Session::default());
        sessions
    };
    Model::new(one_session)
        .thread("first", first)
        .thread("second", second)
        .finally("session", |sessions| sessions.get(&VISITOR))
}

#[test]
fn load_then_save_loses_a_field() {
    let report = model(|all| load_then_save(all, READ_ONE), |all| load_then_save(all, ADD_ITEM))
        .acceptable("session=Some(Session { read: 1, items: 1 })", "one request after the other")
        .interesting("session=Some(Session { read: 1, items: 0 })", "the item is lost")
        .interesting("session=Some(Session { read: 0, items: 1 })", "the article is lost")
        .check();
    assert_shown(include_str!("2_sessions.rs"), &report.to_string());
}

#[test]
fn load_then_save_restores_a_session_that_has_ended() {
    model(|all| load_then_save(all, ADD_ITEM), |all| _ = all.remove(&VISITOR))
        .acceptable("session=None", "logged out")
        .interesting("session=Some(Session { read: 0, items: 1 })", "saved after the log-out")
        .check();
}

#[test]
fn update_keeps_both_fields() {
    model(|all| update(all, READ_ONE), |all| update(all, ADD_ITEM))
        .acceptable("session=Some(Session { read: 1, items: 1 })", "both changes")
        .check();
}

#[test]
fn update_does_not_restore_a_session_that_has_ended() {
    model(|all| update(all, ADD_ITEM), |all| _ = all.remove(&VISITOR))
        .acceptable("session=None", "logged out")
        .check();
}
