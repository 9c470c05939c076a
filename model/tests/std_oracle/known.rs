//! Programs of known answers: that the machine knows `std`, and that the engine explores what it leaves open.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering::{self, Acquire, Relaxed, Release, SeqCst};

use crate::checker::{Verdict, explore};
use crate::code::compile;
use crate::family::compare;
use crate::machine::{Answer, Failed, Policy, answer};
use crate::program::{Change, Mode, Op, Place, Program, Who};
use crate::tally::Tally;

const X: Place = Place::Word(0);

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

/// What the checker on loom does not explore, and the graph engine does.
#[test]
fn what_std_leaves_open_is_explored() {
    let hold = |mode: Mode, ops: Vec<Op>| Op::Hold(0, mode, ops);
    let failing = [
        // A reader that waits for another reader, and a writer in between.
        (
            Failed::Deadlock,
            vec![
                vec![hold(Mode::Read, vec![Op::Await(X, 1, SeqCst)])],
                vec![hold(Mode::Write, vec![])],
                vec![hold(Mode::Read, vec![add(X)])],
            ],
        ),
        // `notify_one` wakes any waiter. The first that waits notifies the second; the other way round one
        // is left.
        (
            Failed::Deadlock,
            vec![
                vec![Op::Lock(0, vec![add(X), Op::Wait(0)]), Op::NotifyOne(0)],
                vec![Op::Await(X, 1, SeqCst), Op::Lock(0, vec![add(X), Op::Wait(0)])],
                vec![Op::Await(X, 2, SeqCst), Op::Lock(0, vec![]), Op::NotifyOne(0)],
            ],
        ),
        // A read does not know of the reads before it.
        (
            Failed::DataRace,
            vec![
                vec![hold(Mode::Read, vec![Op::CellWrite(0)]), Op::Store(X, 1, Relaxed)],
                vec![
                    Op::Load(X, Relaxed),
                    Op::If(1, vec![hold(Mode::Read, vec![Op::CellRead(0)])]),
                ],
            ],
        ),
    ];
    for (failed, threads) in failing {
        let program = program(threads);
        assert_eq!(required(&program).failures, BTreeSet::from([failed]));
        assert!(
            matches!(explore(&program, Policy::REQUIRED), Verdict::Failed(found, _) if found == failed)
        );
    }
    // A wait with a limit of time ends spuriously: it is not notified, and time is not up.
    let wait = Op::Lock(0, vec![Op::WaitTimeout(0), add(X)]);
    let program = program(vec![vec![wait], vec![add(X)]]);
    let Verdict::Explored { outcomes, bound: None } = explore(&program, Policy::REQUIRED) else {
        panic!("it ends")
    };
    assert!(outcomes.contains("t0=[0, 0, 0, 0] t1=[1] finals=[2]"), "{outcomes:?}");
    assert_eq!(compare(&program, Policy::REQUIRED, &mut Tally::default()), None);
}

/// The one thing that is left open still: a `try_read` fails only if the lock is held, or a writer that
/// waits for its readers is the next to have it.
#[test]
fn a_writer_that_makes_a_try_read_fail_is_not_overtaken() {
    let threads = vec![
        vec![Op::TryHold(0, Mode::Read, vec![]), Op::Hold(0, Mode::Read, vec![add(X)])],
        vec![Op::Hold(0, Mode::Write, vec![add(X)])],
    ];
    let program = program(threads);
    let mut tally = Tally::default();
    assert_eq!(compare(&program, Policy::REQUIRED, &mut tally), None);
    assert_eq!(tally.overtaken_writers, 1);
    let Verdict::Explored { outcomes, bound: None } = explore(&program, Policy::REQUIRED) else {
        panic!("it ends")
    };
    let allowed = answer(&program, Policy::REQUIRED.allowed()).expect("it makes sense");
    let allowed: BTreeSet<String> =
        allowed.outcomes.iter().map(|outcome| outcome.text(&program.order)).collect();
    let more: Vec<&String> = allowed.difference(&outcomes).collect();
    assert_eq!(more, ["t0=[2, 0, 0] t1=[0, 1] finals=[2]"]);
}

/// A thread that unwinds sets the flag, and then releases the lock.
#[test]
fn a_lock_is_poisoned_before_it_is_released() {
    for (caught, asks, tries) in [
        (Op::Lock(0, vec![Op::Panic]), Op::IsPoisoned(0), Op::TryLock(0, vec![])),
        (
            Op::Hold(0, Mode::Write, vec![Op::Panic]),
            Op::IsRwPoisoned(0),
            Op::TryHold(0, Mode::Read, vec![]),
        ),
    ] {
        let program = program(vec![vec![Op::Catch(vec![caught])], vec![asks, tries]]);
        assert_eq!(compare(&program, Policy::REQUIRED, &mut Tally::default()), None);
        let Verdict::Explored { outcomes, bound: None } = explore(&program, Policy::REQUIRED)
        else {
            panic!("it ends")
        };
        assert!(outcomes.contains("t0=[0, 1] t1=[1, 2] finals=[1]"), "{outcomes:?}");
    }
}
