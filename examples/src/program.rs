//! How every program ends: with a line that states its invariant and whether it held.

use std::process::ExitCode;

/// Prints the last line of a program, `held: …` or `broken: …`, and returns its exit code.
pub fn close(invariant: &str, held: bool) -> ExitCode {
    let (verdict, code) =
        if held { ("held", ExitCode::SUCCESS) } else { ("broken", ExitCode::FAILURE) };
    println!("{verdict}: {invariant}");
    code
}
