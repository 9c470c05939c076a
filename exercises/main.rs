//! `cargo exercise`: what is done, and what the checker says of the next one.

use std::process::ExitCode;

use exercises::{EXERCISES, Exercise, Mark, advice, mark};
use selvedge_model::CheckError;

const USAGE: &str = "\
cargo exercise                     which are done, and what the checker says of the next one
cargo exercise NAME                what the checker says of one
cargo exercise hint NAME [LEVEL]   a hint: the first one, or a plainer one";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args[..] {
        [] => list(),
        ["hint", name] => find(name).and_then(|exercise| hint(exercise, "1")),
        ["hint", name, level] => find(name).and_then(|exercise| hint(exercise, level)),
        ["-h" | "--help"] => {
            println!("{USAGE}");
            Ok(())
        }
        [name] => find(name).and_then(|exercise| tell(exercise, &marks(exercise))),
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn find(name: &str) -> Result<&'static Exercise, String> {
    EXERCISES.iter().find(|exercise| exercise.name == name).ok_or_else(|| {
        let names: Vec<_> = EXERCISES.iter().map(|exercise| exercise.name).collect();
        format!("there is no exercise {name:?}; there are: {}", names.join(", "))
    })
}

fn marks(exercise: &Exercise) -> Vec<Mark> {
    mark((exercise.questions)())
}

fn is_done(marks: &[Mark]) -> bool {
    marks.iter().all(Mark::is_kept)
}

/// All exercises, and what the checker says of the first that is not done.
fn list() -> Result<(), String> {
    let mut next = None;
    for exercise in &EXERCISES {
        let marks = marks(exercise);
        let done = is_done(&marks);
        let mark = if done { "done" } else { "" };
        println!("{mark:<6}{:<14}{:<8}exercises/{}", exercise.name, exercise.level, exercise.file);
        if !done && next.is_none() {
            next = Some((exercise, marks));
        }
    }
    println!();
    if let Some((exercise, marks)) = next {
        return tell(exercise, &marks);
    }
    println!("All exercises are done.");
    Ok(())
}

/// What the checker says of one exercise.
fn tell(exercise: &Exercise, marks: &[Mark]) -> Result<(), String> {
    println!("{}: exercises/{}\n", exercise.name, exercise.file);
    let runs = if cfg!(loom) { "executions" } else { "rounds on real threads" };
    for Mark { promise, result, bound } in marks {
        match (result, bound) {
            (Ok(number), None) => println!("kept    {promise}: {number} {runs}"),
            (Ok(number), Some(bound)) => {
                println!("bounded {promise}: {number} {runs}, {bound}");
                println!("\nA bounded result proves nothing{}.", advice(bound));
            }
            (Err(error), _) => {
                println!("broken  {promise}\n\n{}", picture(error));
            }
        }
    }
    if !is_done(marks) {
        return Err(format!("A hint: cargo exercise hint {}", exercise.name));
    }
    if cfg!(loom) {
        println!("\nDone: each promise is kept in every execution.");
        let after = EXERCISES.iter().skip_while(|other| other.name != exercise.name).nth(1);
        if let Some(next) = after {
            println!("The next one: cargo exercise {}", next.name);
        }
    } else {
        println!("\nNot seen to fail, which proves nothing: cargo exercise {}", exercise.name);
    }
    Ok(())
}

/// The error, without the command that replays it: that is for a test.
fn picture(error: &CheckError) -> String {
    let text = error.to_string();
    let end = text.find(" To replay").unwrap_or(text.len());
    text[..end].to_owned()
}

fn hint(exercise: &Exercise, level: &str) -> Result<(), String> {
    let hints = exercise.hints();
    let found = level.parse().ok().filter(|level| (1..=hints.len()).contains(level));
    let Some(level) = found else {
        let (name, last) = (exercise.name, hints.len());
        return Err(format!("the hint of {name} must be from 1 to {last}, got {level:?}"));
    };
    println!("{}", hints[level - 1]);
    if level < hints.len() {
        println!("\nA plainer one: cargo exercise hint {} {}", exercise.name, level + 1);
    }
    Ok(())
}
