//! The exercises as they are given are not solved, and fail in the way that they are about.

use exercises::EXERCISES;
use selvedge_model::Failure::{DataRace, Deadlock, Panic};

use crate::marked::Expected::{Fails, Reaches};
use crate::marked::is_wrong;

#[test]
fn an_exercise_as_given_is_marked_wrong() {
    let expected = [
        ("counter", Reaches("total=1")),
        ("lazy", Reaches("alice=1 bob=2 runs=2")),
        ("transfer", Fails(Deadlock)),
        ("latch", Fails(Deadlock)),
        ("readers", Fails(DataRace)),
        ("rate_limiter", Reaches("alice=true bob=true")),
        ("cache", Reaches("alice=10 bob=20 loads=2")),
        ("queue", Fails(Panic)),
        ("publish", Fails(DataRace)),
        ("ticket_lock", Fails(DataRace)),
        ("wake_up", Fails(Deadlock)),
        ("seqlock", Reaches("reader=[1, 0]")),
        ("jobs", Reaches("client=true stats=(0, 0)")),
    ];
    assert_eq!(EXERCISES.map(|exercise| exercise.name), expected.map(|(name, _)| name));
    for (exercise, (name, expected)) in EXERCISES.iter().zip(expected) {
        println!("{name}: exercises/{} must be as it is given here: not solved", exercise.file);
        is_wrong((exercise.questions)(), expected, &[]);
    }
}
