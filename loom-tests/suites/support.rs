//! What suites need besides the types of `specimens`.

pub(crate) mod alphabets;
pub(crate) mod by_parity;
pub(crate) mod few_jobs;
