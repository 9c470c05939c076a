//! Changes to a manifest that leave everything else in it as it is.

use std::path::PathBuf;

use toml_edit::{Array, DocumentMut, InlineTable, Item, KeyMut, Table, Value};

/// Where the packages come from.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) version: &'static str,
    pub(super) checkout: Option<PathBuf>,
}

/// The façade and the checker.
const MODEL: &str = "selvedge-model";
/// loom's names on the checker.
const LOOM: &str = "selvedge-loom";
/// The condition that the compiler is to know.
const CONDITION: &str = "cfg(loom)";

impl Source {
    /// A dependency on the package in `folder` of a checkout. With the version beside the path, `cargo package` takes
    /// the crate as soon as the package is on crates.io.
    fn dependency(&self, folder: &str) -> InlineTable {
        let mut table = InlineTable::new();
        table.insert("version", self.version.into());
        if let Some(checkout) = &self.checkout {
            table.insert("path", checkout.join(folder).to_string_lossy().into_owned().into());
        }
        table
    }
}

/// A table of the manifest, made where there is none.
fn table<'a>(manifest: &'a mut DocumentMut, path: &[&str]) -> Result<&'a mut Table, String> {
    let mut table = manifest.as_table_mut();
    for (position, name) in path.iter().enumerate() {
        let last = position + 1 == path.len();
        let item = table.entry(name).or_insert_with(|| {
            let mut table = Table::new();
            table.set_implicit(!last);
            Item::Table(table)
        });
        table = item.as_table_mut().ok_or_else(|| {
            format!("[{}] is not written as a table of its own", path[..=position].join("."))
        })?;
    }
    Ok(table)
}

/// Whether a dependency has a feature.
fn has_feature(item: &Item, feature: &str) -> bool {
    let features = item.get("features").and_then(Item::as_array);
    features.is_some_and(|all| all.iter().any(|known| known.as_str() == Some(feature)))
}

/// Adds the façade to the dependencies, and the checker to those of tests.
pub(super) fn add_dependencies(manifest: &mut DocumentMut, source: &Source) -> Result<(), String> {
    let dependencies = table(manifest, &["dependencies"])?;
    if !dependencies.contains_key(MODEL) {
        let mut dependency = source.dependency("model");
        // The shortest way to write it.
        let value = match dependency.get("version") {
            Some(version) if dependency.len() == 1 => version.clone(),
            _ => Value::InlineTable(std::mem::take(&mut dependency)),
        };
        dependencies.insert(MODEL, toml_edit::value(value));
    }
    let inherited = dependencies[MODEL].get("workspace").is_some();
    let dependencies = table(manifest, &["dev-dependencies"])?;
    match dependencies.get(MODEL) {
        Some(there) if has_feature(there, "check") => {}
        Some(_) => {
            return Err(format!(
                "[dev-dependencies] has {MODEL} without its feature: add `features = [\"check\"]` to it"
            ));
        }
        None => {
            let mut dependency = source.dependency("model");
            if inherited {
                dependency.clear();
                dependency.insert("workspace", true.into());
            }
            dependency.insert("features", Value::Array(Array::from_iter(["check"])));
            dependencies.insert(MODEL, toml_edit::value(dependency));
        }
    }
    Ok(())
}

/// Whether the lints are those of the workspace.
pub(super) fn inherits_lints(manifest: &DocumentMut) -> bool {
    let inherits = manifest.get("lints").and_then(|lints| lints.get("workspace"));
    inherits.and_then(Item::as_bool) == Some(true)
}

