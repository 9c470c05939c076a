//! # Can two requests of one visitor harm each other?
//!
//! **Answer.** Not if each change is one call of a [`Map`]: `update` changes a field and keeps the
//! others, `retain` and `compute` expire a session only as it is, `remove` has one winner. A request
//! that loads a session, changes its copy and saves it whole undoes what the other did, or brings back
//! a session that has ended.
//!
//! **Why the racy twins fail.** [`WholeSaveSessions`] saves every field, also those that the request
//! never meant to change, as they were when it loaded them. [`LateExpirySessions`] looks for sessions
//! that are idle, and then removes them: one that is used in between was idle once, and is not any
//! more. [`LookThenRemoveLinks`] looks whether a link is still good, and then uses it up: two requests
//! both find it good. Each call is sound, and locks. What was seen in one call need not hold in the
//! next.
//!
//! **Why the sound ones hold.** A closure that is given to [`Map::update`] sees the session as it is
//! when the new one takes its place: nobody comes between. The same holds for what [`Map::retain`]
//! and [`Map::compute`] decide on. [`Map::remove`] hands a value to one caller only.
//!
//! **The code** of [`Sessions`], and of [`WholeSaveSessions`], which `cargo run -p examples --bin web -- --racy`
//! runs, is `specimens/src/sessions.rs`: what is proved here is what the server runs. The other twins are
//! in `specimens/src/sessions/racy.rs`.
//!
//! **Bounds and what is not modelled.** No bound: every model here is explored completely, for two or
//! three threads with one call each. There are one or two sessions. Time is a number that is handed in.
//! Sessions are in memory: a store behind a network has the same races, and must offer the same
//! one-step operations to be without them.

use selvedge::Map;
use selvedge_model::Model;

use crate::support::by_parity::{Busy, ByParity, by_parity};
use specimens::sessions::racy::WholeSaveSessions;
use specimens::sessions::racy::{LateExpirySessions, LookThenRemoveLinks};
use specimens::sessions::{Session, SessionError, Sessions};

/// The visitor that the page is about.
const VISITOR: u64 = 1;

/// The time of all requests and sweeps. Sessions that were last used before [`IDLE`] expire.
const NOW: u64 = 100;
const IDLE: u64 = 70;

fn idle(session: &Session) -> bool {
    session.used < IDLE
}

fn read_one(session: &mut Session) {
    session.read += 1;
}

fn add_an_item(session: &mut Session) {
    session.items += 1;
}

/// What a page shows of a session: articles read, and items in the cart.
fn shown(session: Result<Session, SessionError>) -> Option<(u32, u32)> {
    session.ok().map(|session| (session.read, session.items))
}

/// One session, last used at `used`.
fn one_session(used: u64) -> Sessions<ByParity> {
    Sessions(by_parity([(VISITOR, Session::begun(used))]))
}

// ---------------------------------------------------------------------------------------------
// Racy: what goes wrong.
// ---------------------------------------------------------------------------------------------

fn whole_save() -> WholeSaveSessions<ByParity> {
    WholeSaveSessions(one_session(NOW))
}

/// Two tabs, two fields, and one of them is as it was.
#[test]
fn two_requests_that_save_the_whole_session_lose_a_field() {
    Model::new(whole_save)
        .thread("article", |sessions| sessions.change(VISITOR, read_one).is_ok())
        .thread("cart", |sessions| sessions.change(VISITOR, add_an_item).is_ok())
        .finally("shown", |sessions| shown(sessions.0.get(VISITOR)))
        .acceptable("article=true cart=true shown=Some((1, 1))", "one request after the other")
        .interesting(
            "article=true cart=true shown=Some((0, 1))",
            "the cart saved the articles that it had loaded",
        )
        .interesting(
            "article=true cart=true shown=Some((1, 0))",
            "the article saved the cart that it had loaded",
        )
        .check();
}

/// Logged out, and logged in all the same.
#[test]
fn a_request_that_saves_late_brings_a_session_back() {
    Model::new(whole_save)
        .thread("cart", |sessions| sessions.change(VISITOR, add_an_item).is_ok())
        .thread("log-out", |sessions| sessions.0.end(VISITOR).is_ok())
        .finally("shown", |sessions| shown(sessions.0.get(VISITOR)))
        .acceptable("cart=true log-out=true shown=None", "bought, then logged out")
        .acceptable("cart=false log-out=true shown=None", "logged out: it must log in again")
        .interesting(
            "cart=true log-out=true shown=Some((0, 1))",
            "ended between load and save: it is back",
        )
        .check();
}

/// The request was served as a visitor's, and the next one is asked to log in.
#[test]
fn a_session_expires_right_after_it_was_used() {
    Model::new(|| LateExpirySessions(one_session(0)))
        .thread("request", |sessions| {
            let touched = sessions.0.change(VISITOR, |session| session.used = NOW);
            touched.is_ok()
        })
        .thread("sweeper", |sessions| sessions.expire(idle))
        .finally("kept", |sessions| sessions.0.get(VISITOR).is_ok())
        .acceptable("request=true kept=true", "used in time")
        .acceptable("request=false kept=false", "expired first: the visitor has to log in")
        .interesting("request=true kept=false", "found idle, used, and removed all the same")
        .check();
}

