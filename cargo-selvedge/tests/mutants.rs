//! Which mutants there are, and what kills them.

use std::fs;

use crate::Crate;

/// One place in the source with several orderings.
#[test]
fn an_ordering_that_callers_choose_is_weakened() {
    let krate = Crate::of("judges", "orders");
    krate.run("init").with(0, &[]);
    fs::remove_file(krate.path("tests/first_model.rs")).expect("it was written");
    krate
        .run("mutants")
        .with(0, &["2 mutants, judged by 2 tests; ", "2 of 2 mutants killed"])
        .without("please report this");
}
