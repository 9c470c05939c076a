//! Executions a second of the graph engine: `RUSTFLAGS="--cfg loom" cargo bench --bench executions [NAME]`.

#[cfg(loom)]
#[path = "executions/graphs.rs"]
mod graphs;
#[cfg(loom)]
#[path = "../tests/engine/support/mod.rs"]
mod support;

fn main() {
    #[cfg(loom)]
    graphs::main();
    #[cfg(not(loom))]
    println!("the checker is there under `--cfg loom`");
}
