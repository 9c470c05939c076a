//! The suites: regression models of the primitives, of the types that examples and programs share, and of the
//! checker. `README.md` one folder up lists them. The lessons are the test target `book`.

mod support;

// The primitives.
mod counter;
mod gauge;
mod map;
mod map_pairs;
mod stats;
mod stats_handles;
mod stats_threads;

// All small scenarios of each primitive.
mod linearizable_counter;
mod linearizable_larger;
mod linearizable_map;
mod linearizable_random;
mod linearizable_stats;

// Small types, with a lock or an atomic.
mod bell;
mod duty;
mod folders;
mod room;
mod seats;
mod table;
mod window;

// Finance.
mod bank;
mod matching;
mod payments;

// The web, and jobs.
mod cache;
mod job_statistics;
mod jobs;
mod requests;
mod sessions;

// The checker.
mod checker;
