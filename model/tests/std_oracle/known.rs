//! Programs of known answers: that the machine knows `std`, and what today's checker does not do.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering::{self, Acquire, Relaxed, Release, SeqCst};

use crate::code::compile;
use crate::family::{compare, reasons};
use crate::machine::{Answer, Failed, Policy, answer};
use crate::program::{Change, Mode, Op, Place, Program, Who};
use crate::tally::{Known, Tally};

const X: Place = Place::Word(0);
const Y: Place = Place::Word(1);

pub(crate) fn program(threads: Vec<Vec<Op>>) -> Program {
    let order = (0..threads.len()).collect();
    Program { threads, order }
}

fn add(at: Place) -> Op {
    Op::Update(at, Change::Add(1), SeqCst)
}

fn required(program: &Program) -> Answer {
    answer(program, Policy::REQUIRED).expect("it makes sense")
}

fn failures(threads: Vec<Vec<Op>>) -> Vec<Failed> {
    required(&program(threads)).failures.into_iter().collect()
}

fn outcomes(threads: Vec<Vec<Op>>) -> Vec<String> {
    let program = program(threads);
    let answer = required(&program);
    assert!(answer.failures.is_empty(), "{answer:?}");
    answer.outcomes.iter().map(|outcome| outcome.text(&program.order)).collect()
}

#[test]
fn happens_before_is_that_of_the_declared_orderings() {
    let passed = |store: Ordering, load: Ordering| {
        failures(vec![
            vec![Op::CellWrite(0), Op::Store(X, 1, store)],
            vec![Op::Load(X, load), Op::If(1, vec![Op::CellRead(0)])],
        ])
    };
    assert_eq!(passed(Release, Acquire), []);
    assert_eq!(passed(SeqCst, SeqCst), []);
    assert_eq!(passed(Relaxed, Acquire), [Failed::DataRace]);
    assert_eq!(passed(Release, Relaxed), [Failed::DataRace]);
    let relayed = |relay: Op| {
        failures(vec![
            vec![Op::CellWrite(0), Op::Store(X, 1, Release)],
            vec![relay],
            vec![Op::Load(X, Acquire), Op::If(2, vec![Op::CellRead(0)])],
        ])
    };
    // An update goes on with the release sequence, a store does not.
    assert_eq!(relayed(Op::Update(X, Change::Add(1), Relaxed)), []);
    assert_eq!(relayed(Op::Store(X, 2, Relaxed)), [Failed::DataRace]);
    let fenced = |fence: Ordering| {
        failures(vec![
            vec![Op::CellWrite(0), Op::Fence(fence), Op::Store(X, 1, Relaxed)],
            vec![Op::Load(X, Acquire), Op::If(1, vec![Op::CellRead(0)])],
        ])
    };
    assert_eq!(fenced(Release), []);
    assert_eq!(fenced(Acquire), [Failed::DataRace]);
}

#[test]
fn every_edge_of_std_orders() {
    let write = Op::CellWrite(0);
    let lock = |ops: Vec<Op>| Op::Lock(0, ops);
    let none: [Failed; 0] = [];
    let locked = vec![vec![lock(vec![write.clone()])], vec![lock(vec![write.clone()])]];
    assert_eq!(failures(locked), none);
    let sent = vec![
        vec![write.clone(), Op::Send(0, 1)],
        vec![Op::Recv(0), Op::If(11, vec![write.clone()])],
    ];
    assert_eq!(failures(sent), none);
    let joined = vec![vec![Op::Spawn(1, vec![write.clone()]), Op::Join, write.clone()]];
    assert_eq!(failures(joined), none);
    let unjoined = vec![vec![Op::Spawn(1, vec![write.clone()]), write.clone()]];
    assert_eq!(failures(unjoined), [Failed::DataRace]);
    let once =
        vec![vec![write.clone(), Op::Set(0, 1)], vec![Op::Get(0), Op::If(1, vec![write.clone()])]];
    assert_eq!(failures(once), none);
    let unique = vec![vec![Op::ReadInside(0)], vec![Op::GetMut(0)]];
    assert_eq!(failures(unique), none);
    let counted =
        vec![vec![write.clone(), Op::DropArc(0)], vec![Op::Count(0), Op::If(1, vec![write])]];
    assert_eq!(failures(counted), [Failed::DataRace], "a count acquires nothing");
}

