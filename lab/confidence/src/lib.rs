//! What a cell of the comparison is: shared by the programs that are measured and by `cargo lab confidence`.

pub mod measured;
