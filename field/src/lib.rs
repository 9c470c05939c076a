//! From the field: bugs that real crates shipped, a file each. `README.md` beside the sources has the table.
//!
//! In each file the defect and its cure stand side by side: as two functions, or as a type with a `const` parameter, of
//! which `Broken` and `Fixed` are the two values. What each thread does is a function, which the test of the file calls, and
//! the laboratory (`lab/confidence`) with other ways of testing.

#![allow(
    clippy::missing_panics_doc,
    reason = "a lock is poisoned only where a model has failed already"
)]

pub mod affinitypool_21;
pub mod basedrop_10;
pub mod basedrop_9;
pub mod bb8_122;
pub mod cache_rs_62;
pub mod crossbeam_1187;
pub mod dashmap_369;
pub mod dora_3288;
pub mod event_listener_138;
pub mod internment_11;
pub mod iree_23707;
pub mod moka_195;
pub mod octos_927;
pub mod perry_8735;
pub mod poco_5214;
pub mod qdrant_8847;
pub mod rayon_1205;
pub mod rayon_992;
pub mod rust_101194;
pub mod rust_98498;
pub mod spin_65;
pub mod stabby_139;
pub mod thread_local_33;
pub mod tokio_4225;
pub mod tokio_7632;
pub mod turso_4509;
pub mod xline_166;

#[cfg(test)]
mod expect;
