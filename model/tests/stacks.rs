//! The size of a thread's stack, and what is said where it overflows.

use selvedge_model::Model;
use std::hint::black_box;

/// Takes about so many bytes of stack.
fn deep(bytes: usize) -> usize {
    let frame = black_box([1_u8; 1 << 10]);
    match bytes.checked_sub(frame.len()) {
        None => 0,
        Some(rest) => deep(rest) + usize::from(frame[0]),
    }
}

#[test]
fn a_model_sets_the_size_of_its_stacks() {
    let model = || {
        // On real threads the state is made and observed by the caller.
        let main = if cfg!(loom) { 3 << 20 } else { 1 << 10 };
        Model::new(move || deep(main))
            .thread("alice", |_| deep(3 << 20) > 0)
            .finally("total", move |_| deep(main) > 0)
            .rounds(10)
            .acceptable("alice=true total=true", "the stacks are deep enough")
    };
    model().stack(8 << 20).check();
    for bytes in [0, (64 << 10) - 1, (1 << 30) + 1, usize::MAX] {
        let error = model().stack(bytes).try_check().unwrap_err().to_string();
        let says = format!(".stack(bytes) must be 65536 to 1073741824, got {bytes}");
        assert!(error.contains(&says), "{error}");
    }
}

/// The default, less what the checker and the panic machinery need.
#[cfg(loom)]
#[test]
fn a_thread_has_a_mebibyte_by_default() {
    Model::new(|| ())
        .thread("alice", |()| deep(900 << 10) > 0)
        .acceptable("alice=true", "the stack is deep enough")
        .check();
}

#[cfg(all(loom, unix))]
mod overflow {
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::Command;

    use super::{Model, deep};
    use selvedge_model::engine::loom;
    use selvedge_model::sync::atomic::{AtomicU64, Ordering::SeqCst};
    use selvedge_model::sync::{Arc, thread};

    const HOW: &str = "STACKS_OVERFLOW";

    fn model() -> Model<AtomicU64> {
        Model::new(|| AtomicU64::new(0)).thread("bob", |x| x.fetch_add(1, SeqCst)).stack(64 << 10)
    }

    /// Run by the tests below, in a process of its own.
    #[test]
    fn overflows_if_asked_to() {
        let Ok(how) = std::env::var(HOW) else { return };
        let model = match &*how {
            "declared" => {
                model().thread("alice", |x| deep(64 << 10) as u64 + x.fetch_add(1, SeqCst))
            }
            "spawned" => model().thread("alice", |x| {
                let builder = thread::Builder::new().name("child".to_owned()).stack_size(128 << 10);
                let child = builder.spawn(|| deep(128 << 10)).expect("it is spawned");
                x.fetch_add(1, SeqCst) + child.join().expect("it does not panic") as u64
            }),
            "state" => Model::new(|| AtomicU64::new(deep(64 << 10) as u64))
                .stack(64 << 10)
                .thread("bob", |x| x.fetch_add(1, SeqCst)),
            "stray" => model().thread("alice", |x| {
                // SAFETY: none; the access is what the test is about.
                x.fetch_add(1, SeqCst)
                    + u64::from(unsafe { super::black_box(8 as *const u8).read() })
            }),
            // The other engine; the other thread runs while alice waits for its turn.
            _ => {
                let config = loom::Config { stack_bytes: 64 << 10, ..loom::Config::default() };
                let program = || {
                    let x = Arc::new(AtomicU64::new(0));
                    let children = ["alice", "bob"].map(|name| {
                        let x = x.clone();
                        let builder = thread::Builder::new().name(name.to_owned());
                        let child = builder.spawn(move || {
                            if x.fetch_add(1, SeqCst) == 1 && name == "alice" {
                                deep(64 << 10);
                            }
                        });
                        child.expect("it is spawned")
                    });
                    for child in children {
                        child.join().expect("it ends");
                    }
                };
                loom::explore(&config, &program, &mut |_| std::ops::ControlFlow::Continue(()));
                return;
            }
        };
        let _ = model.explore();
    }

    /// What the process says that overflows in this way, before it dies of it.
    fn says(how: &str) -> String {
        let binary = std::env::current_exe().expect("this binary has a path");
        let test = crate::name_of("overflows_if_asked_to", module_path!());
        let mut command = Command::new(binary);
        let output = command.args(["--exact", &test, "--nocapture"]).env(HOW, how).output();
        let output = output.expect("this binary runs");
        assert!(output.status.signal().is_some(), "{how}: {output:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    #[test]
    fn an_overflow_names_the_thread_and_the_size_of_its_stack() {
        for (how, thread, bytes) in [
            ("declared", "alice", 64 << 10),
            ("spawned", "child", 128 << 10),
            ("loom", "alice", 64 << 10),
            ("state", "without a name", 64 << 10),
        ] {
            let expected =
                format!("the model's thread {thread} has overflowed its stack of {bytes} bytes");
            let said = says(how);
            assert!(said.contains(&expected), "{how}: {said}");
            let advice = "Model::stack(bytes) sets another size for all of its threads, and \
                          thread::Builder::stack_size(bytes) asks for more for one\n";
            assert!(said.contains(advice), "{how}: {said}");
        }
    }

    #[test]
    fn another_fault_is_not_called_an_overflow() {
        let said = says("stray");
        assert!(!said.contains("overflowed"), "{said}");
    }
}
