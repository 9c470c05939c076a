//! A program as a test that can be pasted: what is printed of one that differs.

use std::fmt::Write as _;

use crate::machine::Answer;
use crate::program::{BOUNDS, Change, Mode, Op, Place, Program, Who};

/// The test. It fails as long as the checker misses something of `required`, or, where that is
/// judged, reaches more.
pub(crate) fn test(program: &Program, required: &Answer, exact: bool) -> String {
    let mut text = HEAD.to_owned();
    let (fields, inits) = fields(program);
    let _ = writeln!(text, "    struct Shared {{\n{fields}    }}");
    let _ = writeln!(text, "    let init = || {{\n{inits}    }};");
    let _ = writeln!(text, "    let model = Model::new(init)");
    for &thread in &program.order {
        let mut body =
            Body { text: String::new(), indent: 12, program, thread, names: 0, held: None };
        body.whole(&program.threads[thread]);
        let _ = writeln!(text, "        .thread(\"t{thread}\", |s: &Std<Shared>| {{");
        let _ = writeln!(text, "{}        }})", body.text);
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
    use selvedge_model::sync::{Arc, Condvar, LockResult, Mutex, OnceLock, PoisonError, RwLock, TryLockError, hint};

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

/// The body of a thread.
struct Body<'a> {
    text: String,
    indent: usize,
    program: &'a Program,
    thread: usize,
    names: usize,
    /// The variable with the innermost mutex's guard.
    held: Option<String>,
}

impl Body<'_> {
    fn line(&mut self, line: &str) {
        let _ = writeln!(self.text, "{:indent$}{line}", "", indent = self.indent);
    }

    fn log(&mut self, value: &str) {
        self.line(&format!("log.push({value});"));
    }

    fn name(&mut self, prefix: &str) -> String {
        self.names += 1;
        format!("{prefix}_{}", self.names)
    }

    /// A thread: its ends, its steps, its log.
    fn whole(&mut self, ops: &[Op]) {
        let (ends, t) = (self.program.ends(self.thread), self.thread);
        // Dropped in the other order.
        let receivers = ends.receivers.iter().rev().map(|q| format!("r{q}"));
        let senders = ends.senders.iter().rev().map(|q| format!("s{q}"));
        let arcs = ends.arcs.iter().rev().map(|a| format!("a{a}"));
        for name in receivers.chain(senders).chain(arcs) {
            self.line(&format!("let mut {name} = s.t{t}_{name}.lock().unwrap().take();"));
        }
        self.line("let mut log = Vec::<u64>::new();");
        self.line("let mut children: Vec<thread::JoinHandle<Vec<u64>>> = Vec::new();");
        self.ops(ops);
        self.line("log");
    }

    fn ops(&mut self, ops: &[Op]) {
        for op in ops {
            self.op(op);
        }
    }

    fn block(&mut self, ops: &[Op]) {
        self.indent += 4;
        self.ops(ops);
        self.indent -= 4;
    }

    /// Steps with a guard held.
    fn scope(&mut self, lock: &str, tries: bool, mutex: bool, ops: &[Op]) {
        let name = self.name("guard");
        if tries {
            self.line(&format!("if let Some((mut {name}, poisoned)) = try_split({lock}) {{"));
        } else {
            self.line("{");
        }
        self.indent += 4;
        if !tries {
            self.line(&format!("let (mut {name}, poisoned) = split({lock});"));
        }
        self.log("poisoned");
        let outer = self.held.clone();
        if mutex {
            // In an option, since a wait in a caught closure moves it out and in again.
            self.line(&format!("let mut {name} = Some({name});"));
            self.held = Some(name.clone());
        }
        self.ops(ops);
        self.line(&format!("drop({name});"));
        self.held = outer;
        self.indent -= 4;
        if tries {
            self.line("} else {");
            self.indent += 4;
            self.log("2");
            self.indent -= 4;
        }
        self.line("}");
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each step")]
    fn op(&mut self, op: &Op) {
        match op {
            Op::Load(at, order) => {
                let load = format!("s.{}.load({order:?})", place(*at));
                self.log(&shown(*at, &load));
            }
            Op::Store(at, v, order) => {
                self.line(&format!("s.{}.store({}, {order:?});", place(*at), literal(*at, *v)));
            }
            Op::Update(at, change, order) => {
                let (method, v) = match *change {
                    Change::Swap(v) => ("swap", v),
                    Change::Add(v) => ("fetch_add", v),
                    Change::Sub(v) => ("fetch_sub", v),
                    Change::And(v) => ("fetch_and", v),
                    Change::Or(v) => ("fetch_or", v),
                    Change::Xor(v) => ("fetch_xor", v),
                    Change::Nand(v) => ("fetch_nand", v),
                    Change::Max(v) => ("fetch_max", v),
                    Change::Min(v) => ("fetch_min", v),
                };
                let update =
                    format!("s.{}.{method}({}, {order:?})", place(*at), literal(*at, v));
                self.log(&shown(*at, &update));
            }
            Op::Exchange { at, current, new, success, failure, weak } => {
                let weak = if *weak { "_weak" } else { "" };
                let (name, current, new) = (place(*at), literal(*at, *current), literal(*at, *new));
                let map = if matches!(at, Place::Pointer(_)) { ".map(n).map_err(n)" } else { "" };
                self.log(&format!(
                    "either(s.{name}.compare_exchange{weak}({current}, {new}, {success:?}, {failure:?}){map})"
                ));
            }
            Op::FetchUpdate { at, below, set, fetch } => {
                self.log(&format!(
                    "either(s.{}.fetch_update({set:?}, {fetch:?}, |v| (v < {below}).then(|| v + 1)))",
                    place(*at)
                ));
            }
            Op::Fence(order) => self.line(&format!("fence({order:?});")),
            Op::Await(at, v, order) => {
                let (name, v) = (place(*at), literal(*at, *v));
                self.line(&format!("hint::wait_until(|| s.{name}.load({order:?}) == {v});"));
            }
            Op::Spin(at, v, order) => {
                let (name, v) = (place(*at), literal(*at, *v));
                self.line(&format!("while s.{name}.load({order:?}) != {v} {{"));
                self.line("    hint::spin_loop();");
                self.line("}");
            }
            Op::Idle(times) => self.line(&format!("(0..{times}).for_each(|_| hint::spin_loop());")),
            Op::Refute(at, v) => {
                self.line(&format!("assert!({} != {v}, \"on purpose\");", peek(*at)));
            }
            Op::Panic => self.line("panic!(\"on purpose\");"),
            Op::Unwind => self.line("std::panic::resume_unwind(Box::new(()));"),
            Op::Guarded(body, destructor) => {
                self.line("{");
                self.indent += 4;
                self.line("let outer = &raw mut log;");
                self.line("let _dropped = Defer(|| {");
                self.line("    // SAFETY: nothing else uses it while this is dropped.");
                self.line("    let log = unsafe { &mut *outer };");
                self.block(destructor);
                self.line("});");
                self.ops(body);
                self.indent -= 4;
                self.line("}");
            }
            Op::IsPoisoned(m) => self.log(&format!("s.m{m}.is_poisoned() as u64")),
            Op::IsRwPoisoned(w) => self.log(&format!("s.w{w}.is_poisoned() as u64")),
            Op::ClearPoison(m) => self.line(&format!("s.m{m}.clear_poison();")),
            Op::ClearRwPoison(w) => self.line(&format!("s.w{w}.clear_poison();")),
            Op::If(v, body) => {
                self.line(&format!("if log.last() == Some(&{v}) {{"));
                self.block(body);
                self.line("}");
            }
            Op::Catch(body) => {
                let name = self.name("caught");
                self.line(&format!("let {name} = catch_unwind(AssertUnwindSafe(|| {{"));
                self.block(body);
                self.line("}));");
                self.log(&format!("{name}.is_err() as u64"));
            }
            Op::Lock(m, body) => self.scope(&format!("s.m{m}.lock()"), false, true, body),
            Op::TryLock(m, body) => self.scope(&format!("s.m{m}.try_lock()"), true, true, body),
            Op::Hold(w, mode, body) => {
                let method = if *mode == Mode::Read { "read" } else { "write" };
                self.scope(&format!("s.w{w}.{method}()"), false, false, body);
            }
            Op::TryHold(w, mode, body) => {
                let method = if *mode == Mode::Read { "try_read" } else { "try_write" };
                self.scope(&format!("s.w{w}.{method}()"), true, false, body);
            }
            Op::Wait(c) => {
                let guard = self.held.clone().unwrap_or_default();
                self.line(&format!("let (again, poisoned) = split(s.c{c}.wait({guard}.take().unwrap()));"));
                self.line(&format!("{guard} = Some(again);"));
                self.log("poisoned");
            }
            Op::WaitTimeout(c) => {
                let guard = self.held.clone().unwrap_or_default();
                self.line(&format!(
                    "let ((again, result), poisoned) = split(s.c{c}.wait_timeout({guard}.take().unwrap(), SOON));"
                ));
                self.line(&format!("{guard} = Some(again);"));
                self.line("log.extend([result.timed_out() as u64, poisoned]);");
            }
            Op::WaitUntil(c, at, v) | Op::PollUntil(c, at, v) => {
                let guard = self.held.clone().unwrap_or_default();
                self.line(&format!("while {} != {v} {{", peek(*at)));
                self.line(&format!("    {guard} = Some(split(s.c{c}.wait({guard}.take().unwrap())).0);"));
                self.line("}");
            }
            Op::NotifyOne(c) => self.line(&format!("s.c{c}.notify_one();")),
            Op::NotifyAll(c) => self.line(&format!("s.c{c}.notify_all();")),
            Op::Introduce => {
                if handles(self.program).contains(&self.thread) {
                    let t = self.thread;
                    self.line(&format!("*split(s.h{t}.lock()).0 = Some(thread::current());"));
                }
            }
            Op::Unpark(Who::Declared(t)) => {
                let name = self.name("handle");
                self.line(&format!("let {name} = split(s.h{t}.lock()).0.clone();"));
                self.log(&format!("{name}.is_some() as u64"));
                self.line(&format!("if let Some(thread) = {name} {{"));
                self.line("    thread.unpark();");
                self.line("}");
            }
            Op::Unpark(Who::Child) => self.line("children.last().unwrap().thread().unpark();"),
            Op::Unpark(Who::Parent) => self.line("parent.unpark();"),
            Op::Park => self.line("thread::park();"),
            Op::ParkTimeout => self.line("thread::park_timeout(SOON);"),
            Op::ParkUntil(at, v) => {
                self.line(&format!("while {} != {v} {{", peek(*at)));
                self.line("    thread::park();");
                self.line("}");
            }
            Op::TrySend(q, v) if BOUNDS[*q].is_some() => self.end(&format!("s{q}"), &format!("sent(end.try_send({v}))")),
            Op::Send(q, v) | Op::TrySend(q, v) => {
                let sent = format!("sent(end.send({v}).map_err(TrySendError::from))");
                self.end(&format!("s{q}"), &sent);
            }
            Op::Recv(q) => self.end(&format!("r{q}"), "end.recv().map_or(0, |v| 10 + v)"),
            Op::TryRecv(q) => self.end(
                &format!("r{q}"),
                "match end.try_recv() { Ok(v) => 10 + v, Err(TryRecvError::Empty) => 1, Err(_) => 0 }",
            ),
            Op::RecvTimeout(q) => self.end(
                &format!("r{q}"),
                "match end.recv_timeout(SOON) { Ok(v) => 10 + v, Err(RecvTimeoutError::Timeout) => 1, Err(_) => 0 }",
            ),
            Op::DropSender(q) => self.line(&format!("drop(s{q}.take());")),
            Op::DropReceiver(q) => self.line(&format!("drop(r{q}.take());")),
            Op::Set(o, v) => self.log(&format!("s.o{o}.set({v}).is_err() as u64")),
            Op::Get(o) => self.log(&format!("s.o{o}.get().copied().unwrap_or(0)")),
            Op::GetOrInit(o, v, body) => {
                let name = self.name("made");
                self.line(&format!("let {name} = *s.o{o}.get_or_init(|| {{"));
                self.block(body);
                self.line(&format!("    {v}"));
                self.line("});");
                self.log(&name);
            }
            Op::Count(a) => self.end(&format!("a{a}"), "Arc::strong_count(end) as u64"),
            Op::GetMut(a) => self.line(&format!(
                "if let Some(end) = &mut a{a} {{ log.push(Arc::get_mut(end).map(|inside| inside.write()).is_some() as u64); }}"
            )),
            Op::ReadInside(a) => self.line(&format!("if let Some(end) = &a{a} {{ end.read(); }}")),
            Op::IntoInner(a) => self.line(&format!(
                "if let Some(end) = a{a}.take() {{ log.push(Arc::into_inner(end).is_some() as u64); }}"
            )),
            Op::DropArc(a) => self.line(&format!("drop(a{a}.take());")),
            Op::Spawn(number, body) => self.spawn(*number, body),
            Op::Join => {
                self.line("match children.pop().unwrap().join() {");
                self.line("    Ok(theirs) => {");
                self.line("        log.push(50);");
                self.line("        log.extend(theirs);");
                self.line("    }");
                self.line("    Err(_) => log.push(60),");
                self.line("}");
            }
            Op::Local(body) => {
                self.line("{");
                self.line("    let s = Std::clone(s);");
                self.line("    let later = Box::new(move || {");
                self.indent += 4;
                self.line("    let mut log = Vec::<u64>::new();");
                self.block(body);
                self.indent -= 4;
                self.line("    });");
                self.line("    LATER.with(|slot| *slot.borrow_mut() = Some(Later(Some(later))));");
                self.line("}");
            }
            Op::CellRead(c) => self.log(&format!("s.cell{c}.read()")),
            Op::CellWrite(c) => self.line(&format!("s.cell{c}.write();")),
        }
    }

    /// A step with an end, if the thread still has it.
    fn end(&mut self, end: &str, value: &str) {
        self.line(&format!("if let Some(end) = &{end} {{ log.push({value}); }}"));
    }

    fn spawn(&mut self, number: usize, body: &[Op]) {
        self.line("children.push({");
        self.line("    let (s, parent) = (Std::clone(s), thread::current());");
        self.line("    thread::spawn(move || {");
        self.line("        let s = &s;");
        let mut child = Body {
            text: String::new(),
            indent: self.indent + 8,
            program: self.program,
            thread: number,
            names: 0,
            held: None,
        };
        child.whole(body);
        self.text.push_str(&child.text);
        self.line("    })");
        self.line("});");
    }
}

/// What was read, as a number.
fn shown(at: Place, read: &str) -> String {
    match at {
        Place::Word(_) => read.to_owned(),
        Place::Flag(_) => format!("{read} as u64"),
        Place::Pointer(_) => format!("n({read})"),
    }
}
