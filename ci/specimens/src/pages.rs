//! Racy twins of the pages, which are those of the programs in `examples/`.

use std::convert::Infallible;
use std::hash::{BuildHasherDefault, DefaultHasher};

use selvedge::Map;
use selvedge::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::measured::Kind;
use crate::specimen::Specimen;

/// Hashes alike in each execution.
type Hasher = BuildHasherDefault<DefaultHasher>;

macro_rules! support {
    ($($module:ident: $path:literal;)*) => {
        $(
            #[path = $path]
            #[allow(dead_code, reason = "the page and its program use the rest")]
            mod $module;
        )*
    };
}

support! {
    bank: "../../../examples/support/bank.rs";
    cache: "../../../examples/support/cache.rs";
    jobs: "../../../examples/support/jobs.rs";
    matching: "../../../examples/support/matching.rs";
    payments: "../../../examples/support/payments.rs";
    requests: "../../../examples/support/requests.rs";
    sessions: "../../../examples/support/sessions.rs";
}

use bank::racy::{CheckThenActBank, PayerFirstBank, TwoStepBank};
use bank::{Bank as _, SoundBank};
use cache::Cache;
use cache::racy::LookLoadFillCache;
use jobs::racy::{LookThenClaimJobs, TwoAtomicTally};
use jobs::{Jobs as _, Tally as _};
use matching::racy::PeekThenFillExchange;
use matching::{Order, Side, SoundExchange};
use payments::racy::ChargeThenNoteDesk;
use payments::{Desk as _, SoundDesk};
use requests::racy::{CheckThenCountLimiter, GetThenInsertCounts};
use requests::{ClientLimiter, RequestCounts};
use sessions::racy::WholeSaveSessions;
use sessions::{Session, Sessions};

fn map<V: Clone>(entries: impl IntoIterator<Item = (u64, V)>) -> Map<u64, V, Hasher> {
    let mut map = Map::with_shards_and_hasher(2, Hasher::default()).expect("2 are accepted");
    map.extend(entries);
    map
}

fn bank(balances: [(u64, i64); 2]) -> SoundBank<Hasher> {
    SoundBank::new(map(balances))
}

/// All of them: those with several defects alike stand for the others.
pub(crate) fn all() -> Vec<Specimen> {
    money().into_iter().chain(web()).chain(pool()).collect()
}

type Checking = CheckThenActBank<Hasher>;
type TwoStep = TwoStepBank<Hasher>;
type Peeking = PeekThenFillExchange<Hasher>;
type Charging = ChargeThenNoteDesk<Hasher>;

fn money() -> [Specimen; 5] {
    [
        Specimen::new(
            "CheckThenActBank",
            Kind::Order,
            || CheckThenActBank { bank: bank([(1, 100), (2, 0)]), between: || () },
            [|bank: &Checking| bank.withdraw(1, 80).is_ok(); 2],
            |bank, _| bank.audit().iter().all(|balance| *balance >= 0),
        )
        .beside("Map::update"),
        Specimen::new(
            "TwoStepBank",
            Kind::Order,
            || TwoStepBank { bank: bank([(1, 10), (2, 0)]), between: || () },
            [
                |bank: &TwoStep| bank.transfer(1, 2, 4).map_or(0, |_| 10),
                |bank: &TwoStep| bank.audit().iter().sum(),
            ],
            |_, [_, total]| *total == 10,
        )
        .beside("Map::update_pair"),
        Specimen::new(
            "PayerFirstBank",
            Kind::Deadlock,
            || PayerFirstBank::new([(1, 10), (2, 10)], || ()),
            [
                |bank: &PayerFirstBank| bank.transfer(1, 2, 4).is_ok(),
                |bank: &PayerFirstBank| bank.transfer(2, 1, 4).is_ok(),
            ],
            |_, [alice, bob]| *alice && *bob,
        )
        .beside("Map::update_pair both ways"),
        Specimen::new(
            "PeekThenFillExchange",
            Kind::Order,
            || {
                let exchange = SoundExchange::new(1, map([]));
                trade(&exchange, Side::Sell);
                PeekThenFillExchange { exchange, between: || () }
            },
            [|exchange: &Peeking| trade(exchange, Side::Buy); 2],
            |_, filled| filled.iter().sum::<u64>() == 1,
        )
        .beside("Map::update_pair both ways"),
        Specimen::new(
            "ChargeThenNoteDesk",
            Kind::Order,
            || ChargeThenNoteDesk { desk: SoundDesk::new(0, map([])), between: || () },
            [|desk: &Charging| desk.pay(1, 80).is_ok(); 2],
            |desk, _| desk.taken() == 80,
        )
        .beside("Map::get_or_insert_with"),
    ]
}

