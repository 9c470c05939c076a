//! # Does a count of requests lose any, and does a limit let one too many through?
//!
//! **Answer.** Totals in a [`Counter`] lose nothing, also while they are read and begun anew by
//! [`Counter::take`]. A limit holds if to look at the count, to begin a new window, and to count are one
//! step: [`Map::compute`] with a count for each client, one compare-and-exchange with a count for all.
//! In two steps each of the three goes wrong.
//!
//! **Why the racy twins fail.** [`GetThenInsertCounts`] gets, adds and inserts: two requests of one path
//! count as one. [`ReadThenResetCount`] reports what it read and sets the count to 0, with what came in
//! between. [`CheckThenCountLimiter`] looks whether there is room, and then counts: two requests are
//! let in where there is room for one. [`CountThenUndoLimiter`] counts first and takes that back if it
//! was too much, which does hold the limit, until a window begins between the two: then it takes back
//! what is no longer there, and the count passes below 0. [`TwoWordLimiter`] keeps window and count in
//! two atomics: of two requests that both begin the new window, the second one resets what the first
//! has counted.
//!
//! **Why the sound ones hold.** [`Counter`] never sets anything back, see `counter.rs`. The closure of
//! [`Map::compute`] sees the count as it is when the new one takes its place. [`OneWordLimiter`] keeps
//! window and count in one word: the compare-and-exchange succeeds only if neither has changed since
//! they were looked at, and otherwise looks again.
//!
//! **Bounds and what is not modelled.** No bound: every model here is explored completely, for two or
//! three threads with one or two requests each, and a limit of one request a window. Time is the number
//! of a window, handed in by each request, so requests may also come late. Two windows that follow each
//! other let through twice the limit within a short time: that is what fixed windows mean, and no race.

use selvedge::model::Model;
use selvedge::sync::atomic::{AtomicU64, Ordering::Relaxed};
use selvedge::{Counter, Map};

mod by_parity;

use by_parity::{Busy, ByParity, by_parity};

/// A path whose requests are counted, and a client whose requests are limited.
const PATH: u64 = 1;
const CLIENT: u64 = 1;

/// How many requests a window lets through.
const LIMIT: u64 = 1;

// ---------------------------------------------------------------------------------------------
// Racy: counts.
// ---------------------------------------------------------------------------------------------

/// Defect: gets the count of a path, and inserts one more.
struct GetThenInsertCounts(Map<u64, u64, ByParity>);

impl GetThenInsertCounts {
    fn new() -> Self {
        Self(by_parity([]))
    }

    fn count(&self) {
        let before = self.0.get(&PATH).unwrap_or(0);
        self.0.insert(PATH, before + 1);
    }
}

/// It works on every developer's machine: there, one request comes at a time.
#[test]
fn a_count_that_is_got_and_inserted_loses_requests() {
    Model::new(GetThenInsertCounts::new)
        .thread("alice", GetThenInsertCounts::count)
        .thread("bob", GetThenInsertCounts::count)
        .finally("total", |counts| counts.0.get(&PATH))
        .acceptable("total=Some(2)", "one after the other")
        .interesting("total=Some(1)", "both got the same count: one request is lost")
        .check();
}

/// Defect: reports the count and sets it to 0 in two steps. Counting itself is sound.
struct ReadThenResetCount {
    /// Relaxed: a count carries no message.
    requests: AtomicU64,
}

impl ReadThenResetCount {
    fn new() -> Self {
        Self { requests: AtomicU64::new(0) }
    }

    fn count(&self) {
        self.requests.fetch_add(1, Relaxed);
    }

    fn report(&self) -> u64 {
        let requests = self.requests.load(Relaxed);
        self.requests.store(0, Relaxed);
        requests
    }
}

