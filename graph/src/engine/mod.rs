//! Engines: each explores the executions of a program in its own way.

pub mod graph;
