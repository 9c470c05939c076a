//! What a table can say beside one outcome a row: several with one reason, and relations between what threads return.

use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};
use selvedge_model::{CheckError, Failure, Grade, Model, Report, Returned};

/// Two tickets.
fn tickets() -> Model<AtomicU64> {
    let take = |next: &AtomicU64| next.fetch_add(1, Relaxed);
    Model::new(|| AtomicU64::new(0)).thread("alice", take).thread("bob", take)
}

/// The same, and one can be given twice.
#[cfg(loom)]
fn racy_tickets() -> Model<AtomicU64> {
    let take = |next: &AtomicU64| {
        let mine = next.load(Relaxed);
        next.store(mine + 1, Relaxed);
        mine
    };
    Model::new(|| AtomicU64::new(0)).thread("alice", take).thread("bob", take)
}

fn differ(model: Model<AtomicU64>) -> Model<AtomicU64> {
    model.always("tickets differ", |returned| {
        returned.get::<u64>("alice") != returned.get::<u64>("bob")
    })
}

fn rows(report: &Report) -> Vec<(&str, Grade, &str)> {
    report.outcomes.iter().map(|row| (&*row.text, row.grade, &*row.reason)).collect()
}

#[test]
fn several_outcomes_have_one_reason() {
    let both = ["alice=0 bob=1", "alice=1 bob=0"];
    let report = tickets().acceptable(both, "either order").check();
    let row = |text| (text, Grade::Acceptable, "either order");
    assert_eq!(rows(&report), both.map(row));
    let owned = both.map(str::to_owned);
    let report = tickets()
        .acceptable(&owned[0], "alice first")
        .interesting(&owned[1..], "bob first")
        .forbidden(vec!["alice=0 bob=0", "alice=1 bob=1"].as_slice(), "one ticket twice")
        .check();
    let grades: Vec<Grade> = report.outcomes.iter().map(|row| row.grade).collect();
    let Grade::Forbidden = grades[3] else { panic!("{grades:?}") };
    assert_eq!(grades[..3], [Grade::Acceptable, Grade::Interesting, Grade::Forbidden]);
}

/// On real threads they may be, and need not.
#[test]
#[cfg(loom)]
fn each_of_several_outcomes_must_be_reached() {
    let both = ["alice=0 bob=1", "alice=1 bob=0", "alice=0 bob=0"];
    let error = tickets().acceptable(both, "any").try_check().unwrap_err();
    let CheckError::MissingOutcomes { missing, .. } = &error else { panic!("{error}") };
    assert_eq!(missing, &both[2..]);
}

#[test]
fn a_relation_accepts_any_outcome_for_which_it_holds() {
    let report = differ(tickets()).check();
    assert!(!report.outcomes.is_empty());
    for row in rows(&report) {
        assert!(["alice=0 bob=1", "alice=1 bob=0"].contains(&row.0), "{row:?}");
        assert_eq!((row.1, row.2), (Grade::Acceptable, "tickets differ"));
    }
    assert!(!cfg!(loom) || report.outcomes.len() == 2, "{report}");
}

#[test]
fn a_relation_stands_beside_a_table() {
    let both = ["alice=0 bob=1", "alice=1 bob=0"];
    let report = differ(tickets().acceptable(both, "either order")).check();
    assert_eq!(rows(&report).len(), 2);
    let error = differ(tickets().acceptable("alice=5 bob=6", "never")).try_check().unwrap_err();
    assert!(matches!(error, CheckError::UnexpectedOutcome { .. }), "{error}");
    let error = differ(tickets()).forbidden(both, "none is accepted").try_check().unwrap_err();
    assert!(matches!(error, CheckError::UnexpectedOutcome { reason: Some(_), .. }), "{error}");
}

/// Real threads may not show it.
#[test]
#[cfg(loom)]
fn a_relation_that_does_not_hold_is_a_failure_of_its_own() {
    let error = differ(racy_tickets()).try_check().unwrap_err();
    let CheckError::BrokenRelation { relation, outcome, .. } = &error else { panic!("{error}") };
    assert_eq!((relation.as_str(), outcome.as_str()), ("tickets differ", "alice=0 bob=0"));
    assert_eq!(error.failure(), None);
    let text = error.to_string();
    assert!(
        text.starts_with("reached alice=0 bob=0, for which \"tickets differ\" does not hold\n"),
        "{text}"
    );
    assert!(error.evidence().contains("a1.store 1"), "{text}");
    // The table allows the outcome, and the relation does not.
    let all = ["alice=0 bob=1", "alice=1 bob=0", "alice=0 bob=0"];
    let error = differ(racy_tickets().acceptable(all, "any")).try_check().unwrap_err();
    assert!(matches!(error, CheckError::BrokenRelation { .. }), "{error}");
    racy_tickets().acceptable(all, "any").check();
}

