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

/// Operations that are written in other ways than `value.load(Acquire)`.
#[test]
fn operations_that_no_model_executes_are_found() {
    let krate = judges("forms");
    let library = krate.read("src/lib.rs");
    krate.write("src/lib.rs", &format!("{library}\npub mod forms;\n"));
    krate.write("src/forms.rs", FORMS);
    krate.run("mutants --only src/forms.rs").with(
        1,
        &[
            "no model executes it concurrently: 11",
            "src/forms.rs:17:10/load/none",
            "src/forms.rs:17:10/compare_exchange/none",
            "0 of 11 mutants killed",
        ],
    );
    // Where the checker executes them, the places are the same.
    let model = "\
        #![cfg(loom)]\n\
        use judges::forms::{Forms, all};\n\
        #[test]\n\
        fn all_forms() {\n    \
            let both = |forms: &Forms| all(forms, selvedge_model::sync::atomic::Ordering::SeqCst);\n    \
            let bound = selvedge_model::Model::new(Forms::default).executions(50);\n    \
            bound.thread(\"a\", both).thread(\"b\", both).explore().unwrap();\n\
        }\n";
    krate.write("tests/forms.rs", model);
    krate
        .run("mutants --only src/forms.rs --judge all_forms")
        .with(1, &["judged by 1 test; "])
        .without("no model executes it");
}

const FORMS: &str = "\
use selvedge_model::sync::Mutex;
use selvedge_model::sync::atomic::{AtomicU64, Ordering};

#[derive(Default)]
pub struct Forms {
    n: AtomicU64,
    m: Mutex<u64>,
}

const PUBLISH: Ordering = Ordering::Release;

pub fn all(forms: &Forms, order: Ordering) {
    let Forms { n, m: _ } = forms;
    forms.n.update(Ordering::AcqRel, Ordering::Acquire, |x| x.wrapping_add(1));
    forms.n.store(1, PUBLISH);
    n
        .try_update(order, Ordering::Acquire, Some).unwrap();
    forms.n.swap(2, order);
    assert!(forms.n.load(Ordering::Acquire) < 4);
    assert_eq!(*forms.m.lock().unwrap(), 0);
    let _ = matches!(forms.n.compare_exchange(0, 1, Ordering::AcqRel, Ordering::Acquire), Ok(0));
    let _ = vec![forms.n.load(Ordering::Acquire)];
    println!(\"{}\", forms.n.load(Ordering::Acquire));
}
";
