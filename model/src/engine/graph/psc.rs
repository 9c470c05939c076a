//! The SC axiom of RC11: `psc_base ∪ psc_F` is acyclic (Lahav, Vafeiadis, Kang, Hur, Dreyer:
//! *Repairing Sequential Consistency in C/C++11*, PLDI 2017, section 3).
//!
//! A relation is a matrix of bits. Row `b` is the set of all `a` that the relation takes to `b`.
//!
//! Acts, spawns and joins count as events without a location: `sb|≠loc ; hb ; sb|≠loc` leads through
//! them. Plain accesses do not count: an optimiser may remove them.

use std::sync::atomic::Ordering::SeqCst;

use super::event::{Event, Kind};
use super::relations::Graph;

/// A set of events.
type Row = [u64];

fn bits(row: &Row) -> impl Iterator<Item = usize> + '_ {
    row.iter().enumerate().flat_map(|(at, &word)| {
        let mut word = word;
        std::iter::from_fn(move || {
            let bit = word.trailing_zeros() as usize;
            word &= word.wrapping_sub(1);
            (bit < 64).then_some(64 * at + bit)
        })
    })
}

fn set(row: &mut Row, bit: usize) {
    row[bit / 64] |= 1 << (bit % 64);
}

fn has(row: &Row, bit: usize) -> bool {
    row[bit / 64] >> (bit % 64) & 1 == 1
}

fn join(row: &mut Row, other: &Row) {
    row.iter_mut().zip(other).for_each(|(word, other)| *word |= other);
}

/// One row for each event.
#[derive(Debug, Default)]
struct Matrix {
    width: usize,
    words: Vec<u64>,
}

impl Matrix {
    fn reset(&mut self, events: usize) {
        self.width = events.div_ceil(64);
        self.words.clear();
        self.words.resize(events * self.width, 0);
    }

    fn row(&self, at: usize) -> &Row {
        &self.words[at * self.width..][..self.width]
    }

    fn row_mut(&mut self, at: usize) -> &mut Row {
        &mut self.words[at * self.width..][..self.width]
    }

    /// The union of the rows of `of`, added to `to`.
    fn union(&self, of: &Row, to: &mut Row) {
        for at in bits(of) {
            join(to, self.row(at));
        }
    }
}

/// Buffers.
#[derive(Debug, Default)]
pub(super) struct Psc {
    po: Matrix,
    hb: Matrix,
    /// `sb|≠loc`
    apart: Matrix,
    /// `sb|≠loc ; hb`
    far: Matrix,
    scb: Matrix,
    /// `eco`, of reads.
    eco: Matrix,
    result: Matrix,
}

fn counts(event: &Event) -> bool {
    !event.todo && !matches!(event.kind, Kind::Choose | Kind::TimeOut)
}

fn accesses(event: &Event) -> bool {
    event.kind.reads() || event.kind.writes()
}

impl Psc {
    /// Whether `graph` satisfies the axiom. Events still to be done do not count.
    pub(super) fn holds(&mut self, graph: &Graph) -> bool {
        let events = graph.events.len();
        let width = events.div_ceil(64);
        let mut sc = vec![0; width];
        let mut fences = vec![0; width];
        for (at, event) in graph.events.iter().enumerate() {
            if counts(event) && event.order == SeqCst {
                set(&mut sc, at);
                if event.kind == Kind::Fence {
                    set(&mut fences, at);
                }
            }
        }
        self.program_order(graph);
        self.happens_before(graph);
        self.scb_and_eco(graph);
        self.result.reset(events);
        let mut ends = vec![0; width];
        let mut starts = vec![0; width];
        for b in bits(&sc) {
            let fence = has(&fences, b);
            // ([E_sc] ∪ [F_sc] ; hb?) ; scb ; ([E_sc] ∪ hb? ; [F_sc]), from right to left.
            ends.fill(0);
            set(&mut ends, b);
            if fence {
                join(&mut ends, self.hb.row(b));
            }
            starts.fill(0);
            self.scb.union(&ends, &mut starts);
            let row = self.result.row_mut(b);
            join(row, &starts);
            ends.fill(0);
            self.hb.union(&starts, &mut ends);
            row.iter_mut().zip(ends.iter().zip(&fences)).for_each(|(to, (a, f))| *to |= a & f);
            if fence {
                // [F_sc] ; (hb ∪ hb ; eco ; hb) ; [F_sc]
                starts.fill(0);
                self.eco.union(self.hb.row(b), &mut starts);
                ends.copy_from_slice(self.hb.row(b));
                self.hb.union(&starts, &mut ends);
                row.iter_mut().zip(ends.iter().zip(&fences)).for_each(|(to, (a, f))| *to |= a & f);
            }
        }
        acyclic(&self.result, sc)
    }

