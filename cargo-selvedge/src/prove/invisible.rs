//! Uses of `std` that the checker does not see, in the sources that models run.
//!
//! A model whose threads also share a lock of `std`, or that starts a thread of `std`, may pass although the program
//! races. Found by paths, as imports resolve them, without types. Code inside of macros is not looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use selvedge_results::Record;
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};

use crate::project::Project;

/// A line with this comment, or below it, is accepted.
const ACCEPTED: &str = "// std on purpose";

/// What the drop-in has of a module of `std`; nothing: all of it.
const SEEN: [(&str, &[&str]); 5] = [
    ("sync", &["Mutex", "RwLock", "Condvar", "Barrier", "Once", "OnceLock", "LazyLock", "mpsc"]),
    ("sync::mpsc", &[]),
    (
        "thread",
        &["spawn", "scope", "Builder", "yield_now", "sleep", "park", "park_timeout", "current"],
    ),
    ("hint", &["spin_loop"]),
    ("cell", &["UnsafeCell"]),
];
/// Atomics, of which `Ordering` is that of `std`.
const ATOMIC: &str = "sync::atomic";

/// A line for each use of `std` in the sources of the models, as far as they are of the workspace.
pub(super) fn lines(project: &Project, models: &[Record]) -> Vec<String> {
    let files: BTreeSet<&str> = models.iter().flat_map(files).collect();
    let mut lines = Vec::new();
    for file in files.into_iter().filter(|file| Path::new(file).is_relative()) {
        let path = project.root.join(file);
        if project.is_of_checker(&path) {
            continue;
        }
        let Ok(text) = fs::read_to_string(path) else { continue };
        lines.extend(
            in_file(&text).into_iter().map(|(line, what)| format!("{file}:{line}: {what}")),
        );
    }
    lines
}

/// The sources that a model runs, as far as they have an operation.
fn files(model: &Record) -> impl Iterator<Item = &str> {
    let at = model.at.rsplit_once(':').map(|(file, _)| file);
    let sites = model.sites.iter().flatten().map(|site| site.file.as_str());
    at.into_iter().chain(sites)
}

/// Lines, and what is used there.
fn in_file(text: &str) -> BTreeSet<(usize, String)> {
    // What the compiler has accepted may be newer than what is understood here.
    let Ok(file) = syn::parse_file(text) else { return BTreeSet::new() };
    if is_without_loom(&file.attrs) {
        return BTreeSet::new();
    }
    let mut finder = Finder { modules: BTreeMap::new(), found: BTreeSet::new() };
    // Twice: an import may stand below the code that uses it.
    finder.visit_file(&file);
    finder.visit_file(&file);
    let is_loom = !text.contains("selvedge_model") && text.contains("loom::");
    let lines: Vec<&str> = text.lines().collect();
    let accepted = |line: usize| {
        let around = lines.iter().take(line).skip(line.saturating_sub(2));
        around.into_iter().any(|line| line.contains(ACCEPTED))
    };
    let found = finder.found.into_iter().filter(|(line, _)| !accepted(*line));
    found.map(|(line, path)| (line, told(&path, is_loom))).collect()
}

/// What to write instead of `sync::Mutex` of `std`.
fn told(path: &str, is_loom: bool) -> String {
    let ours = match path.split_once("::") {
        _ if is_loom => format!("loom::{path}"),
        Some(("sync", _)) => format!("selvedge_model::{path}"),
        _ => format!("selvedge_model::sync::{path}"),
    };
    format!("the checker does not see std::{path}: use {ours}")
}

/// Whether the checker has a type or function of this path in `std`, and does not see that of `std`.
fn is_invisible(path: &str) -> bool {
    let Some((module, name)) = path.rsplit_once("::") else { return false };
    if module == ATOMIC {
        return name != "Ordering" && name != "self";
    }
    SEEN.iter().any(|(known, names)| {
        *known == module && (names.is_empty() || name == "*" || names.contains(&name))
    })
}

struct Finder {
    /// The modules of `std` that the file imports, by their name there; nothing if the name has another meaning, too.
    modules: BTreeMap<String, Option<String>>,
    /// Lines, and paths in `std`.
    found: BTreeSet<(usize, String)>,
}

impl Finder {
    /// Takes a tree of a `use`, below this path.
    fn import(&mut self, tree: &syn::UseTree, path: &str) {
        let below = |name: &syn::Ident| match name {
            name if path.is_empty() => name.to_string(),
            name => format!("{path}::{name}"),
        };
        match tree {
            syn::UseTree::Path(inner) => self.import(&inner.tree, &below(&inner.ident)),
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.import(tree, path));
            }
            syn::UseTree::Name(name) if name.ident == "self" => {
                self.bring(path.rsplit("::").next().unwrap_or(path), path, tree.span());
            }
            syn::UseTree::Name(name) => {
                self.bring(&name.ident.to_string(), &below(&name.ident), tree.span());
            }
            syn::UseTree::Rename(name) => {
                self.bring(&name.rename.to_string(), &below(&name.ident), tree.span());
            }
            syn::UseTree::Glob(_) => {
                if let Some(module) = in_std(path) {
                    self.add(&format!("{module}::*"), tree.span());
                }
            }
        }
    }

    /// Takes a name that a `use` brings.
    fn bring(&mut self, name: &str, path: &str, at: proc_macro2::Span) {
        let module = in_std(path).map(str::to_owned);
        if let Some(path) = &module {
            self.add(path, at);
        }
        let known = self.modules.entry(name.to_owned()).or_insert_with(|| module.clone());
        if *known != module {
            *known = None;
        }
    }

    fn add(&mut self, path: &str, at: proc_macro2::Span) {
        if is_invisible(path) {
            self.found.insert((at.start().line, path.to_owned()));
        }
    }
}

