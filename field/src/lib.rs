//! From the field: bugs that real crates shipped. `README.md` beside the sources has the table.

pub mod cache_rs_62;
pub mod iree_23707;
pub mod moka_195;
pub mod spin_65;
