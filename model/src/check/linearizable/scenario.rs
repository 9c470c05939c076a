//! All scenarios of an alphabet up to a size, the smallest first.

use std::collections::BTreeSet;

/// What the threads of a scenario are called.
pub(super) const THREADS: [&str; crate::MAX_THREADS] = [
    "alice", "bob", "carol", "dave", "eve", "frank", "grace", "heidi", "ivan", "judy", "ken",
    "lena", "mallory", "nina", "oscar",
];

/// A small program: the initial state, and what each thread does; all as numbers in the alphabet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Scenario {
    /// How many operations there are: first, so that small scenarios come first.
    operations: usize,
    pub(super) start: usize,
    pub(super) threads: Vec<Vec<usize>>,
}

/// So many threads, each with so many operations or fewer, but at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) threads: usize,
    pub(super) operations: usize,
}

/// The names that a scenario is written in.
pub(super) struct Alphabet<'a> {
    pub(super) operations: Vec<&'a str>,
    /// Empty if there is one initial state, without a name.
    pub(super) starts: Vec<&'a str>,
}

/// All scenarios, and how many were left out.
pub(super) struct Generated {
    pub(super) scenarios: Vec<Scenario>,
    pub(super) symmetric: u64,
}

impl Scenario {
    pub(super) fn new(start: usize, threads: Vec<Vec<usize>>) -> Self {
        Self { operations: threads.iter().map(Vec::len).sum(), start, threads }
    }

    /// `add, get || take`, behind the name of the initial state if that has one.
    pub(super) fn text(&self, alphabet: &Alphabet<'_>) -> String {
        let thread = |operations: &Vec<usize>| {
            let names: Vec<&str> =
                operations.iter().map(|number| alphabet.operations[*number]).collect();
            names.join(", ")
        };
        let threads: Vec<String> = self.threads.iter().map(thread).collect();
        let threads = threads.join(" || ");
        match alphabet.starts.get(self.start) {
            Some(start) => format!("{start}: {threads}"),
            None => threads,
        }
    }

    /// The scenario that [`text`](Self::text) writes so.
    pub(super) fn parse(text: &str, alphabet: &Alphabet<'_>) -> Option<Self> {
        let (start, threads) = match alphabet.starts.as_slice() {
            [] => (0, text),
            starts => {
                let (name, threads) = text.split_once(": ")?;
                (starts.iter().position(|start| *start == name)?, threads)
            }
        };
        let number = |name: &str| alphabet.operations.iter().position(|known| *known == name);
        let thread = |names: &str| names.split(", ").map(number).collect::<Option<Vec<usize>>>();
        let threads = threads.split(" || ").map(thread).collect::<Option<Vec<_>>>()?;
        Some(Self::new(start, threads))
    }
}

/// All scenarios of these sizes. With `symmetric`, of those that differ only in which thread does
/// what, one.
pub(super) fn generate(
    operations: usize,
    starts: usize,
    sizes: &[Size],
    symmetric: bool,
) -> Generated {
    let mut all = BTreeSet::new();
    let mut left_out = 0;
    for size in sizes {
        let sequences = sequences(operations, size.operations);
        for start in 0..starts {
            let mut threads = Vec::new();
            combine(&sequences, size.threads, &mut threads, &mut |threads| {
                if symmetric && !threads.is_sorted_by_key(|thread| (thread.len(), *thread)) {
                    left_out += 1;
                } else {
                    let threads = threads.iter().map(|thread| (*thread).clone()).collect();
                    all.insert(Scenario::new(start, threads));
                }
            });
        }
    }
    Generated { scenarios: all.into_iter().collect(), symmetric: left_out }
}

/// All sequences of 1 to `longest` operations.
fn sequences(operations: usize, longest: usize) -> Vec<Vec<usize>> {
    let mut all: Vec<Vec<usize>> = Vec::new();
    let mut last = vec![Vec::new()];
    for _ in 0..longest {
        let longer = |sequence: &Vec<usize>| {
            let sequence = sequence.clone();
            (0..operations).map(move |next| [sequence.as_slice(), &[next]].concat())
        };
        last = last.iter().flat_map(longer).collect();
        all.extend(last.iter().cloned());
    }
    all
}

/// Calls `found` with each choice of `left` more sequences.
fn combine<'a>(
    sequences: &'a [Vec<usize>],
    left: usize,
    threads: &mut Vec<&'a Vec<usize>>,
    found: &mut impl FnMut(&[&Vec<usize>]),
) {
    if left == 0 {
        return found(threads);
    }
    for sequence in sequences {
        threads.push(sequence);
        combine(sequences, left - 1, threads, found);
        threads.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// n operations make m = n + n² sequences of one or two; m² pairs, of which m (m + 1) / 2 are
    /// left; n³ triples, of which n (n + 1) (n + 2) / 6 are left.
    #[test]
    fn scenarios_are_as_many_as_the_formulas_say() {
        let pairs = Size { threads: 2, operations: 2 };
        let triples = Size { threads: 3, operations: 1 };
        for n in 1..=6 {
            let m = n + n * n;
            for (size, all, left) in
                [(pairs, m * m, m * (m + 1) / 2), (triples, n * n * n, n * (n + 1) * (n + 2) / 6)]
            {
                let told_apart = generate(n, 1, &[size], false);
                assert_eq!((told_apart.scenarios.len(), told_apart.symmetric), (all, 0));
                let alike = generate(n, 2, &[size], true);
                assert_eq!(alike.scenarios.len(), 2 * left);
                assert_eq!(alike.symmetric, 2 * (all - left) as u64);
            }
        }
    }

    #[test]
    fn small_scenarios_come_first_and_each_once() {
        let sizes =
            [(2, 2), (3, 1), (2, 1)].map(|(threads, operations)| Size { threads, operations });
        let scenarios = generate(2, 1, &sizes, true).scenarios;
        assert_eq!(scenarios.len(), 21 + 4);
        assert!(scenarios.is_sorted_by_key(|scenario| scenario.operations));
        assert_eq!(scenarios[0], Scenario::new(0, vec![vec![0], vec![0]]));
    }

    #[test]
    fn a_scenario_is_read_as_it_is_written() {
        let alphabet =
            Alphabet { operations: vec!["add", "get"], starts: vec!["empty", "one element"] };
        let text = "one element: add, get || get || add";
        let scenario = Scenario::parse(text, &alphabet).expect("a scenario");
        assert_eq!(scenario, Scenario::new(1, vec![vec![0, 1], vec![1], vec![0]]));
        assert_eq!(scenario.text(&alphabet), text);
        for wrong in ["add || get", "full: add", "empty: add |get", "empty: ", "empty: put"] {
            assert_eq!(Scenario::parse(wrong, &alphabet), None, "{wrong}");
        }
    }
}
