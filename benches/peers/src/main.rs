//! The primitives side by side with what else could be used in their place: `just bench`.
//!
//! ```text
//! peers [--smoke] [WORD]    the rows that contain WORD, `growth`, `look-ups` (a part of it) or
//!                           `contention`; all, without it
//! peers contention FILE     the table of `contention`, drawn as an SVG file
//! peers counts [WORD]       instructions, locked ones and cache lines of each operation, by Valgrind
//! ```
//!
//! With `--smoke` each row is run for one tiny round, which measures nothing: it shows that the
//! benchmarks run.

use std::process::ExitCode;

mod by_hand;
mod contention;
mod counter;
mod counts;
mod draw;
mod gauge;
mod growth;
mod machine;
mod map;
mod rounds;
mod stats;
mod table;

fn main() -> ExitCode {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    if let [measure, name, entries] = &args[..] {
        let entries = entries.parse().ok();
        let found = entries.and_then(|entries| growth::child(measure, name, entries));
        return found.map_or(ExitCode::FAILURE, |found| {
            println!("{found}");
            ExitCode::SUCCESS
        });
    }
    match &args[..] {
        [flag, number] if flag == "--count" => {
            return counts::child(number).map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS);
        }
        [word, filter @ ..] if word == "counts" && filter.len() < 2 => {
            return match counts::print(&filter.concat().to_lowercase()) {
                Ok(()) => ExitCode::SUCCESS,
                Err(why) => {
                    eprintln!("error: {why}");
                    ExitCode::FAILURE
                }
            };
        }
        _ => {}
    }
    let smoke = args.iter().any(|arg| arg == "--smoke");
    args.retain(|arg| arg != "--smoke");
    let file = if let [word, _] = &args[..]
        && word == "contention"
    {
        args.pop()
    } else {
        None
    };
    if args.len() > 1 || args.iter().any(|arg| arg.starts_with('-')) {
        eprintln!(
            "error: the arguments must be [--smoke] [WORD], [--smoke] contention FILE or counts [WORD], got {args:?}"
        );
        return ExitCode::FAILURE;
    }
    let filter = args.pop().unwrap_or_default().to_lowercase();

    machine::print();
    println!();
    let rows: Vec<_> = [counter::rows(), gauge::rows(), stats::rows(), map::rows(smoke)]
        .into_iter()
        .flatten()
        .collect();
    let mut count = table::print(&rows, &filter, smoke);
    if filter.is_empty() || filter == "growth" {
        growth::print(smoke);
        count += 1;
    }
    if filter == "look-ups" {
        growth::print_lookups(smoke);
        count += 1;
    }
    if filter.is_empty() || filter == "contention" {
        let curves = contention::print(smoke);
        count += 1;
        if let Some(file) = file
            && let Err(why) = std::fs::write(&file, contention::draw(&curves))
        {
            eprintln!("error: cannot write {file}: {why}");
            return ExitCode::FAILURE;
        }
    }
    println!("\n- load average at the end {}", machine::load());
    if count == 0 {
        eprintln!(
            "error: WORD must be part of the name of a row, `growth`, `look-ups` or `contention`, got {filter:?}"
        );
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
