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
//! **Bounds and what is not modelled.** No bound: every model here is explored completely, for two or
//! three threads with one call each. There are one or two sessions. Time is a number that is handed in.
//! Sessions are in memory: a store behind a network has the same races, and must offer the same
//! one-step operations to be without them.

use selvedge::Map;
use selvedge::model::Model;

mod by_parity;

use by_parity::{Busy, ByParity, by_parity};

/// The visitor that the page is about.
const VISITOR: u64 = 1;

/// The time of all requests and sweeps. Sessions that were last used before [`IDLE`] expire.
const NOW: u64 = 100;
const IDLE: u64 = 70;

#[derive(Clone, Copy)]
struct Session {
    language: &'static str,
    items: u32,
    /// When it was last used.
    used: u64,
}

impl Session {
    /// In English, with nothing bought, last used at `used`.
    fn last_used(used: u64) -> Self {
        Self { language: "en", items: 0, used }
    }

    fn in_german(self) -> Self {
        Self { language: "de", ..self }
    }

    fn with_an_item(self) -> Self {
        Self { items: self.items + 1, ..self }
    }

    fn used_now(self) -> Self {
        Self { used: NOW, ..self }
    }
}

/// What a page shows of a session: language and number of items.
fn shown(session: Option<Session>) -> Option<(&'static str, u32)> {
    session.map(|session| (session.language, session.items))
}

// ---------------------------------------------------------------------------------------------
// Racy: what goes wrong.
// ---------------------------------------------------------------------------------------------

/// Defect: a request loads the session, changes its copy, and saves all of it.
struct WholeSaveSessions(Map<u64, Session, ByParity>);

impl WholeSaveSessions {
    fn new() -> Self {
        Self(by_parity([(VISITOR, Session::last_used(NOW))]))
    }

    fn change(&self, f: impl FnOnce(Session) -> Session) {
        if let Some(session) = self.0.get(&VISITOR) {
            self.0.insert(VISITOR, f(session));
        }
    }

    /// Ends the session. Whether there was one.
    fn log_out(&self) -> bool {
        self.0.remove(&VISITOR).is_some()
    }
}

/// Two tabs, two fields, and one of them is as it was.
#[test]
fn two_requests_that_save_the_whole_session_lose_a_field() {
    Model::new(WholeSaveSessions::new)
        .thread("settings", |sessions| sessions.change(Session::in_german))
        .thread("shop", |sessions| sessions.change(Session::with_an_item))
        .finally("shown", |sessions| shown(sessions.0.get(&VISITOR)))
        .acceptable("shown=Some((\"de\", 1))", "one request after the other")
        .interesting("shown=Some((\"en\", 1))", "the shop saved the language that it had loaded")
        .interesting("shown=Some((\"de\", 0))", "the settings saved the items that they had loaded")
        .check();
}

/// Logged out, and logged in all the same.
#[test]
fn a_request_that_saves_late_brings_a_session_back() {
    Model::new(WholeSaveSessions::new)
        .thread("shop", |sessions| sessions.change(Session::with_an_item))
        .thread("log-out", WholeSaveSessions::log_out)
        .finally("shown", |sessions| shown(sessions.0.get(&VISITOR)))
        .acceptable("log-out=true shown=None", "logged out, before the request or after it")
        .interesting(
            "log-out=true shown=Some((\"en\", 1))",
            "ended between load and save: it is back",
        )
        .check();
}

/// Defect: what is idle is looked for in one step, and removed in the next.
struct LateExpirySessions(Map<u64, Session, ByParity>);

impl LateExpirySessions {
    fn new() -> Self {
        Self(by_parity([(VISITOR, Session::last_used(0))]))
    }

    /// Notes that the visitor is here. Whether there is a session.
    fn touch(&self) -> bool {
        self.0.update(&VISITOR, |session| session.used_now()).is_some()
    }

    fn expire(&self) {
        let mut idle = Vec::new();
        self.0.for_each(|visitor, session| {
            if session.used < IDLE {
                idle.push(*visitor);
            }
        });
        for visitor in idle {
            self.0.remove(&visitor);
        }
    }
}

/// The request was served as a visitor's, and the next one is asked to log in.
#[test]
fn a_session_expires_right_after_it_was_used() {
    Model::new(LateExpirySessions::new)
        .thread("request", LateExpirySessions::touch)
        .thread("sweeper", LateExpirySessions::expire)
        .finally("kept", |sessions| sessions.0.contains_key(&VISITOR))
        .acceptable("request=true kept=true", "used in time")
        .acceptable("request=false kept=false", "expired first: the visitor has to log in")
        .interesting("request=true kept=false", "found idle, used, and removed all the same")
        .check();
}

/// Defect: a link that is good once is looked up in one step, and used up in the next.
struct LookThenRemoveLinks(Map<u64, (), ByParity>);

impl LookThenRemoveLinks {
    fn new() -> Self {
        Self(by_parity([(VISITOR, ())]))
    }

