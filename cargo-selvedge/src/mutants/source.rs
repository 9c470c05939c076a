//! Operations as they stand in the source, whether a model executes them or not.
//!
//! What a model executes is known exactly. This finds the rest, by shape: a call with an ordering among its
//! arguments, a method that takes or tries a lock, waits or wakes. The receiver is resolved as far as
//! declarations say its type ([`types`]): a method of the crate's own, or of a type from `std`, is no operation.
//! Where they do not say, it is a guess. A function with `#[track_caller]` is passed over: its operations are those
//! of its callers.

use std::collections::BTreeMap;

use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};

mod types;

use types::{Kind, Types};

/// An operation, where `#[track_caller]` sees it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Operation {
    pub(super) file: String,
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) name: String,
}

/// How much is known of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is an operation.
    Resolved,
    /// It has the name of one.
    Guessed,
}

/// What the names of methods on atomics begin with. With orderings for arguments, there are no others of these names.
const ATOMIC: [&str; 5] = ["load", "store", "swap", "fetch_", "compare_exchange"];
/// The operations of locks and threads without arguments, and the types that have them.
const BARE: [(&str, &str); 9] = [
    ("lock", "Mutex"),
    ("try_lock", "Mutex"),
    ("read", "RwLock"),
    ("write", "RwLock"),
    ("try_read", "RwLock"),
    ("try_write", "RwLock"),
    ("notify_one", "Condvar"),
    ("notify_all", "Condvar"),
    ("unpark", "Thread"),
];
/// Methods whose first argument is a guard.
const WAITS: [(&str, &str, usize); 2] = [("wait", "Condvar", 1), ("wait_while", "Condvar", 2)];
const ORDERINGS: [&str; 5] = ["Relaxed", "Acquire", "Release", "AcqRel", "SeqCst"];

/// All operations of these files: their names and their texts.
pub(super) fn operations(texts: &BTreeMap<String, String>) -> Vec<(Operation, Standing)> {
    let mut files = Vec::new();
    for (name, text) in texts {
        // What the compiler has accepted may be newer than what is understood here: then only what is executed
        // is known.
        if let Ok(file) = syn::parse_file(text) {
            files.push((name, file));
        }
    }
    let mut types = Types::default();
    for (name, file) in &files {
        types.collect(name, file);
    }
    let mut found = Vec::new();
    for (name, file) in &files {
        let mut finder =
            Finder { file: name, types: &types, scope: types::Scope::default(), found: Vec::new() };
        finder.visit_file(file);
        found.extend(finder.found);
    }
    found
}

struct Finder<'a> {
    file: &'a str,
    types: &'a Types,
    /// What is known inside of the function at hand.
    scope: types::Scope,
    found: Vec<(Operation, Standing)>,
}

impl Finder<'_> {
    fn add(&mut self, name: &str, at: proc_macro2::Span, standing: Standing) {
        let start = at.start();
        let operation = Operation {
            file: self.file.to_owned(),
            line: start.line,
            column: start.column + 1,
            name: name.to_owned(),
        };
        self.found.push((operation, standing));
    }

    /// Whether a method of this name, with these arguments, on this receiver, is an operation.
    fn standing(&self, call: &syn::ExprMethodCall) -> Option<Standing> {
        let name = call.method.to_string();
        let bare = BARE.iter().find(|(known, _)| *known == name && call.args.is_empty());
        let waits =
            WAITS.iter().find(|(known, _, count)| *known == name && call.args.len() == *count);
        let owner = bare.map(|(_, owner)| *owner).or(waits.map(|(_, owner, _)| *owner));
        let atomic =
            call.args.iter().any(is_ordering) && ATOMIC.iter().any(|known| name.starts_with(known));
        if owner.is_none() && !atomic {
            return None;
        }
        match self.types.infer(&call.receiver, &self.scope, self.file) {
            Some(Kind::Facade(kind)) => match owner {
                Some(owner) => (kind == owner).then_some(Standing::Resolved),
                None => Some(Standing::Resolved),
            },
            Some(Kind::Own(of)) if self.types.has_method(&of, &name) => None,
            Some(Kind::Foreign) => None,
            _ if atomic => Some(Standing::Resolved),
            _ => Some(Standing::Guessed),
        }
    }

    /// Visits a function with a scope of its own.
    fn within(&mut self, signature: &syn::Signature, visit: impl FnOnce(&mut Self)) {
        let outer = self.scope.clone();
        self.types.enter(&mut self.scope, signature, self.file);
        visit(self);
        self.scope = outer;
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !passes_on(&item.attrs) && !is_left_out(&item.attrs) {
            self.within(&item.sig, |finder| visit::visit_item_fn(finder, item));
        }
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        if !is_left_out(&item.attrs) {
            let outer = self.scope.self_type.replace(types::name_of(&item.self_ty));
            visit::visit_item_impl(self, item);
            self.scope.self_type = outer;
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !passes_on(&item.attrs) && !is_left_out(&item.attrs) {
            self.within(&item.sig, |finder| visit::visit_impl_item_fn(finder, item));
        }
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_left_out(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_local(&mut self, local: &'ast syn::Local) {
        self.types.learn(&mut self.scope, local, self.file);
        visit::visit_local(self, local);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        if let Some(standing) = self.standing(call) {
            let span = call.method.span();
            match &*call.method.to_string() {
                // What the façade makes of it.
                "fetch_update" => {
                    self.add("load", span, standing);
                    self.add("compare_exchange", span, standing);
                }
                // One that fails spuriously is a branch of the exploration as it is.
                "compare_exchange_weak" => self.add("compare_exchange", span, standing),
                "wait_while" => self.add("wait", span, standing),
                name => self.add(name, span, standing),
            }
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if let syn::Expr::Path(function) = &*call.func {
            let name = function.path.segments.last().map(|last| last.ident.to_string());
            let owned = || self.types.has_function(name.as_deref().unwrap_or_default());
            match name.as_deref() {
                Some("fence") if call.args.iter().any(is_ordering) => {
                    self.add("fence", call.span(), Standing::Resolved);
                }
                Some("park") if call.args.is_empty() => {
                    let qualified =
                        function.path.segments.iter().any(|part| part.ident == "thread");
                    if qualified || !owned() {
                        let standing =
                            if qualified { Standing::Resolved } else { Standing::Guessed };
                        self.add("park", call.span(), standing);
                    }
                }
                _ => {}
            }
        }
        visit::visit_expr_call(self, call);
    }
}

/// Whether a function's operations are seen at the place that calls it.
fn passes_on(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| attribute.path().is_ident("track_caller"))
}

/// Whether an item is not compiled into what is checked: of tests, or for the time without `--cfg loom`.
fn is_left_out(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let syn::Meta::List(list) = &attribute.meta else { return false };
        let condition: String = list.tokens.to_string().split_whitespace().collect();
        attribute.path().is_ident("cfg") && matches!(&*condition, "test" | "not(loom)")
    })
}

