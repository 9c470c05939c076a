//! What Valgrind's `lackey` has noted between two markers.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::BufRead;
use std::os::unix::fs::FileExt;

/// Bytes of a cache line.
const LINE: u64 = 64;

/// What one operation takes.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Cost {
    pub(super) instructions: usize,
    pub(super) locked: usize,
    pub(super) thread_local: usize,
    pub(super) read: usize,
    pub(super) written: usize,
}

/// A mapping of the process: addresses, and the file that is there.
struct Mapping {
    start: u64,
    end: u64,
    offset: u64,
    file: Option<File>,
}

/// The process that was watched.
pub(super) struct Image {
    marker: u64,
    stack: u64,
    mappings: Vec<Mapping>,
    kinds: HashMap<u64, Kind>,
}

impl Image {
    /// From what the process says of itself: the addresses of the marker and of something on the stack, and its mappings.
    pub(super) fn new(said: &str) -> Option<Self> {
        let hexadecimal = |text: &str| u64::from_str_radix(text, 16).ok();
        let mut lines = said.lines();
        let (marker, stack) = lines.next()?.split_once(' ')?;
        let mapping = |line: &str| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let (start, end) = fields.first()?.split_once('-')?;
            let file = fields.get(5).and_then(|path| File::open(path).ok());
            let offset = hexadecimal(fields.get(2)?)?;
            Some(Mapping { start: hexadecimal(start)?, end: hexadecimal(end)?, offset, file })
        };
        Some(Self {
            marker: hexadecimal(marker)?,
            stack: hexadecimal(stack)?,
            mappings: lines.filter_map(mapping).collect(),
            kinds: HashMap::new(),
        })
    }

    fn mapping(&self, address: u64) -> Option<&Mapping> {
        self.mappings.iter().find(|mapping| (mapping.start..mapping.end).contains(&address))
    }

    /// What is between the first marker and the second, the third and the fourth, and so on.
    pub(super) fn costs(&mut self, trace: impl BufRead) -> Result<Vec<Cost>, String> {
        let stack = self.mapping(self.stack).map_or(0..0, |stack| stack.start..stack.end);
        let mut costs = Vec::new();
        let mut inside = false;
        let (mut cost, mut lines) = (Cost::default(), [BTreeSet::new(), BTreeSet::new()]);
        for line in trace.lines() {
            let line = line.map_err(|why| format!("the trace cannot be read: {why}"))?;
            let Some((kind, address, size)) = access(&line) else { continue };
            if kind == 'I' && address == self.marker {
                if inside {
                    [cost.read, cost.written] =
                        [&lines[0] - &lines[1], lines[1].clone()].map(|set| set.len());
                    costs.push(cost);
                }
                (cost, lines) = (Cost::default(), [BTreeSet::new(), BTreeSet::new()]);
                inside = !inside;
            }
            if !inside {
                continue;
            }
            if kind == 'I' {
                cost.instructions += 1;
                match self.kind(address, size)? {
                    Kind::Locked => cost.locked += 1,
                    Kind::ThreadLocal => cost.thread_local += 1,
                    Kind::Other => {}
                }
            } else if !stack.contains(&address) {
                let touched = address / LINE..=(address + size as u64 - 1) / LINE;
                lines[usize::from(kind != 'L')].extend(touched);
            }
        }
        Ok(costs)
    }

    fn kind(&mut self, address: u64, size: usize) -> Result<Kind, String> {
        if let Some(kind) = self.kinds.get(&address) {
            return Ok(*kind);
        }
        let mapping =
            self.mapping(address).ok_or_else(|| format!("nothing is mapped at {address:x}"))?;
        let file =
            mapping.file.as_ref().ok_or_else(|| format!("no file is mapped at {address:x}"))?;
        let mut bytes = vec![0; size];
        file.read_exact_at(&mut bytes, address - mapping.start + mapping.offset)
            .map_err(|why| format!("the instruction at {address:x} cannot be read: {why}"))?;
        let kind = Kind::of(&bytes);
        self.kinds.insert(address, kind);
        Ok(kind)
    }
}

/// `I`, `L`, `S` or `M` (load and store), the address and the size.
fn access(line: &str) -> Option<(char, u64, usize)> {
    let line = line.trim_start();
    let kind = line.chars().next().filter(|kind| "ILSM".contains(*kind))?;
    let (address, size) = line[1..].trim_start().split_once(',')?;
    Some((kind, u64::from_str_radix(address, 16).ok()?, size.parse().ok()?))
}

/// What an instruction does that costs more than others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A prefix `lock`, or an exchange with memory, which is locked without one.
    Locked,
    /// Addresses memory by the thread pointer, `fs`.
    ThreadLocal,
    Other,
}

impl Kind {
    /// From the bytes of one instruction.
    fn of(bytes: &[u8]) -> Self {
        let prefix = |byte: &&u8| {
            matches!(byte, 0xf0 | 0xf2 | 0xf3 | 0x2e | 0x36 | 0x3e | 0x26 | 0x64..=0x67)
        };
        let prefixes = bytes.iter().take_while(prefix).count();
        let (prefixes, mut rest) = bytes.split_at(prefixes);
        // REX: the last prefix.
        if let [0x40..=0x4f, after @ ..] = rest {
            rest = after;
        }
        let exchange = matches!(rest, [0x86 | 0x87, operands, ..] if *operands < 0xc0);
        if prefixes.contains(&0xf0) || exchange {
            Self::Locked
        } else if prefixes.contains(&0x64) {
            Self::ThreadLocal
        } else {
            Self::Other
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_of_an_instruction_say_its_kind() {
        let kinds: [(&[u8], Kind); 8] = [
            (&[0xf0, 0x48, 0x0f, 0xc1, 0x07], Kind::Locked), // lock xadd %rax,(%rdi)
            (&[0xf0, 0x0f, 0xb1, 0x0f], Kind::Locked),       // lock cmpxchg %ecx,(%rdi)
            (&[0x48, 0x87, 0x07], Kind::Locked),             // xchg %rax,(%rdi)
            (&[0x48, 0x87, 0xc7], Kind::Other),              // xchg %rax,%rdi
            (&[0x66, 0x90], Kind::Other),                    // xchg %ax,%ax
            (&[0x48, 0x89, 0xf0], Kind::Other),              // mov %rsi,%rax
            (&[0x64, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0], Kind::ThreadLocal), // mov %fs:0,%rax
            (&[0x48, 0x8b, 0x64, 0x24, 0x08], Kind::Other),  // mov 8(%rsp),%rsp
        ];
        for (bytes, kind) in kinds {
            assert_eq!(Kind::of(bytes), kind, "{bytes:x?}");
        }
    }

    #[test]
    fn lines_are_those_between_the_markers() {
        let said = "10 7000\n0-1000 r-xp 0 0:0 0\n7000-8000 rw-p 0 0:0 0\n";
        let mut image = Image::new(said).expect("addresses are there");
        image.kinds.extend([(0x10, Kind::Other), (0x20, Kind::Locked)]);
        let trace = " S 9000,8\nI  10,1\n L 7008,8\nI  20,4\n M 2000,8\n L 2008,8\n L 303c,8\nI  10,1\nI  20,4\n";
        let costs = image.costs(trace.as_bytes()).expect("all is mapped");
        let expected = Cost { instructions: 2, locked: 1, thread_local: 0, read: 2, written: 1 };
        assert!(costs == [expected], "the stack is not counted, and a line once");
    }
}