/// A password reset, a voucher, an invitation: two requests, and both are let in.
#[test]
fn a_link_that_is_good_once_is_used_twice() {
    Model::new(|| LookThenRemoveLinks(by_parity([(VISITOR, ())])))
        .thread("alice", |links| links.redeem(VISITOR))
        .thread("mallory", |links| links.redeem(VISITOR))
        .acceptable("alice=true mallory=false", "alice was first")
        .acceptable("alice=false mallory=true", "mallory was first")
        .interesting("alice=true mallory=true", "both looked before either had used it up")
        .check();
}

// ---------------------------------------------------------------------------------------------
// Sound: the same questions, and no surprising outcome is left.
// ---------------------------------------------------------------------------------------------

/// Sessions that take a step under the lock, where a model looks whether somebody can come in.
type BusySessions = Busy<Sessions<ByParity>>;

fn busy(used: u64) -> BusySessions {
    Busy::new(one_session(used))
}

/// Changes the session. Whether there is one.
fn change(sessions: &BusySessions, change: fn(&mut Session)) -> bool {
    let changed = sessions.map.change(VISITOR, |session| {
        sessions.step();
        change(session);
    });
    changed.is_ok()
}

/// Notes that the visitor is here. Whether there is a session.
fn touch(sessions: &BusySessions) -> bool {
    change(sessions, |session| session.used = NOW)
}

/// Ends all sessions that are idle.
fn expire(sessions: &BusySessions) {
    sessions.map.expire(|session| {
        sessions.step();
        idle(session)
    });
}

fn what_is_shown(sessions: &BusySessions) -> Option<(u32, u32)> {
    shown(sessions.map.get(VISITOR))
}

fn is_there(sessions: &BusySessions) -> bool {
    sessions.map.get(VISITOR).is_ok()
}

#[test]
fn two_requests_keep_each_others_fields() {
    Model::new(|| busy(NOW))
        .thread("article", |sessions| change(sessions, read_one))
        .thread("cart", |sessions| change(sessions, add_an_item))
        .finally("shown", what_is_shown)
        .acceptable("article=true cart=true shown=Some((1, 1))", "in either order")
        .check();
}

#[test]
fn three_requests_lose_nothing() {
    Model::new(|| busy(NOW))
        .thread("article", |sessions| change(sessions, read_one))
        .thread("cart", |sessions| change(sessions, add_an_item))
        .thread("other", |sessions| change(sessions, add_an_item))
        .finally("shown", what_is_shown)
        .acceptable(
            "article=true cart=true other=true shown=Some((1, 2))",
            "one article, two items, in any order",
        )
        .check();
}

#[test]
fn a_session_that_was_logged_out_stays_out() {
    Model::new(|| busy(NOW))
        .thread("cart", |sessions| change(sessions, add_an_item))
        .thread("log-out", |sessions| shown(sessions.map.end(VISITOR)))
        .finally("shown", what_is_shown)
        .acceptable("cart=true log-out=Some((0, 1)) shown=None", "bought, then logged out")
        .acceptable(
            "cart=false log-out=Some((0, 0)) shown=None",
            "logged out: the request must log in again",
        )
        .check();
}

#[test]
fn a_session_that_was_just_used_is_kept() {
    Model::new(|| busy(0))
        .thread("request", touch)
        .thread("sweeper", expire)
        .finally("kept", is_there)
        .acceptable("request=true kept=true", "used in time")
        .acceptable("request=false kept=false", "expired first: the visitor has to log in")
        .forbidden("request=true kept=false", "a session that was served must not expire at once")
        .check();
}

#[test]
fn a_timer_keeps_a_session_that_was_just_used() {
    Model::new(|| busy(0))
        .thread("request", touch)
        .thread("timer", |sessions| {
            sessions.map.expire_one(VISITOR, |session| {
                sessions.step();
                idle(session)
            });
        })
        .finally("kept", is_there)
        .acceptable("request=true kept=true", "used in time")
        .acceptable("request=false kept=false", "expired first: the visitor has to log in")
        .forbidden("request=true kept=false", "a session that was served must not expire at once")
        .check();
}

/// The sweep passes over a session that begins meanwhile, in its own shard or in another one, and
/// over the same visitor's next one.
#[test]
fn a_session_that_begins_beside_a_sweep_is_kept() {
    for visitor in [VISITOR, VISITOR + 1, VISITOR + 2] {
        Model::new(|| busy(0))
            .thread("log-in", move |sessions| sessions.map.begin(visitor, Session::begun(NOW)))
            .thread("sweeper", expire)
            .finally("kept", move |sessions| sessions.map.get(visitor).is_ok())
            .acceptable("kept=true", "idle sessions expire, and no others")
            .check();
    }
}

/// To look and to use up are one step: the link is handed to whoever removes it.
fn redeem(links: &Map<u64, (), ByParity>) -> bool {
    links.remove(&VISITOR).is_some()
}

#[test]
fn a_link_that_is_good_once_is_used_once() {
    Model::new(|| by_parity([(VISITOR, ())]))
        .thread("alice", redeem)
        .thread("bob", redeem)
        .thread("mallory", redeem)
        .acceptable("alice=true bob=false mallory=false", "alice was first")
        .acceptable("alice=false bob=true mallory=false", "bob was first")
        .acceptable("alice=false bob=false mallory=true", "mallory was first")
        .check();
}
