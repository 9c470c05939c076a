//! Operations as they stand in the source, whether a model executes them or not.
//!
//! What a model executes is known exactly. This finds the rest, by shape: the name of a method and the number of its
//! arguments. The receiver is resolved as far as declarations say its type ([`types`]): a method of the crate's own,
//! or of a type from `std`, is no operation. Where they do not say, an argument that is an ordering tells an atomic;
//! without one it is a guess, or, if other types have methods of that name, no operation. A function with
//! `#[track_caller]` is passed over: its operations are those of its callers.
//!
//! # Limits
//!
//! Not found are operations in the body of a `macro_rules!`, in a macro whose arguments are not expressions, and in
//! calls by path (`AtomicU64::load(&n, Acquire)`).

use std::collections::BTreeMap;

use proc_macro2::TokenStream;
use syn::parse::{ParseStream, Parser as _};
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};

mod names;
mod types;

use names::{ATOMIC, BARE, EVALUATING, ONLY_ATOMIC, ORDERINGS, QUOTING, WAITS};
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

/// A call that may be an operation.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) operation: Operation,
    pub(super) standing: Standing,
    /// Whether all its orderings are written there: it has the same ones in each execution.
    pub(super) is_fixed: bool,
}

/// All operations of these files: their names and their texts.
pub(super) fn operations(texts: &BTreeMap<String, String>) -> Vec<Call> {
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
        let scope = types::Scope::default();
        let mut finder =
            Finder { file: name, types: &types, scope, is_unsure: false, found: Vec::new() };
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
    /// Whether it is in a macro that may not evaluate its arguments.
    is_unsure: bool,
    found: Vec<Call>,
}

