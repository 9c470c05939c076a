//! Variables of the environment that children do not inherit, since they would change what is built, or what is
//! explored.

/// Where cargo builds: obeyed, but not by children.
const TARGET: [&str; 2] = ["CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR"];
/// Flags that would take the place of `RUSTFLAGS`.
const FLAGS: [&str; 2] = ["CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS"];
const PREFIXES: [&str; 2] = ["LOOM_", "SELVEDGE_"];
/// What a user may set for all models: a limit that is exceeded fails, and the others bound no result.
const PASSED: [&str; 3] = ["SELVEDGE_LIMIT", "SELVEDGE_LOOM", "SELVEDGE_PATIENCE"];

/// Whether children do not get this variable.
pub(super) fn is_removed(name: &str) -> bool {
    TARGET.contains(&name) || is_ignored(name)
}

/// Whether it has no effect at all.
fn is_ignored(name: &str) -> bool {
    let ours = PREFIXES.iter().any(|prefix| name.starts_with(prefix)) && !PASSED.contains(&name);
    FLAGS.contains(&name) || ours
}

/// The variables of the environment that have no effect here, although they have one on `cargo test`.
#[must_use]
pub fn ignored() -> Vec<String> {
    let names = std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| is_ignored(name)).collect();
    names.sort_unstable();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_user_sets_for_all_models_is_passed_on() {
        for name in ["SELVEDGE_LOOM", "SELVEDGE_LIMIT", "SELVEDGE_PATIENCE", "RUSTFLAGS", "PATH"] {
            assert!(!is_removed(name), "{name}");
        }
        for name in ["LOOM_MAX_PREEMPTIONS", "SELVEDGE_MUTANT", "SELVEDGE_REPLAY"] {
            assert!(is_removed(name) && is_ignored(name), "{name}");
        }
        assert!(is_removed("CARGO_TARGET_DIR") && !is_ignored("CARGO_TARGET_DIR"));
    }
}
