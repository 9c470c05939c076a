//! # Can one order be filled twice?
//!
//! **Answer.** Not where finding an order and filling it are one step. Where the best order is looked up
//! first and filled then, it is sold to everybody who looked in time. And where each side of the book is
//! a book of its own, a buyer and a seller who fit each other can both miss the other.
//!
//! **Why the racy twins fail.** [`PeekThenFillExchange`] looks up what waits in one step, and takes it off
//! the book in another: two buyers see the same offer. Each step of its is in order. [`TwoSidedExchange`]
//! looks at the other side, finds nothing that fits, and joins its own: a buyer and a seller at the same
//! time both find nothing and both wait, in a book that says that they should trade.
//!
//! **Why the sound one holds.** [`SoundExchange`] has both sides of a book in one call of
//! [`Map::update_pair`]: how much is there, how much is taken, what is left of either side and the number
//! of the order are decided in one step. What is matched and what waits are what was ordered, whoever
//! came first.
//!
//! All three are in `specimens/src/matching.rs`, and `examples/src/bin/matching.rs` runs them on all cores.
//!
//! **Bounds and what is not modelled.** No bound: every model here is explored completely, for two or
//! three threads with one order each. There is one price: which of several prices is the best is a
//! matter of arithmetic, not of interleaving. Nor is it modelled who is to come first; it is shown that
//! somebody does.

use selvedge::Map;
use selvedge_model::Model;

use crate::support::by_parity::{ByParity, by_parity};
use specimens::matching::racy::{PeekThenFillExchange, TwoSidedExchange};
use specimens::matching::{Exchange, Fill, Order, OrderError, Side, SoundExchange, Waiting};

/// The book that most of these models trade in.
const BOOK: u64 = 0;

/// An exchange with so many books, in the first of which so much is offered already. The two sides of a
/// book are in different shards.
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

/// Orders, and returns how much of it was matched at once.
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

/// Buys 10, and returns the order's number with how much of it was matched at once.
fn numbered(exchange: &impl Exchange) -> Result<(u64, u64), OrderError> {
    let fill = exchange.submit(Order { book: BOOK, side: Side::Buy, quantity: 10 });
    fill.map(|Fill { order, filled }| (order, filled))
}

/// What waits to be bought, and to be sold, in the first book.
fn waiting(exchange: &impl Exchange) -> (u64, u64) {
    let Waiting { to_buy, to_sell } = exchange.waiting()[0];
    (to_buy, to_sell)
}

// ---------------------------------------------------------------------------------------------
// Racy: what goes wrong.
// ---------------------------------------------------------------------------------------------

/// One offer of 10, and two who each buy 10.
#[test]
fn an_offer_that_is_looked_up_first_is_filled_twice() {
    Model::new(|| peek_then_fill(10))
        .thread("alice", |exchange| buy(exchange, 10))
        .thread("bob", |exchange| buy(exchange, 10))
        .finally("waiting", waiting)
        .acceptable("alice=10 bob=0 waiting=(10, 0)", "alice has it, and bob waits")
        .acceptable("alice=0 bob=10 waiting=(10, 0)", "bob has it, and alice waits")
        .interesting("alice=10 bob=10 waiting=(0, 0)", "both saw it: 20 are sold, of 10")
        .check();
}

/// Nor is it enough to be small: bought and left must be what there was.
#[test]
fn parts_of_an_offer_that_is_looked_up_first_are_more_than_the_whole() {
    Model::new(|| peek_then_fill(10))
        .thread("alice", |exchange| buy(exchange, 6))
        .thread("bob", |exchange| buy(exchange, 6))
        .finally("waiting", waiting)
        .acceptable("alice=6 bob=4 waiting=(2, 0)", "alice was first")
        .acceptable("alice=4 bob=6 waiting=(2, 0)", "bob was first")
        .interesting("alice=6 bob=6 waiting=(0, 0)", "both saw 10: 12 are sold")
        .check();
}

/// She wants 10, he offers 10, and they do not meet; nor will they, until somebody else comes.
#[test]
fn a_buyer_and_a_seller_in_two_steps_miss_each_other() {
    Model::new(|| two_sided(0))
        .thread("buyer", |exchange| buy(exchange, 10))
        .thread("seller", |exchange| sell(exchange, 10))
        .finally("waiting", waiting)
        .acceptable("buyer=10 seller=0 waiting=(0, 0)", "the seller was there, and was bought from")
        .acceptable("buyer=0 seller=10 waiting=(0, 0)", "the buyer was there, and was sold to")
        .interesting("buyer=0 seller=0 waiting=(10, 10)", "both found nobody, and both wait")
        .check();
}