impl Finder<'_> {
    fn add(&mut self, name: &str, at: proc_macro2::Span, shape: Shape) {
        let start = at.start();
        let operation = Operation {
            file: self.file.to_owned(),
            line: start.line,
            column: start.column + 1,
            name: name.to_owned(),
        };
        let Shape { standing, is_fixed } = shape;
        let standing = if self.is_unsure { Standing::Guessed } else { standing };
        self.found.push(Call { operation, standing, is_fixed });
    }

    /// Whether a method of this name, with these arguments, on this receiver, is an operation.
    fn shape(&self, call: &syn::ExprMethodCall) -> Option<Shape> {
        let name = call.method.to_string();
        let bare = BARE.iter().find(|(known, _)| *known == name && call.args.is_empty());
        let waits =
            WAITS.iter().find(|(known, _, count)| *known == name && call.args.len() == *count);
        let owner = bare.map(|(_, owner)| *owner).or(waits.map(|(_, owner, _)| *owner));
        let has_shape =
            |(known, count, _): &&names::Method| *known == name && call.args.len() == *count;
        let only_atomic = ONLY_ATOMIC.iter().find(has_shape);
        let atomic = only_atomic.or_else(|| ATOMIC.iter().find(has_shape));
        let orders: Vec<&syn::Expr> = match atomic {
            Some((.., places)) => call.args.iter().skip(places.start).take(places.len()).collect(),
            None if owner.is_some() => Vec::new(),
            None => return None,
        };
        let is_ordered = orders.iter().any(|order| self.is_ordering(order));
        let standing = match self.types.infer(&call.receiver, &self.scope, self.file) {
            Some(Kind::Facade(kind)) => match owner {
                Some(owner) => (kind == owner).then_some(Standing::Resolved),
                None => (is_ordered || kind.starts_with("Atomic")).then_some(Standing::Resolved),
            },
            Some(Kind::Own(of)) if self.types.has_method(&of, &name) => None,
            Some(Kind::Foreign) => None,
            _ if is_ordered => Some(Standing::Resolved),
            _ if owner.is_some() || only_atomic.is_some() => Some(Standing::Guessed),
            _ => None,
        };
        let is_fixed = orders.into_iter().all(is_written_ordering);
        Some(Shape { standing: standing?, is_fixed })
    }

    /// Whether an argument is an ordering, as far as declarations say.
    fn is_ordering(&self, argument: &syn::Expr) -> bool {
        is_written_ordering(argument)
            || self.types.infer(argument, &self.scope, self.file) == Some(Kind::Ordering)
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
        if let Some(shape) = self.shape(call) {
            let span = call.method.span();
            match &*call.method.to_string() {
                // What the façade makes of it.
                "fetch_update" | "update" | "try_update" => {
                    self.add("load", span, shape);
                    self.add("compare_exchange", span, shape);
                }
                // One that fails spuriously is a branch of the exploration as it is.
                "compare_exchange_weak" | "compare_and_swap" => {
                    self.add("compare_exchange", span, shape);
                }
                "wait_while" => self.add("wait", span, shape),
                name => self.add(name, span, shape),
            }
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if let syn::Expr::Path(function) = &*call.func {
            let name = function.path.segments.last().map(|last| last.ident.to_string());
            let owned = || self.types.has_function(name.as_deref().unwrap_or_default());
            match name.as_deref() {
                Some("fence") if call.args.iter().any(|order| self.is_ordering(order)) => {
                    let is_fixed = call.args.iter().all(is_written_ordering);
                    let shape = Shape { standing: Standing::Resolved, is_fixed };
                    self.add("fence", call.span(), shape);
                }
                Some("park") if call.args.is_empty() => {
                    let qualified =
                        function.path.segments.iter().any(|part| part.ident == "thread");
                    if qualified || !owned() {
                        let standing =
                            if qualified { Standing::Resolved } else { Standing::Guessed };
                        self.add("park", call.span(), Shape { standing, is_fixed: true });
                    }
                }
                _ => {}
            }
        }
        visit::visit_expr_call(self, call);
    }

    /// Its rules are no code yet, and what other macros among items get are seldom expressions.
    fn visit_item_macro(&mut self, _: &'ast syn::ItemMacro) {}

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        let name = call.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
        if QUOTING.contains(&&*name) {
            return;
        }
        let Ok(arguments) = leading_expressions.parse2(call.tokens.clone()) else { return };
        let outer = self.is_unsure;
        self.is_unsure |= !EVALUATING.contains(&&*name);
        for argument in &arguments {
            self.visit_expr(argument);
        }
        self.is_unsure = outer;
    }
}

/// What is known of a call.
#[derive(Clone, Copy)]
struct Shape {
    standing: Standing,
    is_fixed: bool,
}