/// Nobody notices: a report has no total to be compared with.
#[test]
fn a_report_that_resets_later_loses_requests() {
    Model::new(ReadThenResetCount::new)
        .thread("alice", ReadThenResetCount::count)
        .thread("bob", ReadThenResetCount::count)
        .thread("reporter", ReadThenResetCount::report)
        .finally("rest", ReadThenResetCount::report)
        .acceptable("reporter=0 rest=2", "reported first")
        .acceptable("reporter=1 rest=1", "reported in between")
        .acceptable("reporter=2 rest=0", "reported last")
        .interesting("reporter=0 rest=0", "both came between read and reset")
        .interesting("reporter=0 rest=1", "one came between read and reset, one later")
        .interesting("reporter=1 rest=0", "one came between read and reset, one before")
        .check();
}

// ---------------------------------------------------------------------------------------------
// Racy: limits.
// ---------------------------------------------------------------------------------------------

/// Defect: looks whether there is room, and then counts.
struct CheckThenCountLimiter {
    /// Relaxed: a count carries no message, and no ordering would make one step of two.
    count: AtomicU64,
}

impl CheckThenCountLimiter {
    fn new() -> Self {
        Self { count: AtomicU64::new(0) }
    }

    fn admit(&self) -> bool {
        if self.count.load(Relaxed) >= LIMIT {
            return false;
        }
        self.count.fetch_add(1, Relaxed);
        true
    }
}

#[test]
fn a_limit_that_is_checked_first_lets_one_too_many_through() {
    Model::new(CheckThenCountLimiter::new)
        .thread("alice", CheckThenCountLimiter::admit)
        .thread("bob", CheckThenCountLimiter::admit)
        .acceptable("alice=true bob=false", "alice was first")
        .acceptable("alice=false bob=true", "bob was first")
        .interesting("alice=true bob=true", "both looked before either counted")
        .check();
}

/// Defect: counts, and takes it back if that was too much; a new window may begin in between.
struct CountThenUndoLimiter {
    /// Relaxed: as above.
    count: AtomicU64,
}

impl CountThenUndoLimiter {
    /// The window is full.
    fn full() -> Self {
        Self { count: AtomicU64::new(LIMIT) }
    }

    fn admit(&self) -> bool {
        let admitted = self.count.fetch_add(1, Relaxed) < LIMIT;
        if !admitted {
            self.count.fetch_sub(1, Relaxed);
        }
        admitted
    }

    fn begin_window(&self) {
        self.count.store(0, Relaxed);
    }
}

/// Below 0 is 18446744073709551615: the window has just begun, and the next request is refused.
#[test]
fn a_count_that_is_taken_back_in_the_next_window_passes_below_zero() {
    Model::new(CountThenUndoLimiter::full)
        .thread("alice", CountThenUndoLimiter::admit)
        .thread("clock", CountThenUndoLimiter::begin_window)
        .finally("count", |limiter| limiter.count.load(Relaxed))
        .finally("next", CountThenUndoLimiter::admit)
        .acceptable("alice=false count=0 next=true", "refused, then the window began")
        .acceptable("alice=true count=1 next=false", "the window began, then she was let in")
        .interesting(
            "alice=false count=18446744073709551615 next=false",
            "the window began between count and undo: nobody is let in, and it looks full",
        )
        .check();
}

/// Defect: the window and its count are two atomics.
struct TwoWordLimiter {
    /// Relaxed, both: each is right by itself, and no ordering makes one of two.
    window: AtomicU64,
    count: AtomicU64,
}

impl TwoWordLimiter {
    /// Window 0 is full.
    fn full() -> Self {
        Self { window: AtomicU64::new(0), count: AtomicU64::new(LIMIT) }
    }

    fn admit(&self, now: u64) -> bool {
        if self.window.load(Relaxed) < now {
            self.window.store(now, Relaxed);
            self.count.store(0, Relaxed);
        }
        self.count.fetch_add(1, Relaxed) < LIMIT
    }
}

