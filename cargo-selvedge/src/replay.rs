//! `cargo selvedge replay`: one execution of a model, with every step.

use anyhow::Result;
use selvedge_results::TRACES;

use crate::exit::Exit;
use crate::options::TimeOptions;
use crate::project::Project;
use crate::shell::Shell;
use crate::suite::{self, Answer, End, Terms, Test};

/// What is asked for.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// The execution, as a failing test prints it: `TEST/EXECUTION`, `TEST#MODEL/EXECUTION` if the test has several
    /// models, `TEST#MODEL.SCENARIO/EXECUTION` of a check of many scenarios
    #[arg(value_name = "ID", value_parser = id)]
    pub id: Id,
    #[command(flatten)]
    pub time: TimeOptions,
}

/// Which execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Id {
    /// The test, or the end of its name.
    test: String,
    /// Which of its models.
    model: usize,
    /// As the checker takes it: `1/7`, or `1.37/2` for a scenario.
    key: String,
    /// As it was typed.
    typed: String,
}

/// `ring::push_pop#2/7`.
fn id(text: &str) -> Result<Id, String> {
    let parse = || {
        let (name, execution) = text.rsplit_once('/')?;
        let (name, which) = name.rsplit_once('#').unwrap_or((name, "1"));
        let (number, scenario) = match which.split_once('.') {
            Some((number, scenario)) => (number, Some(scenario)),
            None => (which, None),
        };
        let positive = |text: &str| text.parse::<u64>().is_ok_and(|number| number > 0);
        let valid = positive(number) && positive(execution) && scenario.is_none_or(positive);
        let model = number.parse().ok().filter(|_| valid && !name.is_empty())?;
        let key = match scenario {
            Some(scenario) => format!("{number}.{scenario}/{execution}"),
            None => format!("{number}/{execution}"),
        };
        Some(Id { test: name.to_owned(), model, key, typed: text.to_owned() })
    };
    parse().ok_or_else(|| {
        "must be TEST/EXECUTION, such as ring::push_pop/7, as a failing test prints it; models, scenarios and executions \
         are numbered from 1"
            .to_owned()
    })
}

/// Runs the command.
///
/// # Errors
///
/// If there is no such execution, or the crate does not build.
pub fn run(project: &Project, options: &Options, shell: Shell) -> Result<()> {
    project.needs_checker()?;
    let Id { test, model, key, typed } = &options.id;
    let test = find(project, test)?;
    let folder = project.scratch()?.join("replay");
    let variables = [("SELVEDGE_REPLAY", key.as_str()), (TRACES, "1")];
    let terms = Terms { variables: &variables, patience: None, silence: options.time.silence() };
    let Answer { end, records, output } = test.ask(project, terms, &folder)?;
    if end == End::Interrupted {
        return Err(Exit::Interrupted.because("interrupted before the execution came to its end"));
    }
    let record = records.into_iter().find(|record| record.model == *model);
    let error = record.and_then(|record| {
        shell.data(&record).ok()?;
        record.error
    });
    let Some(error) = error else {
        return Err(
            Exit::Usage.because(format!("{typed} cannot be replayed: {}", why_not(&output)))
        );
    };
    // The last line is about the variable, which this command has set.
    let shown = error.split("\n  Execution ").next().unwrap_or(&error);
    let shown =
        shown.replace("replayed one execution, which gives no verdict: it", "the execution");
    shell.say(shown.trim_end());
    Ok(())
}

/// Why nothing was replayed, by what the test printed.
fn why_not(output: &str) -> &str {
    let marks = ["nothing was replayed, ", "SELVEDGE_REPLAY: "];
    let said = output
        .lines()
        .find_map(|line| marks.iter().find_map(|mark| line.split_once(mark).map(|(_, rest)| rest)));
    said.unwrap_or(output).trim()
}

/// The only test whose name is `name`, or ends with it.
fn find(project: &Project, name: &str) -> Result<Test> {
    let target = name.split("::").next().map(str::to_owned);
    let targets = target.filter(|target| project.has_target(target)).map(|target| [target].into());
    let built = project.build(targets.as_ref())?;
    let tests = suite::tests(project, &built.binaries)?;
    choose(tests, name).map_err(|message| Exit::Usage.because(message))
}

fn choose(tests: Vec<Test>, name: &str) -> Result<Test, String> {
    let end = format!("::{name}");
    let (same, ending): (Vec<Test>, Vec<Test>) = tests
        .into_iter()
        .filter(|test| test.name() == name || test.name().ends_with(&end))
        .partition(|test| test.name() == name || test.path == name);
    let mut found = if same.is_empty() { ending } else { same };
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(format!(
            "no test is called {name}; `cargo selvedge prove` prints the names. Is it behind a feature, or in another \
             package? `--features` and `-p` select these"
        )),
        _ => {
            let names: Vec<String> = found.iter().map(Test::id).collect();
            Err(format!(
                "several tests are called {name}: {}; write the target too, or select a package with -p",
                names.join(", ")
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::Binary;

    #[test]
    fn an_id_names_a_test_a_model_and_an_execution() {
        let parts = |text: &str| id(text).map(|id| (id.test, id.model, id.key));
        let expected = |test: &str, model, key: &str| Ok((test.to_owned(), model, key.to_owned()));
        assert_eq!(parts("ring::push_pop/7"), expected("ring::push_pop", 1, "1/7"));
        assert_eq!(parts("push_pop#2/7"), expected("push_pop", 2, "2/7"));
        assert_eq!(parts("push_pop#1.37/2"), expected("push_pop", 1, "1.37/2"));
        for text in ["push_pop", "push_pop/0", "push_pop/x", "/7", "push_pop#0/1", "push_pop#1.0/1"]
        {
            assert!(id(text).is_err_and(|why| why.ends_with("numbered from 1")), "{text}");
        }
    }

    #[test]
    fn a_test_is_found_by_the_end_of_its_name_if_that_is_the_only_one() {
        let test = |package: &str, target: &str, path: &str| Test {
            binary: Binary {
                package: package.to_owned(),
                target: target.to_owned(),
                crate_name: target.to_owned(),
                executable: "/t".into(),
                folder: "/".into(),
            },
            path: path.to_owned(),
        };
        let tests =
            || vec![test("a", "ring", "one"), test("b", "ring", "one"), test("a", "lib", "m::two")];
        assert_eq!(choose(tests(), "two").map(|test| test.name()), Ok("lib::m::two".to_owned()));
        let error = choose(tests(), "one").expect_err("two of them");
        assert!(error.contains("a/ring::one, b/ring::one"), "{error}");
        assert!(
            choose(tests(), "wo").expect_err("no whole name").starts_with("no test is called wo;")
        );
    }
}