/// Nothing is filled twice there, and in the end nothing is lost. In between it is: what is left of an
/// order has left the one book, and is not in the other yet.
#[test]
fn what_is_left_of_an_order_in_two_steps_is_for_a_while_in_neither_book() {
    Model::new(|| two_sided(4))
        .thread("buyer", |exchange| buy(exchange, 10))
        .thread("reader", waiting)
        .finally("waiting", waiting)
        .acceptable("buyer=4 reader=(0, 4) waiting=(6, 0)", "looked before")
        .acceptable("buyer=4 reader=(6, 0) waiting=(6, 0)", "looked after")
        .interesting("buyer=4 reader=(0, 0) waiting=(6, 0)", "nobody sees the 6 that are wanted")
        .check();
}

// ---------------------------------------------------------------------------------------------
// Sound: the same questions, and no surprising outcome is left.
// ---------------------------------------------------------------------------------------------

#[test]
fn an_offer_is_filled_once() {
    Model::new(|| sound(1, 10))
        .thread("alice", |exchange| buy(exchange, 10))
        .thread("bob", |exchange| buy(exchange, 10))
        .finally("waiting", waiting)
        .acceptable("alice=10 bob=0 waiting=(10, 0)", "alice has it, and bob waits")
        .acceptable("alice=0 bob=10 waiting=(10, 0)", "bob has it, and alice waits")
        .check();
}

/// Three who want 16 of 10: what they get is 10, and what waits is the rest.
#[test]
fn what_is_bought_and_what_is_left_is_what_there_was() {
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
fn a_buyer_and_a_seller_do_not_miss_each_other() {
    Model::new(|| sound(1, 0))
        .thread("buyer", |exchange| buy(exchange, 10))
        .thread("seller", |exchange| sell(exchange, 10))
        .finally("waiting", waiting)
        .acceptable("buyer=10 seller=0 waiting=(0, 0)", "the seller was there, and was bought from")
        .acceptable("buyer=0 seller=10 waiting=(0, 0)", "the buyer was there, and was sold to")
        .forbidden("buyer=0 seller=0 waiting=(10, 10)", "nobody waits for who is there")
        .check();
}

/// At no moment does the book show both sides waiting: whoever looks sees it before a trade or after.
#[test]
fn a_book_never_shows_two_who_should_have_traded() {
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

/// The number of an order belongs to the step that fills it: who has the offer has the smaller one.
#[test]
fn orders_are_numbered_as_they_are_filled() {
    Model::new(|| sound(1, 10))
        .thread("alice", numbered)
        .thread("bob", numbered)
        .acceptable("alice=Ok((2, 10)) bob=Ok((3, 0))", "after the offer, which is number 1")
        .acceptable("alice=Ok((3, 0)) bob=Ok((2, 10))", "bob was first")
        .check();
}

/// Also where the number is drawn outside of that step, as the twins do, nobody else has it.
#[test]
fn no_two_orders_have_one_number() {
    Model::new(|| two_sided(0))
        .thread("alice", numbered)
        .thread("bob", numbered)
        .acceptable("alice=Ok((1, 0)) bob=Ok((2, 0))", "alice was first")
        .acceptable("alice=Ok((2, 0)) bob=Ok((1, 0))", "bob was first")
        .check();
}

/// Books of one exchange have nothing to do with each other, though their sides share the shards.
#[test]
fn an_order_is_matched_in_its_own_book() {
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

/// What cannot be done is told, and changes nothing.
#[test]
fn a_refused_order_says_what_would_be_accepted() {
    let exchange = SoundExchange::new(1, Map::<u64, u64, ByParity>::default());
    let order = Order { book: 1, side: Side::Buy, quantity: 10 };
    let refusal = exchange.submit(order).expect_err("there is one book");
    assert_eq!(refusal, OrderError::UnknownBook { book: 1 });
    assert_eq!(refusal.to_string(), "unknown book 1: it must be a book of this exchange");
    let refusal = exchange.submit(Order { book: 0, quantity: 0, ..order });
    assert_eq!(refusal, Err(OrderError::NoQuantity));
    assert_eq!(waiting(&exchange), (0, 0), "nothing has changed");
}
