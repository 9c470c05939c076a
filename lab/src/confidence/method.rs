//! The ways of testing, and what each is blind to whatever happens.

use crate::cargo::Config;
use confidence::measured::Kind;

/// A way of testing.
pub(crate) struct Method {
    /// For machines.
    pub(crate) id: &'static str,
    /// For the head of a column.
    pub(crate) title: &'static str,
    /// Which build of the specimens.
    pub(crate) config: Config,
    /// What that build calls it.
    pub(crate) name: &'static str,
    pub(crate) rounds: u64,
    pub(crate) way: Way,
}

/// What a round is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// A run of the test: a rate can be told.
    Rounds,
    /// An execution of an explorer, which are always the same: no rate, but a number.
    Explores,
    /// A process under a detector, whose report is looked for.
    Detects {
        /// What runs the program, if anything.
        tool: &'static [&'static str],
        /// How a report begins.
        report: &'static str,
    },
}

impl Method {
    /// The program that runs the specimens, where that is not the specimens themselves.
    pub(crate) fn tool(&self) -> Option<&'static [&'static str]> {
        match self.way {
            Way::Detects { tool, .. } if !tool.is_empty() => Some(tool),
            _ => None,
        }
    }
}

const HELGRIND: Way =
    Way::Detects { tool: &["valgrind", "--tool=helgrind"], report: "Possible data race" };
const DRD: Way = Way::Detects { tool: &["valgrind", "--tool=drd"], report: "Conflicting " };
const SANITIZER: Way = Way::Detects { tool: &[], report: "WARNING: ThreadSanitizer: data race" };

const fn method(
    id: &'static str,
    title: &'static str,
    (config, name): (Config, &'static str),
    rounds: u64,
    way: Way,
) -> Method {
    Method { id, title, config, name, rounds, way }
}

/// Weakest first.
pub(crate) const METHODS: [Method; 12] = [
    method("unit", "one unit test", (Config::Plain, "once"), 1, Way::Rounds),
    method("loop-1000", "1,000 times", (Config::Plain, "loop"), 1_000, Way::Rounds),
    method("loop-100000", "100,000 times", (Config::Plain, "loop"), 100_000, Way::Rounds),
    method("together", "started together", (Config::Plain, "together"), 100_000, Way::Rounds),
    method("tsan", "ThreadSanitizer", (Config::ThreadSanitizer, "once"), 20, SANITIZER),
    method("helgrind", "helgrind", (Config::Plain, "once"), 3, HELGRIND),
    method("drd", "DRD", (Config::Plain, "once"), 3, DRD),
    method("random", "shuttle, random", (Config::Shuttle, "random"), 10_000, Way::Rounds),
    method("pct", "shuttle, PCT 3", (Config::Shuttle, "pct"), 10_000, Way::Rounds),
    method("loom", "loom", (Config::PlainLoom, "loom"), 1, Way::Explores),
    method("loom-2", "loom, 2 preemptions", (Config::PlainLoom, "loom-2"), 1, Way::Explores),
    method("harness", "selvedge", (Config::Loom, "harness"), 1, Way::Explores),
];

/// Why the method cannot see a mistake of that kind, if it cannot.
pub(crate) fn blind(method: &Method, kind: Kind) -> Option<&'static str> {
    match (method.id, kind) {
        ("tsan", Kind::Order) => Some("all is atomic or locked: there is no data race"),
        ("tsan", Kind::WeakMemory) => Some("all is atomic: there is no data race"),
        ("tsan" | "helgrind" | "drd", Kind::Deadlock) => {
            Some("std's locks are futexes, whose order it does not watch")
        }
        ("random" | "pct", Kind::WeakMemory) => Some("shuttle takes every access for SeqCst"),
        ("random" | "pct", Kind::DataRace | Kind::WeakDataRace | Kind::HarmlessRace) => {
            Some("shuttle does not follow plain memory")
        }
        ("unit" | "loop-1000" | "loop-100000" | "together", Kind::HarmlessRace) => {
            Some("in every order the result is right")
        }
        (
            "unit" | "loop-1000" | "loop-100000" | "together",
            Kind::WeakMemory | Kind::WeakDataRace,
        ) if cfg!(target_arch = "x86_64") => {
            Some("this processor keeps the stores of a thread in order")
        }
        _ => None,
    }
}