#[test]
fn waits_may_be_in_vain_and_may_end_spuriously() {
    let wait = Op::Lock(0, vec![Op::Wait(0)]);
    let lost = failures(vec![vec![wait.clone()], vec![Op::NotifyAll(0)]]);
    assert_eq!(lost, [Failed::Deadlock]);
    let spurious = required(&program(vec![vec![wait, add(X)], vec![add(X)]]));
    assert_eq!(spurious.outcomes.len(), 2, "it wakes though it is not notified");
    assert_eq!(failures(vec![vec![Op::Recv(1)], vec![Op::DropSender(1)]]), []);
    let crossed = vec![
        vec![Op::Lock(0, vec![Op::Lock(1, vec![])])],
        vec![Op::Lock(1, vec![Op::Lock(0, vec![])])],
    ];
    assert_eq!(failures(crossed), [Failed::Deadlock]);
}

#[test]
fn a_panic_poisons_and_is_joined() {
    let caught = Op::Catch(vec![Op::Lock(0, vec![Op::Panic])]);
    assert_eq!(
        outcomes(vec![vec![caught], vec![Op::TryLock(0, vec![])]]),
        [
            "t0=[0, 1] t1=[0] finals=[1]",
            "t0=[0, 1] t1=[1] finals=[1]",
            "t0=[0, 1] t1=[2] finals=[1]"
        ]
    );
    let joined = vec![vec![Op::Spawn(1, vec![Op::Panic]), Op::Join]];
    assert_eq!(outcomes(joined), ["t0=[60] finals=[]"]);
    let alone = vec![vec![Op::Spawn(1, vec![Op::Panic])]];
    assert_eq!(failures(alone), [Failed::Panic]);
    let local = vec![vec![Op::Spawn(1, vec![Op::Local(vec![add(X)])]), Op::Join, add(X)]];
    assert_eq!(outcomes(local), ["t0=[50, 1] finals=[2]"]);
}

#[test]
fn what_makes_no_sense_is_not_run() {
    let wrong = [
        vec![vec![Op::Wait(0)]],
        vec![vec![Op::Join]],
        vec![vec![Op::Recv(0)], vec![Op::Recv(0)]],
        vec![vec![Op::Unpark(Who::Child)]],
    ];
    for threads in wrong {
        assert!(compile(&program(threads.clone())).is_none(), "{threads:?}");
    }
}

/// What the checker does not explore today is what `Known` says, and no more.
#[test]
fn each_known_difference_is_one() {
    let hold = |mode: Mode, ops: Vec<Op>| Op::Hold(0, mode, ops);
    let wait = Op::Lock(0, vec![Op::WaitTimeout(0), add(X)]);
    let programs = [
        (
            Known::WaitingWriter,
            // A reader that waits for another reader, and a writer in between.
            vec![
                vec![hold(Mode::Read, vec![Op::Await(X, 1, SeqCst)])],
                vec![hold(Mode::Write, vec![])],
                vec![hold(Mode::Read, vec![add(X)])],
            ],
        ),
        (
            Known::NotifiesInOrder,
            // The first that waits notifies the second; the other way round one is left.
            vec![
                vec![Op::Lock(0, vec![add(X), Op::Wait(0)]), Op::NotifyOne(0)],
                vec![Op::Await(X, 1, SeqCst), Op::Lock(0, vec![add(X), Op::Wait(0)])],
                vec![Op::Await(X, 2, SeqCst), Op::Lock(0, vec![]), Op::NotifyOne(0)],
            ],
        ),
        (Known::TimeoutNeverSpurious, vec![vec![wait], vec![add(X)]]),
        (
            Known::ReadersSynchronize,
            vec![
                vec![hold(Mode::Read, vec![Op::CellWrite(0)]), Op::Store(X, 1, Relaxed)],
                vec![
                    Op::Load(X, Relaxed),
                    Op::If(1, vec![hold(Mode::Read, vec![Op::CellRead(0)])]),
                ],
            ],
        ),
    ];
    for (known, threads) in programs {
        let program = program(threads);
        let mut tally = Tally::default();
        assert!(reasons(&program, &required(&program)).contains(&known), "{known:?}");
        // Of this one there are too many executions: the page `limits.rs` has a smaller one.
        if known == Known::NotifiesInOrder {
            continue;
        }
        assert_eq!(compare(&program, &mut tally), None, "{known:?}");
        if cfg!(loom) {
            assert_eq!(tally.failing, 0, "{known:?} is found now");
        }
    }
}

