//! What the programs have in common.

pub mod cores;
pub mod program;
pub mod workers;
pub mod yielding;
