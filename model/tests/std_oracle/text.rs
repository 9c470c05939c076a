//! A program as a test that can be pasted: what is printed of one that differs.

mod body;

use std::fmt::Write as _;

use crate::machine::Answer;
use crate::program::{BOUNDS, Op, Place, Program, Who};

/// The test. It fails as long as the checker misses something of `required`, or, where that is
/// judged, reaches more.
pub(crate) fn test(program: &Program, required: &Answer, exact: bool) -> String {
    let mut text = HEAD.to_owned();
    let (fields, inits) = fields(program);
    let _ = writeln!(text, "    struct Shared {{\n{fields}    }}");
    let _ = writeln!(text, "    let init = || {{\n{inits}    }};");
    let _ = writeln!(text, "    let model = Model::new(init)");
    for &thread in &program.order {
        let body = body::of(program, thread, &program.threads[thread], 12);
        let _ = writeln!(text, "        .thread(\"t{thread}\", |s: &Std<Shared>| {{");
        let _ = writeln!(text, "{body}        }})");
    }
    let _ = writeln!(text, "        .finally(\"finals\", |s| {});", finals(program));
    if required.failures.is_empty() {
        text.push_str("    let report = model.explore().expect(\"it does not fail\");\n    let expected = [\n");
        for outcome in &required.outcomes {
            let _ = writeln!(text, "        \"{}\",", outcome.text(&program.order));
        }
        text.push_str("    ];\n    for outcome in expected {\n        assert!(report.seen(outcome) > 0, \"missed: {outcome}\");\n    }\n");
        if exact {
            text.push_str("    let rows = report.outcomes.iter().filter(|row| row.seen > 0);\n    let more: Vec<_> = rows.filter(|row| !expected.contains(&row.text.as_str())).collect();\n    assert!(more.is_empty(), \"no interleaving reaches {more:?}\");\n");
        }
    } else {
        let failures: Vec<String> = required.failures.iter().map(|f| format!("{f:?}")).collect();
        let failures = failures.join(" or ");
        let _ = writeln!(
            text,
            "    let error = model.explore().expect_err(\"it may end in {failures}\");\n    println!(\"{{error}}\");"
        );
    }
    text.push_str("}\n");
    text
}

const HEAD: &str = "\
#[test]
#[allow(unused, clippy::all, clippy::pedantic)]
fn pasted() {
    use std::cell::RefCell;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Arc as Std;
    use std::time::Duration;

    use selvedge_model::Model;
    use selvedge_model::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering::*, fence};
    use selvedge_model::sync::cell::UnsafeCell;
    use selvedge_model::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, SyncSender, TryRecvError, TrySendError};
    use selvedge_model::sync::thread::{self, Thread};
    use selvedge_model::sync::{Arc, Barrier, Condvar, LockResult, Mutex, OnceLock, PoisonError, RwLock, RwLockWriteGuard, TryLockError, hint};

    type Slot<T> = std::sync::Mutex<Option<T>>;
    fn slot<T>(end: T) -> Slot<T> {
        std::sync::Mutex::new(Some(end))
    }
    fn p(number: usize) -> *mut u64 {
        std::ptr::without_provenance_mut(8 * number)
    }
    fn n(pointer: *mut u64) -> u64 {
        pointer.addr() as u64 / 8
    }
    fn either<T: Into<u64>>(result: Result<T, T>) -> u64 {
        match result {
            Ok(value) => value.into().wrapping_mul(2),
            Err(value) => value.into().wrapping_mul(2) + 1,
        }
    }
    fn sent(result: Result<(), TrySendError<u64>>) -> u64 {
        match result {
            Ok(()) => 0,
            Err(TrySendError::Disconnected(_)) => 1,
            Err(TrySendError::Full(_)) => 2,
        }
    }
    fn split<G>(result: LockResult<G>) -> (G, u64) {
        match result {
            Ok(guard) => (guard, 0),
            Err(poison) => (poison.into_inner(), 1),
        }
    }
    fn try_split<G>(result: Result<G, TryLockError<G>>) -> Option<(G, u64)> {
        match result {
            Ok(guard) => Some((guard, 0)),
            Err(TryLockError::Poisoned(poison)) => Some((poison.into_inner(), 1)),
            Err(TryLockError::WouldBlock) => None,
        }
    }
    const SOON: Duration = Duration::from_micros(50);
    #[derive(Default)]
    struct Plain(UnsafeCell<u64>);
    // SAFETY: none: the checker finds the races.
    unsafe impl Sync for Plain {}
    impl Plain {
        fn read(&self) -> u64 {
            // SAFETY: none; as above.
            self.0.with(|value| unsafe { *value })
        }
        fn write(&self) {
            // SAFETY: none; as above.
            self.0.with_mut(|value| unsafe { *value += 1 });
        }
    }
    struct Later(Option<Box<dyn FnOnce()>>);
    impl Drop for Later {
        fn drop(&mut self) {
            if let Some(steps) = self.0.take() {
                steps();
            }
        }
    }
    struct Defer<F: FnMut()>(F);
    impl<F: FnMut()> Drop for Defer<F> {
        fn drop(&mut self) {
            (self.0)();
        }
    }
    selvedge_model::sync::thread_local! {
        static LATER: RefCell<Option<Later>> = RefCell::new(None);
    }
";