/// To count in one step is not enough, if beginning a window is not part of it.
#[test]
fn two_requests_that_begin_a_window_are_both_let_through() {
    Model::new(TwoWordLimiter::full)
        .thread("alice", |limiter| limiter.admit(1))
        .thread("bob", |limiter| limiter.admit(1))
        .acceptable("alice=true bob=false", "alice was first")
        .acceptable("alice=false bob=true", "bob was first")
        .interesting("alice=true bob=true", "one reset what the other had counted")
        .check();
}

// ---------------------------------------------------------------------------------------------
// Sound: counts.
// ---------------------------------------------------------------------------------------------

#[test]
fn a_report_neither_loses_nor_doubles_a_request() {
    Model::new(|| Counter::with_stripes(1).expect("1 stripe is accepted"))
        .thread("alice", Counter::increment)
        .thread("bob", Counter::increment)
        .thread("reporter", Counter::take)
        .finally("rest", Counter::take)
        .acceptable("reporter=0 rest=2", "reported first")
        .acceptable("reporter=1 rest=1", "reported in between")
        .acceptable("reporter=2 rest=0", "reported last")
        .check();
}

/// A count for each path that is asked for, without a list of them.
struct Counts(Busy<Map<u64, u64, ByParity>>);

impl Counts {
    fn new() -> Self {
        Self(Busy::new(by_parity([])))
    }

    fn count(&self, path: u64) {
        self.0.map.compute(path, |count| {
            self.0.step();
            Some(count.unwrap_or(&0) + 1)
        });
    }

    /// Removes the count of [`PATH`], and returns it.
    fn report(&self) -> u64 {
        self.0.map.remove(&PATH).unwrap_or(0)
    }
}

#[test]
fn a_count_for_each_path_loses_nothing() {
    Model::new(Counts::new)
        .thread("alice", |counts| {
            counts.count(PATH);
            counts.count(PATH + 1);
        })
        .thread("bob", |counts| {
            counts.count(PATH + 1);
            counts.count(PATH);
        })
        .finally("counts", |counts| (counts.0.map.get(&PATH), counts.0.map.get(&(PATH + 1))))
        .acceptable("counts=(Some(2), Some(2))", "all four are counted")
        .check();
}

#[test]
fn a_report_of_one_path_neither_loses_nor_doubles_a_request() {
    Model::new(Counts::new)
        .thread("alice", |counts| counts.count(PATH))
        .thread("bob", |counts| counts.count(PATH))
        .thread("reporter", Counts::report)
        .finally("rest", Counts::report)
        .acceptable("reporter=0 rest=2", "reported first")
        .acceptable("reporter=1 rest=1", "reported in between")
        .acceptable("reporter=2 rest=0", "reported last")
        .check();
}

// ---------------------------------------------------------------------------------------------
// Sound: limits.
// ---------------------------------------------------------------------------------------------

/// The last window that a client was seen in, and its requests there.
#[derive(Clone, Copy)]
struct Seen {
    window: u64,
    count: u64,
}

impl Seen {
    /// Counts one more request at `now`, if there is room. One that comes late belongs to the
    /// window that has begun: to go back would begin that one anew.
    fn admit(self, now: u64) -> Option<Self> {
        let seen = if self.window < now { Self { window: now, count: 0 } } else { self };
        (seen.count < LIMIT).then(|| Self { count: seen.count + 1, ..seen })
    }
}

/// A limit for each client.
struct ClientLimiter(Busy<Map<u64, Seen, ByParity>>);

impl ClientLimiter {
    fn new() -> Self {
        Self(Busy::new(by_parity([])))
    }

    /// Window 0 is full for [`CLIENT`].
    fn full() -> Self {
        Self(Busy::new(by_parity([(CLIENT, Seen { window: 0, count: LIMIT })])))
    }

    /// Whether `client` is let in. To look, to begin a window and to count are one step.
    fn admit(&self, client: u64, now: u64) -> bool {
        let mut admitted = false;
        self.0.map.compute(client, |seen| {
            self.0.step();
            let seen = seen.copied().unwrap_or(Seen { window: now, count: 0 });
            let counted = seen.admit(now);
            admitted = counted.is_some();
            Some(counted.unwrap_or(seen))
        });
        admitted
    }
}