/// The rest of a path in `std`.
fn in_std(path: &str) -> Option<&str> {
    path.strip_prefix("std::").or_else(|| path.strip_prefix("core::"))
}

impl<'ast> Visit<'ast> for Finder {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let attributes = match item {
            syn::Item::Fn(item) => &item.attrs,
            syn::Item::Impl(item) => &item.attrs,
            syn::Item::Mod(item) => &item.attrs,
            syn::Item::Static(item) => &item.attrs,
            syn::Item::Struct(item) => &item.attrs,
            syn::Item::Type(item) => &item.attrs,
            syn::Item::Use(item) => &item.attrs,
            _ => return visit::visit_item(self, item),
        };
        if !is_without_loom(attributes) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !is_without_loom(&item.attrs) {
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.import(&item.tree, "");
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|part| part.ident.to_string()).collect();
        let whole = match self.modules.get(&names[0]) {
            // The import of an item has been told.
            _ if names.len() == 1 => None,
            Some(Some(item)) if is_invisible(item) => None,
            Some(Some(module)) => Some(format!("{module}::{}", names[1..].join("::"))),
            Some(None) => None,
            None => in_std(&names.join("::")).map(str::to_owned),
        };
        // `thread::Builder::new`, as well as `thread::Builder`.
        let whole = whole.unwrap_or_default();
        let parent = whole.rsplit_once("::").map_or("", |(parent, _)| parent);
        self.add(if is_invisible(parent) { parent } else { &whole }, path.span());
        visit::visit_path(self, path);
    }
}

/// Whether an item is compiled only where there is no checker.
fn is_without_loom(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let syn::Meta::List(list) = &attribute.meta else { return false };
        let condition: String = list.tokens.to_string().split_whitespace().collect();
        attribute.path().is_ident("cfg") && condition.contains("not(loom)")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        in_file(text).into_iter().map(|(line, what)| format!("{line}: {what}")).collect()
    }

    #[test]
    fn what_the_checker_does_not_see_is_found_by_its_path() {
        let text = "\
use std::sync::{Arc, Mutex, atomic::{AtomicBool, Ordering}};
use std::{thread, cell::Cell};
use selvedge_model::sync::hint;
fn f(lock: &std::sync::RwLock<u8>) { Mutex::new(1);
    thread::scope(|scope| ());
    thread::Builder::new();
    std::hint::spin_loop();
    hint::spin_loop();
    let cores = thread::available_parallelism();
    let once: core::cell::UnsafeCell<u8>;
    std::sync::atomic::fence(Ordering::SeqCst);
}
mod inner { use std::sync::mpsc::*; }
";
        let says = |line: usize, path: &str, ours: &str| {
            format!("{line}: the checker does not see std::{path}: use selvedge_model::{ours}")
        };
        assert_eq!(
            found(text),
            [
                says(1, "sync::Mutex", "sync::Mutex"),
                says(1, "sync::atomic::AtomicBool", "sync::atomic::AtomicBool"),
                says(4, "sync::RwLock", "sync::RwLock"),
                says(5, "thread::scope", "sync::thread::scope"),
                says(6, "thread::Builder", "sync::thread::Builder"),
                says(7, "hint::spin_loop", "sync::hint::spin_loop"),
                says(10, "cell::UnsafeCell", "sync::cell::UnsafeCell"),
                says(11, "sync::atomic::fence", "sync::atomic::fence"),
                says(13, "sync::mpsc::*", "sync::mpsc::*"),
            ]
        );
    }

    #[test]
    fn what_is_compiled_without_loom_or_accepted_is_not_told() {
        let text = "\
#[cfg(loom)] use selvedge_model::sync::{Mutex, thread};
#[cfg(not(loom))] use std::{sync::Mutex, thread};
#[cfg(all(test, not(loom)))]
mod plain { fn f() { std::thread::spawn(f); } }
fn f(lock: Mutex<u8>) { thread::spawn(f); }
static TURN: std::sync::Mutex<()> = std::sync::Mutex::new(()); // std on purpose
// std on purpose
static LAST: std::sync::Mutex<()> = std::sync::Mutex::new(());
fn g() -> std::sync::LockResult<std::sync::Arc<u8>> { std::thread::panicking() }
";
        assert_eq!(found(text), [""; 0]);
        assert_eq!(found(&format!("#![cfg(not(loom))]\nuse std::thread::spawn;\n{text}")), [""; 0]);
        assert_eq!(found("fn {"), [""; 0]);
    }

    #[test]
    fn a_suite_on_loom_is_told_the_names_of_loom() {
        let text = "use loom::sync::Mutex; fn f() { std::thread::spawn(f); }";
        let told = "1: the checker does not see std::thread::spawn: use loom::thread::spawn";
        assert_eq!(found(text), [told]);
    }
}
