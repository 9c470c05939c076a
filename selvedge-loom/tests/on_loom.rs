//! The suite on loom itself.
#![cfg(loom)]

extern crate plain_loom as loom;

mod suite;

/// Whether the suite runs on loom itself.
const ON_LOOM: bool = true;
