//! # `SoundExchange`: each order is filled once
//!
//! Proved of [`SoundExchange`]: an order is filled once, partial fills add up, a buyer and a seller that fit are
//! matched, and no reader sees both sides waiting. Both sides of a book change in one [`Map::update_pair`]. `cargo
//! run -p examples --bin matching` runs it.
//!
//! **Racy variants.** [`PeekThenFillExchange`]: check-then-act, an order is filled twice. [`TwoSidedExchange`]:
//! missed match, the two sides are looked at and joined in two steps.
//!
//! **Scope.** Explored completely, for two or three threads with one order each, at one price.

use selvedge::Map;
use selvedge_model::Model;

use crate::support::by_parity::{ByParity, by_parity};
use specimens::matching::racy::{PeekThenFillExchange, TwoSidedExchange};
use specimens::matching::{Exchange, Fill, Order, OrderError, Side, SoundExchange, Waiting};

/// The book of most of these models.
const BOOK: u64 = 0;

/// An exchange with `books` books, with `offered` to sell in the first one. The two sides of a book are in
/// different shards.
fn sound(books: u64, offered: u32) -> SoundExchange<ByParity> {
    let exchange = SoundExchange::new(books, by_parity([]));
    if offered > 0 {
        sell(&exchange, offered);
    }
    exchange
}

fn peek_then_fill(offered: u32) -> PeekThenFillExchange<ByParity> {
    PeekThenFillExchange { exchange: sound(1, offered), between: || () }
}

fn two_sided(offered: u32) -> TwoSidedExchange<ByParity> {
    TwoSidedExchange { exchange: sound(1, offered), between: || () }
}

/// Submits an order, and returns the quantity that was filled at once.
fn submit(exchange: &impl Exchange, book: u64, side: Side, quantity: u32) -> u64 {
    let fill = exchange.submit(Order { book, side, quantity });
    fill.expect("an order for something, in a book").filled
}

fn buy(exchange: &impl Exchange, quantity: u32) -> u64 {
    submit(exchange, BOOK, Side::Buy, quantity)
}

fn sell(exchange: &impl Exchange, quantity: u32) -> u64 {
    submit(exchange, BOOK, Side::Sell, quantity)
}

/// Buys 10, and returns the order's number with the quantity that was filled at once.
fn numbered(exchange: &impl Exchange) -> Result<(u64, u64), OrderError> {
    let fill = exchange.submit(Order { book: BOOK, side: Side::Buy, quantity: 10 });
    fill.map(|Fill { order, filled }| (order, filled))
}

/// The quantities that wait in the first book, to buy and to sell.
fn waiting(exchange: &impl Exchange) -> (u64, u64) {
    let Waiting { to_buy, to_sell } = exchange.waiting()[0];
    (to_buy, to_sell)
}

// ---------------------------------------------------------------------------------------------
// Racy variants.
// ---------------------------------------------------------------------------------------------

/// One offer of 10, and two threads that buy 10 each.
#[test]
fn peek_then_fill_fills_an_order_twice() {
    Model::new(|| peek_then_fill(10))
        .thread("alice", |exchange| buy(exchange, 10))
        .thread("bob", |exchange| buy(exchange, 10))
        .finally("waiting", waiting)
        .acceptable("alice=10 bob=0 waiting=(10, 0)", "alice has it, and bob waits")
        .acceptable("alice=0 bob=10 waiting=(10, 0)", "bob has it, and alice waits")
        .interesting("alice=10 bob=10 waiting=(0, 0)", "both saw it: 20 are sold, of 10")
        .check();
}

/// Two partial fills sell more than there is.
#[test]
fn peek_then_fill_oversells_an_order() {
    Model::new(|| peek_then_fill(10))
        .thread("alice", |exchange| buy(exchange, 6))
        .thread("bob", |exchange| buy(exchange, 6))
        .finally("waiting", waiting)
        .acceptable("alice=6 bob=4 waiting=(2, 0)", "alice was first")
        .acceptable("alice=4 bob=6 waiting=(2, 0)", "bob was first")
        .interesting("alice=6 bob=6 waiting=(0, 0)", "both saw 10: 12 are sold")
        .check();
}

/// Both look at the other side before either has joined the book.
#[test]
fn look_then_wait_misses_a_match() {
    Model::new(|| two_sided(0))
        .thread("buyer", |exchange| buy(exchange, 10))
        .thread("seller", |exchange| sell(exchange, 10))
        .finally("waiting", waiting)
        .acceptable("buyer=10 seller=0 waiting=(0, 0)", "the seller was there, and was bought from")
        .acceptable("buyer=0 seller=10 waiting=(0, 0)", "the buyer was there, and was sold to")
        .interesting("buyer=0 seller=0 waiting=(10, 10)", "both found nothing, and both wait")
        .check();
}

/// The remainder of an order leaves one side before it joins the other one.
#[test]
fn remainder_moved_in_two_steps_is_in_neither_book() {
    Model::new(|| two_sided(4))
        .thread("buyer", |exchange| buy(exchange, 10))
        .thread("reader", waiting)
        .finally("waiting", waiting)
        .acceptable("buyer=4 reader=(0, 4) waiting=(6, 0)", "looked before")
        .acceptable("buyer=4 reader=(6, 0) waiting=(6, 0)", "looked after")
        .interesting(
            "buyer=4 reader=(0, 0) waiting=(6, 0)",
            "the 6 that are wanted are in neither book",
        )
        .check();
}

