//! Threads, objects and values by the names that they have in a picture.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use crate::engine::graph::{Action, Execution, Trace};
use crate::kernel::object::OnceKind;
use crate::kernel::{AtomicKind, CellKind, LocationId, Made, Object, Operation, Rmw, ThreadId};

pub(super) struct Names {
    threads: HashMap<ThreadId, String>,
    /// Of each location that has one, its label.
    labels: HashMap<LocationId, String>,
    /// Of park tokens, their thread.
    tokens: HashMap<LocationId, ThreadId>,
    kinds: HashMap<LocationId, AtomicKind>,
    /// In the order in which they first occur: addresses say nothing.
    pointers: Vec<u64>,
}

/// The letter of its label, and its type.
pub(super) fn letter_and_kind(made: &Made) -> Option<(char, &'static str)> {
    Some(match made {
        Made::Atomic { kind, .. } => match *kind {
            AtomicKind::Integer { name, .. } => ('a', name),
            AtomicKind::Bool => ('a', "AtomicBool"),
            AtomicKind::Pointer => ('a', "AtomicPtr"),
            AtomicKind::Strong => ('r', "Arc"),
            AtomicKind::Weak { .. }
            | AtomicKind::Senders { .. }
            | AtomicKind::Left
            | AtomicKind::Poison { .. }
            | AtomicKind::Done { .. } => return None,
        },
        Made::Cell(CellKind::Plain) => ('c', "UnsafeCell"),
        Made::Cell(CellKind::Allocation | CellKind::InStdArc) => ('h', "heap memory"),
        Made::Cell(CellKind::Contents { .. }) => return None,
        Made::Object(object) => match object {
            Object::Mutex(_) => ('m', "Mutex"),
            Object::RwLock(_) => ('w', "RwLock"),
            Object::Condvar(_) => ('v', "Condvar"),
            Object::Channel(_) | Object::Queue(_) => ('q', "channel"),
            Object::Once(once) => match once.kind() {
                OnceKind::Once => ('o', "Once"),
                OnceKind::OnceLock => ('o', "OnceLock"),
                OnceKind::LazyLock => ('o', "LazyLock"),
            },
            Object::Barrier(_) => ('b', "Barrier"),
            Object::Token(token) if token.is_of_notify() => ('n', "Notify"),
            Object::ReadEnd(_) | Object::Message(_) | Object::Token(_) | Object::Delivery(_) => {
                return None;
            }
        },
    })
}

impl Names {
    pub(super) fn of(execution: &Execution<'_>, trace: &Trace) -> Self {
        let mut names = Self {
            threads: HashMap::new(),
            labels: HashMap::new(),
            tokens: HashMap::new(),
            kinds: HashMap::new(),
            pointers: Vec::new(),
        };
        for (thread, _) in execution.threads() {
            names.threads.insert(thread, execution.name(thread));
            names.tokens.insert(execution.token(thread), thread);
        }
        let mut made: HashMap<char, usize> = HashMap::new();
        for location in execution.locations() {
            let Some(as_what) = execution.location(location) else { continue };
            if let Made::Atomic { kind, .. } = as_what {
                names.kinds.insert(location, *kind);
            }
            let label = match as_what {
                Made::Atomic {
                    kind:
                        AtomicKind::Weak { strong: of }
                        | AtomicKind::Senders { channel: of }
                        | AtomicKind::Poison { lock: of }
                        | AtomicKind::Done { once: of, .. },
                    ..
                } => names.label(*of),
                Made::Object(Object::Message(message)) => names.label(message.queue()),
                Made::Cell(CellKind::Contents { lock }) => {
                    format!("{}.contents", names.label(*lock))
                }
                other => {
                    let Some((letter, _)) = letter_and_kind(other) else { continue };
                    let ordinal = made.entry(letter).or_default();
                    *ordinal += 1;
                    format!("{letter}{ordinal}")
                }
            };
            names.labels.insert(location, label);
        }
        for line in &trace.lines {
            names.collect_pointers(line.action, line.result, line.written);
        }
        names
    }

    fn collect_pointers(&mut self, action: Action, result: u64, written: Option<u64>) {
        let Action::Step(operation) = action else { return };
        let pointer = operation.location().is_some_and(|l| self.kind(l) == AtomicKind::Pointer);
        if !pointer {
            return;
        }
        let operands = match operation {
            Operation::Store { value, .. } => vec![value],
            Operation::Update { update, .. } => match update.rmw {
                Rmw::CompareExchange { current, new }
                | Rmw::CompareExchangeWeak { current, new } => vec![current, new, result],
                Rmw::Swap(new) => vec![new, result],
                _ => vec![result],
            },
            _ => vec![result],
        };
        for value in operands.into_iter().chain(written) {
            if value != 0 && !self.pointers.contains(&value) {
                self.pointers.push(value);
            }
        }
    }

