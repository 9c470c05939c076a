//! scratch
#![allow(missing_docs, clippy::pedantic, unused)]
mod checked;
mod interleavings;
#[cfg(loom)]
mod plain;
mod program;
mod views;
use program::*;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::*;
#[test]
fn probe() {
    let n: usize = std::env::var("N").ok().and_then(|s| s.parse().ok()).unwrap_or(200);
    for (threads, steps) in [(2usize, 3usize), (2, 4)] {
        for strength in [Strength::SeqCst, Strength::Relaxed, Strength::Mixed] {
            for (name, ls, up, mx, fe) in [
                ("ls", true, false, false, false),
                ("ls+rmw", true, true, false, false),
                ("rmw", false, true, true, false),
                ("all", true, true, true, true),
            ] {
                let a =
                    Alphabet { strength, loads_and_stores: ls, updates: up, mutex: mx, fences: fe };
                let strat = programs(threads, steps, a);
                let mut runner = TestRunner::new_with_rng(
                    Config::default(),
                    TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]),
                );
                let (
                    mut missed,
                    mut ploom,
                    mut only_int,
                    mut int_extra,
                    mut weak_missed,
                    mut alarms,
                    mut ex,
                    mut pex,
                ) = (0, 0, 0, 0, 0, 0, 0u64, 0u64);
                let t = std::time::Instant::now();
                let mut ex_missed = String::new();
                let mut ex_alarm = String::new();
                let mut ex_weak = String::new();
                for _ in 0..n {
                    let p = strat.new_tree(&mut runner).unwrap().current();
                    let sc: std::collections::BTreeSet<String> =
                        interleavings::outcomes(&p).iter().map(|o| o.to_string()).collect();
                    let r = checked::reached(&p);
                    ex += r.executions;
                    if !sc.is_subset(&r.all) {
                        missed += 1;
                        if ex_missed.is_empty() {
                            ex_missed = format!(
                                "{p}\nmissed {:?}",
                                sc.difference(&r.all).collect::<Vec<_>>()
                            );
                        }
                    }
                    if !sc.is_subset(&r.interleaving) {
                        only_int += 1;
                    }
                    if !r.interleaving.is_subset(&sc) {
                        int_extra += 1;
                    }
                    #[cfg(loom)]
                    {
                        let (pl, c) = plain::reached(&p);
                        pex += c;
                        if !sc.is_subset(&pl) {
                            ploom += 1;
                        }
                    }
                    if let Some(v) = views::outcomes(&p) {
                        let v: std::collections::BTreeSet<String> =
                            v.iter().map(|o| o.to_string()).collect();
                        assert!(sc.is_subset(&v), "{p}");
                        if !v.is_subset(&r.all) {
                            weak_missed += 1;
                            if ex_weak.is_empty() {
                                ex_weak = format!(
                                    "{p}\nmissed weak {:?}",
                                    v.difference(&r.all).collect::<Vec<_>>()
                                );
                            }
                        }
                        if !r.all.is_subset(&v) {
                            alarms += 1;
                            if ex_alarm.is_empty() {
                                ex_alarm = format!(
                                    "{p}\nalarm {:?}",
                                    r.all.difference(&v).collect::<Vec<_>>()
                                );
                            }
                        }
                    }
                }
                println!(
                    "{threads}x{steps} {strength:?} {name}: SC missed {missed} (plain loom {ploom}; int pass {only_int}, int extra {int_extra}) weak missed {weak_missed} alarms {alarms}; execs {ex} vs plain {pex} = {:.2}; {:?}",
                    ex as f64 / pex.max(1) as f64,
                    t.elapsed()
                );
                for e in [ex_missed, ex_weak, ex_alarm] {
                    if !e.is_empty() && std::env::var("V").is_ok() {
                        println!("{e}");
                    }
                }
            }
        }
    }
}
