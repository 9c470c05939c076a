//! # `Stats` in all small scenarios
//!
//! Proved of [`Stats`]: linearizable. In every scenario some sequential order of the calls gives the same results,
//! and keeps each thread's order and the order of calls that do not overlap.
//!
//! **Racy variants.** [`TornStats`], [`UnlockedReadStats`]: `record || snapshot` is torn. [`LateResetStats`]:
//! `record || take` loses a sample. [`StripeByStripeStats`]: `record 1 || record 2 || snapshot` is an inconsistent
//! cut.
//!
//! **Why it holds.** A reader holds the locks of all stripes before it reads the first one, and loads the lengths
//! of the logs until two passes agree.
//!
//! **Scope.** Every execution of every scenario, for two threads with up to two operations each and three threads
//! with one each. Handles are opened before the threads start, with empty logs and with full ones.

use selvedge::Stats;
use selvedge_model::linearizable;
use specimens::racy::{LateResetStats, StripeByStripeStats, TornStats, UnlockedReadStats};

use crate::support::alphabets::stats::stats;

// ---------------------------------------------------------------------------------------------
// Racy variants.
// ---------------------------------------------------------------------------------------------

#[test]
fn two_step_record_is_torn() {
    linearizable(TornStats::new)
        .operation("record", |stats| stats.record(5))
        .operation("snapshot", TornStats::snapshot)
        .finally("left", TornStats::snapshot)
        .fails("record || snapshot")
        .check();
}

#[test]
fn read_without_the_lock_is_torn() {
    linearizable(UnlockedReadStats::new)
        .operation("record", |stats| stats.record(5))
        .operation("snapshot", UnlockedReadStats::snapshot)
        .finally("left", UnlockedReadStats::snapshot)
        .fails("record || snapshot")
        .check();
}

#[test]
fn reset_after_unlocking_loses_a_sample() {
    linearizable(LateResetStats::new)
        .operation("record", |stats| stats.record(5))
        .operation("snapshot", LateResetStats::snapshot)
        .operation("take", LateResetStats::take)
        .finally("left", LateResetStats::snapshot)
        .fails("record || take")
        .check();
}

#[test]
fn snapshot_stripe_by_stripe_is_not_linearizable() {
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
// Sound.
// ---------------------------------------------------------------------------------------------

#[test]
fn stats_are_linearizable() {
    let report = stats(Stats::handle).check();
    assert_eq!((report.scenarios, report.explored), (900 + 125, 1_025));
    if cfg!(loom) {
        assert!(report.is_complete());
        assert_eq!(report.executions(), 17_327);
    }
}

/// The owner of a full log locks the stripe before it records.
#[test]
fn stats_with_full_logs_are_linearizable() {
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
        assert_eq!(report.executions(), 4_705);
    }
}
