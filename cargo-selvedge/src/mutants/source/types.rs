//! As much of types as declarations say.

use std::collections::{BTreeMap, BTreeSet};

/// What a value is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// A type that the façade has, by name.
    Facade(String),
    /// A type of the crate's own.
    Own(String),
    /// Several of them, in an array, a slice or a `Vec`.
    Many(Box<Kind>),
    /// A memory ordering.
    Ordering,
    /// A type that the checker does not see.
    Foreign,
}

/// What is known inside of a function.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    /// The type whose method it is.
    pub(super) self_type: Option<String>,
    variables: BTreeMap<String, Option<Kind>>,
}

/// What the crate declares.
#[derive(Default)]
pub(super) struct Types {
    /// The names of its types.
    own: BTreeSet<String>,
    /// By type and field.
    fields: BTreeMap<(String, String), syn::Type>,
    /// By type and method: what it returns.
    methods: BTreeMap<(String, String), Option<syn::Type>>,
    functions: BTreeSet<String>,
    /// Also constants, wherever they are declared: by name.
    statics: BTreeMap<String, (syn::Type, String)>,
    /// The files in which `Ordering` is that of comparisons.
    comparing: BTreeSet<String>,
    /// By file and name: whether it is imported from `std` or another library of locks, and from elsewhere.
    imports: BTreeMap<(String, String), (bool, bool)>,
}

/// What holds another type, and has its methods.
const TRANSPARENT: [&str; 10] = [
    "Arc",
    "Rc",
    "Box",
    "Option",
    "Pin",
    "CachePadded",
    "ManuallyDrop",
    "Weak",
    "LazyLock",
    "OnceLock",
];
/// What holds several values of another type.
const MANY: [&str; 2] = ["Vec", "VecDeque"];
/// What the façade has, beside atomics.
const FACADE: [&str; 5] = ["Mutex", "RwLock", "Condvar", "Thread", "JoinHandle"];
/// Crates with types of these names that the checker does not see.
const FOREIGN: [&str; 8] =
    ["std", "core", "parking_lot", "tokio", "spin", "async_lock", "futures", "crossbeam_utils"];

/// The name of a type, without what it is behind.
pub(super) fn name_of(kind: &syn::Type) -> String {
    match kind {
        syn::Type::Path(path) => {
            path.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default()
        }
        syn::Type::Reference(reference) => name_of(&reference.elem),
        _ => String::new(),
    }
}

impl Types {
    /// Takes what a file declares.
    pub(super) fn collect(&mut self, name: &str, file: &syn::File) {
        self.items(name, &file.items);
    }

    fn items(&mut self, file: &str, items: &[syn::Item]) {
        for item in items {
            match item {
                syn::Item::Struct(item) => {
                    let name = item.ident.to_string();
                    for (position, field) in item.fields.iter().enumerate() {
                        let named = field.ident.as_ref().map(ToString::to_string);
                        let field_name = named.unwrap_or_else(|| position.to_string());
                        self.fields.insert((name.clone(), field_name), field.ty.clone());
                    }
                    self.own.insert(name);
                }
                syn::Item::Const(item) => self.constant(file, &item.ident, &item.ty),
                syn::Item::Enum(item) => drop(self.own.insert(item.ident.to_string())),
                syn::Item::Trait(item) => {
                    self.own.insert(item.ident.to_string());
                    for item in &item.items {
                        if let syn::TraitItem::Const(item) = item {
                            self.constant(file, &item.ident, &item.ty);
                        }
                    }
                }
                syn::Item::Static(item) => self.constant(file, &item.ident, &item.ty),
                syn::Item::Fn(item) => drop(self.functions.insert(item.sig.ident.to_string())),
                syn::Item::Impl(item) => {
                    let of = name_of(&item.self_ty);
                    for item in &item.items {
                        if let syn::ImplItem::Const(item) = item {
                            self.constant(file, &item.ident, &item.ty);
                        }
                        if let syn::ImplItem::Fn(method) = item {
                            let returns = match &method.sig.output {
                                syn::ReturnType::Type(_, kind) => Some((**kind).clone()),
                                syn::ReturnType::Default => None,
                            };
                            self.methods
                                .insert((of.clone(), method.sig.ident.to_string()), returns);
                        }
                    }
                }
                syn::Item::Use(item) => self.import(file, &item.tree, &[]),
                syn::Item::Mod(item) => {
                    if let Some((_, items)) = &item.content {
                        self.items(file, items);
                    }
                }
                _ => {}
            }
        }
    }

