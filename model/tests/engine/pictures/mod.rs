//! What is shown of an execution: whole pictures, without the places.

mod endings;
mod objects;
pub(crate) mod support;

use std::ops::ControlFlow;
use std::sync::Arc as Shared;

use self::support::{Plain, drawing, drawn, first, pair, spawn, without_places};
use selvedge_model::engine::graph::{Config, Execution, Source as Read, explore_results};
use selvedge_model::kernel;
use selvedge_model::render::{Detail, Kind, Row, Source, picture};
use selvedge_model::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use selvedge_model::sync::atomic::{AtomicBool, AtomicI8, AtomicPtr, AtomicU64, fence};
use selvedge_model::sync::{hint, thread};

#[test]
fn lost_update() {
    let add = |count: &AtomicU64| {
        let seen = count.load(SeqCst);
        count.store(seen + 1, SeqCst);
        seen
    };
    let picture = drawn(&(0, 0), || pair(AtomicU64::new(0), add, add));
    assert_eq!(
        picture,
        r"
      alice                      bob
   1                             a1.load = 0
                                 ~~ preempted ~~
   2  a1.load = 0
   3  a1.store 1
   4                             a1.store 1

  a1: AtomicU64
"
    );
}

#[test]
fn store_buffering() {
    let picture = drawn(&(0, 0), || {
        pair(
            (AtomicU64::new(0), AtomicU64::new(0)),
            |(x, y)| {
                x.store(1, Relaxed);
                y.load(Relaxed)
            },
            |(x, y)| {
                y.store(1, Relaxed);
                x.load(Relaxed)
            },
        )
    });
    assert_eq!(
        picture,
        r"
      alice                      bob
   1  a1.store rlx 1
   2  a2.load rlx = 0
   3                             a2.store rlx 1
   4                             a1.load rlx
                                   reads 0, newest is 1

  a1: AtomicU64
  a2: AtomicU64
"
    );
}

/// The first thread of the two does not store 2 last, nor does the other.
#[test]
fn stores_out_of_order() {
    let program = || {
        let atomics = Shared::new((AtomicU64::new(0), AtomicU64::new(0)));
        let shared = atomics.clone();
        let ((), seen) = pair(
            shared,
            |s| {
                s.0.store(1, Relaxed);
                s.1.store(2, Relaxed);
            },
            |s| {
                s.1.store(1, Relaxed);
                s.0.store(2, Relaxed);
                s.0.load(Relaxed)
            },
        );
        (seen, atomics.1.load(Relaxed))
    };
    let wanted = |_: &Execution<'_>, result: Option<&_>| result == Some(&(1, 1));
    let picture = first(program, wanted, |execution| picture(execution, Detail::Threads));
    let Kind::Step(last_store) = &picture.rows[3].kind else { panic!("{picture:?}") };
    assert_eq!(last_store.after.as_deref(), Some("1"));
    assert_eq!(
        without_places(picture),
        r"
      alice                      bob
   1  a1.store rlx 1
   2  a2.store rlx 2
   3                             a2.store rlx 1
   4                             a1.store rlx 2
                                   before 1 in modification
                                   order
   5                             a1.load rlx = 1

  a1: AtomicU64
  a2: AtomicU64
"
    );
}

#[test]
fn an_old_value_and_where_it_comes_from() {
    let program = || {
        pair(
            (AtomicU64::new(0), AtomicBool::new(false)),
            |(x, ready)| {
                x.store(1, Relaxed);
                x.store(2, Relaxed);
                ready.store(true, Relaxed);
            },
            |(x, ready)| (ready.load(Relaxed), x.load(Relaxed)),
        )
    };
    let wanted = |_: &Execution<'_>, result: Option<&_>| result == Some(&((), (true, 1)));
    assert_eq!(
        first(program, wanted, drawing),
        r"
      alice                      bob
   1  a1.store rlx 1
   2  a1.store rlx 2
   3  a2.store rlx true
   4                             a2.load rlx = true
   5                             a1.load rlx
                                   reads 1 from step 1,
                                   newest is 2

  a1: AtomicU64
  a2: AtomicBool
"
    );
    let picture = first(program, wanted, |execution| picture(execution, Detail::Threads));
    let Kind::Step(step) = &picture.rows[4].kind else { panic!("{picture:?}") };
    let reads = step.reads.as_ref().expect("a load");
    assert_eq!((reads.from, reads.stale), (Some(Source::Row(0)), true));
    let json = serde_json::to_value(&picture).unwrap();
    let row = &json["rows"][4];
    assert_eq!((&row["kind"], &row["reads"]["from"]["row"]), (&"step".into(), &0.into()));
    assert_eq!(json["rows"][3]["reads"]["from"]["row"], 2);
    assert_eq!(json["objects"][0]["initial"], "0");
}

