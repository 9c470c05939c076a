//! The suites: every model of the primitives and of the types that the examples share, and what the checker
//! itself sees. The lessons are a test target of their own, `book`.

mod support;

// The primitives
mod counter;
mod map;
mod map_pairs;
mod stats;
mod stats_handles;

// All small scenarios of each primitive
mod linearizable_counter;
mod linearizable_larger;
mod linearizable_map;
mod linearizable_random;
mod linearizable_stats;

// Small types around locks, and what is wrong without them
mod mutex_everywhere;
mod readers_writer;
mod reads_are_safe;
mod seats;

// Finance
mod balance;
mod orders;
mod payments;

// The web, and jobs
mod cache;
mod job_reports;
mod jobs;
mod request_counters;
mod sessions;

mod exercise_counter;

// What the checker sees
mod checker;
