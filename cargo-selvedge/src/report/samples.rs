//! Traces for tests.

use selvedge_results::Picture;

fn trace(objects: &str, threads: &str, rows: &[String]) -> Picture {
    let rows = rows.join(",");
    let text = format!(r#"{{"threads":{threads},"objects":{objects},"rows":[{rows}]}}"#);
    serde_json::from_str(&text).expect("a trace")
}

fn step(number: usize, thread: usize, text: &str, rest: &str) -> String {
    let line = if text.contains("store") { 26 } else { 25 };
    let text = text.replace('\n', "\\n");
    format!(
        r#"{{"kind":"step","number":{number},"thread":{thread},"text":"{text}","at":
"specimens/src/racy/counter.rs:{line}","object":0,"operation":"load","order":"rlx","panics":false,{rest}}}"#
    )
}

fn store(number: usize, thread: usize, value: usize, order: &str) -> String {
    let text = format!("a1.store{order} {value}");
    step(number, thread, &text, &format!(r#""reads":null,"after":"{value}""#))
}

fn load(
    number: usize,
    thread: usize,
    text: &str,
    value: usize,
    newest: usize,
    from: &str,
) -> String {
    let stale = value != newest;
    let reads =
        format!(r#"{{"value":"{value}","newest":"{newest}","from":{from},"stale":{stale}}}"#);
    step(number, thread, text, &format!(r#""reads":{reads},"after":null"#))
}

const ATOMIC: &str =
    r#"[{"label":"a1","kind":"atomic","at":"specimens/src/racy/counter.rs:12:17","initial":"0"}]"#;

/// Both threads load 0, and both store 1.
pub(crate) fn lost_update() -> Picture {
    let preempted = r#"{"kind":"preempted","thread":0,"text":"~~ preempted ~~","at":null}"#;
    trace(
        ATOMIC,
        r#"["alice","bob"]"#,
        &[
            load(1, 0, "a1.load = 0", 0, 0, r#""initial""#),
            preempted.to_owned(),
            load(2, 1, "a1.load = 0", 0, 0, r#""initial""#),
            store(3, 1, 1, ""),
            store(4, 0, 1, ""),
        ],
    )
}

/// Of two stores a reader sees first the older and then the newer.
pub(crate) fn stale() -> Picture {
    trace(
        ATOMIC,
        r#"["writer","reader"]"#,
        &[
            store(1, 0, 1, " rlx"),
            store(2, 0, 2, " rlx"),
            load(3, 1, "a1.load rlx\nreads 1, newest is 2", 1, 2, r#"{"row":0}"#),
            load(4, 1, "a1.load rlx = 2", 2, 2, r#"{"row":1}"#),
        ],
    )
}