    /// Program order, which goes on over spawn and join: the start and the end of a thread are events
    /// too, without a location.
    fn program_order(&mut self, graph: &Graph) {
        self.po.reset(graph.events.len());
        for id in 0..graph.len() {
            let event = graph.at(id);
            let child = (event.kind == Kind::Join)
                .then(|| graph.of(event.location()).last().copied())
                .flatten();
            for before in graph.before(id).into_iter().chain(child) {
                let (earlier, row) = self.po.words.split_at_mut(id as usize * self.po.width);
                let before = before as usize;
                // Program order agrees with the order in which events were added.
                let from = &earlier[before * self.po.width..][..self.po.width];
                join(&mut row[..self.po.width], from);
                if counts(&graph.events[before]) {
                    set(&mut row[..self.po.width], before);
                }
            }
        }
    }

    fn happens_before(&mut self, graph: &Graph) {
        let events = graph.events.len();
        self.hb.reset(events);
        self.apart.reset(events);
        self.far.reset(events);
        for (b, event) in graph.events.iter().enumerate() {
            if !counts(event) {
                continue;
            }
            let hb = graph.pasts[b].hb;
            let row = self.hb.row_mut(b);
            for (thread, known) in graph.threads.iter().enumerate() {
                for &id in known.events.iter().take(usize::from(hb.of(thread))) {
                    if id as usize != b && counts(graph.at(id)) {
                        set(row, id as usize);
                    }
                }
            }
            let row = self.apart.row_mut(b);
            for a in bits(self.po.row(b)) {
                let other = &graph.events[a];
                let same = accesses(event) && accesses(other) && event.location == other.location;
                if !same {
                    set(row, a);
                }
            }
        }
        for b in 0..events {
            self.apart.union(self.hb.row(b), self.far.row_mut(b));
        }
    }

    /// `scb = sb ∪ sb|≠loc ; hb ; sb|≠loc ∪ hb|loc ∪ mo ∪ rb`, and `eco = (rf ∪ mo ∪ rb)⁺` as far as
    /// it leads to reads: to a write it is `mo` or `rb`, and `psc_base` has `hb ; scb ; hb` between fences.
    fn scb_and_eco(&mut self, graph: &Graph) {
        let events = graph.events.len();
        self.scb.reset(events);
        self.eco.reset(events);
        for (b, event) in graph.events.iter().enumerate() {
            if !counts(event) {
                continue;
            }
            let row = self.scb.row_mut(b);
            join(row, self.po.row(b));
            self.far.union(self.apart.row(b), row);
            if accesses(event) {
                for a in bits(self.hb.row(b)) {
                    let other = &graph.events[a];
                    if accesses(other) && event.location == other.location {
                        set(row, a);
                    }
                }
            }
        }
        let width = events.div_ceil(64);
        let mut before = vec![0; width];
        for location in &graph.locations {
            if location.order.first().is_some_and(|&id| graph.at(id).kind == Kind::Act) {
                continue;
            }
            // All writes so far and their readers: what is eco-before the next write.
            before.fill(0);
            for at in 0..=location.order.len() {
                if let Some(&write) = at.checked_sub(1).map(|at| &location.order[at]) {
                    let write = write as usize;
                    if !counts(&graph.events[write]) {
                        continue;
                    }
                    // mo and rb lead to a write from all that is eco-before it.
                    let row = self.scb.row_mut(write);
                    bits(&before).filter(|&a| a != write).for_each(|a| set(row, a));
                    set(&mut before, write);
                }
                let reads = location.reads.iter().map(|&id| id as usize).filter(|&id| {
                    counts(&graph.events[id]) && graph.after(graph.events[id].rf) == at
                });
                for read in reads.clone() {
                    let row = self.eco.row_mut(read);
                    bits(&before).filter(|&a| a != read).for_each(|a| set(row, a));
                }
                reads.for_each(|read| set(&mut before, read));
            }
        }
    }
}

fn acyclic(relation: &Matrix, mut left: Vec<u64>) -> bool {
    loop {
        // Remove what nothing left comes before.
        let free: Vec<usize> = bits(&left)
            .filter(|&at| relation.row(at).iter().zip(&left).all(|(a, b)| a & b == 0))
            .collect();
        if free.is_empty() {
            return left.iter().all(|&word| word == 0);
        }
        for at in free {
            left[at / 64] &= !(1 << (at % 64));
        }
    }
}
