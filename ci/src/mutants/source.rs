//! Operations as they stand in the source, whether a model executes them or not.
//!
//! They are told by their shape: a call with an ordering among its arguments, a method that takes or
//! tries a lock, waits or wakes. What else has that shape is listed as not covered, and can be accepted
//! as such. A function with `#[track_caller]` is passed over: its operations are those of its callers.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};

use super::settings::Settings;

/// An operation, where `#[track_caller]` sees it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Operation {
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) name: String,
}

/// What the names of methods on atomics begin with. With orderings for arguments, there are no others of these names.
const ATOMIC: [&str; 5] = ["load", "store", "swap", "fetch_", "compare_exchange"];
/// Methods without arguments.
const BARE: [&str; 10] = [
    "lock",
    "try_lock",
    "read",
    "write",
    "try_read",
    "try_write",
    "notify_one",
    "notify_all",
    "unpark",
    "park",
];
/// Methods with a guard for an argument.
const WAITS: [&str; 2] = ["wait", "wait_while"];
const ORDERINGS: [&str; 5] = ["Relaxed", "Acquire", "Release", "AcqRel", "SeqCst"];

/// All operations of the files that are changed.
pub(crate) fn operations(root: &Path, settings: &Settings) -> Result<Vec<Operation>> {
    let mut files = Vec::new();
    for path in &settings.files {
        sources(root, Path::new(path), &mut files)?;
    }
    files.retain(|file| settings.changes(file));
    files.sort();
    files.dedup();
    ensure!(!files.is_empty(), "there is no Rust file in {}", settings.files.join(", "));
    let mut operations = Vec::new();
    for file in files {
        let text = fs::read_to_string(root.join(&file))
            .with_context(|| format!("{file} cannot be read"))?;
        operations.extend(in_text(&file, &text).with_context(|| format!("{file} is not Rust"))?);
    }
    Ok(operations)
}

/// The Rust files in `path`, which is one or a folder.
fn sources(root: &Path, path: &Path, found: &mut Vec<String>) -> Result<()> {
    let whole = root.join(path);
    if whole.is_dir() {
        for entry in fs::read_dir(&whole)? {
            sources(root, &path.join(entry?.file_name()), found)?;
        }
    } else if path.extension().is_some_and(|extension| extension == "rs") {
        ensure!(whole.exists(), "{} does not exist", path.display());
        found.push(path.to_string_lossy().replace('\\', "/"));
    }
    Ok(())
}

/// The operations of a file, but for those of its own tests.
fn in_text(file: &str, text: &str) -> syn::Result<Vec<Operation>> {
    let mut finder = Finder { file, found: Vec::new() };
    finder.visit_file(&syn::parse_file(text)?);
    Ok(finder.found)
}

struct Finder<'a> {
    file: &'a str,
    found: Vec<Operation>,
}

impl Finder<'_> {
    fn add(&mut self, name: &str, at: proc_macro2::Span) {
        let start = at.start();
        self.found.push(Operation {
            file: self.file.to_owned(),
            line: start.line,
            column: start.column + 1,
            name: name.to_owned(),
        });
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !passes_on(&item.attrs) {
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !passes_on(&item.attrs) {
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        let of_tests = item.attrs.iter().any(|attribute| {
            attribute.path().is_ident("cfg")
                && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"))
        });
        if !of_tests {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        let name = call.method.to_string();
        let atomic = || ATOMIC.iter().any(|known| name.starts_with(known));
        let found = match call.args.len() {
            0 => BARE.contains(&&*name),
            _ if call.args.iter().any(is_ordering) => atomic(),
            arguments => arguments == 1 && WAITS.contains(&&*name),
        };
        match name.as_str() {
            // What the façade makes of it.
            "fetch_update" if found => {
                self.add("load", call.method.span());
                self.add("compare_exchange", call.method.span());
            }
            // One that fails for no reason is a branch of the exploration as it is.
            "compare_exchange_weak" if found => self.add("compare_exchange", call.method.span()),
            _ if found => self.add(&name, call.method.span()),
            _ => {}
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if let syn::Expr::Path(function) = &*call.func {
            let name = function.path.segments.last().map(|last| last.ident.to_string());
            match name.as_deref() {
                Some("fence") if call.args.iter().any(is_ordering) => {
                    self.add("fence", call.span());
                }
                Some("park") if call.args.is_empty() => self.add("park", call.span()),
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

/// Whether an argument names an ordering.
fn is_ordering(argument: &syn::Expr) -> bool {
    let syn::Expr::Path(path) = argument else { return false };
    path.path.segments.last().is_some_and(|last| ORDERINGS.iter().any(|order| last.ident == order))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_told_by_their_shape_and_found_where_the_facade_sees_them() {
        let text = "\
fn f(a: &A, m: &M) {
    a.n.load(Ordering::Acquire) + a.n.fetch_add(1, Relaxed);
    std::mem::swap(x, y); v.swap(0, 1); file.read(buffer);
    lock(&m).x = m.lock();
    fence(SeqCst);
    c.wait(guard);
    a.fetch_update(Relaxed, Relaxed, f); a.compare_exchange_weak(0, 1, AcqRel, Relaxed);
}
#[cfg(test)]
mod tests { fn g() { m.lock(); } }
mod inner { fn g() { m.try_lock(); } }
#[track_caller]
fn lock() { m.lock(); }
impl A { #[track_caller] fn lock(&self) { self.m.lock(); } }
";
        let found: Vec<String> = in_text("a.rs", text)
            .expect("Rust")
            .iter()
            .map(|o| format!("{}:{}:{} {}", o.file, o.line, o.column, o.name))
            .collect();
        assert_eq!(
            found,
            [
                "a.rs:2:9 load",
                "a.rs:2:39 fetch_add",
                "a.rs:4:20 lock",
                "a.rs:5:5 fence",
                "a.rs:6:7 wait",
                "a.rs:7:7 load",
                "a.rs:7:7 compare_exchange",
                "a.rs:7:44 compare_exchange",
                "a.rs:11:24 try_lock",
            ]
        );
        assert!(in_text("a.rs", "fn {").is_err());
    }
}