    /// Whether the link was good.
    fn redeem(&self) -> bool {
        let good = self.0.contains_key(&VISITOR);
        if good {
            self.0.remove(&VISITOR);
        }
        good
    }
}

/// A password reset, a voucher, an invitation: two requests, and both are let in.
#[test]
fn a_link_that_is_good_once_is_used_twice() {
    Model::new(LookThenRemoveLinks::new)
        .thread("alice", LookThenRemoveLinks::redeem)
        .thread("mallory", LookThenRemoveLinks::redeem)
        .acceptable("alice=true mallory=false", "alice was first")
        .acceptable("alice=false mallory=true", "mallory was first")
        .interesting("alice=true mallory=true", "both looked before either had used it up")
        .check();
}

// ---------------------------------------------------------------------------------------------
// Sound: the same questions, and no surprising outcome is left.
// ---------------------------------------------------------------------------------------------

/// Every change is one call of the map.
struct Sessions(Busy<Map<u64, Session, ByParity>>);

impl Sessions {
    /// One session, last used at `used`.
    fn last_used(used: u64) -> Self {
        Self(Busy::new(by_parity([(VISITOR, Session::last_used(used))])))
    }

    /// Takes a step under the lock, where a model looks whether somebody can come in.
    fn step(&self) {
        self.0.step();
    }

    /// Changes the session as it is now. Whether there is one.
    fn change(&self, f: impl FnOnce(Session) -> Session) -> bool {
        let changed = self.0.map.update(&VISITOR, |session| {
            self.step();
            f(*session)
        });
        changed.is_some()
    }

    /// Notes that the visitor is here. Whether there is a session.
    fn touch(&self) -> bool {
        self.change(Session::used_now)
    }

    fn log_in(&self, visitor: u64) {
        self.0.map.insert(visitor, Session::last_used(NOW));
    }

    /// Ends the session. Whether there was one.
    fn log_out(&self) -> bool {
        self.0.map.remove(&VISITOR).is_some()
    }

    /// Ends all sessions that are idle.
    fn expire(&self) {
        self.0.map.retain(|_, session| {
            self.step();
            session.used >= IDLE
        });
    }

    /// Ends one session if it is idle: for a timer of its own.
    fn expire_one(&self) {
        self.0.map.compute(VISITOR, |session| {
            self.step();
            session.copied().filter(|session| session.used >= IDLE)
        });
    }

    fn shown(&self) -> Option<(&'static str, u32)> {
        shown(self.0.map.get(&VISITOR))
    }

    fn has(&self, visitor: u64) -> bool {
        self.0.map.contains_key(&visitor)
    }
}

#[test]
fn two_requests_keep_each_others_fields() {
    Model::new(|| Sessions::last_used(NOW))
        .thread("settings", |sessions| sessions.change(Session::in_german))
        .thread("shop", |sessions| sessions.change(Session::with_an_item))
        .finally("shown", Sessions::shown)
        .acceptable("settings=true shop=true shown=Some((\"de\", 1))", "in either order")
        .check();
}

#[test]
fn three_requests_lose_nothing() {
    Model::new(|| Sessions::last_used(NOW))
        .thread("settings", |sessions| sessions.change(Session::in_german))
        .thread("shop", |sessions| sessions.change(Session::with_an_item))
        .thread("other", |sessions| sessions.change(Session::with_an_item))
        .finally("shown", Sessions::shown)
        .acceptable(
            "settings=true shop=true other=true shown=Some((\"de\", 2))",
            "one language, two items, in any order",
        )
        .check();
}

#[test]
fn a_session_that_was_logged_out_stays_out() {
    Model::new(|| Sessions::last_used(NOW))
        .thread("shop", |sessions| sessions.change(Session::with_an_item))
        .thread("log-out", Sessions::log_out)
        .finally("shown", Sessions::shown)
        .acceptable("shop=true log-out=true shown=None", "bought, then logged out")
        .acceptable(
            "shop=false log-out=true shown=None",
            "logged out: the request must log in again",
        )
        .check();
}

#[test]
fn a_session_that_was_just_used_is_kept() {
    Model::new(|| Sessions::last_used(0))
        .thread("request", Sessions::touch)
        .thread("sweeper", Sessions::expire)
        .finally("kept", |sessions| sessions.has(VISITOR))
        .acceptable("request=true kept=true", "used in time")
        .acceptable("request=false kept=false", "expired first: the visitor has to log in")
        .forbidden("request=true kept=false", "a session that was served must not expire at once")
        .check();
}

#[test]
fn a_timer_keeps_a_session_that_was_just_used() {
    Model::new(|| Sessions::last_used(0))
        .thread("request", Sessions::touch)
        .thread("timer", Sessions::expire_one)
        .finally("kept", |sessions| sessions.has(VISITOR))
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
        Model::new(|| Sessions::last_used(0))
            .thread("log-in", move |sessions| sessions.log_in(visitor))
            .thread("sweeper", Sessions::expire)
            .finally("kept", move |sessions| sessions.has(visitor))
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
