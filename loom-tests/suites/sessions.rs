//! # `Sessions`: concurrent requests of one visitor
//!
//! Proved of [`Sessions`]: two requests keep each other's fields, an ended session is not restored, a session in
//! use does not expire, and a link can be redeemed once. Each change is one call of a [`Map`].
//!
//! **Racy variants.** [`WholeSaveSessions`]: lost update, a request saves all fields. [`LateExpirySessions`],
//! [`LookThenRemoveLinks`]: check-then-act.
//!
//! **Scope.** Explored completely, for two or three threads with one call each, and one or two sessions. Time is a
//! number that the caller passes.

use selvedge::Map;
use selvedge_model::Model;

use crate::support::by_parity::{Busy, ByParity, by_parity};
use specimens::sessions::racy::WholeSaveSessions;
use specimens::sessions::racy::{LateExpirySessions, LookThenRemoveLinks};
use specimens::sessions::{Session, SessionError, Sessions};

/// The visitor of most models.
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
// Racy variants.
// ---------------------------------------------------------------------------------------------

fn whole_save() -> WholeSaveSessions<ByParity> {
    WholeSaveSessions(one_session(NOW))
}

/// Two requests change two fields, and one change is lost.
#[test]
fn save_of_the_whole_session_loses_a_field() {
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

/// The save after the log-out inserts the session again.
#[test]
fn late_save_restores_an_ended_session() {
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

/// The session is used between the check and the removal.
#[test]
fn check_then_remove_expires_a_used_session() {
    Model::new(|| LateExpirySessions(one_session(0)))
        .thread("request", |sessions| {
            let touched = sessions.0.change(VISITOR, |session| session.used = NOW);
            touched.is_ok()
        })
        .thread("sweeper", |sessions| sessions.expire(idle))
        .finally("kept", |sessions| sessions.0.get(VISITOR).is_ok())
        .acceptable("request=true kept=true", "used in time")
        .acceptable("request=false kept=false", "expired first: the visitor has to log in")
        .interesting("request=true kept=false", "found idle, then used, then removed")
        .check();
}

/// Both requests check before either removes the link.
#[test]
fn check_then_remove_redeems_a_link_twice() {
    Model::new(|| LookThenRemoveLinks(by_parity([(VISITOR, ())])))
        .thread("alice", |links| links.redeem(VISITOR))
        .thread("mallory", |links| links.redeem(VISITOR))
        .acceptable("alice=true mallory=false", "alice was first")
        .acceptable("alice=false mallory=true", "mallory was first")
        .interesting("alice=true mallory=true", "both looked before either had used it up")
        .check();
}

// ---------------------------------------------------------------------------------------------
// Sound.
// ---------------------------------------------------------------------------------------------

/// Sessions with a scheduling point under the lock.
type BusySessions = Busy<Sessions<ByParity>>;

fn busy(used: u64) -> BusySessions {
    Busy::new(one_session(used))
}

/// Changes the session, and returns whether there is one.
fn change(sessions: &BusySessions, change: fn(&mut Session)) -> bool {
    let changed = sessions.map.change(VISITOR, |session| {
        sessions.step();
        change(session);
    });
    changed.is_ok()
}

/// Marks the session as used, and returns whether there is one.
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
fn update_keeps_both_fields() {
    Model::new(|| busy(NOW))
        .thread("article", |sessions| change(sessions, read_one))
        .thread("cart", |sessions| change(sessions, add_an_item))
        .finally("shown", what_is_shown)
        .acceptable("article=true cart=true shown=Some((1, 1))", "in either order")
        .check();
}

#[test]
fn update_keeps_three_changes() {
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
fn update_does_not_restore_an_ended_session() {
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
fn sweep_keeps_a_used_session() {
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
fn timer_keeps_a_used_session() {
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

/// The new session is in the same shard, in another one, or belongs to the same visitor.
#[test]
fn sweep_keeps_a_new_session() {
    for visitor in [VISITOR, VISITOR + 1, VISITOR + 2] {
        Model::new(|| busy(0))
            .thread("log-in", move |sessions| sessions.map.begin(visitor, Session::begun(NOW)))
            .thread("sweeper", expire)
            .finally("kept", move |sessions| sessions.map.get(visitor).is_ok())
            .acceptable("kept=true", "idle sessions expire, and no others")
            .check();
    }
}

/// Checking and using the link are one step: one caller removes it.
fn redeem(links: &Map<u64, (), ByParity>) -> bool {
    links.remove(&VISITOR).is_some()
}

#[test]
fn remove_redeems_a_link_once() {
    Model::new(|| by_parity([(VISITOR, ())]))
        .thread("alice", redeem)
        .thread("bob", redeem)
        .thread("mallory", redeem)
        .acceptable("alice=true bob=false mallory=false", "alice was first")
        .acceptable("alice=false bob=true mallory=false", "bob was first")
        .acceptable("alice=false bob=false mallory=true", "mallory was first")
        .check();
}
