//! Racy variants of the pages and of the programs in `examples/`, and the sound types that take their place.
//!
//! A program is written once, for both.

use crate::specimen::Specimen;

mod locks;
mod money;
mod pool;
mod reads;
mod web;

/// All of them.
pub(crate) fn all() -> Vec<Specimen> {
    [reads::all(), locks::all(), money::all(), web::all(), pool::all()]
        .into_iter()
        .flatten()
        .collect()
}
