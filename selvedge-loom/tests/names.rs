//! Every public name of loom 0.7.3 is a name here. The items of its modules are compiled against both; the list of them,
//! the methods, the fields and the implementations of traits are read from the sources of both.
#![cfg(loom)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// What loom has and `selvedge-loom` has not, with the reason.
const EXCEPTIONS: [(&str, &str); 11] = [
    ("field Lazy::init", "hidden: for the macro `lazy_static!`"),
    ("field Lazy::_p", "hidden: for the macro `lazy_static!`"),
    ("field LocalKey::init", "hidden: for the macro `thread_local!`"),
    ("field LocalKey::_p", "hidden: for the macro `thread_local!`"),
    ("Debug for Receiver", "by a macro: see `is_debug`"),
    ("Debug for Sender", "by a macro: see `is_debug`"),
    ("Debug for MutexGuard", "by a macro: see `is_debug`"),
    ("Debug for RwLockReadGuard", "by a macro: see `is_debug`"),
    ("Debug for RwLockWriteGuard", "by a macro: see `is_debug`"),
    ("Deref for $N", "by a macro: see the suite, `lazy_static`"),
    ("Drop for Receiver", "one of its fields has it"),
];

/// Imports an item from both.
macro_rules! item {
    ({ $($module:tt)* } $item:ident) => {
        #[allow(clippy::unsafe_removed_from_name, reason = "it is not used under another name")]
        #[expect(unused_imports, reason = "that it can be imported is what is asked")]
        use {plain_loom::$($module)* $item as _, selvedge_loom::$($module)* $item as _};
    };
}

/// The items of loom's modules, each imported from both.
macro_rules! items {
    ($($module:tt { $($item:ident)* })*) => {
        $($(item! { $module $item })*)*
        const ITEMS: &[&str] = &[$($(stringify!($item)),*),*];
    };
}

items! {
    {} { MAX_THREADS alloc cell explore future hint lazy_static model skip_branch stop_exploring sync thread thread_local }
    { alloc:: } { Layout Track alloc alloc_zeroed dealloc }
    { cell:: } { Cell ConstPtr MutPtr UnsafeCell }
    { future:: } { AtomicWaker block_on }
    { hint:: } { spin_loop unreachable_unchecked }
    { lazy_static:: } { AccessError Lazy panicking yield_now }
    { model:: } { Builder model }
    { sync:: } {
        Arc Barrier Condvar LockResult Mutex MutexGuard Notify RwLock RwLockReadGuard RwLockWriteGuard TryLockResult
        WaitTimeoutResult atomic mpsc
    }
    { sync::atomic:: } {
        AtomicBool AtomicI16 AtomicI32 AtomicI64 AtomicI8 AtomicIsize AtomicPtr AtomicU16 AtomicU32 AtomicU64 AtomicU8
        AtomicUsize Ordering fence spin_loop_hint
    }
    { sync::mpsc:: } { Receiver Sender channel }
    { thread:: } {
        AccessError Builder JoinHandle LocalKey Thread ThreadId current panicking park spawn yield_now
    }
}

/// The types that loom declares by a macro, and selvedge-model by one generic type.
const ATOMICS: [&str; 12] = [
    "AtomicBool",
    "AtomicI16",
    "AtomicI32",
    "AtomicI64",
    "AtomicI8",
    "AtomicIsize",
    "AtomicPtr",
    "AtomicU16",
    "AtomicU32",
    "AtomicU64",
    "AtomicU8",
    "AtomicUsize",
];

/// What the sources of a crate say.
#[derive(Default)]
struct Names {
    /// Items: of the files of modules, without the modules.
    items: BTreeSet<String>,
    /// `Type::method`, `field Type::field`, `Trait for Type`.
    members: BTreeSet<String>,
}

/// The sources of the package `name`.
fn sources(name: &str) -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["metadata", "--format-version", "1", "--offline", "--locked", "--manifest-path"]);
    let output = cargo.arg(manifest).output().expect("cargo can be run");
    assert!(
        output.status.success(),
        "the sources of all dependencies are needed, also of other platforms: run `cargo fetch`; {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
    let packages = metadata["packages"].as_array().expect("there are packages");
    let package = packages.iter().find(|package| package["name"] == name);
    let manifest = package.expect("the package is in the graph")["manifest_path"].as_str();
    Path::new(manifest.expect("a path is a string")).with_file_name("src")
}

/// `Type<'a, T: Bound>` without what is in brackets.
fn plain(text: &str) -> String {
    let mut depth = 0;
    let text = text.replace("->", "");
    let outside = text.chars().filter(|&c| {
        depth += i32::from(c == '<');
        let outside = depth == 0;
        depth -= i32::from(c == '>');
        outside
    });
    outside.collect()
}

/// The identifier that `text` begins with.
fn identifier(text: &str) -> &str {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).next().unwrap_or_default()
}

impl Names {
    /// Reads a folder, without those of `except`.
    fn read(&mut self, folder: &Path, except: &[&str]) {
        for entry in fs::read_dir(folder).expect("the sources are there") {
            let path = entry.expect("an entry can be read").path();
            let name = path.file_name().and_then(|name| name.to_str()).expect("UTF-8");
            if path.is_dir() && !except.contains(&name) {
                self.read(&path, except);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                self.file(&fs::read_to_string(&path).expect("a source can be read"));
            }
        }
    }