/// The expressions that a macro's arguments begin with: all of them for `assert_eq!`, the first one for `matches!`.
fn leading_expressions(input: ParseStream) -> syn::Result<Vec<syn::Expr>> {
    let mut found = Vec::new();
    while let Ok(expression) = input.parse() {
        found.push(expression);
        // `vec![value; length]`.
        let separated =
            input.parse::<syn::Token![,]>().is_ok() || input.parse::<syn::Token![;]>().is_ok();
        if !separated {
            break;
        }
    }
    // A parser has to take all of it.
    input.parse::<TokenStream>()?;
    Ok(found)
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

/// Whether an argument is the name of an ordering.
fn is_written_ordering(argument: &syn::Expr) -> bool {
    let syn::Expr::Path(path) = argument else { return false };
    path.path.segments.last().is_some_and(|last| ORDERINGS.iter().any(|order| last.ident == order))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let texts = BTreeMap::from([("a.rs".to_owned(), text.to_owned())]);
        let operations = operations(&texts);
        let shown = |Call { operation, standing, is_fixed }: &Call| {
            let guess = if *standing == Standing::Guessed { "?" } else { "" };
            let varies = if *is_fixed { "" } else { " (varies)" };
            format!("{}:{} {}{guess}{varies}", operation.line, operation.column, operation.name)
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

    #[test]
    fn an_update_is_a_load_and_an_exchange() {
        let text = "\
struct A { n: AtomicU64, map: Map }
struct Map;
impl Map { fn update(&self, key: u64, order: u64, f: F) {} }
impl A {
    fn f(&self, other: Other) {
        self.n.update(AcqRel, Acquire, |x| x + 1);
        self.n.try_update(AcqRel, Acquire, Some);
        self.map.update(1, 2, f); other.update(1, 2, f); other.update(1, Relaxed); other.update(AcqRel, Acquire, f);
    }
}
";
        assert_eq!(
            found(text),
            [
                "6:16 load",
                "6:16 compare_exchange",
                "7:16 load",
                "7:16 compare_exchange",
                "8:90 load",
                "8:90 compare_exchange",
            ]
        );
    }

    #[test]
    fn an_ordering_may_be_a_constant_a_parameter_or_a_variable() {
        let text = "\
const PUBLISH: Ordering = Ordering::Release;
struct A { n: AtomicU64, many: Vec<AtomicU64>, order: Ordering, values: Vec<u64> }
impl A {
    const LOOK: Ordering = Ordering::Acquire;
    fn f(&self, order: Ordering, other: Other) {
        self.n.store(1, PUBLISH); other.load(order); other.load(self.order); other.load(Self::LOOK);
        let order = if strong { SeqCst } else { Relaxed }; other.swap(1, order); fence(order);
        self.n.load(unknown()); self.many[0].swap(0, 1 + 1);
        self.many.swap(0, 1); self.values.swap(0, 1); other.load(path); other.store(key, value);
        other.compare_exchange(0, 1, unknown(), unknown()); other.fetch_user(1, 2); other.fetch_add(1, x);
        std::mem::swap(a, b); cell.store(1, Relaxed, 3);
    }
}
";
        assert_eq!(
            found(text),
            [
                "6:16 store (varies)",
                "6:41 load (varies)",
                "6:60 load (varies)",
                "6:84 load (varies)",
                "7:66 swap (varies)",
                "7:82 fence (varies)",
                "8:16 load (varies)",
                "8:46 swap (varies)",
                "10:15 compare_exchange? (varies)",
                "10:91 fetch_add? (varies)",
            ]
        );
    }

    #[test]
    fn an_ordering_of_comparisons_is_another_type() {
        let text = "use std::cmp::{self, Ordering}; fn f(x: X, order: Ordering) { x.load(order); }";
        assert_eq!(found(text), [""; 0]);
        let text = "fn f(x: X, order: cmp::Ordering) { x.load(order); }";
        assert_eq!(found(text), [""; 0]);
        let text =
            "use std::cmp::Ordering as Order; fn f(x: X, order: Ordering) { x.load(order); }";
        assert_eq!(found(text), ["1:66 load (varies)"]);
    }

    #[test]
    fn operations_among_the_arguments_of_a_macro_are_found() {
        let text = "\
struct A { n: AtomicU64, m: Mutex<u64> }
impl A {
    fn f(&self) {
        assert!(self.n.load(Acquire) == 1, \"{}\", x);
        assert_eq!(*self.m.lock().unwrap(), 1);
        let a = matches!(self.n.compare_exchange(0, 1, AcqRel, Acquire), Ok(x) if x > 0);
        vec![self.n.load(Acquire); 3];
        std::println!(\"{a} {b}\", a = self.n.load(Acquire), b = vec![self.n.load(Relaxed)]);
        stringify!(self.n.load(Acquire));
        custom!(self.n.load(Acquire), 3);
        select! { x = y => { z } };
    }
}
macro_rules! load { ($n:expr) => { $n.load(Acquire) }; }
other! { self.n.load(Acquire) }
";
        assert_eq!(
            found(text),
            [
                "4:24 load",
                "5:28 lock",
                "6:33 compare_exchange",
                "7:21 load",
                "8:45 load",
                "8:76 load",
                "10:24 load?",
            ]
        );
    }
}
