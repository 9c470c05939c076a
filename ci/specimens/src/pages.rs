//! Racy twins of the pages and of the programs in `examples/`, and the sound types that take their place.
//!
//! A program is written once, for both.

use crate::specimen::Specimen;

/// Files that others run: what is not needed here is needed there.
macro_rules! shared {
    ($($module:ident: $path:literal;)*) => {
        $(
            #[path = $path]
            #[allow(dead_code, reason = "the pages and the programs use the rest")]
            mod $module;
        )*
    };
}

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
