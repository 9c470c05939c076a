//! What is looked at while somebody else changes it: seats, windows, tables, a room.

use confidence::measured::Kind::{
    self, DataRace, Deadlock, HarmlessRace, Order, Sound, WeakDataRace,
};
use selvedge_model::sync::Mutex;
use selvedge_model::sync::atomic::{AtomicBool, AtomicI64, Ordering::Relaxed};
use specimens::racy::UnsyncMark;
use specimens::room::LookAgainRoom;
use specimens::room::racy::CheckThenEnterRoom;
use specimens::seats::racy::{LookThenSellSeats, PlainSeats, RelaxedFlagSeats};
use specimens::seats::{FlaggedSeats, LockedSeats, OneStepSeats};
use specimens::table::racy::{KeyByKeyTable, LookByLookTable, UnsyncTable};
use specimens::table::{HOST, LockedTable};
use specimens::window::racy::{
    GuardInGuardWindow, OneByOneWindow, PlainWindow, UnlockedReadWindow,
};
use specimens::window::{EVENING, LockedWindow, MORNING};

use crate::specimen::{Specimen, written};

pub(super) fn all() -> Vec<Specimen> {
    places().into_iter().chain(flags()).chain(windows()).chain(tables()).collect()
}

/// Two who want the last place: one has it.
fn last<S>(name: &'static str, kind: Kind, init: fn() -> S, take: fn(&S) -> bool) -> Specimen
where
    S: Send + Sync + 'static,
{
    Specimen::new(name, kind, init, [take; 2], |_, [alice, bob]| alice != bob)
}

fn places() -> [Specimen; 6] {
    [
        last("PlainSeats", DataRace, || PlainSeats::new(1), PlainSeats::sell).beside("LockedSeats"),
        last("LockedSeats", Sound, || LockedSeats(Mutex::new(1)), LockedSeats::sell),
        last(
            "LookThenSellSeats",
            Order,
            || LookThenSellSeats(AtomicI64::new(1)),
            LookThenSellSeats::sell,
        )
        .beside("OneStepSeats"),
        last("OneStepSeats", Sound, || OneStepSeats(AtomicI64::new(1)), OneStepSeats::sell),
        last(
            "CheckThenEnterRoom",
            Order,
            || CheckThenEnterRoom(LookAgainRoom::new(1)),
            CheckThenEnterRoom::enter,
        )
        .beside("LookAgainRoom"),
        last("LookAgainRoom", Sound, || LookAgainRoom::new(1), LookAgainRoom::enter),
    ]
}

fn flags() -> [Specimen; 4] {
    [
        Specimen::new(
            "RelaxedFlagSeats",
            WeakDataRace,
            RelaxedFlagSeats::default,
            [|seats: &RelaxedFlagSeats| written(|| seats.publish(7)), RelaxedFlagSeats::get],
            |_, [_, seen]| [None, Some(7)].contains(seen),
        )
        .beside("FlaggedSeats"),
        Specimen::new(
            "FlaggedSeats",
            Sound,
            FlaggedSeats::default,
            [|seats: &FlaggedSeats| written(|| seats.publish(7)), FlaggedSeats::get],
            |_, [_, seen]| [None, Some(7)].contains(seen),
        ),
        Specimen::new("UnsyncMark", HarmlessRace, UnsyncMark::new, [UnsyncMark::set; 2], |_, _| {
            true
        })
        .beside("AtomicBool::store"),
        Specimen::new(
            "AtomicBool::store",
            Sound,
            || AtomicBool::new(false),
            [|mark: &AtomicBool| mark.store(true, Relaxed); 2],
            |_, _| true,
        ),
    ]
}

/// What begins and when it ends, or host and port.
type Pair = (u64, u64);

/// A writer, and a reader who sees one of these two and no mixture.
fn whole<S>(
    name: &'static str,
    kind: Kind,
    init: fn() -> S,
    bodies: [fn(&S) -> Pair; 2],
) -> Specimen
where
    S: Send + Sync + 'static,
{
    Specimen::new(name, kind, init, bodies, |_, [_, seen]| {
        [(8, 12), (18, 22), (1, 1), (2, 2)].contains(seen)
    })
}

fn windows() -> [Specimen; 5] {
    [
        whole(
            "PlainWindow",
            DataRace,
            || PlainWindow::new(MORNING),
            [|window: &PlainWindow| written(|| window.set(EVENING)), PlainWindow::get],
        )
        .beside("LockedWindow"),
        whole(
            "UnlockedReadWindow",
            Order,
            || UnlockedReadWindow::new(MORNING),
            [
                |window: &UnlockedReadWindow| written(|| window.set(EVENING)),
                UnlockedReadWindow::get,
            ],
        )
        .beside("LockedWindow"),
        whole(
            "OneByOneWindow",
            Order,
            || OneByOneWindow(LockedWindow::new(MORNING)),
            [|window: &OneByOneWindow| written(|| window.0.set(EVENING)), OneByOneWindow::get],
        )
        .beside("LockedWindow"),
        whole(
            "GuardInGuardWindow",
            Deadlock,
            || GuardInGuardWindow(LockedWindow::new(MORNING)),
            [
                |window: &GuardInGuardWindow| written(|| window.0.set(EVENING)),
                GuardInGuardWindow::get,
            ],
        )
        .beside("LockedWindow"),
        whole(
            "LockedWindow",
            Sound,
            || LockedWindow::new(MORNING),
            [|window: &LockedWindow| written(|| window.set(EVENING)), LockedWindow::get],
        ),
    ]
}

fn tables() -> [Specimen; 4] {
    [
        whole(
            "UnsyncTable",
            DataRace,
            UnsyncTable::new,
            [
                |table: &UnsyncTable| written(|| table.set(HOST, 2)),
                |table| {
                    let host = table.get(HOST);
                    (host, host)
                },
            ],
        )
        .beside("LockedTable"),
        whole(
            "KeyByKeyTable",
            Order,
            || KeyByKeyTable(LockedTable::new()),
            [|table: &KeyByKeyTable| written(|| table.set_both(2)), |table| table.0.both()],
        )
        .beside("LockedTable"),
        whole(
            "LookByLookTable",
            Order,
            || LookByLookTable(LockedTable::new()),
            [|table: &LookByLookTable| written(|| table.0.set_both(2)), LookByLookTable::both],
        )
        .beside("LockedTable"),
        whole(
            "LockedTable",
            Sound,
            LockedTable::new,
            [|table: &LockedTable| written(|| table.set_both(2)), LockedTable::both],
        ),
    ]
}