    pub(super) fn thread(&self, thread: ThreadId) -> &str {
        self.threads.get(&thread).map_or("", String::as_str)
    }

    /// `a1.load`
    pub(super) fn on(&self, object: Option<LocationId>, operation: &str) -> String {
        match object {
            Some(object) => format!("{}.{operation}", self.label(object)),
            None => operation.to_owned(),
        }
    }

    /// `a1`, `m2`, …; empty for what has none.
    pub(super) fn label(&self, location: LocationId) -> String {
        self.labels.get(&location).cloned().unwrap_or_default()
    }

    /// The thread that a token belongs to; none if it is that of a `Notify`.
    pub(super) fn of_token(&self, token: LocationId) -> Option<&str> {
        self.tokens.get(&token).map(|&thread| self.thread(thread))
    }

    /// What an atomic holds.
    pub(super) fn kind(&self, location: LocationId) -> AtomicKind {
        self.kinds.get(&location).copied().unwrap_or(AtomicKind::Strong)
    }

    /// A value of the atomic `location`.
    pub(super) fn value(&self, location: LocationId, word: u64) -> String {
        match self.kind(location) {
            AtomicKind::Integer { shape, .. } if shape.signed => {
                let unused = 64 - shape.bits;
                // As many bits as the type has, the highest of them a sign.
                #[expect(clippy::cast_possible_wrap, reason = "the sign is what this is about")]
                let value = (word << unused) as i64 >> unused;
                if value.unsigned_abs() <= DECIMAL {
                    value.to_string()
                } else {
                    short_number(word, shape.bits)
                }
            }
            AtomicKind::Integer { shape, .. } => short_number(word, shape.bits),
            AtomicKind::Bool
            | AtomicKind::Poison { .. }
            | AtomicKind::Done { kind: OnceKind::Once, .. } => (word != 0).to_string(),
            AtomicKind::Done { .. } => if word == 0 { "none" } else { "some" }.to_owned(),
            AtomicKind::Pointer if word == 0 => "null".to_owned(),
            AtomicKind::Pointer => {
                let ordinal = self.pointers.iter().position(|&other| other == word);
                format!("p{}", 1 + ordinal.unwrap_or(self.pointers.len()))
            }
            _ => word.to_string(),
        }
    }
}

/// The largest number that is shown as a decimal.
const DECIMAL: u64 = 999_999;

/// How far from the maximum of its type a number is shown as that distance, `!1` for the maximum less 1.
const FROM_MAX: u64 = 999;

/// A number of so many bits: decimal up to six digits, `!n` if `n` is the small number whose complement it is, and
/// hexadecimal otherwise.
fn short_number(word: u64, bits: u32) -> String {
    let max = u64::MAX >> (64 - bits);
    match word & max {
        word if word <= DECIMAL => word.to_string(),
        word if max - word <= FROM_MAX => format!("!{}", max - word),
        word => format!("{word:#x}"),
    }
}

/// An ordering as it stands in a picture.
pub(super) fn short_order(order: Ordering) -> &'static str {
    match order {
        Ordering::Relaxed => "rlx",
        Ordering::Acquire => "acq",
        Ordering::Release => "rel",
        Ordering::AcqRel => "acq_rel",
        _ => "sc",
    }
}

#[cfg(test)]
mod tests {
    use super::short_number;

    #[test]
    fn numbers_of_many_bits_are_short() {
        let max = u64::MAX;
        for (word, bits, text) in [
            (0, 64, "0"),
            (999_999, 64, "999999"),
            (1_000_000, 64, "0xf4240"),
            (max, 64, "!0"),
            (max - 1, 64, "!1"),
            (max - 999, 64, "!999"),
            (max - 1_000, 64, "0xfffffffffffffc17"),
            (u64::from(u32::MAX) - 2, 32, "!2"),
            (u64::from(u32::MAX) - 2, 64, "0xfffffffd"),
            (255, 8, "255"),
            (65_535, 16, "65535"),
            (1 << 63, 64, "0x8000000000000000"),
        ] {
            assert_eq!(short_number(word, bits), text);
        }
    }
}
