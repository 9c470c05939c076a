//! The help in README.md is what the command prints.

use std::process::Command;

#[test]
fn the_readme_has_the_help_of_each_command() {
    let readme = include_str!("../README.md");
    for command in ["", "init", "prove", "mutants", "report", "replay"] {
        let output = Command::new(env!("CARGO_BIN_EXE_cargo-selvedge"))
            .arg("selvedge")
            .args(command.split_whitespace())
            .arg("-h")
            .env_remove("COLUMNS")
            .output()
            .expect("the command can be run");
        assert!(output.status.success(), "{output:?}");
        let help = String::from_utf8(output.stdout).expect("text");
        let help: Vec<&str> = help.trim_end().lines().map(str::trim_end).collect();
        let block = format!("```text\n{}\n```", help.join("\n"));
        let name = format!("cargo selvedge {command} -h");
        assert!(
            readme.contains(&block),
            "README.md has not what `{}` prints:\n{block}",
            name.replace("  ", " ")
        );
    }
}

#[test]
fn a_command_line_that_is_wrong_ends_with_2() {
    let status =
        Command::new(env!("CARGO_BIN_EXE_cargo-selvedge")).args(["selvedge", "approve"]).output();
    assert_eq!(status.expect("the command can be run").status.code(), Some(2));
}
