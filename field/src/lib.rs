//! From the field: bugs that real crates shipped. `README.md` beside the sources has the table.

#![allow(
    clippy::missing_panics_doc,
    reason = "a lock is poisoned only where a model has failed already"
)]

pub mod bb8_122;
pub mod cache_rs_62;
pub mod internment_11;
pub mod iree_23707;
pub mod moka_195;
pub mod octos_927;
pub mod poco_5214;
pub mod rayon_1205;
pub mod rust_101194;
pub mod rust_98498;
pub mod spin_65;
pub mod turso_4509;
pub mod xline_166;

#[cfg(test)]
mod expect;
