//! What the checker sees, and what it does not.

mod beyond_loom;
mod bounds;
mod cost;
mod limits;
mod litmus;
mod spin_lock;
