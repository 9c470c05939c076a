//! Banks, exchanges and payment desks.

use confidence::measured::Kind::{self, Deadlock, Order, Sound};
use specimens::bank::racy::{CheckThenActBank, PayerFirstBank, TwoStepBank};
use specimens::bank::{Bank, SoundBank};
use specimens::matching::racy::{PeekThenFillExchange, TwoSidedExchange};
use specimens::matching::{Exchange, Side, SoundExchange};
use specimens::payments::racy::{ChargeThenNoteDesk, KeepWhatWasTakenDesk, NoteThenChargeDesk};
use specimens::payments::{Desk, SoundDesk};

use crate::by_parity::{ByParity, by_parity};
use crate::specimen::Specimen;

pub(super) fn all() -> Vec<Specimen> {
    banks().into_iter().chain(exchanges()).chain(desks()).collect()
}

/// Two withdrawals, of which the balance covers one.
fn overdraw<B: Bank + 'static>(name: &'static str, kind: Kind, init: fn() -> B) -> Specimen {
    Specimen::new(
        name,
        kind,
        init,
        [|bank: &B| bank.withdraw(1, 80).is_ok(); 2],
        |bank, [alice, bob]| alice != bob && bank.audit()[0] == 20,
    )
}

/// A transfer, and an auditor who looks at all accounts meanwhile.
fn audit<B: Bank + 'static>(name: &'static str, kind: Kind, init: fn() -> B) -> Specimen {
    Specimen::new(
        name,
        kind,
        init,
        [|bank: &B| bank.transfer(1, 2, 4).map_or(0, |_| 10), |bank: &B| bank.audit().iter().sum()],
        |_, [_, total]| *total == 10,
    )
}

/// A transfer, and one the other way.
fn cross<B: Bank + 'static>(name: &'static str, kind: Kind, init: fn() -> B) -> Specimen {
    Specimen::new(
        name,
        kind,
        init,
        [|bank: &B| bank.transfer(1, 2, 4).is_ok(), |bank: &B| bank.transfer(2, 1, 4).is_ok()],
        |_, [alice, bob]| *alice && *bob,
    )
}

fn bank(balances: [(u64, i64); 2]) -> SoundBank<ByParity> {
    SoundBank::new(by_parity(balances))
}

fn banks() -> [Specimen; 6] {
    [
        overdraw("CheckThenActBank", Order, || CheckThenActBank {
            bank: bank([(1, 100), (2, 0)]),
            between: || (),
        })
        .beside("SoundBank, withdraw"),
        overdraw("SoundBank, withdraw", Sound, || bank([(1, 100), (2, 0)])),
        audit("TwoStepBank", Order, || TwoStepBank {
            bank: bank([(1, 10), (2, 0)]),
            between: || (),
        })
        .beside("SoundBank, audit"),
        audit("SoundBank, audit", Sound, || bank([(1, 10), (2, 0)])),
        cross("PayerFirstBank", Deadlock, || PayerFirstBank::new([(1, 10), (2, 10)], || ()))
            .beside("SoundBank, both ways"),
        cross("SoundBank, both ways", Sound, || bank([(1, 10), (2, 10)])),
    ]
}

/// Orders one of the only book, and returns how much of it was matched at once.
fn trade(exchange: &impl Exchange, side: Side) -> u64 {
    let fill = exchange.submit(specimens::matching::Order { book: 0, side, quantity: 1 });
    fill.expect("an order for something, in a book").filled
}

/// An exchange where one is offered already, or none.
fn exchange(offered: bool) -> SoundExchange<ByParity> {
    let exchange = SoundExchange::new(1, by_parity([]));
    if offered {
        trade(&exchange, Side::Sell);
    }
    exchange
}

/// Two buyers, and one offer.
fn buy<E: Exchange + 'static>(name: &'static str, kind: Kind, init: fn() -> E) -> Specimen {
    Specimen::new(name, kind, init, [|exchange: &E| trade(exchange, Side::Buy); 2], |_, filled| {
        filled.iter().sum::<u64>() == 1
    })
}

/// A buyer and a seller: whoever comes second finds the first.
fn meet<E: Exchange + 'static>(name: &'static str, kind: Kind, init: fn() -> E) -> Specimen {
    Specimen::new(
        name,
        kind,
        init,
        [|exchange: &E| trade(exchange, Side::Buy), |exchange: &E| trade(exchange, Side::Sell)],
        |_, filled| filled.iter().sum::<u64>() == 1,
    )
}

fn exchanges() -> [Specimen; 4] {
    [
        buy("PeekThenFillExchange", Order, || PeekThenFillExchange {
            exchange: exchange(true),
            between: || (),
        })
        .beside("SoundExchange, two buyers"),
        buy("SoundExchange, two buyers", Sound, || exchange(true)),
        meet("TwoSidedExchange", Order, || TwoSidedExchange {
            exchange: exchange(false),
            between: || (),
        })
        .beside("SoundExchange, buyer and seller"),
        meet("SoundExchange, buyer and seller", Sound, || exchange(false)),
    ]
}

/// A request and its retry: who has a receipt has paid, and both have paid once.
fn retry<D: Desk + 'static>(name: &'static str, kind: Kind, init: fn() -> D) -> Specimen {
    Specimen::new(name, kind, init, [|desk: &D| desk.pay(1, 80).is_ok(); 2], |desk, paid| {
        desk.taken() == if paid.contains(&true) { 80 } else { 0 }
    })
}

/// A desk whose first attempts, so many, get no answer.
fn desk(outages: u64) -> SoundDesk<ByParity> {
    SoundDesk::new(outages, by_parity([]))
}

fn desks() -> [Specimen; 5] {
    [
        retry("ChargeThenNoteDesk", Order, || ChargeThenNoteDesk { desk: desk(0), between: || () })
            .beside("SoundDesk"),
        retry("SoundDesk", Sound, || desk(0)),
        retry("NoteThenChargeDesk", Order, || NoteThenChargeDesk(desk(1)))
            .beside("SoundDesk, first attempt lost"),
        retry("KeepWhatWasTakenDesk", Order, || KeepWhatWasTakenDesk(desk(1)))
            .beside("SoundDesk, first attempt lost"),
        retry("SoundDesk, first attempt lost", Sound, || desk(1)),
    ]
}
