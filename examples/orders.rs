//! An exchange: traders buy and sell in several books at once. Every order is filled, waits, or both
//! in part; nothing is filled twice, and no buyer and seller miss each other.
//!
//! Why this holds, and what goes wrong otherwise: `loom-tests/orders.rs`.
//!
//! ```text
//! cargo run --example orders
//! ```

use std::process::ExitCode;
use std::thread;

use selvedge::{Counter, Map};

const BOOKS: u64 = 3;
const TRADERS: u64 = 4;
const ORDERS: u64 = 20_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Side {
    Wanted,
    Offered,
}

/// The quantities that wait, by book and side, and what has been done.
#[derive(Default)]
struct Exchange {
    waiting: Map<(u64, Side), u64>,
    bought: Counter,
    sold: Counter,
    to_buy: Counter,
    to_sell: Counter,
}

impl Exchange {
    fn open() -> Self {
        let exchange = Self::default();
        for book in 0..BOOKS {
            exchange.waiting.insert((book, Side::Wanted), 0);
            exchange.waiting.insert((book, Side::Offered), 0);
        }
        exchange
    }

    fn buy(&self, book: u64, quantity: u64) {
        self.to_buy.add(quantity);
        self.trade((book, Side::Offered), (book, Side::Wanted), quantity);
    }

    fn sell(&self, book: u64, quantity: u64) {
        self.to_sell.add(quantity);
        self.trade((book, Side::Wanted), (book, Side::Offered), quantity);
    }

    /// Fills what the other side has, and lets the rest wait on its own side: one step over both.
    fn trade(&self, other: (u64, Side), own: (u64, Side), quantity: u64) {
        let mut fill = 0;
        let sides = self.waiting.update_pair(&other, &own, |other, own| {
            fill = quantity.min(*other);
            (other - fill, own + (quantity - fill))
        });
        sides.expect("two sides, outside the map").expect("the book is open");
        // Whoever fills, both are filled.
        self.bought.add(fill);
        self.sold.add(fill);
    }

    /// How much waits on a side, over all books.
    fn left(&self, side: Side) -> u64 {
        let waiting = self.waiting.snapshot();
        waiting.iter().filter(|((_, of), _)| *of == side).map(|(_, quantity)| quantity).sum()
    }

    /// Whether a buyer and a seller wait in one book, who should have traded.
    fn is_crossed(&self) -> bool {
        let waiting = self.waiting.snapshot();
        let waits = |book, side| waiting.iter().any(|(key, n)| *key == (book, side) && *n > 0);
        (0..BOOKS).any(|book| waits(book, Side::Wanted) && waits(book, Side::Offered))
    }
}

fn main() -> ExitCode {
    let exchange = Exchange::open();
    let (looks, crossed) = thread::scope(|scope| {
        let traders: Vec<_> = (1..=TRADERS)
            .map(|trader| {
                scope.spawn({
                    let exchange = &exchange;
                    move || work(exchange, trader)
                })
            })
            .collect();
        let (mut looks, mut crossed) = (0, 0);
        while !traders.iter().all(thread::ScopedJoinHandle::is_finished) {
            crossed += u64::from(exchange.is_crossed());
            looks += 1;
        }
        (looks, crossed)
    });

    let (bought, sold) = (exchange.bought.get(), exchange.sold.get());
    let (wanted, offered) = (exchange.left(Side::Wanted), exchange.left(Side::Offered));
    let (to_buy, to_sell) = (exchange.to_buy.get(), exchange.to_sell.get());
    println!("to buy:  {to_buy} = {bought} bought + {wanted} waiting");
    println!("to sell: {to_sell} = {sold} sold + {offered} waiting");
    println!("looked at all books {looks} times meanwhile; crossed: {crossed}");
    let adds_up = to_buy == bought + wanted && to_sell == sold + offered && bought == sold;
    if adds_up && crossed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A trader's day: orders that look random and are the same each time.
fn work(exchange: &Exchange, trader: u64) {
    let mut state = trader;
    for _ in 0..ORDERS {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (book, quantity) = ((state >> 33) % BOOKS, 1 + (state >> 40) % 10);
        if (state >> 60) % 2 == 0 {
            exchange.buy(book, quantity);
        } else {
            exchange.sell(book, quantity);
        }
    }
}