/// Lets the compiler know `cfg(loom)`, in the lints at `place`.
pub(super) fn add_lint(manifest: &mut DocumentMut, place: &[&str]) -> Result<(), String> {
    let why = "`unexpected_cfgs` is there in another form";
    let hand = format!("{why}: let its `check-cfg` have '{CONDITION}'");
    let lints = table(manifest, &[place, &["rust"]].concat())?;
    let Some(lint) = lints.get_mut("unexpected_cfgs") else {
        let mut lint = InlineTable::new();
        lint.insert("level", "warn".into());
        lint.insert("check-cfg", Value::Array(conditions()));
        lints.insert("unexpected_cfgs", toml_edit::value(lint));
        return Ok(());
    };
    if let Some(level) = lint.as_str().map(str::to_owned) {
        let mut table = InlineTable::new();
        table.insert("level", level.into());
        table.insert("check-cfg", Value::Array(conditions()));
        *lint = toml_edit::value(table);
        return Ok(());
    }
    let lint = lint.as_table_like_mut().ok_or_else(|| hand.clone())?;
    let known = lint.entry("check-cfg").or_insert_with(|| toml_edit::value(Array::new()));
    let known = known.as_array_mut().ok_or(hand)?;
    if !known.iter().any(|condition| condition.as_str() == Some(CONDITION)) {
        known.push(CONDITION);
    }
    Ok(())
}

/// Lets the checker, and what it is built on, be optimised in builds without `--release`: it takes several times as long
/// otherwise. Not if the manifest says already how packages are built.
pub(super) fn add_profile(manifest: &mut DocumentMut) -> Result<(), String> {
    let of_dev = manifest.get("profile").and_then(|profiles| profiles.get("dev"));
    if of_dev.is_none_or(|dev| dev.get("package").is_none()) {
        let packages = table(manifest, &["profile", "dev", "package", "*"])?;
        packages.insert("opt-level", toml_edit::value(2));
    }
    Ok(())
}

fn conditions() -> Array {
    Array::from_iter([CONDITION])
}

/// Where a dependency on loom may stand.
const KINDS: [&str; 2] = ["dependencies", "dev-dependencies"];