    fn constant(&mut self, file: &str, name: &syn::Ident, declared: &syn::Type) {
        self.statics.insert(name.to_string(), (declared.clone(), file.to_owned()));
    }

    /// Takes the names that a `use` brings, from the path `from`.
    fn import(&mut self, file: &str, tree: &syn::UseTree, from: &[String]) {
        let mut bring = |name: &syn::Ident| {
            let foreign = from.first().is_some_and(|root| FOREIGN.contains(&&**root));
            let known = self.imports.entry((file.to_owned(), name.to_string())).or_default();
            if foreign { known.0 = true } else { known.1 = true }
        };
        match tree {
            syn::UseTree::Name(name) => {
                bring(&name.ident);
                if name.ident == "Ordering" && from.last().is_some_and(|module| module == "cmp") {
                    self.comparing.insert(file.to_owned());
                }
            }
            syn::UseTree::Rename(rename) => bring(&rename.rename),
            syn::UseTree::Path(path) => {
                self.import(file, &path.tree, &[from, &[path.ident.to_string()]].concat());
            }
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.import(file, tree, from));
            }
            syn::UseTree::Glob(_) => {}
        }
    }

    pub(super) fn has_method(&self, of: &str, name: &str) -> bool {
        self.methods.contains_key(&(of.to_owned(), name.to_owned()))
    }

    pub(super) fn has_function(&self, name: &str) -> bool {
        self.functions.contains(name)
    }

    /// Takes the arguments of a function into its scope.
    pub(super) fn enter(&self, scope: &mut Scope, signature: &syn::Signature, file: &str) {
        scope.variables.clear();
        for argument in &signature.inputs {
            if let syn::FnArg::Typed(argument) = argument
                && let syn::Pat::Ident(name) = &*argument.pat
            {
                let kind = self.kind(&argument.ty, file);
                scope.variables.insert(name.ident.to_string(), kind);
            }
        }
    }

    /// Takes a `let` into the scope.
    pub(super) fn learn(&self, scope: &mut Scope, local: &syn::Local, file: &str) {
        let (name, kind) = match &local.pat {
            syn::Pat::Ident(name) => (name.ident.to_string(), None),
            syn::Pat::Type(typed) => match &*typed.pat {
                syn::Pat::Ident(name) => (name.ident.to_string(), self.kind(&typed.ty, file)),
                _ => return,
            },
            _ => return,
        };
        let value = local.init.as_ref().map(|init| &*init.expr);
        let kind = kind.or_else(|| self.infer(value?, scope, file));
        scope.variables.insert(name, kind);
    }

    /// What a declared type is.
    fn kind(&self, declared: &syn::Type, file: &str) -> Option<Kind> {
        match declared {
            syn::Type::Reference(reference) => self.kind(&reference.elem, file),
            syn::Type::Paren(inner) => self.kind(&inner.elem, file),
            syn::Type::Array(array) => self.many(&array.elem, file),
            syn::Type::Slice(slice) => self.many(&slice.elem, file),
            syn::Type::Path(path) => self.of_path(&path.path, file),
            _ => None,
        }
    }

    fn many(&self, declared: &syn::Type, file: &str) -> Option<Kind> {
        self.kind(declared, file).map(Box::new).map(Kind::Many)
    }

    fn of_path(&self, path: &syn::Path, file: &str) -> Option<Kind> {
        let last = path.segments.last()?;
        let name = last.ident.to_string();
        let is_many = MANY.contains(&&*name);
        if (is_many || TRANSPARENT.contains(&&*name))
            && let syn::PathArguments::AngleBracketed(arguments) = &last.arguments
        {
            return arguments.args.iter().find_map(|argument| match argument {
                syn::GenericArgument::Type(inner) if is_many => self.many(inner, file),
                syn::GenericArgument::Type(inner) => self.kind(inner, file),
                _ => None,
            });
        }
        self.of_name(&name, path, file)
    }

    fn of_name(&self, name: &str, path: &syn::Path, file: &str) -> Option<Kind> {
        if self.own.contains(name) {
            return Some(Kind::Own(name.to_owned()));
        }
        if name == "Ordering" {
            let module = path.segments.iter().rev().nth(1);
            let compares = match module {
                Some(module) => module.ident == "cmp",
                None => self.comparing.contains(file),
            };
            return (!compares).then_some(Kind::Ordering);
        }
        if !FACADE.contains(&name) && !name.starts_with("Atomic") {
            return None;
        }
        let first = path.segments.first()?.ident.to_string();
        let foreign = if path.segments.len() > 1 {
            FOREIGN.contains(&&*first)
        } else {
            self.imports.get(&(file.to_owned(), name.to_owned())) == Some(&(true, false))
        };
        Some(if foreign { Kind::Foreign } else { Kind::Facade(name.to_owned()) })
    }

    /// What an expression is.
    pub(super) fn infer(&self, value: &syn::Expr, scope: &Scope, file: &str) -> Option<Kind> {
        match value {
            syn::Expr::Reference(inner) => self.infer(&inner.expr, scope, file),
            syn::Expr::Paren(inner) => self.infer(&inner.expr, scope, file),
            syn::Expr::Unary(inner) => self.infer(&inner.expr, scope, file),
            syn::Expr::Index(inner) => match self.infer(&inner.expr, scope, file) {
                Some(Kind::Many(kind)) => Some(*kind),
                kind => kind,
            },
            syn::Expr::If(choice) => self.infer_last(&choice.then_branch, scope, file),
            syn::Expr::Match(choice) => self.infer(&choice.arms.first()?.body, scope, file),
            syn::Expr::Block(block) => self.infer_last(&block.block, scope, file),
            value if super::is_written_ordering(value) => Some(Kind::Ordering),
            syn::Expr::Path(path) => {
                let name = path.path.segments.last()?.ident.to_string();
                let is_alone = path.path.segments.len() == 1;
                if is_alone && name == "self" {
                    return scope.self_type.clone().map(Kind::Own);
                }
                if let Some(kind) = scope.variables.get(&name).filter(|_| is_alone) {
                    return kind.clone();
                }
                let (declared, file) = self.statics.get(&name)?;
                self.kind(declared, file)
            }
            syn::Expr::Field(field) => {
                let name = match &field.member {
                    syn::Member::Named(name) => name.to_string(),
                    syn::Member::Unnamed(index) => index.index.to_string(),
                };
                if let Some(Kind::Own(of)) = self.infer(&field.base, scope, file)
                    && let Some(declared) = self.fields.get(&(of, name.clone()))
                {
                    return self.kind(declared, file);
                }
                // The only field of that name, if there is only one.
                let mut named = self.fields.iter().filter(|((_, field), _)| *field == name);
                let (_, declared) = named.next()?;
                named.next().is_none().then(|| self.kind(declared, file))?
            }
            syn::Expr::MethodCall(call) => self.returned(call, scope, file),
            syn::Expr::Call(call) => {
                let syn::Expr::Path(function) = &*call.func else { return None };
                let segments: Vec<_> = function.path.segments.iter().collect();
                match &*segments {
                    [.., module, last] if module.ident == "thread" && last.ident == "current" => {
                        Some(Kind::Facade("Thread".to_owned()))
                    }
                    [.., of, last]
                        if last.ident == "new" && TRANSPARENT.iter().any(|t| of.ident == t) =>
                    {
                        self.infer(call.args.first()?, scope, file)
                    }
                    [.., of, last] if last.ident == "new" => {
                        let mut path = function.path.clone();
                        path.segments.pop();
                        path.segments.pop_punct();
                        self.of_name(&of.ident.to_string(), &path, file)
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// What a block ends with.
    fn infer_last(&self, block: &syn::Block, scope: &Scope, file: &str) -> Option<Kind> {
        match block.stmts.last()? {
            syn::Stmt::Expr(value, None) => self.infer(value, scope, file),
            _ => None,
        }
    }

    /// What a method returns.
    fn returned(&self, call: &syn::ExprMethodCall, scope: &Scope, file: &str) -> Option<Kind> {
        let name = call.method.to_string();
        let of = self.infer(&call.receiver, scope, file);
        match (&*name, of) {
            ("thread", _) => Some(Kind::Facade("Thread".to_owned())),
            ("clone" | "as_ref" | "as_mut" | "deref" | "borrow", of) => of,
            (_, Some(Kind::Own(of))) => {
                let declared = self.methods.get(&(of.clone(), name))?.as_ref()?;
                let named = name_of(declared);
                if named == "Self" { Some(Kind::Own(of)) } else { self.kind(declared, file) }
            }
            _ => None,
        }
    }
}