#[test]
fn a_relation_that_no_outcome_satisfies_fails_on_real_threads_too() {
    let error = tickets().always("never", |_| false).try_check().unwrap_err();
    assert!(matches!(&error, CheckError::BrokenRelation { relation, .. } if relation == "never"));
}

#[test]
fn an_exploration_without_a_table_asks_no_relation() {
    let report = tickets().always("never", |_| false).explore().expect("nothing is asserted");
    assert_eq!(
        rows(&report)[0].2,
        if cfg!(loom) { "reached" } else { "reached without the failure" }
    );
}

/// A name that a value contains is none of a value.
#[test]
fn a_value_is_found_by_its_name_whatever_others_print() {
    struct Prints(&'static str);
    impl std::fmt::Debug for Prints {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(self.0)
        }
    }
    Model::new(|| AtomicU64::new(7))
        .thread("alice", |total| {
            total.load(Relaxed);
            Prints("bob=1 total=2")
        })
        .thread("quiet", |_| ())
        .thread("bob", |total| Some(total.load(Relaxed) - 4))
        .finally("total", |total| total.load(Relaxed))
        .always("each has its own", |returned| {
            returned.text("alice") == "bob=1 total=2"
                && returned.text("bob") == "Some(3)"
                && returned.get::<Option<u64>>("bob") == Some(3)
                && returned.get::<u64>("total") == 7
        })
        .check();
}

/// What a model with such a relation says.
fn wrong(model: Model<AtomicU64>) -> String {
    let error = model.try_check().unwrap_err();
    let CheckError::WrongModel { message, .. } = error else { panic!("{error}") };
    message
}

#[test]
fn a_value_that_is_not_there_is_refused_with_those_that_are() {
    let message = wrong(tickets().always("sums", |returned| returned.get::<u64>("carol") == 0));
    let expected = "the relation \"sums\" panicked: there is no value \"carol\"; the values are: alice, bob (at ";
    assert!(message.starts_with(expected), "{message}");
    assert!(message.contains("relations.rs:"), "{message}");
    let message = wrong(tickets().always("flags", |returned| returned.get::<bool>("bob")));
    let expected = "the relation \"flags\" panicked: the value of \"bob\" must be a bool, got \"";
    assert!(message.starts_with(expected), "{message}");
    let pairs = |returned: &Returned<'_>| returned.get::<(u64, Option<String>)>("bob").0 == 0;
    let message = wrong(tickets().always("pairs", pairs));
    let expected = "the relation \"pairs\" panicked: the value of \"bob\" must be a (u64, Option<String>), got \"";
    assert!(message.starts_with(expected), "{message}");
}

#[test]
fn values_of_several_parts_are_read_as_what_they_are() {
    Model::new(|| AtomicU64::new(7))
        .thread("pair", |v| (v.load(Relaxed), true))
        .thread("tried", |v| v.compare_exchange(7, 7, Relaxed, Relaxed))
        .thread("seen", |v| vec![Some(v.load(Relaxed)), None])
        .thread("said", |v| format!("{}, \"or\" so", v.load(Relaxed)))
        .always("each is whole", |returned| {
            returned.get::<(u64, bool)>("pair") == (7, true)
                && returned.get::<Result<u64, u64>>("tried") == Ok(7)
                && returned.get::<Vec<Option<u64>>>("seen") == [Some(7), None]
                && returned.get::<String>("said") == "7, \"or\" so"
        })
        .check();
}

#[test]
fn relations_that_make_no_sense_are_refused() {
    let twice = differ(differ(tickets()));
    assert_eq!(
        wrong(twice),
        "the names of relations must be unique and not empty, got \"tickets differ\""
    );
    let fails = differ(tickets()).fails(Failure::Panic);
    assert_eq!(
        wrong(fails),
        "a model must have either relations or .fails(…), got .always(\"tickets differ\", …) and .fails(panic)"
    );
    let silent = Model::new(|| AtomicU64::new(0)).thread("alice", |_| ());
    assert_eq!(
        wrong(silent.always("holds", |_| true)),
        "the relation \"holds\" has nothing to hold of: no thread and no observation returns a value"
    );
}

/// A relation that was asked of nothing is no proof.
#[test]
#[cfg(loom)]
fn a_relation_of_no_outcome_is_an_error() {
    let spins = |flag: &AtomicU64| while flag.load(Relaxed) == 0 {};
    let model = Model::new(|| AtomicU64::new(0)).thread("a", spins).steps(20);
    let model = model.thread("b", |flag| flag.load(Relaxed));
    let error = model.always("never", |_| false).try_check().expect_err("no outcome");
    let text = error.to_string();
    let begins = "no execution came to an end, so that the relation \"never\" was asked of no outcome; bounded: the \
                  limit of steps of a thread, at model/tests/relations.rs:";
    assert!(text.contains(begins), "{text}");
}
