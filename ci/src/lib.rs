//! What the gate and the laboratory share: cargo with the flags of a configuration, and what steps did.

pub mod cargo;
pub mod tally;
