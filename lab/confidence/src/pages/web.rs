//! Counts and limits of requests, sessions, caches.

use std::convert::Infallible;

use confidence::measured::Kind::{self, Order, Sound};
use selvedge::{Counter, Map};
use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};
use specimens::cache::racy::{LastFillWinsCache, LookLoadFillCache, RemoveThenSaveCache};
use specimens::cache::{Cache, LoadInsideCache, NewestWinsCache};
use specimens::requests::racy::{
    CheckThenCountLimiter, CountThenUndoLimiter, GetThenInsertCounts, ReadThenResetCount,
    TwoWordLimiter,
};
use specimens::requests::{ClientLimiter, OneWordLimiter, RequestCounts, Seen};
use specimens::sessions::racy::{LateExpirySessions, LookThenRemoveLinks, WholeSaveSessions};
use specimens::sessions::{Session, Sessions};

use crate::by_parity::{ByParity, by_parity};
use crate::specimen::{Specimen, written};

pub(super) fn all() -> Vec<Specimen> {
    counts().into_iter().chain(limits()).chain(visits()).chain(caches()).collect()
}

type Counting = GetThenInsertCounts<u64, ByParity>;

fn counts() -> [Specimen; 4] {
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
        Specimen::new(
            "ReadThenResetCount",
            Order,
            ReadThenResetCount::new,
            [|count: &ReadThenResetCount| written(|| count.count()), ReadThenResetCount::report],
            |count, [_, reported]| reported + count.report() == 1,
        )
        .beside("Counter, counted and taken"),
        Specimen::new(
            "Counter, counted and taken",
            Sound,
            || Counter::with_stripes(1).expect("1 stripe is accepted"),
            [|count: &Counter| written(|| count.increment()), Counter::take],
            |count, [_, reported]| reported + count.take() == 1,
        ),
    ]
}

/// One request is let through.
fn limiter() -> ClientLimiter<ByParity> {
    ClientLimiter { limit: 1, seen: by_parity([]) }
}

type Limiting = CheckThenCountLimiter<ByParity>;

fn limits() -> [Specimen; 5] {
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
        // Window 0 is full. Of alice's request beside the new window and the next one, one is let in.
        Specimen::new(
            "CountThenUndoLimiter",
            Order,
            CountThenUndoLimiter::full,
            [CountThenUndoLimiter::admit, |limiter| written(|| limiter.begin_window())],
            |limiter, [alice, _]| *alice != limiter.admit(),
        )
        .beside("OneWordLimiter"),
        Specimen::new(
            "TwoWordLimiter",
            Order,
            TwoWordLimiter::full,
            [|limiter: &TwoWordLimiter| limiter.admit(1); 2],
            |_, [alice, bob]| alice != bob,
        )
        .beside("OneWordLimiter"),
        Specimen::new(
            "OneWordLimiter",
            Sound,
            || OneWordLimiter::new(1, Seen { window: 0, count: 1 }),
            [|limiter: &OneWordLimiter| limiter.admit(1).is_ok(); 2],
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
type Expiring = LateExpirySessions<ByParity>;
type Links = LookThenRemoveLinks<ByParity>;

/// Uses the session at 100. Whether it was still there.
fn used(sessions: &Sessions<ByParity>) -> bool {
    sessions.change(1, |session| session.used = 100).is_ok()
}

/// Whether it has not been used since 70.
fn idle(session: &Session) -> bool {
    session.used < 70
}

fn visits() -> [Specimen; 6] {
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
        // Used beside whoever ends sessions that are idle: who could use it has it still.
        Specimen::new(
            "LateExpirySessions",
            Order,
            || LateExpirySessions(session()),
            [|sessions: &Expiring| used(&sessions.0), |sessions| written(|| sessions.expire(idle))],
            |sessions, [used, _]| *used == sessions.0.get(1).is_ok(),
        )
        .beside("Sessions, expired"),
        Specimen::new(
            "Sessions, expired",
            Sound,
            session,
            [used, |sessions| written(|| sessions.expire(idle))],
            |sessions, [used, _]| *used == sessions.get(1).is_ok(),
        ),
        Specimen::new(
            "LookThenRemoveLinks",
            Order,
            || LookThenRemoveLinks(by_parity([(1, ())])),
            [|links: &Links| links.redeem(1); 2],
            |_, [alice, mallory]| alice != mallory,
        )
        .beside("Map::remove"),
        Specimen::new(
            "Map::remove",
            Sound,
            || by_parity([(1, ())]),
            [|links: &Map<u64, (), ByParity>| links.remove(&1).is_some(); 2],
            |_, [alice, mallory]| alice != mallory,
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

fn caches() -> [Specimen; 5] {
    [
        look_beside_a_save("RemoveThenSaveCache", Order, || {
            site(RemoveThenSaveCache(by_parity([])))
        })
        .beside("LoadInsideCache"),
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
