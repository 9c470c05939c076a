//! The checker: what it explores, what bounds it, and what it does not see.

mod beyond_loom;
mod bounds;
mod cost;
mod limits;
mod litmus;
mod spin_lock;
