//! An exchange: traders buy and sell in few books, on all cores, and look at all books after each order.
//! Every order is filled once or waits, and no buyer and seller miss each other.
//!
//! `loom-tests/suites/matching.rs` proves it, and shows how the racy variants fail. Here the variants yield between
//! their two steps now and then, so that every run fails.
//!
//! ```text
//! cargo run -p examples --bin matching
//! cargo run -p examples --bin matching -- --racy               # looked up first, filled then; fails
//! cargo run -p examples --bin matching -- --racy=two-sided     # or each side a step of its own; fails
//! ```

use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, ValueEnum};
use indicatif::HumanCount;
use selvedge::{Counter, CounterHandle, Map};

use examples::cores::all_cores;
use examples::workers::Workers;
use examples::yielding::yield_now_and_then;
use specimens::matching::racy::{PeekThenFillExchange, TwoSidedExchange};
use specimens::matching::{Exchange, Fill, Order, Side, SoundExchange, Waiting};

/// The most that is ordered at once.
const MOST: u32 = 10;

/// Matches random orders on all cores, and checks that nothing is filled twice or missed.
#[derive(Parser)]
struct Args {
    /// Run a racy variant: peek-then-fill if none is named
    #[arg(long, value_name = "VARIANT", num_args = 0..=1, require_equals = true)]
    #[arg(value_enum, default_missing_value = "peek-then-fill")]
    racy: Option<Variant>,
    /// Traders, each a thread
    #[arg(long, default_value_t = all_cores(), value_parser = clap::value_parser!(u32).range(2..=64))]
    traders: u32,
    /// Books
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    books: u64,
    /// Pairs of orders of each trader: one to buy and one to sell, or the other way round
    #[arg(long, default_value_t = 25_000)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pairs: u64,
    /// What the random orders are made from
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// The ways to get it wrong.
#[derive(Clone, Copy, ValueEnum)]
enum Variant {
    /// Looks up what waits in one step, and fills it in another
    PeekThenFill,
    /// Matches with the other side in one step, and joins its own in another
    TwoSided,
}

impl Args {
    fn exchange(&self) -> Arc<dyn Exchange> {
        let between = yield_now_and_then;
        let exchange = SoundExchange::new(self.books, Map::new());
        match self.racy {
            None => Arc::new(exchange),
            Some(Variant::PeekThenFill) => Arc::new(PeekThenFillExchange { exchange, between }),
            Some(Variant::TwoSided) => Arc::new(TwoSidedExchange { exchange, between }),
        }
    }
}

/// What traders note.
#[derive(Default)]
struct Day {
    to_buy: Counter,
    to_sell: Counter,
    /// What was matched: bought by one, and sold by another.
    matched: Counter,
    /// Books in which a buyer and a seller both waited, each time that somebody looked.
    missed: Counter,
}

fn main() -> ExitCode {
    let args = Arc::new(Args::parse());
    let (exchange, day) = (args.exchange(), Arc::new(Day::default()));
    let traders = args.traders;
    let asked = u64::from(traders) * args.pairs * 2;
    println!("{traders} traders, {} books, {} orders", args.books, HumanCount(asked));

    let mut workers = Workers::of(traders);
    for trader in 0..traders {
        let (args, exchange, day) = (Arc::clone(&args), Arc::clone(&exchange), Arc::clone(&day));
        workers.work(move |done| work(&args, trader, exchange.as_ref(), &day, done));
    }
    if let Err(timeout) = workers.watch(asked) {
        println!("{timeout}");
        return examples::program::close("every order is accepted", false);
    }

    let waiting = exchange.waiting();
    let matched = day.matched.get();
    let sides = [
        ("to buy: ", day.to_buy.get(), waiting.iter().map(|book| book.to_buy).sum::<u64>()),
        ("to sell:", day.to_sell.get(), waiting.iter().map(|book| book.to_sell).sum()),
    ];
    let mut conserved = true;
    for (side, ordered, waits) in sides {
        let [ordered_text, matched_text, waits_text] =
            [ordered, matched, waits].map(|n| HumanCount(n).to_string());
        println!("{side} {ordered_text} ordered = {matched_text} matched + {waits_text} waiting");
        conserved &= ordered == matched + waits;
    }
    let missed = day.missed.get();
    println!("missed:  {} times a buyer and a seller both waited in one book", HumanCount(missed));
    examples::program::close(
        "every order is filled once or waits, and no buyer and seller miss each other",
        conserved && missed == 0,
    )
}

/// A trader's day: orders that look random, and are the same for the same seed. Each is followed by its
/// opposite, as of somebody who wants to own nothing in the evening. So both sides of a book are often
/// empty, which is where orders miss each other.
fn work(args: &Args, trader: u32, exchange: &dyn Exchange, day: &Day, done: &mut CounterHandle) {
    let mut random = fastrand::Rng::with_seed(args.seed.wrapping_add(trader.into()));
    let (mut to_buy, mut to_sell) = (day.to_buy.handle(), day.to_sell.handle());
    let (mut matched, mut missed) = (day.matched.handle(), day.missed.handle());
    let mut last = 0;
    for _ in 0..args.pairs {
        let (book, quantity) = (random.u64(..args.books), random.u32(1..=MOST));
        let mut sides = [Side::Buy, Side::Sell];
        random.shuffle(&mut sides);
        for side in sides {
            let Fill { order, filled } = exchange
                .submit(Order { book, side, quantity })
                .unwrap_or_else(|why| panic!("an order for something, in a book: {why}"));
            assert!(order > last, "orders are numbered as they come: {order} after {last}");
            last = order;
            let ordered = if side == Side::Buy { &mut to_buy } else { &mut to_sell };
            ordered.add(quantity.into());
            matched.add(filled);
            let crossed = |book: &Waiting| book.to_buy > 0 && book.to_sell > 0;
            missed.add(exchange.waiting().into_iter().filter(crossed).count() as u64);
            done.increment();
            // Time for others to find the order.
            yield_now_and_then();
        }
    }
}
