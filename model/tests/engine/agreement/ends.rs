//! Where an exploration of the loom engine ends.

use super::*;

#[test]
fn what_the_engine_cannot_run_is_named() {
    let spawns = |n: usize| {
        move || {
            for thread in (0..n).map(|_| thread::spawn(|| ())).collect::<Vec<_>>() {
                thread.join().unwrap();
            }
        }
    };
    assert_eq!(end(spawns(4)), End::Complete);
    assert_eq!(end(spawns(5)), End::Unable("more than 5 threads".to_owned()));
    let config = Config { steps: 10, ..whole() };
    let report = count(&config, || {
        let x = AtomicUsize::new(0);
        (0..11).for_each(|_| x.store(1, SeqCst));
    });
    assert!(matches!(report.end, End::Unable(reason) if reason.contains("10 steps")));
    let outside = AtomicUsize::new(0);
    let misused = end(|| _ = outside.load(SeqCst));
    assert!(matches!(misused, End::Unable(reason) if reason.contains("outside any model")));
    // A thread that is in the middle of its steps, and one that has not begun, are unwound too.
    let while_others_run = end(|| {
        let x = Arc::new(AtomicUsize::new(0));
        for _ in 0..3 {
            let x = x.clone();
            thread::spawn(move || (0..2).for_each(|_| _ = x.fetch_add(1, SeqCst)));
        }
        x.store(1, SeqCst);
        let threads = [(); 2].map(|()| thread::spawn(|| ()));
        for thread in threads {
            thread.join().unwrap();
        }
    });
    assert_eq!(while_others_run, End::Unable("more than 5 threads".to_owned()));
}

fn three_updates() {
    let x = Arc::new(AtomicUsize::new(0));
    let threads = [(); 3].map(|()| {
        let x = x.clone();
        thread::spawn(move || x.fetch_add(1, SeqCst))
    });
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn an_exploration_ends_at_its_cap_or_when_the_caller_ends_it() {
    for cap in [1, 5] {
        let report = count(&Config { executions: cap, ..Config::default() }, three_updates);
        assert_eq!((report.executions(), report.end), (cap, End::Capped));
    }
    let mut numbers = Vec::new();
    let report = explore(&whole(), &three_updates, &mut |execution| {
        numbers.push(execution.number());
        if numbers.len() == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!((numbers, report.end), (vec![1, 2, 3], End::Stopped));
    assert_eq!(count(&whole(), three_updates).end, End::Complete);
}

#[test]
fn a_bound_on_preemptions_is_a_cap() {
    let bounded = Config { preemptions: Some(0), ..whole() };
    let report = count(&bounded, three_updates);
    assert_eq!(report.end, End::Capped);
    assert!(report.complete < count(&whole(), three_updates).complete);
}

#[test]
fn many_locations_and_deep_stacks_are_no_limit() {
    fn deep(levels: usize) -> usize {
        let room = black_box([levels; 1_000]);
        if levels == 0 { 0 } else { deep(levels - 1) + room[levels] / levels }
    }
    let found = outcomes(|| {
        let many: Vec<_> = (0..100).map(AtomicUsize::new).collect();
        let many = std::sync::Arc::new(many);
        let there = many.clone();
        let other = thread::spawn(move || {
            (0..100).for_each(|at| there[at].store(0, SeqCst));
            deep(15)
        });
        let seen = many[99].load(SeqCst);
        format!("{seen} {} {}", deep(15), other.join().unwrap())
    });
    assert_eq!(found, complete(["0 15 15", "99 15 15"]));
}