/// Orders one of the only book, and returns how much of it was matched at once.
fn trade(exchange: &impl matching::Exchange, side: Side) -> u64 {
    let fill = exchange.submit(Order { book: 0, side, quantity: 1 });
    fill.expect("an order for something, in a book").filled
}

type Counting = GetThenInsertCounts<u64, Hasher>;
type Limiting = CheckThenCountLimiter<Hasher>;
type Saving = WholeSaveSessions<Hasher>;

/// A cache, and the database behind it, which holds one value.
type Caching = (LookLoadFillCache<u64, Hasher>, AtomicU64);

fn cached((cache, database): &Caching) -> u64 {
    let load = || Ok::<_, Infallible>(database.load(Relaxed));
    Cache::get(cache, 1, &load).unwrap_or_else(|never| match never {})
}

fn web() -> [Specimen; 4] {
    [
        Specimen::new(
            "GetThenInsertCounts",
            Kind::Order,
            || GetThenInsertCounts { counts: RequestCounts(map([])), between: || () },
            [|counts: &Counting| counts.count(1); 2],
            |counts, _| counts.counts.total() == 2,
        )
        .beside("Map::update"),
        Specimen::new(
            "CheckThenCountLimiter",
            Kind::Order,
            || CheckThenCountLimiter {
                limiter: ClientLimiter { limit: 1, seen: map([]) },
                between: || (),
            },
            [|limiter: &Limiting| limiter.admit(1, 0).is_ok(); 2],
            |_, [alice, bob]| alice != bob,
        )
        .beside("Map::update"),
        Specimen::new(
            "WholeSaveSessions",
            Kind::Order,
            || WholeSaveSessions(Sessions(map([(1, Session::begun(0))]))),
            [
                |sessions: &Saving| sessions.change(1, |session| session.read += 1).is_ok(),
                |sessions: &Saving| sessions.change(1, |session| session.items += 1).is_ok(),
            ],
            |sessions, _| sessions.0.get(1).is_ok_and(|one| (one.read, one.items) == (1, 1)),
        )
        .beside("Map::update"),
        Specimen::new(
            "LookLoadFillCache",
            Kind::Order,
            || (LookLoadFillCache(map([])), AtomicU64::new(1)),
            [cached, |(cache, database): &Caching| {
                let save = || Ok::<_, Infallible>(database.fetch_add(1, Relaxed) + 1);
                cache.save(1, &save).unwrap_or_else(|never| match never {})
            }],
            |site, _| cached(site) == 2,
        )
        .beside("Map::get_or_insert_with"),
    ]
}

fn pool() -> [Specimen; 2] {
    [
        Specimen::new(
            "LookThenClaimJobs",
            Kind::Order,
            || LookThenClaimJobs::new(vec![1, 2], || ()),
            [|jobs: &LookThenClaimJobs<u64>| jobs.next(); 2],
            |_, [alice, bob]| alice != bob,
        )
        .beside("Counter::add"),
        Specimen::new(
            "TwoAtomicTally",
            Kind::Order,
            || TwoAtomicTally::new(|| ()),
            [
                |tally: &TwoAtomicTally| {
                    tally.desk().done(5);
                    (0, 0)
                },
                |tally: &TwoAtomicTally| {
                    let totals = tally.totals();
                    (totals.done, totals.work)
                },
            ],
            |_, [_, seen]| [(0, 0), (1, 5)].contains(seen),
        )
        .beside("Stats::snapshot"),
    ]
}