#[test]
fn a_spurious_failure_and_a_real_one() {
    let program = || {
        pair(
            AtomicI8::new(-1),
            |x| x.compare_exchange_weak(-1, 3, AcqRel, Relaxed),
            |x| {
                fence(SeqCst);
                x.fetch_max(7, Relaxed)
            },
        )
    };
    assert_eq!(
        drawn(&(Err(-1), -1), program),
        r"
      alice                      bob
   1  a1.compare_exchange_weak(-1,
        3): fails spuriously
   2                             fence sc
   3                             a1.fetch_max(7): -1 -> 7

  a1: AtomicI8
"
    );
    assert_eq!(
        drawn(&(Err(7), -1), program),
        r"
      alice                      bob
   1                             fence sc
   2                             a1.fetch_max(7): -1 -> 7
   3  a1.compare_exchange_weak(-1,
        3): found 7

  a1: AtomicI8
"
    );
}

#[test]
fn repeated_steps_are_folded() {
    let picture = drawn(&((), 1), || {
        pair(
            AtomicU64::new(0),
            |x| {
                (0..10).for_each(|_| assert!(x.load(Relaxed) < 2));
                x.store(1, Relaxed);
            },
            |x| x.load(Relaxed),
        )
    });
    assert_eq!(
        picture,
        r"
      alice                      bob
   1  a1.load = 0
      … the last step, 9 more
        times
  11  a1.store 1
  12                             a1.load = 1

  a1: AtomicU64
"
    );
}

#[test]
fn pointers_are_numbered() {
    let program = || {
        pair(
            AtomicPtr::new(std::ptr::null_mut()),
            |slot| slot.store(Box::into_raw(Box::new(1_u64)), Release),
            |slot| {
                let found = slot.swap(std::ptr::dangling_mut(), AcqRel);
                let is_there = !found.is_null();
                if is_there {
                    // SAFETY: it is swapped out once.
                    drop(unsafe { Box::from_raw(found) });
                }
                is_there
            },
        )
    };
    assert_eq!(
        drawn(&((), false), program),
        r"
      alice                      bob
   1                             a1.swap(p1): null -> p1
   2  a1.store p2

  a1: AtomicPtr
"
    );
    assert_eq!(
        drawn(&((), true), program),
        r"
      alice                      bob
   1  a1.store p1
   2                             a1.swap(p2): p1 -> p2

  a1: AtomicPtr
"
    );
}

#[test]
fn everything_is_shown_in_full_with_places_and_notes() {
    let program = || {
        let count = Shared::new(AtomicU64::new(0));
        count.store(1, SeqCst);
        let shared = count.clone();
        let alice = spawn("alice", move || {
            kernel::with(|engine| engine.note("add begins".into(), std::panic::Location::caller()));
            shared.fetch_add(1, AcqRel)
        });
        alice.join().unwrap();
        count.load(Relaxed)
    };
    let full = first(program, |_, _| true, |execution| picture(execution, Detail::Full));
    let text = full.to_string();
    assert_eq!(
        without_places(full.clone()),
        r"
      main                       alice
      -- init --
   1  a1.store sc 1
      -- threads --
   2  spawn alice
                                 add begins
   3                             a1.fetch_add(1) acq_rel: 1
                                   -> 2
   4  join alice
      -- finally --
   5  a1.load rlx = 2

  a1: AtomicU64
"
    );
    let row = full.rows.iter().find(|row| row.text.starts_with("a1.fetch_add"));
    let place = row.and_then(|row| row.at.as_deref()).unwrap_or_default();
    assert!(place.starts_with("model/tests/engine/pictures/mod.rs:"), "{place}");
    assert!(text.contains("…/pictures/mod.rs:"), "{text}");
    // It outlives the exploration, and goes where it is needed.
    std::thread::spawn(move || drop(full)).join().unwrap();
}