    fn file(&mut self, source: &str) {
        let (mut owner, mut derives) = (None, "");
        let source = source.split("#[cfg(test)]").next().unwrap_or_default();
        for line in source.lines() {
            let indentation = line.len() - line.trim_start().len();
            let text = line.trim_start();
            let public = text.strip_prefix("pub ").map(|text| {
                let words = ["const ", "unsafe "];
                let text = words.iter().fold(text, |text, word| {
                    if text.starts_with("const fn") || *word != "const " {
                        text.strip_prefix(word).unwrap_or(text)
                    } else {
                        text
                    }
                });
                text.split_once(' ').unwrap_or((text, ""))
            });
            if let Some(rest) = text.strip_prefix("impl").filter(|_| indentation <= 8) {
                let rest = plain(rest).replace(" where", "").replace("$()?", "");
                owner = Some(rest.trim().to_owned()).filter(|rest| !rest.contains(" for "));
                if let Some((implemented, to)) = rest.split_once(" for ") {
                    let implemented = implemented.rsplit("::").next().unwrap_or_default().trim();
                    self.member(
                        &format!("{} for ", identifier(implemented)),
                        identifier(to.trim()),
                        "",
                    );
                }
            } else if let Some((kind, rest)) = public {
                let name = identifier(rest);
                match (kind, &owner) {
                    ("fn", Some(owner)) if indentation > 0 => {
                        self.member("", identifier(owner), name);
                    }
                    ("struct", _) => {
                        owner = Some(name.to_owned());
                        for derived in derives.split(", ").filter(|derived| !derived.is_empty()) {
                            self.member(&format!("{derived} for "), name, "");
                        }
                        if !name.starts_with('$') {
                            self.items.insert(name.to_owned());
                        }
                    }
                    ("fn" | "const" | "mod", _) if indentation == 0 => {
                        self.items.insert(name.to_owned());
                    }
                    (kind, Some(owner)) if kind.ends_with(':') && indentation == 4 => {
                        self.member("field ", owner, kind.trim_end_matches(':'));
                    }
                    _ => {}
                }
            } else if let Some((name, _)) =
                text.split_once(" = ").filter(|_| text.starts_with("fetch_"))
            {
                self.member("", "Atomic", name);
            } else if text.starts_with('}') && indentation == 0 {
                owner = None;
            }
            if !text.starts_with("#[") && !text.starts_with("//") {
                derives = "";
            }
            if let Some(derived) = text.strip_prefix("#[derive(") {
                derives = derived.trim_end_matches(")]");
            }
        }
    }

    fn member(&mut self, before: &str, owner: &str, name: &str) {
        let types: &[&str] = if ["Atomic", "$name"].contains(&owner) { &ATOMICS } else { &[owner] };
        for of in types {
            let after = if name.is_empty() { String::new() } else { format!("::{name}") };
            self.members.insert(format!("{before}{of}{after}"));
        }
    }
}

/// Those of loom: its module `rt` is not public.
fn loom() -> Names {
    let mut names = Names::default();
    names.read(&sources("loom"), &["rt"]);
    names
}

#[test]
fn every_item_of_loom_is_compared() {
    let compared: BTreeSet<&str> = ITEMS.iter().copied().collect();
    let items = loom().items;
    let missing: Vec<_> = items.iter().filter(|item| !compared.contains(item.as_str())).collect();
    assert!(missing.is_empty(), "not in the list: {missing:?}");
    // What the scanner finds: not nothing.
    assert!(items.len() > 40, "{items:?}");
}

#[test]
fn every_member_of_loom_is_here() {
    let mut ours = Names::default();
    ours.read(&sources("selvedge-loom"), &[]);
    ours.read(&sources("selvedge-model").join("sync"), &[]);
    let except = |name: &str| EXCEPTIONS.iter().any(|(excepted, _)| *excepted == name);
    let theirs = loom().members;
    assert!(theirs.len() > 300, "{theirs:?}");
    let missing: Vec<_> =
        theirs.iter().filter(|name| !ours.members.contains(*name) && !except(name)).collect();
    assert!(missing.is_empty(), "not here: {missing:#?}");
    let stale: Vec<_> = EXCEPTIONS
        .iter()
        .filter(|(name, _)| !theirs.contains(*name) || ours.members.contains(*name))
        .collect();
    assert!(stale.is_empty(), "no exceptions any more: {stale:?}");
}

/// What a macro makes printable.
#[test]
fn is_debug() {
    fn debug<T: std::fmt::Debug>() {}
    debug::<selvedge_loom::sync::mpsc::Sender<u8>>();
    debug::<selvedge_loom::sync::mpsc::Receiver<u8>>();
    debug::<selvedge_loom::sync::MutexGuard<'_, u8>>();
    debug::<selvedge_loom::sync::RwLockReadGuard<'_, u8>>();
    debug::<selvedge_loom::sync::RwLockWriteGuard<'_, u8>>();
    debug::<selvedge_loom::sync::atomic::AtomicU8>();
}
