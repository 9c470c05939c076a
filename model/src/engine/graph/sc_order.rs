//! The SC axiom of C++20: `SeqCst` accesses and fences are in one order that respects what strongly happens
//! before what, and the coherence order of each location (\[atomics.order\]; P0668 by Boehm, Giroux and
//! Vafeiadis, after Lahav et al.: *Repairing Sequential Consistency in C/C++11*, PLDI 2017). There is such an
//! order if what it has to respect has no cycle.
//!
//! - *Strongly happens before*: `po ∪ po ; hb ; po`. (A release that synchronises with an acquire, both `SeqCst`,
//!   adds nothing: the first is coherence-ordered before the second, or fences around them are ordered by that.)
//! - *Coherence-ordered before*: `eco = (rf ∪ mo ∪ rb)⁺`. An access counts for itself if it is `SeqCst`, and for
//!   the `SeqCst` fences that happen before or after it.
//!
//! RC11, as of 2017, allows more: `eco` does not lead through accesses that are not `SeqCst`, and a store that its
//! thread overwrites at once does not begin a `po ; hb ; po`.
//!
//! A relation is a matrix of bits. Row `b` is the set of all `a` that the relation takes to `b`.
//!
//! Acts, spawns and joins are events without a location. Plain accesses do not count: they synchronise nothing.

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

fn clear(row: &mut Row, bit: usize) {
    row[bit / 64] &= !(1 << (bit % 64));
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
pub(super) struct ScOrder {
    po: Matrix,
    hb: Matrix,
    /// `po ; hb`
    po_hb: Matrix,
    eco: Matrix,
    result: Matrix,
}

fn counts(event: &Event) -> bool {
    !event.todo && !matches!(event.kind, Kind::Choose | Kind::TimeOut)
}

impl ScOrder {
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
        self.coherence_order(graph);
        self.result.reset(events);
        let mut ends = vec![0; width];
        let mut starts = vec![0; width];
        for b in bits(&sc) {
            let row = self.result.row_mut(b);
            join(row, self.po.row(b));
            self.po_hb.union(self.po.row(b), row);
            // ([E_sc] ∪ [F_sc] ; hb) ; eco ; ([E_sc] ∪ hb ; [F_sc]), from right to left.
            starts.fill(0);
            if has(&fences, b) {
                self.eco.union(self.hb.row(b), &mut starts);
            } else {
                join(&mut starts, self.eco.row(b));
            }
            join(row, &starts);
            ends.fill(0);
            self.hb.union(&starts, &mut ends);
            row.iter_mut().zip(ends.iter().zip(&fences)).for_each(|(to, (a, f))| *to |= a & f);
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
        self.po_hb.reset(events);
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
            self.po.union(self.hb.row(b), self.po_hb.row_mut(b));
        }
    }

    /// `eco`, location by location.
    fn coherence_order(&mut self, graph: &Graph) {
        let events = graph.events.len();
        self.eco.reset(events);
        let mut before = vec![0; events.div_ceil(64)];
        for location in &graph.locations {
            if location.order.first().is_some_and(|&id| graph.at(id).kind == Kind::Act) {
                continue;
            }
            // All writes so far and their readers: what is before the next write.
            before.fill(0);
            for at in 0..=location.order.len() {
                if let Some(&write) = at.checked_sub(1).map(|at| &location.order[at]) {
                    let write = write as usize;
                    if !counts(&graph.events[write]) {
                        continue;
                    }
                    // An update is among those that read the write before.
                    clear(&mut before, write);
                    join(self.eco.row_mut(write), &before);
                    set(&mut before, write);
                }
                let reads = location.reads.iter().map(|&id| id as usize).filter(|&id| {
                    counts(&graph.events[id]) && graph.after(graph.events[id].rf) == at
                });
                for read in reads.clone() {
                    join(self.eco.row_mut(read), &before);
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
            clear(&mut left, at);
        }
    }
}