/// The texts that are printed compile: `pasted.rs` and `pasted_all.rs` are two of them.
#[test]
fn what_is_printed_can_be_pasted() {
    let small = program(vec![
        vec![Op::Lock(0, vec![Op::WaitTimeout(0), Op::Store(X, 2, Release)]), Op::TrySend(1, 1)],
        vec![Op::NotifyOne(0), Op::Recv(1), Op::Local(vec![add(Y)])],
    ]);
    let text = crate::text::test(&small, &required(&small), false);
    same(&text, include_str!("pasted.rs"), "pasted.rs");
    let answer = Answer { failures: BTreeSet::from([Failed::Panic]), ..Answer::default() };
    let text = crate::text::test(&everything(), &answer, true).replace("pasted()", "pasted_all()");
    same(&text, include_str!("pasted_all.rs"), "pasted_all.rs");
}

fn same(text: &str, file: &str, name: &str) {
    if std::env::var_os("ORACLE_BLESS").is_some() {
        let path = format!("{}/tests/std_oracle/{name}", env!("CARGO_MANIFEST_DIR"));
        std::fs::write(path, text).expect("it can be written");
        return;
    }
    assert!(text == file, "{name} must be\n{text}");
}

/// A program with each kind of step; it panics at once.
fn everything() -> Program {
    let (flag, pointer) = (Place::Flag(0), Place::Pointer(0));
    let changes = [
        Change::Swap(1),
        Change::Add(1),
        Change::Sub(1),
        Change::And(1),
        Change::Or(1),
        Change::Xor(1),
        Change::Nand(1),
        Change::Max(1),
        Change::Min(1),
    ];
    let mut atomics = vec![Op::Refute(X, 0)];
    atomics.extend(changes.map(|change| Op::Update(X, change, Relaxed)));
    for at in [X, flag, pointer] {
        atomics.extend([Op::Load(at, Acquire), Op::Store(at, 1, Release)]);
        for weak in [false, true] {
            let (success, failure) = (SeqCst, Relaxed);
            atomics.push(Op::Exchange { at, current: 0, new: 1, success, failure, weak });
        }
    }
    let (below, set, fetch) = (2, Release, Acquire);
    atomics.extend([
        Op::Update(flag, Change::Nand(1), Relaxed),
        Op::Update(pointer, Change::Swap(1), Relaxed),
        Op::FetchUpdate { at: X, below, set, fetch },
        Op::Fence(SeqCst),
        Op::Await(X, 1, Acquire),
        Op::Spin(flag, 1, Acquire),
        Op::Idle(2),
    ]);
    let locks = vec![
        Op::Catch(vec![Op::Lock(0, vec![Op::Panic])]),
        Op::TryLock(0, vec![Op::Wait(0), Op::WaitTimeout(0), Op::WaitUntil(0, X, 1)]),
        Op::Hold(0, Mode::Read, vec![Op::NotifyOne(0)]),
        Op::Hold(0, Mode::Write, vec![Op::NotifyAll(0)]),
        Op::TryHold(0, Mode::Read, vec![]),
        Op::TryHold(0, Mode::Write, vec![]),
        Op::If(2, vec![Op::CellRead(0), Op::CellWrite(0)]),
        Op::Set(0, 1),
        Op::Get(0),
        Op::GetOrInit(0, 2, vec![add(X)]),
    ];
    let sends = vec![
        Op::Introduce,
        Op::Park,
        Op::ParkTimeout,
        Op::ParkUntil(pointer, 1),
        Op::Send(0, 1),
        Op::Send(1, 1),
        Op::TrySend(2, 1),
        Op::DropSender(0),
        Op::Count(0),
        Op::GetMut(0),
        Op::ReadInside(0),
        Op::IntoInner(0),
    ];
    let receives = vec![
        Op::Unpark(Who::Declared(2)),
        Op::Recv(0),
        Op::TryRecv(1),
        Op::RecvTimeout(2),
        Op::DropReceiver(2),
        Op::Spawn(4, vec![Op::Unpark(Who::Parent), Op::Local(vec![add(X)])]),
        Op::Unpark(Who::Child),
        Op::Join,
        Op::DropArc(0),
    ];
    program(vec![atomics, locks, sends, receives])
}