/// Whether an argument names an ordering.
fn is_ordering(argument: &syn::Expr) -> bool {
    let syn::Expr::Path(path) = argument else { return false };
    path.path.segments.last().is_some_and(|last| ORDERINGS.iter().any(|order| last.ident == order))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let texts = BTreeMap::from([("a.rs".to_owned(), text.to_owned())]);
        let operations = operations(&texts);
        let shown = |(o, standing): &(Operation, Standing)| {
            let guess = if *standing == Standing::Guessed { "?" } else { "" };
            format!("{}:{} {}{guess}", o.line, o.column, o.name)
        };
        operations.iter().map(shown).collect()
    }

    #[test]
    fn operations_are_told_by_their_shape_and_found_where_the_facade_sees_them() {
        let text = "\
fn f(a: &A, m: &Mutex<u64>) {
    a.n.load(Ordering::Acquire) + a.n.fetch_add(1, Relaxed);
    std::mem::swap(x, y); v.swap(0, 1); file.read(buffer);
    lock(&m).x = m.lock();
    fence(SeqCst);
    c.wait(guard);
    a.fetch_update(Relaxed, Relaxed, f); a.compare_exchange_weak(0, 1, AcqRel, Relaxed);
}
#[cfg(test)]
mod tests { fn g() { m.lock(); } }
#[cfg(not(loom))]
mod plain { fn g() { m.lock(); } }
mod inner { fn g() { m.try_lock(); } }
#[track_caller]
fn lock() { m.lock(); }
impl A { #[track_caller] fn lock(&self) { self.m.lock(); } }
fn h() { thread::park(); }
";
        assert_eq!(
            found(text),
            [
                "2:9 load",
                "2:39 fetch_add",
                "4:20 lock",
                "5:5 fence",
                "6:7 wait?",
                "7:7 load",
                "7:7 compare_exchange",
                "7:44 compare_exchange",
                "13:24 try_lock?",
                "17:10 park",
            ]
        );
    }

    #[test]
    fn what_is_not_rust_has_no_operation_that_is_not_executed() {
        assert!(found("fn {").is_empty());
    }

    #[test]
    fn a_method_of_the_crates_own_is_no_operation() {
        let text = "\
struct Signal { inner: Arc<Mutex<bool>>, gate: Gate, files: Vec<RwLock<u8>>, sink: Sink }
struct Gate { wakes: Condvar }
impl Gate {
    fn unpark(&self) { self.wakes.notify_one(); }
    fn wait(&self, x: u64) { self.enter(x); }
}
impl Signal {
    fn unpark(&self) { self.gate.unpark(); self.inner.lock(); self.files[0].read(); self.sink.lock(); }
    fn run(&self, other: &Signal, unknown: impl Fn()) {
        self.unpark(); other.unpark(); self.gate.wait(3); other.gate.wakes.wait(guard);
        unknown().unpark(); let mutex = Mutex::new(1); mutex.lock(); let gate: &Gate = g(); gate.unpark();
        thread::current().unpark();
    }
}
";
        assert_eq!(
            found(text),
            [
                "4:35 notify_one",
                "8:55 lock",
                "8:77 read",
                "8:95 lock?",
                "10:76 wait",
                "11:19 unpark?",
                "11:62 lock",
                "12:27 unpark",
            ]
        );
    }

    #[test]
    fn a_type_of_std_is_no_operation_unless_it_is_the_other_side_of_a_facade() {
        let plain = "use std::sync::Mutex; struct A { m: Mutex<u8> } fn f(a: &A) { a.m.lock(); }";
        assert_eq!(found(plain), [""; 0]);
        let both = "#[cfg(loom)] use loom::sync::Mutex; #[cfg(not(loom))] use std::sync::Mutex;\n\
                    struct A { m: Mutex<u8> } fn f(a: &A) { a.m.lock(); }";
        assert_eq!(found(both), ["2:45 lock"]);
    }
}