#[test]
fn one_of_three_requests_of_a_new_client_is_let_through() {
    Model::new(ClientLimiter::new)
        .thread("first", |limiter| limiter.admit(CLIENT, 0))
        .thread("second", |limiter| limiter.admit(CLIENT, 0))
        .thread("third", |limiter| limiter.admit(CLIENT, 0))
        .acceptable("first=true second=false third=false", "the first was first")
        .acceptable("first=false second=true third=false", "the second was first")
        .acceptable("first=false second=false third=true", "the third was first")
        .check();
}

#[test]
fn one_of_two_requests_that_begin_a_window_is_let_through() {
    Model::new(ClientLimiter::full)
        .thread("first", |limiter| limiter.admit(CLIENT, 1))
        .thread("second", |limiter| limiter.admit(CLIENT, 1))
        .acceptable("first=true second=false", "the first was first")
        .acceptable("first=false second=true", "the second was first")
        .check();
}

/// In whichever order they come, the old window is full and the new one lets one through.
#[test]
fn a_request_that_comes_late_does_not_begin_the_old_window_anew() {
    Model::new(ClientLimiter::full)
        .thread("late", |limiter| limiter.admit(CLIENT, 0))
        .thread("first", |limiter| limiter.admit(CLIENT, 1))
        .thread("second", |limiter| limiter.admit(CLIENT, 1))
        .acceptable("late=false first=true second=false", "the first was let in")
        .acceptable("late=false first=false second=true", "the second was let in")
        .check();
}

#[test]
fn clients_do_not_use_up_each_others_limit() {
    Model::new(ClientLimiter::new)
        .thread("alice", |limiter| limiter.admit(CLIENT, 0))
        .thread("bob", |limiter| limiter.admit(CLIENT + 2, 0))
        .acceptable("alice=true bob=true", "one request each, in one shard")
        .check();
}

/// One limit for all, without a lock.
struct OneWordLimiter {
    /// The window in the high 32 bits, the number of its requests in the low 32.
    ///
    /// Relaxed: nothing but the word itself is decided by it, and a read-modify-write always works
    /// on the newest one.
    seen: AtomicU64,
}

impl OneWordLimiter {
    /// Window 0 is full.
    fn full() -> Self {
        Self { seen: AtomicU64::new(pack(Seen { window: 0, count: LIMIT })) }
    }

    fn admit(&self, now: u64) -> bool {
        let counted = |word| unpack(word).admit(now).map(pack);
        self.seen.fetch_update(Relaxed, Relaxed, counted).is_ok()
    }
}

fn pack(seen: Seen) -> u64 {
    seen.window << 32 | seen.count
}

fn unpack(word: u64) -> Seen {
    Seen { window: word >> 32, count: word & u64::from(u32::MAX) }
}

#[test]
fn one_of_two_requests_that_begin_a_window_in_one_word_is_let_through() {
    Model::new(OneWordLimiter::full)
        .thread("first", |limiter| limiter.admit(1))
        .thread("second", |limiter| limiter.admit(1))
        .finally("seen", |limiter| {
            let seen = unpack(limiter.seen.load(Relaxed));
            (seen.window, seen.count)
        })
        .acceptable("first=true second=false seen=(1, 1)", "the first was first")
        .acceptable("first=false second=true seen=(1, 1)", "the second was first")
        .check();
}

#[test]
fn a_late_request_leaves_the_word_in_its_window() {
    Model::new(OneWordLimiter::full)
        .thread("late", |limiter| limiter.admit(0))
        .thread("first", |limiter| limiter.admit(1))
        .thread("second", |limiter| limiter.admit(1))
        .acceptable("late=false first=true second=false", "the first was let in")
        .acceptable("late=false first=false second=true", "the second was let in")
        .check();
}
