//! The book: a module a page, in reading order. `README.md` beside this file says how to read it.

mod support;

// What a race is
#[path = "1_race/cost.rs"]
mod cost;
#[path = "1_race/counter.rs"]
mod counter;
#[path = "1_race/race.rs"]
mod race;
#[path = "1_race/works_on_my_machine.rs"]
mod works_on_my_machine;

// What belongs together
#[path = "2_together/map.rs"]
mod map;
#[path = "2_together/map_pairs.rs"]
mod map_pairs;
#[path = "2_together/mutex_everywhere.rs"]
mod mutex_everywhere;
#[path = "2_together/reads_are_safe.rs"]
mod reads_are_safe;
#[path = "2_together/stats.rs"]
mod stats;
#[path = "2_together/stats_handles.rs"]
mod stats_handles;

// All small scenarios
#[path = "3_scenarios/linearizable_counter.rs"]
mod linearizable_counter;
#[path = "3_scenarios/linearizable_larger.rs"]
mod linearizable_larger;
#[path = "3_scenarios/linearizable_map.rs"]
mod linearizable_map;
#[path = "3_scenarios/linearizable_random.rs"]
mod linearizable_random;
#[path = "3_scenarios/linearizable_stats.rs"]
mod linearizable_stats;

// Finance
#[path = "4_finance/balance.rs"]
mod balance;
#[path = "4_finance/orders.rs"]
mod orders;
#[path = "4_finance/payments.rs"]
mod payments;

// The web, and jobs
#[path = "5_web_and_jobs/cache.rs"]
mod cache;
#[path = "5_web_and_jobs/job_reports.rs"]
mod job_reports;
#[path = "5_web_and_jobs/jobs.rs"]
mod jobs;
#[path = "5_web_and_jobs/request_counters.rs"]
mod request_counters;
#[path = "5_web_and_jobs/sessions.rs"]
mod sessions;
#[path = "5_web_and_jobs/wakers.rs"]
mod wakers;

// Exercises
#[path = "6_exercises/exercise_counter.rs"]
mod exercise_counter;
#[path = "6_exercises/readers_writer.rs"]
mod readers_writer;

// What the checker sees
#[path = "7_checker/beyond_loom.rs"]
mod beyond_loom;
#[path = "7_checker/bounds.rs"]
mod bounds;
#[path = "7_checker/limits.rs"]
mod limits;
#[path = "7_checker/litmus.rs"]
mod litmus;
#[path = "7_checker/spin_lock.rs"]
mod spin_lock;
