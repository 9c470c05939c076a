//! The body of a thread, as text.

use std::fmt::Write as _;

use super::{handles, literal, peek, place};
use crate::program::{BOUNDS, Change, Mode, Op, Place, Program, Who};

/// The steps of a thread, its ends taken before them and its log returned.
pub(super) fn of(program: &Program, thread: usize, ops: &[Op], indent: usize) -> String {
    let mut body = Body { text: String::new(), indent, program, thread, names: 0, held: None };
    body.whole(ops);
    body.text
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
            Op::Downgrade(w, writes, reads) => {
                let name = self.name("guard");
                self.line("{");
                self.indent += 4;
                self.line(&format!("let ({name}, poisoned) = split(s.w{w}.write());"));
                self.log("poisoned");
                self.ops(writes);
                self.line(&format!("let {name} = RwLockWriteGuard::downgrade({name});"));
                self.ops(reads);
                self.line(&format!("drop({name});"));
                self.indent -= 4;
                self.line("}");
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
            Op::Meet(b) => self.log(&format!("s.b{b}.wait().is_leader() as u64")),
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
        self.text.push_str(&of(self.program, number, body, self.indent + 8));
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
