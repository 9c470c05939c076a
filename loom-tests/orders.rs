//! # Can one order be filled twice?
//!
//! **Answer.** Not where finding an order and filling it are one step. Where the best order is looked up
//! first and filled then, it is sold to everybody who looked in time. And where each side of the book has
//! a lock of its own, a buyer and a seller who fit each other can both miss the other.
//!
//! **Why the racy twins fail.** [`PeekThenFillBook`] looks up what is offered under one lock, and takes
//! it off under another: two buyers see the same offer. Each call of its is in order. [`TwoSidedBook`]
//! looks at the other side, finds nothing that fits, and joins its own: a buyer and a seller at the same
//! time both find nothing and both wait, in a book that says that they should trade.
//!
//! **Why the sound one holds.** [`Book`] fills in one call of [`Map::update`]: how much is there, how much is
//! taken and what is left is decided in one step. A new order looks at the other side and joins its own
//! in one call of [`Map::update_pair`], over both sides. What is bought and what is left are what there
//! was, whoever came first.
//!
//! **Bounds and what is not modelled.** No bound: every model here is explored completely, for two or
//! three threads with one order each. There is one price: which of several prices is the best is a
//! matter of arithmetic, not of interleaving. Nor is it modelled who is to come first; it is shown that
//! somebody does.

use selvedge::Map;
use selvedge::model::Model;
use selvedge::sync::{Mutex, MutexGuard, PoisonError};

mod by_parity;

use by_parity::{Busy, ByParity, by_parity};

/// Defect: `buy` looks up the offer in one call, and takes it off the book in another.
struct PeekThenFillBook {
    /// How much is offered.
    offered: Mutex<u64>,
}

impl PeekThenFillBook {
    fn new(offered: u64) -> Self {
        Self { offered: Mutex::new(offered) }
    }

    fn offered(&self) -> u64 {
        *lock(&self.offered)
    }

    /// Buys up to `wanted`, and returns how much was bought.
    fn buy(&self, wanted: u64) -> u64 {
        let fill = wanted.min(self.offered());
        let mut offered = lock(&self.offered);
        // What is not there cannot be taken off; it is sold all the same.
        *offered = offered.saturating_sub(fill);
        fill
    }
}

/// Defect: each side has a lock of its own, and an order that finds no match on the other side joins
/// its own side once it has unlocked the other.
struct TwoSidedBook {
    wanted: Mutex<u64>,
    offered: Mutex<u64>,
}

impl TwoSidedBook {
    fn new() -> Self {
        Self { wanted: Mutex::new(0), offered: Mutex::new(0) }
    }

    /// Buys up to `quantity` at once; the rest waits in the book. Returns how much was bought.
    fn buy(&self, quantity: u64) -> u64 {
        Self::trade(&self.offered, &self.wanted, quantity)
    }

    /// Sells up to `quantity` at once; the rest waits in the book. Returns how much was sold.
    fn sell(&self, quantity: u64) -> u64 {
        Self::trade(&self.wanted, &self.offered, quantity)
    }

    fn trade(other: &Mutex<u64>, own: &Mutex<u64>, quantity: u64) -> u64 {
        let fill = {
            let mut other = lock(other);
            let fill = quantity.min(*other);
            *other -= fill;
            fill
        };
        if fill < quantity {
            *lock(own) += quantity - fill;
        }
        fill
    }

    fn waiting(&self) -> (u64, u64) {
        (*lock(&self.wanted), *lock(&self.offered))
    }
}

fn lock(quantity: &Mutex<u64>) -> MutexGuard<'_, u64> {
    quantity.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The side of those who want to buy.
const WANTED: u64 = 1;

/// The side of those who want to sell. In another shard than [`WANTED`].
const OFFERED: u64 = 2;

/// Both sides of a book are two entries of a map. This is the half to copy; `step` is for the checker,
/// a place where others would come in if they could.
struct Book(Busy<Map<u64, u64, ByParity>>);

impl Book {
    fn new(wanted: u64, offered: u64) -> Self {
        Self(Busy::new(by_parity([(WANTED, wanted), (OFFERED, offered)])))
    }

    /// Buys up to `wanted`, and returns how much was bought. The rest does not wait.
    fn take(&self, wanted: u64) -> u64 {
        let mut fill = 0;
        self.0.map.update(&OFFERED, |offered| {
            self.0.step();
            fill = wanted.min(*offered);
            offered - fill
        });
        fill
    }

    /// Buys up to `quantity` at once; the rest waits in the book. Returns how much was bought.
    fn buy(&self, quantity: u64) -> u64 {
        self.trade(OFFERED, WANTED, quantity)
    }

    /// Sells up to `quantity` at once; the rest waits in the book. Returns how much was sold.
    fn sell(&self, quantity: u64) -> u64 {
        self.trade(WANTED, OFFERED, quantity)
    }

    fn trade(&self, other: u64, own: u64, quantity: u64) -> u64 {
        let mut fill = 0;
        let traded = self.0.map.update_pair(&other, &own, |other, own| {
            self.0.step();
            fill = quantity.min(*other);
            (other - fill, own + (quantity - fill))
        });
        traded.expect("two sides, outside the map");
        fill
    }

