//! Locks that are taken in the wrong order, for too long or for too little, and locks that are wrong themselves.

use confidence::measured::Kind::{Deadlock, Order, Sound, WeakDataRace};
use selvedge_model::sync::Mutex;
use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};
use specimens::bell::CallAfterUnlockBell;
use specimens::bell::racy::CallUnderLockBell;
use specimens::duty::OneLockDuty;
use specimens::duty::racy::HalfLockedDuty;
use specimens::folders::racy::ArgumentOrderFolders;
use specimens::folders::{OrderedFolders, folders};
use specimens::spin_lock::SpinLock;
use specimens::spin_lock::racy::{
    LookThenTakeSpinLock, RelaxedLockSpinLock, RelaxedUnlockSpinLock,
};

use crate::specimen::Specimen;

pub(super) fn all() -> Vec<Specimen> {
    waits().into_iter().chain(duties()).chain(spins()).collect()
}

fn waits() -> [Specimen; 4] {
    [
        Specimen::new(
            "ArgumentOrderFolders",
            Deadlock,
            || ArgumentOrderFolders(folders()),
            [|folders: &ArgumentOrderFolders| folders.merge(0, 1), |folders| folders.merge(1, 0)],
            |_, _| true,
        )
        .beside("OrderedFolders"),
        Specimen::new(
            "OrderedFolders",
            Sound,
            || OrderedFolders(folders()),
            [|folders: &OrderedFolders| folders.merge(0, 1), |folders| folders.merge(1, 0)],
            |_, _| true,
        ),
        Specimen::new(
            "CallUnderLockBell",
            Deadlock,
            || CallUnderLockBell(Mutex::new(vec![|bell| bell.listen(|_| ())])),
            [CallUnderLockBell::ring; 2],
            |_, _| true,
        )
        .beside("CallAfterUnlockBell"),
        Specimen::new(
            "CallAfterUnlockBell",
            Sound,
            || CallAfterUnlockBell(Mutex::new(vec![|bell| bell.listen(|_| ())])),
            [CallAfterUnlockBell::ring; 2],
            |_, _| true,
        ),
    ]
}

fn duties() -> [Specimen; 2] {
    [
        Specimen::new(
            "HalfLockedDuty",
            Order,
            HalfLockedDuty::new,
            [|duty: &HalfLockedDuty| duty.leave(0), |duty| duty.leave(1)],
            |_, [alice, bob]| !(*alice && *bob),
        )
        .beside("OneLockDuty"),
        Specimen::new(
            "OneLockDuty",
            Sound,
            || OneLockDuty(Mutex::new([true, true])),
            [|duty: &OneLockDuty| duty.leave(0), |duty| duty.leave(1)],
            |_, [alice, bob]| !(*alice && *bob),
        ),
    ]
}

/// A lock, and how many have come in at the same time.
type Watched<L> = (L, AtomicU64);

/// How many others are in as well.
fn company<L>((lock, inside): &Watched<L>, enter: fn(&L), leave: fn(&L)) -> u64 {
    enter(lock);
    let others = inside.fetch_add(1, Relaxed);
    inside.fetch_sub(1, Relaxed);
    leave(lock);
    others
}

fn spins() -> [Specimen; 5] {
    [
        Specimen::new(
            "LookThenTakeSpinLock",
            Order,
            Watched::default,
            [|lock: &Watched<_>| {
                company(lock, LookThenTakeSpinLock::enter, LookThenTakeSpinLock::leave)
            }; 2],
            |_, company| *company == [0, 0],
        )
        .beside("SpinLock, one at a time"),
        Specimen::new(
            "SpinLock, one at a time",
            Sound,
            Watched::default,
            [|lock: &Watched<_>| company(lock, SpinLock::enter, SpinLock::leave); 2],
            |_, company| *company == [0, 0],
        ),
        Specimen::new(
            "RelaxedLockSpinLock",
            WeakDataRace,
            RelaxedLockSpinLock::default,
            [RelaxedLockSpinLock::increment; 2],
            |lock, _| lock.0.value.get() == 2,
        )
        .beside("SpinLock"),
        Specimen::new(
            "RelaxedUnlockSpinLock",
            WeakDataRace,
            RelaxedUnlockSpinLock::default,
            [RelaxedUnlockSpinLock::increment; 2],
            |lock, _| lock.0.value.get() == 2,
        )
        .beside("SpinLock"),
        Specimen::new("SpinLock", Sound, SpinLock::default, [SpinLock::increment; 2], |lock, _| {
            lock.value.get() == 2
        }),
    ]
}
