//! Lets the checker know whether it is built with optimisation.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let level = std::env::var("OPT_LEVEL").expect("cargo sets it");
    println!("cargo::rustc-env=SELVEDGE_OPT_LEVEL={level}");
}