/// Calls `each` with every dependency called `loom`.
fn looms(manifest: &mut DocumentMut, mut each: impl FnMut(KeyMut<'_>, &mut Item)) {
    let mut within = |table: &mut dyn toml_edit::TableLike| {
        for kind in KINDS {
            let dependencies = table.get_mut(kind).and_then(Item::as_table_like_mut);
            if let Some((key, item)) = dependencies.and_then(|all| all.get_key_value_mut("loom")) {
                each(key, item);
            }
        }
    };
    within(manifest.as_table_mut());
    let targets = manifest.get_mut("target").and_then(Item::as_table_like_mut);
    for (_, target) in targets.into_iter().flat_map(toml_edit::TableLike::iter_mut) {
        if let Some(target) = target.as_table_like_mut() {
            within(target);
        }
    }
}

/// The package that a dependency names, where its own name is not that.
fn package(item: &Item) -> Option<&str> {
    item.get("package").and_then(Item::as_str)
}

/// Whether the crate depends on loom.
pub(super) fn has_loom(manifest: &DocumentMut) -> bool {
    let mut found = false;
    looms(&mut manifest.clone(), |_, item| found |= package(item).is_none());
    found
}

/// Lets the dependency `loom` be selvedge-loom, with the features that it has. `false` if it is that already.
pub(super) fn move_loom(manifest: &mut DocumentMut, source: &Source) -> Result<bool, String> {
    let mut problem = None;
    let (mut moved, mut was_moved) = (false, false);
    looms(manifest, |mut key, item| match package(item) {
        Some(LOOM) => was_moved = true,
        Some(_) => {}
        None => {
            moved = true;
            match moved_loom(item, source) {
                Ok(dependency) => {
                    if !item.is_value() {
                        // It had a table of its own, and becomes a line.
                        key.fmt();
                    }
                    *item = Item::Value(dependency);
                }
                Err(why) => problem = Some(why),
            }
        }
    });
    if let Some(problem) = problem {
        return Err(problem);
    }
    if !moved && !was_moved {
        return Err(
            "there is no dependency on loom to move: `cargo selvedge init` without --loom begins from nothing"
                .to_owned(),
        );
    }
    Ok(moved)
}

/// The dependency in place of `loom`, with the comment behind it.
fn moved_loom(loom: &Item, source: &Source) -> Result<Value, String> {
    let mut dependency = InlineTable::new();
    dependency.insert("package", LOOM.into());
    dependency.extend(source.dependency(LOOM));
    for (key, value) in loom.as_table_like().into_iter().flat_map(toml_edit::TableLike::iter) {
        match (key, value.as_value()) {
            ("version", _) => {}
            ("features" | "optional" | "default-features", Some(value)) => {
                dependency.insert(key, value.clone());
            }
            ("workspace", _) => {
                return Err(format!(
                    "`loom` is inherited: let it be `loom = {dependency}` under [workspace.dependencies] in the manifest \
                     of the workspace, with the features that it has there"
                ));
            }
            _ => {
                return Err(format!("`loom` has `{key}`, which selvedge-loom does not have"));
            }
        }
    }
    dependency.fmt();
    let mut value = Value::InlineTable(dependency);
    if let Some(before) = loom.as_value() {
        *value.decor_mut() = before.decor().clone();
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: Source = Source { version: "0.1", checkout: None };

    fn parse(text: &str) -> DocumentMut {
        text.parse().expect("TOML")
    }

    #[test]
    fn a_manifest_gets_what_it_lacks_and_keeps_what_it_has() {
        let mut manifest =
            parse("[package]\nname = \"ring\" # mine\n\n[dependencies]\nserde = \"1\"\n");
        add_dependencies(&mut manifest, &SOURCE).expect("added");
        add_lint(&mut manifest, &["lints"]).expect("added");
        let text = "\
[package]
name = \"ring\" # mine

[dependencies]
serde = \"1\"
selvedge-model = \"0.1\"

[dev-dependencies]
selvedge-model = { version = \"0.1\", features = [\"check\"] }

[lints.rust]
unexpected_cfgs = { level = \"warn\", check-cfg = [\"cfg(loom)\"] }
";
        assert_eq!(manifest.to_string(), text);
        add_dependencies(&mut manifest, &SOURCE).expect("all is there");
        add_lint(&mut manifest, &["lints"]).expect("all is there");
        assert_eq!(manifest.to_string(), text);
    }

    #[test]
    fn a_checkout_and_a_workspace_are_followed() {
        let checkout = Source { checkout: Some("/selvedge".into()), ..SOURCE };
        let mut manifest = parse("[package]\nname = \"ring\"\n");
        add_dependencies(&mut manifest, &checkout).expect("added");
        assert!(
            manifest
                .to_string()
                .contains("selvedge-model = { version = \"0.1\", path = \"/selvedge/model\" }")
        );
        let mut manifest = parse("[dependencies]\nselvedge-model = { workspace = true }\n");
        add_dependencies(&mut manifest, &SOURCE).expect("added");
        let line = "selvedge-model = { workspace = true, features = [\"check\"] }";
        assert!(manifest.to_string().contains(line), "{manifest}");
        let mut manifest = parse("[dev-dependencies]\nselvedge-model = \"0.1\"\n");
        let why = add_dependencies(&mut manifest, &SOURCE).expect_err("it is not overwritten");
        assert!(why.contains("add `features = [\"check\"]`"), "{why}");
    }

    #[test]
    fn a_lint_that_is_there_is_kept() {
        let lint = |text: &str| {
            let mut manifest = parse(text);
            add_lint(&mut manifest, &["lints"]).map(|()| manifest.to_string())
        };
        let more = lint(
            "[lints.rust]\nunexpected_cfgs = { level = \"deny\", check-cfg = ['cfg(fuzzing)'] }\n",
        );
        let text = "[lints.rust]\nunexpected_cfgs = { level = \"deny\", check-cfg = ['cfg(fuzzing)', \"cfg(loom)\"] }\n";
        assert_eq!(more.as_deref(), Ok(text));
        let level = lint("[lints.rust]\nunexpected_cfgs = \"allow\"\n");
        assert!(
            level.expect("a level").contains("{ level = \"allow\", check-cfg = [\"cfg(loom)\"] }")
        );
        assert!(
            lint("[lints]\nrust = \"odd\"\n").expect_err("odd").contains("[lints.rust] is not")
        );
    }

    #[test]
    fn the_checker_is_optimised_unless_the_manifest_says_how_packages_are_built() {
        let added = |text: &str| {
            let mut manifest = parse(text);
            add_profile(&mut manifest).map(|()| manifest.to_string())
        };
        let line = "[profile.dev.package.\"*\"]\nopt-level = 2\n";
        assert_eq!(added("").as_deref(), Ok(line));
        let own = "[profile.dev]\nopt-level = 1\n";
        assert_eq!(added(own), Ok(format!("{own}\n{line}")));
        for there in [line, "[profile.dev.package.selvedge-model]\nopt-level = 3\n"] {
            assert_eq!(added(there).as_deref(), Ok(there));
        }
        let odd = added("profile = { dev = { opt-level = 1 } }\n");
        assert!(odd.expect_err("odd").contains("[profile] is not"));
    }

    #[test]
    fn a_loom_suite_moves_by_one_line() {
        let text = "[target.'cfg(loom)'.dependencies]\nloom = { version = \"0.7\", features = [\"futures\"] }\n";
        let mut manifest = parse(text);
        assert!(has_loom(&manifest));
        assert_eq!(move_loom(&mut manifest, &SOURCE), Ok(true));
        let moved = "[target.'cfg(loom)'.dependencies]\n\
                     loom = { package = \"selvedge-loom\", version = \"0.1\", features = [\"futures\"] }\n";
        assert_eq!(manifest.to_string(), moved);
        assert!(!has_loom(&manifest));
        assert_eq!(move_loom(&mut manifest, &SOURCE), Ok(false), "it is moved already");
        let why = move_loom(&mut parse("[dependencies]\n"), &SOURCE).expect_err("none");
        assert!(why.contains("no dependency on loom"), "{why}");
        let mut manifest = parse("[dev-dependencies]\nloom = \"0.7\"\n");
        move_loom(&mut manifest, &SOURCE).expect("moved");
        assert_eq!(manifest["dev-dependencies"]["loom"]["package"].as_str(), Some("selvedge-loom"));
        let why = |line: &str| {
            let mut manifest = parse(&format!("[dependencies]\n{line}\n"));
            let why = move_loom(&mut manifest, &SOURCE).expect_err("not by itself");
            assert!(has_loom(&manifest), "it is left as it is");
            why
        };
        assert!(why("loom = { git = \"x\" }").contains("`git`"));
        assert!(why("loom = { workspace = true }").contains(
            "let it be `loom = { package = \"selvedge-loom\", version = \"0.1\" }` under [workspace.dependencies]"
        ));
    }

    #[test]
    fn a_dependency_may_be_a_table_or_have_dots() {
        let moved = "\
[target.'cfg(loom)'.dependencies]
loom = { package = \"selvedge-loom\", version = \"0.1\", features = [\"futures\"] }

[lints]
workspace = true
";
        for text in [
            "[target.'cfg(loom)'.dependencies.loom]\nversion = \"0.7\"\nfeatures = [\"futures\"]\n\n\
             [lints]\nworkspace = true\n",
            "[target.'cfg(loom)'.dependencies]\nloom.version = \"0.7\"\nloom.features = [\"futures\"]\n\n\
             [lints]\nworkspace = true\n",
        ] {
            let mut manifest = parse(text);
            assert_eq!(move_loom(&mut manifest, &SOURCE), Ok(true));
            assert_eq!(manifest.to_string(), moved);
        }
    }

    #[test]
    fn a_line_that_is_moved_keeps_its_comments() {
        for (before, after) in
            [("# of tests\nloom= ", " # 0.7\nserde = \"1\"\n"), ("loom=", "#x\n")]
        {
            let line = |loom: &str| format!("[dependencies]\n{before}{loom}{after}");
            for loom in ["\"0.7\"", "{ version = \"0.7\" }"] {
                let mut manifest = parse(&line(loom));
                assert_eq!(move_loom(&mut manifest, &SOURCE), Ok(true));
                let moved = line("{ package = \"selvedge-loom\", version = \"0.1\" }");
                assert_eq!(manifest.to_string(), moved);
            }
        }
    }
}
