//! A program as text: what is printed of one that fails.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};

use crate::program::{Op, Program};

impl fmt::Display for Program {
    /// As a model.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cells = vec!["AtomicU64::new(0)"; self.variables].join(", ");
        writeln!(f, "Model::new(|| ([{cells}], Mutex::new(())))")?;
        for (thread, ops) in self.threads.iter().enumerate() {
            let mut reads = Vec::new();
            let mut body = String::new();
            render(ops, &mut body, &mut reads);
            writeln!(f, "    .thread(\"t{thread}\", |(x, mutex)| {{")?;
            write!(f, "{body}")?;
            let reads = if reads.is_empty() { "0_u64; 0".to_owned() } else { reads.join(", ") };
            writeln!(f, "        [{reads}]\n    }})")?;
        }
        let finals: Vec<_> = (0..self.variables).map(|x| format!("x[{x}].load(SeqCst)")).collect();
        write!(f, "    .finally(\"finals\", |(x, _)| [{}])", finals.join(", "))
    }
}

impl Program {
    /// As a test that can be pasted: an interleaving must reach every outcome in `expected`; or the program
    /// must deadlock if there is none.
    pub(crate) fn as_test(&self, expected: Option<&BTreeSet<String>>) -> String {
        let model = self.to_string().replace('\n', "\n    ");
        let rest = match expected {
            None => "    model.fails(Failure::Deadlock).check();\n".to_owned(),
            Some(outcomes) => outcomes.iter().fold(FIND.to_owned(), |rest, outcome| {
                rest + &format!("    assert_eq!(found(\"{outcome}\"), Some(true));\n")
            }),
        };
        format!("{HEAD}    let model = {model};\n{rest}}}\n")
    }
}

const HEAD: &str = "\
#[test]
#[allow(unused, clippy::pedantic)]
fn pasted() {
    use selvedge_model::{Failure, Model};
    use selvedge_model::sync::atomic::{AtomicU64, Ordering::*, fence};
    use selvedge_model::sync::{Mutex, hint};
";

const FIND: &str = "    let report = model.explore().expect(\"it does not fail\");
    let row = |text| report.outcomes.iter().find(|row| row.text == text);
    let found = |text| Some(row(text)?.witness.as_ref()?.sequential);
";

fn render(ops: &[Op], body: &mut String, reads: &mut Vec<String>) {
    for op in ops {
        let code = match op {
            Op::Load(x, o) => format!("x[{x}].load({o:?})"),
            Op::Store(x, v, o) => {
                let _ = writeln!(body, "        x[{x}].store({v}, {o:?});");
                continue;
            }
            Op::Swap(x, v, o) => format!("x[{x}].swap({v}, {o:?})"),
            Op::Add(x, v, o) => format!("x[{x}].fetch_add({v}, {o:?})"),
            Op::Cas(x, expected, new, ok, err) => format!(
                "x[{x}].compare_exchange({expected}, {new}, {ok:?}, {err:?}).unwrap_or_else(|v| v)"
            ),
            Op::Fence(o) => {
                let _ = writeln!(body, "        fence({o:?});");
                continue;
            }
            Op::Await(x, v, o) => {
                let _ = writeln!(body, "        hint::wait_until(|| x[{x}].load({o:?}) == {v});");
                continue;
            }
            Op::Locked(inside) => {
                let _ = writeln!(body, "        let guard = mutex.lock().unwrap();");
                render(inside, body, reads);
                let _ = writeln!(body, "        drop(guard);");
                continue;
            }
        };
        let name = format!("r{}", reads.len());
        let _ = writeln!(body, "        let {name} = {code};");
        reads.push(name);
    }
}
