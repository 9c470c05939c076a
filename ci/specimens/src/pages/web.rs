//! Counts and limits of requests, sessions, caches.

use std::convert::Infallible;

use selvedge::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::by_parity::{ByParity, by_parity};
use crate::measured::Kind::{self, Order, Sound};
use crate::specimen::{Specimen, written};

shared! {
    cache: "../../../../examples/support/cache.rs";
    requests: "../../../../examples/support/requests.rs";
    sessions: "../../../../examples/support/sessions.rs";
}

use cache::racy::{LastFillWinsCache, LookLoadFillCache};
use cache::{Cache, LoadInsideCache, NewestWinsCache};
use requests::racy::{CheckThenCountLimiter, GetThenInsertCounts};
use requests::{ClientLimiter, RequestCounts};
use sessions::racy::WholeSaveSessions;
use sessions::{Session, Sessions};

pub(super) fn all() -> Vec<Specimen> {
    counts().into_iter().chain(limits()).chain(visits()).chain(caches()).collect()
}

type Counting = GetThenInsertCounts<u64, ByParity>;

fn counts() -> [Specimen; 2] {
    [
        Specimen::new(
            "GetThenInsertCounts",
            Order,
            || GetThenInsertCounts { counts: RequestCounts(by_parity([])), between: || () },
            [|counts: &Counting| counts.count(1); 2],
            |counts, _| counts.counts.total() == 2,
        )
        .beside("RequestCounts"),
        Specimen::new(
            "RequestCounts",
            Sound,
            || RequestCounts(by_parity([])),
            [|counts: &RequestCounts<_, _>| counts.count(1); 2],
            |counts, _| counts.total() == 2,
        ),
    ]
}

/// One request is let through.
fn limiter() -> ClientLimiter<ByParity> {
    ClientLimiter { limit: 1, seen: by_parity([]) }
}

type Limiting = CheckThenCountLimiter<ByParity>;

fn limits() -> [Specimen; 2] {
    [
        Specimen::new(
            "CheckThenCountLimiter",
            Order,
            || CheckThenCountLimiter { limiter: limiter(), between: || () },
            [|limiter: &Limiting| limiter.admit(1, 0).is_ok(); 2],
            |_, [alice, bob]| alice != bob,
        )
        .beside("ClientLimiter"),
        Specimen::new(
            "ClientLimiter",
            Sound,
            limiter,
            [|limiter: &ClientLimiter<_>| limiter.admit(1, 0).is_ok(); 2],
            |_, [alice, bob]| alice != bob,
        ),
    ]
}

fn session() -> Sessions<ByParity> {
    Sessions(by_parity([(1, Session::begun(0))]))
}

/// Whether one article was read, and one put into the cart.
fn has_both(sessions: &Sessions<ByParity>) -> bool {
    sessions.get(1).is_ok_and(|session| (session.read, session.items) == (1, 1))
}

type Saving = WholeSaveSessions<ByParity>;

fn visits() -> [Specimen; 2] {
    [
        Specimen::new(
            "WholeSaveSessions",
            Order,
            || WholeSaveSessions(session()),
            [
                |sessions: &Saving| sessions.change(1, |session| session.read += 1).is_ok(),
                |sessions: &Saving| sessions.change(1, |session| session.items += 1).is_ok(),
            ],
            |sessions, _| has_both(&sessions.0),
        )
        .beside("Sessions"),
        Specimen::new(
            "Sessions",
            Sound,
            session,
            [
                |sessions: &Sessions<_>| sessions.change(1, |session| session.read += 1).is_ok(),
                |sessions: &Sessions<_>| sessions.change(1, |session| session.items += 1).is_ok(),
            ],
            |sessions, _| has_both(sessions),
        ),
    ]
}

/// A cache, and the database behind it, which holds one value.
type Site<C> = (C, AtomicU64);

fn look<C: Cache<u64, Infallible>>((cache, database): &Site<C>) -> u64 {
    let load = || Ok(database.load(Relaxed));
    cache.get(1, &load).unwrap_or_else(|never| match never {})
}

fn save<C: Cache<u64, Infallible>>((cache, database): &Site<C>) {
    let save = || Ok(database.fetch_add(1, Relaxed) + 1);
    cache.save(1, &save).unwrap_or_else(|never| match never {});
}

/// A look beside a save: later looks find what was saved.
fn look_beside_a_save<C>(name: &'static str, kind: Kind, init: fn() -> Site<C>) -> Specimen
where
    C: Cache<u64, Infallible> + 'static,
{
    Specimen::new(name, kind, init, [look, |site| written(|| save(site))], |site, _| {
        look(site) == 2
    })
}

/// With a database that holds 1.
fn site<C>(cache: C) -> Site<C> {
    (cache, AtomicU64::new(1))
}

fn caches() -> [Specimen; 4] {
    [
        look_beside_a_save("LookLoadFillCache", Order, || site(LookLoadFillCache(by_parity([]))))
            .beside("LoadInsideCache"),
        look_beside_a_save("LoadInsideCache", Sound, || site(LoadInsideCache(by_parity([])))),
        look_beside_a_save("LastFillWinsCache", Order, || {
            site(LastFillWinsCache(LookLoadFillCache(by_parity([]))))
        })
        .beside("NewestWinsCache"),
        look_beside_a_save("NewestWinsCache", Sound, || site(NewestWinsCache(by_parity([])))),
    ]
}
