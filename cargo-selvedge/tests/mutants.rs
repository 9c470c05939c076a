//! Which mutants there are, and what kills them.

use std::fs;

use crate::Crate;

/// A flag that several tests judge, each in another way.
fn judges(name: &str) -> Crate {
    let krate = Crate::of("judges", name);
    krate.run("init").with(0, &[]);
    fs::remove_file(krate.path("tests/first_model.rs")).expect("it was written");
    krate
}

/// One place in the source with several orderings.
#[test]
fn an_ordering_that_callers_choose_is_weakened() {
    judges("orders")
        .run("mutants --judge flag::a_")
        .with(0, &["2 mutants, judged by 3 tests; ", "2 of 2 mutants killed"])
        .without("please report this");
}

#[test]
fn an_exploration_that_a_test_unwraps_kills() {
    let mut krate = judges("explorations");
    let found = |krate: &Crate| fs::read_to_string(krate.left("mutants.md")).expect("a table");
    krate.run("mutants --judge is_unwrapped").with(0, &["2 of 2 mutants killed"]);
    let table = found(&krate);
    assert_eq!(table.matches("flag::an_exploration_is_unwrapped: data race").count(), 2, "{table}");
    krate
        .run("mutants --judge may_fail")
        .with(1, &["executed, and no model needs it: 2", "0 of 2 mutants killed"]);
    krate.variables.push(("ASSERTS", "1"));
    krate.run("mutants --judge before_its_model").with(0, &["2 of 2 mutants killed"]);
    let table = found(&krate);
    let by = "flag::a_test_asserts_before_its_model: the test's own assertion: \
              assertion `left == right` failed";
    assert_eq!(table.matches(by).count(), 2, "{table}");
}