// ---------------------------------------------------------------------------------------------
// Sound.
// ---------------------------------------------------------------------------------------------

#[test]
fn order_is_filled_once() {
    Model::new(|| sound(1, 10))
        .thread("alice", |exchange| buy(exchange, 10))
        .thread("bob", |exchange| buy(exchange, 10))
        .finally("waiting", waiting)
        .acceptable("alice=10 bob=0 waiting=(10, 0)", "alice has it, and bob waits")
        .acceptable("alice=0 bob=10 waiting=(10, 0)", "bob has it, and alice waits")
        .check();
}

/// Three threads buy 16 of 10: 10 are filled, and 6 wait.
#[test]
fn partial_fills_add_up() {
    Model::new(|| sound(1, 10))
        .thread("alice", |exchange| buy(exchange, 6))
        .thread("bob", |exchange| buy(exchange, 3))
        .thread("carol", |exchange| buy(exchange, 7))
        .finally("waiting", waiting)
        .acceptable("alice=6 bob=3 carol=1 waiting=(6, 0)", "carol came last, and has the rest")
        .acceptable("alice=6 bob=0 carol=4 waiting=(6, 0)", "bob came last, and has nothing")
        .acceptable("alice=3 bob=0 carol=7 waiting=(6, 0)", "carol first, then alice")
        .acceptable("alice=0 bob=3 carol=7 waiting=(6, 0)", "alice came last, and has nothing")
        .check();
}

#[test]
fn buyer_and_seller_are_matched() {
    Model::new(|| sound(1, 0))
        .thread("buyer", |exchange| buy(exchange, 10))
        .thread("seller", |exchange| sell(exchange, 10))
        .finally("waiting", waiting)
        .acceptable("buyer=10 seller=0 waiting=(0, 0)", "the seller was there, and was bought from")
        .acceptable("buyer=0 seller=10 waiting=(0, 0)", "the buyer was there, and was sold to")
        .forbidden("buyer=0 seller=0 waiting=(10, 10)", "a missed match")
        .check();
}

/// A reader sees the book before a trade or after it.
#[test]
fn book_shows_no_missed_match() {
    Model::new(|| sound(1, 4))
        .thread("buyer", |exchange| buy(exchange, 10))
        .thread("seller", |exchange| sell(exchange, 3))
        .thread("reader", waiting)
        .finally("waiting", waiting)
        .acceptable("buyer=4 seller=3 reader=(0, 4) waiting=(3, 0)", "buyer first; looked before")
        .acceptable("buyer=4 seller=3 reader=(6, 0) waiting=(3, 0)", "looked between the two")
        .acceptable("buyer=4 seller=3 reader=(3, 0) waiting=(3, 0)", "looked after both")
        .acceptable("buyer=7 seller=0 reader=(0, 4) waiting=(3, 0)", "seller first; looked before")
        .acceptable("buyer=7 seller=0 reader=(0, 7) waiting=(3, 0)", "looked between the two")
        .acceptable("buyer=7 seller=0 reader=(3, 0) waiting=(3, 0)", "looked after both")
        .check();
}

/// The order that is filled first has the smaller number.
#[test]
fn order_numbers_follow_the_fills() {
    Model::new(|| sound(1, 10))
        .thread("alice", numbered)
        .thread("bob", numbered)
        .acceptable("alice=Ok((2, 10)) bob=Ok((3, 0))", "after the offer, which is number 1")
        .acceptable("alice=Ok((3, 0)) bob=Ok((2, 10))", "bob was first")
        .check();
}

/// The racy variant draws the number outside of the step, and it is still unique.
#[test]
fn order_numbers_are_unique() {
    Model::new(|| two_sided(0))
        .thread("alice", numbered)
        .thread("bob", numbered)
        .acceptable("alice=Ok((1, 0)) bob=Ok((2, 0))", "alice was first")
        .acceptable("alice=Ok((2, 0)) bob=Ok((1, 0))", "bob was first")
        .check();
}

/// Two books of one exchange, whose sides share the shards.
#[test]
fn order_is_matched_in_its_own_book() {
    Model::new(|| sound(2, 10))
        .thread("alice", |exchange| submit(exchange, 1, Side::Buy, 10))
        .thread("bob", |exchange| submit(exchange, 0, Side::Buy, 10))
        .finally("to_buy", |exchange| {
            exchange.waiting().iter().map(|book| book.to_buy).collect::<Vec<_>>()
        })
        .acceptable(
            "alice=0 bob=10 to_buy=[0, 10]",
            "what is offered in one is not bought in the other",
        )
        .check();
}

/// The message names the value and what is valid, and the book is unchanged.
#[test]
fn error_says_what_is_accepted() {
    let exchange = SoundExchange::new(1, Map::<u64, u64, ByParity>::default());
    let order = Order { book: 1, side: Side::Buy, quantity: 10 };
    let refusal = exchange.submit(order).expect_err("there is one book");
    assert_eq!(refusal, OrderError::UnknownBook { book: 1 });
    assert_eq!(refusal.to_string(), "unknown book 1: it must be a book of this exchange");
    let refusal = exchange.submit(Order { book: 0, quantity: 0, ..order });
    assert_eq!(refusal, Err(OrderError::NoQuantity));
    assert_eq!(waiting(&exchange), (0, 0), "nothing has changed");
}