/// The fields of the shared state, and how they are made.
fn fields(program: &Program) -> (String, String) {
    let mut fields = String::new();
    let mut inits = String::new();
    let mut made = String::new();
    let mut field = |name: &str, kind: &str, init: &str| {
        let _ = writeln!(fields, "        {name}: {kind},");
        let _ = writeln!(made, "            {name}: {init},");
    };
    for at in program.places() {
        let name = place(at);
        match at {
            Place::Word(_) => field(&name, "AtomicU64", "AtomicU64::new(0)"),
            Place::Flag(_) => field(&name, "AtomicBool", "AtomicBool::new(false)"),
            Place::Pointer(_) => field(&name, "AtomicPtr<u64>", "AtomicPtr::new(p(0))"),
        }
    }
    for m in program.mutexes() {
        field(&format!("m{m}"), "Mutex<()>", "Mutex::new(())");
    }
    for w in program.rwlocks() {
        field(&format!("w{w}"), "RwLock<()>", "RwLock::new(())");
    }
    for c in program.condvars() {
        field(&format!("c{c}"), "Condvar", "Condvar::new()");
    }
    for b in program.barriers() {
        field(&format!("b{b}"), "Barrier", "Barrier::new(2)");
    }
    for o in program.onces() {
        field(&format!("o{o}"), "OnceLock<u64>", "OnceLock::new()");
    }
    for c in program.cells() {
        field(&format!("cell{c}"), "Plain", "Plain::default()");
    }
    for t in handles(program) {
        field(&format!("h{t}"), "Mutex<Option<Thread>>", "Mutex::new(None)");
    }
    let ends: Vec<_> = (0..program.numbers()).map(|thread| program.ends(thread)).collect();
    for a in program.arcs() {
        let owners = (0..ends.len()).filter(|t| ends[*t].arcs.contains(&a));
        let owners: Vec<usize> = owners.collect();
        let _ = writeln!(inits, "        let a{a} = Arc::new(Plain::default());");
        for (position, t) in owners.iter().enumerate() {
            let last = position + 1 == owners.len();
            let clone = if last { "" } else { ".clone()" };
            field(&format!("t{t}_a{a}"), "Slot<Arc<Plain>>", &format!("slot(a{a}{clone})"));
        }
    }
    for q in program.channels() {
        let (kind, new) = match BOUNDS[q] {
            None => ("Slot<Sender<u64>>", "channel()".to_owned()),
            Some(bound) => ("Slot<SyncSender<u64>>", format!("sync_channel({bound})")),
        };
        let _ = writeln!(inits, "        let (s{q}, r{q}) = mpsc::{new};");
        let mut received = false;
        for (t, ends) in ends.iter().enumerate() {
            if ends.senders.contains(&q) {
                let name = format!("t{t}_s{q}");
                let _ = writeln!(inits, "        let {name} = slot(s{q}.clone());");
                field(&name, kind, &name);
            }
            if ends.receivers.contains(&q) {
                received = true;
                field(&format!("t{t}_r{q}"), "Slot<Receiver<u64>>", &format!("slot(r{q})"));
            }
        }
        let _ = writeln!(inits, "        drop(s{q});");
        if !received {
            let _ = writeln!(inits, "        std::mem::forget(r{q});");
        }
    }
    (fields, format!("{inits}        Std::new(Shared {{\n{made}        }})\n"))
}

/// Who may be unparked by others.
fn handles(program: &Program) -> Vec<usize> {
    program.objects(|op| match op {
        Op::Unpark(Who::Declared(thread)) => Some(*thread),
        _ => None,
    })
}

fn finals(program: &Program) -> String {
    let alone = !program.any(|op| matches!(op, Op::Spawn(..)));
    let mut all: Vec<String> = Vec::new();
    for at in program.places() {
        let name = format!("s.{}", place(at));
        all.push(match (at, alone) {
            (Place::Word(_), true) => format!("{name}.load(SeqCst)"),
            (Place::Flag(_), true) => format!("{name}.load(SeqCst) as u64"),
            (Place::Pointer(_), true) => format!("n({name}.load(SeqCst))"),
            (at, false) => peek(at),
        });
    }
    if program.shows_poison() {
        all.extend(program.mutexes().iter().map(|m| format!("s.m{m}.is_poisoned() as u64")));
        all.extend(program.rwlocks().iter().map(|w| format!("s.w{w}.is_poisoned() as u64")));
    }
    format!("Vec::<u64>::from([{}])", all.join(", "))
}

fn place(at: Place) -> String {
    match at {
        Place::Word(n) => format!("x{n}"),
        Place::Flag(n) => format!("f{n}"),
        Place::Pointer(n) => format!("p{n}"),
    }
}

fn peek(at: Place) -> String {
    let name = format!("s.{}", place(at));
    match at {
        Place::Word(_) => format!("{name}.fetch_add(0, SeqCst)"),
        Place::Flag(_) => format!("{name}.fetch_or(false, SeqCst) as u64"),
        Place::Pointer(_) => {
            format!("n({name}.compare_exchange(p(0), p(0), SeqCst, SeqCst).unwrap_or_else(|p| p))")
        }
    }
}

/// A value for the place, as code.
fn literal(at: Place, value: u64) -> String {
    match at {
        Place::Word(_) => value.to_string(),
        Place::Flag(_) => (value == 1).to_string(),
        Place::Pointer(_) => format!("p({value})"),
    }
}