/// Plain accesses are not events, and yet they come before the join.
#[test]
fn a_thread_is_joined_when_it_has_done_everything() {
    let program = || {
        let memory = Shared::new(Plain::new());
        let shared = memory.clone();
        spawn("alice", move || shared.write(1)).join().unwrap();
        memory.read();
    };
    let full = first(program, |_, _| true, |execution| picture(execution, Detail::Full));
    assert_eq!(
        without_places(full),
        r"
      main                       alice
      -- threads --
   1  spawn alice
   2                             c1.write
   3  join alice
      -- finally --
   4  c1.read

  c1: UnsafeCell
"
    );
}

#[test]
fn a_thread_that_waits_in_a_loop_is_not_preempted() {
    let picture = drawn(&(true, ()), || {
        pair(
            AtomicBool::new(false),
            |flag| {
                let mut waited = false;
                while !flag.load(Acquire) {
                    waited = true;
                    hint::spin_loop();
                }
                waited
            },
            |flag| flag.store(true, Release),
        )
    });
    assert_eq!(
        picture,
        r"
      alice                      bob
   1  a1.load = false
   2                             a1.store true
   3  a1.load = true

  a1: AtomicBool
"
    );
}

/// In every execution: the order shown agrees with program order and reads-from, and it is an
/// interleaving, without old values, if there is one.
#[test]
fn the_order_shown_explains_what_was_read_if_an_order_can() {
    let (mut interleavings, mut others, mut reordered) = (0, 0, 0);
    for programs in [[0, 1, 2], [1, 1, 3], [3, 0, 3], [2, 3, 1], [4, 0, 1], [4, 5, 2], [4, 5, 0]] {
        let program = || {
            let atomics = Shared::new([AtomicU64::new(0), AtomicU64::new(0)]);
            let thread = |number: u64| {
                let atomics = atomics.clone();
                let what = programs[usize::try_from(number).unwrap()];
                thread::spawn(move || {
                    let [x, y] = &*atomics;
                    match what {
                        0 => (x.store(number + 1, Relaxed), y.load(Relaxed)).1,
                        1 => (y.store(number + 1, Relaxed), x.load(Relaxed)).1,
                        2 => x.load(Acquire) + y.load(Acquire),
                        3 => (x.fetch_add(4, Release), y.store(number + 7, Release)).0,
                        4 => (y.store(number + 9, Release), x.swap(number + 9, Release)).1,
                        _ => (x.store(number + 9, Release), y.swap(number + 9, Release)).1,
                    }
                })
            };
            let threads: Vec<_> = (0..3).map(thread).collect();
            for thread in threads {
                thread.join().unwrap();
            }
        };
        explore_results(&Config::default(), program, |execution, _| {
            let trace = execution.trace();
            assert_eq!(trace.is_interleaving, execution.is_sequentially_consistent());
            for (at, line) in trace.lines.iter().enumerate() {
                assert!(!matches!(line.source, Some(Read::Line(source)) if source >= at));
            }
            let picture = picture(execution, Detail::Full);
            let is_old =
                |text: &str| text.contains("newest is") || text.contains("in modification order");
            let old = picture.rows.iter().any(|row| is_old(&row.text));
            assert_eq!(old, !trace.is_interleaving, "{picture}");
            let is_reordered = |row: &Row| row.text.contains("in modification order");
            reordered += u32::from(picture.rows.iter().any(is_reordered));
            *(if old { &mut others } else { &mut interleavings }) += 1;
            ControlFlow::Continue(())
        });
    }
    assert_eq!((interleavings, others, reordered), (144, 58, 6));
}
