//! What makes the agreement worth something: what is compared, and that differences are noticed.

use super::*;

#[test]
fn outcomes_that_differ_are_reported_with_their_witnesses() {
    let program = |stores: usize| {
        move || {
            let x = Arc::new(AtomicUsize::new(0));
            let there = x.clone();
            thread::spawn(move || (1..=stores).for_each(|n| there.store(n, SeqCst)));
            x.load(SeqCst).to_string()
        }
    };
    let graphs = |stores| {
        let mut outcomes = Outcomes::default();
        let config = graph::Config::default();
        let report = graph::explore_results(&config, program(stores), |execution, result| {
            outcomes.add_graph(execution, result);
            ControlFlow::Continue(())
        });
        (outcomes, report)
    };
    let loom = |stores, executions| {
        let mut outcomes = Outcomes::default();
        let config = Config { executions, ..Config::default() };
        let report = explore_results(&config, program(stores), |execution, result| {
            outcomes.add_loom(execution, result);
            ControlFlow::Continue(())
        });
        (outcomes, report)
    };
    let difference = |graphs: (Outcomes, graph::Report), loom: (Outcomes, Report)| {
        let difference = compare((&graphs.0, &graphs.1), (&loom.0, &loom.1))?;
        Ok::<_, Box<agreement::Difference>>(difference)
    };
    assert_eq!(difference(graphs(1), loom(1, 1_000)).unwrap(), Extent::Complete);
    let more = difference(graphs(2), loom(1, 1_000)).unwrap_err();
    let only: BTreeSet<_> = more.only_graphs.keys().cloned().collect();
    assert_eq!((only, more.only_loom.len()), (complete(["2"]), 0));
    let witness = more.only_graphs.values().next().unwrap();
    assert!(witness.trace.lines.len() >= 4 && witness.number > 0);
    let less = difference(graphs(1), loom(2, 1_000)).unwrap_err();
    let only: BTreeSet<_> = less.only_loom.keys().cloned().collect();
    assert_eq!((only, less.only_graphs.len()), (complete(["2"]), 0));
    let lines = &less.only_loom.values().next().unwrap().trace.lines;
    assert!(lines.iter().any(|line| {
        matches!(line.action, Action::Step(Operation::Load { .. })) && line.result == 2
    }));
    // Cut short, loom may lack outcomes, and must not have others.
    assert_eq!(difference(graphs(2), loom(2, 1)).unwrap(), Extent::OneWay);
    let cut_short = loom(2, loom(2, 1_000).1.executions() - 1);
    assert_eq!(cut_short.1.end, End::Capped);
    assert!(!difference(graphs(0), cut_short).unwrap_err().only_loom.is_empty());
}

#[test]
fn choices_take_the_first_branch() {
    let found = outcomes(|| {
        let choice = Operation::Choose { what: Choice::Program, options: 3 };
        let site = std::panic::Location::caller();
        kernel::with(|engine| engine.step(choice, site)).unwrap().to_string()
    });
    assert_eq!(found, complete(["0"]));
}

/// Weak outcomes, and those of choices that are not the first, are the graphs' alone.
#[test]
fn only_what_both_engines_explore_is_compared() {
    let found = outcomes(|| {
        let (x, y) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (x2, y2) = (x.clone(), y.clone());
        let other = thread::spawn(move || {
            y2.store(1, Relaxed);
            x2.load(Relaxed)
        });
        x.store(1, Relaxed);
        let failed = x.compare_exchange_weak(1, 2, Relaxed, Relaxed).is_err();
        format!("{failed} {} {}", y.load(Relaxed), other.join().unwrap())
    });
    assert!(found.iter().all(|outcome| {
        matches!(outcome, Outcome::Complete(text) if text.starts_with("false") && !text.ends_with("0 0"))
    }));
    assert!(found.len() >= 4, "{found:?}");
}