    /// How much is wanted, and how much is offered, at one moment.
    fn waiting(&self) -> (u64, u64) {
        let sides = self.0.map.snapshot();
        let of = |side| sides.iter().filter(|(name, _)| *name == side).map(|(_, n)| n).sum();
        (of(WANTED), of(OFFERED))
    }
}

// ---------------------------------------------------------------------------------------------
// Racy: what goes wrong.
// ---------------------------------------------------------------------------------------------

/// One offer of 10, and two who each buy 10.
#[test]
fn an_offer_that_is_looked_up_first_is_filled_twice() {
    Model::new(|| PeekThenFillBook::new(10))
        .thread("alice", |book| book.buy(10))
        .thread("bob", |book| book.buy(10))
        .finally("offered", PeekThenFillBook::offered)
        .acceptable("alice=10 bob=0 offered=0", "alice has it")
        .acceptable("alice=0 bob=10 offered=0", "bob has it")
        .interesting("alice=10 bob=10 offered=0", "both saw it: 20 are sold, of 10")
        .check();
}

/// Nor is it enough to be small: bought and left must be what there was.
#[test]
fn parts_of_an_offer_that_is_looked_up_first_are_more_than_the_whole() {
    Model::new(|| PeekThenFillBook::new(10))
        .thread("alice", |book| book.buy(6))
        .thread("bob", |book| book.buy(6))
        .finally("offered", PeekThenFillBook::offered)
        .acceptable("alice=6 bob=4 offered=0", "alice was first")
        .acceptable("alice=4 bob=6 offered=0", "bob was first")
        .interesting("alice=6 bob=6 offered=0", "both saw 10: 12 are sold")
        .check();
}

/// She wants 10, he offers 10, and they do not meet; nor will they, until somebody else comes.
#[test]
fn a_buyer_and_a_seller_under_two_locks_miss_each_other() {
    Model::new(TwoSidedBook::new)
        .thread("buyer", |book| book.buy(10))
        .thread("seller", |book| book.sell(10))
        .finally("waiting", TwoSidedBook::waiting)
        .acceptable("buyer=10 seller=0 waiting=(0, 0)", "the seller was there, and was bought from")
        .acceptable("buyer=0 seller=10 waiting=(0, 0)", "the buyer was there, and was sold to")
        .interesting("buyer=0 seller=0 waiting=(10, 10)", "both found nobody, and both wait")
        .check();
}

// ---------------------------------------------------------------------------------------------
// Sound: the same questions, and no surprising outcome is left.
// ---------------------------------------------------------------------------------------------

#[test]
fn an_offer_is_filled_once() {
    Model::new(|| Book::new(0, 10))
        .thread("alice", |book| book.take(10))
        .thread("bob", |book| book.take(10))
        .finally("waiting", Book::waiting)
        .acceptable("alice=10 bob=0 waiting=(0, 0)", "alice has it")
        .acceptable("alice=0 bob=10 waiting=(0, 0)", "bob has it")
        .check();
}

/// Three who want 16 of 10: what they get, and what is left, is 10.
#[test]
fn what_is_bought_and_what_is_left_is_what_there_was() {
    Model::new(|| Book::new(0, 10))
        .thread("alice", |book| book.take(6))
        .thread("bob", |book| book.take(3))
        .thread("carol", |book| book.take(7))
        .finally("left", |book| book.waiting().1)
        .acceptable("alice=6 bob=3 carol=1 left=0", "carol came last, and has the rest")
        .acceptable("alice=6 bob=0 carol=4 left=0", "bob came last, and has nothing")
        .acceptable("alice=3 bob=0 carol=7 left=0", "carol first, then alice")
        .acceptable("alice=0 bob=3 carol=7 left=0", "alice came last, and has nothing")
        .check();
}

#[test]
fn a_buyer_and_a_seller_do_not_miss_each_other() {
    Model::new(|| Book::new(0, 0))
        .thread("buyer", |book| book.buy(10))
        .thread("seller", |book| book.sell(10))
        .finally("waiting", Book::waiting)
        .acceptable("buyer=10 seller=0 waiting=(0, 0)", "the seller was there, and was bought from")
        .acceptable("buyer=0 seller=10 waiting=(0, 0)", "the buyer was there, and was sold to")
        .forbidden("buyer=0 seller=0 waiting=(10, 10)", "nobody waits for who is there")
        .check();
}

/// At no moment does the book show both sides waiting: whoever looks sees it before a trade or after.
#[test]
fn a_book_never_shows_two_who_should_have_traded() {
    Model::new(|| Book::new(0, 4))
        .thread("buyer", |book| book.buy(10))
        .thread("seller", |book| book.sell(3))
        .thread("reader", Book::waiting)
        .finally("waiting", Book::waiting)
        .acceptable("buyer=4 seller=3 reader=(0, 4) waiting=(3, 0)", "buyer first; looked before")
        .acceptable("buyer=4 seller=3 reader=(6, 0) waiting=(3, 0)", "looked between the two")
        .acceptable("buyer=4 seller=3 reader=(3, 0) waiting=(3, 0)", "looked after both")
        .acceptable("buyer=7 seller=0 reader=(0, 4) waiting=(3, 0)", "seller first; looked before")
        .acceptable("buyer=7 seller=0 reader=(0, 7) waiting=(3, 0)", "looked between the two")
        .acceptable("buyer=7 seller=0 reader=(3, 0) waiting=(3, 0)", "looked after both")
        .check();
}
