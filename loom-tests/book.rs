//! The book: a module a lesson, in reading order. `README.md` beside this file is the table of contents.

mod shown;

// 1. What a race is.

#[path = "1_races/1_data_race.rs"]
mod data_race;

#[path = "1_races/2_lost_update.rs"]
mod lost_update;

#[path = "1_races/3_race_condition.rs"]
mod race_condition;

#[path = "1_races/4_works_on_my_machine.rs"]
mod works_on_my_machine;

// 2. Mistakes.

#[path = "2_mistakes/1_reads_are_safe.rs"]
mod reads_are_safe;

#[path = "2_mistakes/2_two_critical_sections.rs"]
mod two_critical_sections;

#[path = "2_mistakes/3_deadlock.rs"]
mod deadlock;

#[path = "2_mistakes/4_contention.rs"]
mod contention;

// 3. Cures.

#[path = "3_cures/1_protect_all_access.rs"]
mod protect_all_access;

#[path = "3_cures/2_less_shared_state.rs"]
mod less_shared_state;

#[path = "3_cures/3_one_owner.rs"]
mod one_owner;

#[path = "3_cures/4_message_passing.rs"]
mod message_passing;

// 4. Memory orderings.

#[path = "4_orderings/1_publish_with_a_flag.rs"]
mod publish_with_a_flag;

#[path = "4_orderings/2_store_buffering.rs"]
mod store_buffering;

#[path = "4_orderings/3_coherence_and_iriw.rs"]
mod coherence_and_iriw;

#[path = "4_orderings/4_double_checked_locking.rs"]
mod double_checked_locking;

#[path = "4_orderings/5_seqlock.rs"]
mod seqlock;

#[path = "4_orderings/6_aba.rs"]
mod aba;

// 5. Finance.

#[path = "5_finance/1_account_balance.rs"]
mod account_balance;

#[path = "5_finance/2_order_matching.rs"]
mod order_matching;

#[path = "5_finance/3_payment_retry.rs"]
mod payment_retry;

// 6. The web.

#[path = "6_web/1_cache.rs"]
mod cache;

#[path = "6_web/2_sessions.rs"]
mod sessions;

#[path = "6_web/3_request_counters.rs"]
mod request_counters;

// 7. Jobs.

#[path = "7_jobs/1_job_queue.rs"]
mod job_queue;

#[path = "7_jobs/2_shutdown.rs"]
mod shutdown;

#[path = "7_jobs/3_job_statistics.rs"]
mod job_statistics;

#[path = "7_jobs/4_wakers.rs"]
mod wakers;
