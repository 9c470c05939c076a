//! # Are statistics linearizable?
//!
//! **Answer.** [`Stats`] are: in every small scenario some order of the same calls, made by one thread,
//! gives the same results, and it keeps each thread's order and whatever had ended before something
//! else began.
//!
//! **Why the racy twins fail.** [`TornStats`] count and sum up in two steps: `record || snapshot` is
//! enough. [`LateResetStats`] lose what is recorded between reading and resetting.
//! [`StripeByStripeStats`] read one stripe after the other: each is right, and all of them together
//! belong to no moment; it takes two who record, one after the other, and a third who looks.
//!
//! **Why the sound one holds.** A reader holds all stripes before it reads the first, and looks at the
//! lengths of logs until two looks agree: there is a moment at which all it read was so.
//!
//! **Bounds and what is not modelled.** No bound: every execution of every scenario is explored, for two
//! threads with up to two operations each, and three with one each. Handles are opened before the
//! threads start: empty ones, and such as have to make room at once.

use selvedge::Stats;
use selvedge_model::linearizable;
use specimens::racy::{LateResetStats, StripeByStripeStats, TornStats, UnlockedReadStats};

use crate::support::alphabets::stats::stats;

// ---------------------------------------------------------------------------------------------
// Racy: what goes wrong.
// ---------------------------------------------------------------------------------------------

#[test]
fn a_sample_recorded_in_two_steps_is_seen_half() {
    linearizable(TornStats::new)
        .operation("record", |stats| stats.record(5))
        .operation("snapshot", TornStats::snapshot)
        .finally("left", TornStats::snapshot)
        .fails("record || snapshot")
        .check();
}

#[test]
fn a_reader_that_does_not_lock_sees_half_of_a_sample() {
    linearizable(UnlockedReadStats::new)
        .operation("record", |stats| stats.record(5))
        .operation("snapshot", UnlockedReadStats::snapshot)
        .finally("left", UnlockedReadStats::snapshot)
        .fails("record || snapshot")
        .check();
}

#[test]
fn a_late_reset_loses_a_sample() {
    linearizable(LateResetStats::new)
        .operation("record", |stats| stats.record(5))
        .operation("snapshot", LateResetStats::snapshot)
        .operation("take", LateResetStats::take)
        .finally("left", LateResetStats::snapshot)
        .fails("record || take")
        .check();
}

#[test]
fn stripe_by_stripe_an_effect_is_seen_without_its_cause() {
    linearizable(StripeByStripeStats::new)
        .threads_differ()
        .operation("record 1", |stats| stats.record(1))
        .operation("record 2", |stats| stats.record(2))
        .operation("snapshot", StripeByStripeStats::snapshot)
        .finally("left", StripeByStripeStats::snapshot)
        .fails("record 1 || record 2 || snapshot")
        .check();
}

// ---------------------------------------------------------------------------------------------
// Sound: the same questions, and more.
// ---------------------------------------------------------------------------------------------

#[test]
fn stats_are_linearizable() {
    let report = stats(Stats::handle).check();
    assert_eq!((report.scenarios, report.explored), (900 + 125, 1_025));
    if cfg!(loom) {
        assert!(report.is_complete());
        assert_eq!(report.executions(), 4_531);
    }
}

/// A log that is full: its owner has to lock the stripe before it can record.
#[test]
fn stats_whose_logs_are_full_are_linearizable() {
    let full = |stats: &Stats| {
        let mut handle = stats.handle();
        handle.record(8);
        handle.record(8);
        handle
    };
    let report = stats(full).size(2, 1).size(3, 1).check();
    assert_eq!((report.scenarios, report.explored), (25 + 125, 150));
    if cfg!(loom) {
        assert!(report.is_complete());
        assert_eq!(report.executions(), 963);
    }
}
