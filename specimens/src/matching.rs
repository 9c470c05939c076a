//! An exchange: orders to buy and to sell, matched at once or kept waiting.
//!
//! Its two racy variants are in `matching/racy.rs`. Each calls `between` between its two steps, and fails with any
//! `between`. A program that yields there fails more often.
//!
//! Proved in `loom-tests/suites/matching.rs`, run by `examples/src/bin/matching.rs`.

use std::hash::BuildHasher;

use selvedge::Map;
use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};
use thiserror::Error;

pub mod racy;

/// Why an order was not accepted. Nothing has changed then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum OrderError {
    /// The exchange has no such book.
    #[error("unknown book {book}: it must be a book of this exchange")]
    UnknownBook {
        /// The number that was given.
        book: u64,
    },
    /// An order for nothing.
    #[error("the quantity of an order must be at least 1, got 0")]
    NoQuantity,
}

/// Which side of a book.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Buy,
    Sell,
}

/// An order for `quantity` at the one price of a book.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    pub book: u64,
    pub side: Side,
    /// Four billion of the largest fit what waits.
    pub quantity: u32,
}

impl Order {
    /// The keys of the side that it is matched with, and of the side on which it waits.
    fn sides(self) -> Result<[u64; 2], OrderError> {
        if self.quantity == 0 {
            return Err(OrderError::NoQuantity);
        }
        let [to_buy, to_sell] = keys(self.book);
        Ok(if self.side == Side::Buy { [to_sell, to_buy] } else { [to_buy, to_sell] })
    }

    fn unknown(self) -> OrderError {
        OrderError::UnknownBook { book: self.book }
    }

    /// How much of it fits what waits on the other side, and how much does not.
    fn split(self, other: u64) -> (u64, u64) {
        let quantity = u64::from(self.quantity);
        let filled = quantity.min(other);
        (filled, quantity - filled)
    }
}

/// The keys of both sides of a book: to buy and to sell.
fn keys(book: u64) -> [u64; 2] {
    [2 * book, 2 * book + 1]
}

/// What became of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fill {
    /// The order's number, from 1. It is given in the step that fills the order: of two orders of one
    /// book, the first has the smaller number.
    pub order: u64,
    /// How much was matched at once. The rest waits.
    pub filled: u64,
}

/// What waits in a book.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Waiting {
    pub to_buy: u64,
    pub to_sell: u64,
}

/// What an exchange does, sound or racy.
pub trait Exchange: Send + Sync {
    /// Matches an order with what waits on the other side; what is left of it waits on its own.
    fn submit(&self, order: Order) -> Result<Fill, OrderError>;

    /// What waits in each book.
    fn waiting(&self) -> Vec<Waiting>;
}

/// Finds and fills in one step, over both sides of a book: what is matched and what waits is what was
/// ordered, and at no moment do a buyer and a seller wait in one book.
pub struct SoundExchange<S> {
    /// Two entries a book, one for each side.
    waiting: Map<u64, u64, S>,
    /// The number of the last order. Relaxed: a number is drawn in one read-modify-write and publishes
    /// nothing. Orders of one book are ordered by its locks.
    last: AtomicU64,
}

impl<S: BuildHasher> SoundExchange<S> {
    /// An exchange with books from 0, kept in an empty map.
    pub fn new(books: u64, waiting: Map<u64, u64, S>) -> Self {
        for side in (0..books).flat_map(keys) {
            waiting.insert(side, 0);
        }
        Self { waiting, last: AtomicU64::new(0) }
    }

    fn fill(&self, filled: u64) -> Fill {
        Fill { order: self.last.fetch_add(1, Relaxed) + 1, filled }
    }
}

impl<S: BuildHasher + Send + Sync> Exchange for SoundExchange<S> {
    fn submit(&self, order: Order) -> Result<Fill, OrderError> {
        let [other, own] = order.sides()?;
        let mut outcome = Err(order.unknown());
        let matched = self.waiting.update_pair(&other, &own, |other, own| {
            let (filled, rest) = order.split(*other);
            outcome = Ok(self.fill(filled));
            (other - filled, own + rest)
        });
        matched.expect("two sides, and no call from inside a call");
        outcome
    }

    fn waiting(&self) -> Vec<Waiting> {
        let mut sides = self.waiting.snapshot();
        sides.sort_unstable();
        let books = sides.chunks_exact(2);
        books.map(|book| Waiting { to_buy: book[0].1, to_sell: book[1].1 }).collect()
    }
}
