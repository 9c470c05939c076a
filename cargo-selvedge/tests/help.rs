//! The help in README.md is what the command prints.

use std::process::Command;

#[test]
fn the_readme_has_the_help_of_each_command() {
    let readme = include_str!("../README.md");
    let has = |text: &str| {
        let block = format!("```text\n{text}\n```\n");
        assert!(readme.contains(&block), "README.md has not this block:\n{block}");
    };
    has(&help(""));
    for command in ["init", "prove", "mutants", "report", "replay"] {
        // What all commands have is there once.
        let help = help(command);
        let (own, rest) = help.split_once("\n\nPackage selection:").expect("a heading");
        let (common, examples) = rest.split_once("\n\nExamples:").expect("a heading");
        has(&format!("{own}\n\nExamples:{examples}"));
        has(&format!("Package selection:{common}"));
    }
}

/// What `cargo selvedge <command> -h` prints.
fn help(command: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_cargo-selvedge"))
        .arg("selvedge")
        .args(command.split_whitespace())
        .arg("-h")
        .env_remove("COLUMNS")
        .output()
        .expect("the command can be run");
    assert!(output.status.success(), "{output:?}");
    let help = String::from_utf8(output.stdout).expect("text");
    let lines: Vec<&str> = help.trim_end().lines().map(str::trim_end).collect();
    lines.join("\n")
}

#[test]
fn a_command_line_that_is_wrong_ends_with_2() {
    let status =
        Command::new(env!("CARGO_BIN_EXE_cargo-selvedge")).args(["selvedge", "approve"]).output();
    assert_eq!(status.expect("the command can be run").status.code(), Some(2));
}
