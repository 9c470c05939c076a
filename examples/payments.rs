//! A payment desk whose clients ask again when they hear nothing: several requests for one payment, at
//! the same time, over a line that fails now and then. Each payment is charged once.
//!
//! Why this holds, and what goes wrong otherwise: `loom-tests/payments.rs`.
//!
//! ```text
//! cargo run --example payments
//! ```

use std::process::ExitCode;
use std::thread;

use selvedge::{Counter, Map};

const CLIENTS: u64 = 4;
const PAYMENTS: u64 = 2_000;
const PRICE: u64 = 5;

/// The line to the bank failed, and the payment was not made.
#[derive(Debug)]
struct LineFailed;

/// The number of a charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Receipt(u64);

/// What has been charged, by idempotency key.
#[derive(Default)]
struct Desk {
    receipts: Map<u64, Receipt>,
    money: Counter,
    attempts: Map<u64, u64>,
    failures: Counter,
}

impl Desk {
    /// Charges once for each key, however many ask, and returns the one receipt.
    ///
    /// # Errors
    ///
    /// [`LineFailed`] if this attempt failed: nothing is charged, and the next one tries.
    fn pay(&self, key: u64) -> Result<Receipt, LineFailed> {
        self.receipts.get_or_try_insert_with(key, || self.charge(key))
    }

    /// One attempt: the first one for every third payment fails. All or nothing, for a receipt can be
    /// forgotten by the map, and money cannot.
    fn charge(&self, key: u64) -> Result<Receipt, LineFailed> {
        let before = self.attempts.compute(key, |n| Some(n.unwrap_or(&0) + 1));
        if key % 3 == 0 && before.is_none() {
            self.failures.increment();
            return Err(LineFailed);
        }
        self.money.add(PRICE);
        Ok(Receipt(key))
    }
}

fn main() -> ExitCode {
    let desk = Desk::default();
    // Every client asks for every payment, and asks again until there is a receipt.
    let requests: u64 = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(|| ask_for_all(&desk))).collect();
        clients.into_iter().map(|client| client.join().expect("a client does not panic")).sum()
    });

    let (money, expected) = (desk.money.get(), PAYMENTS * PRICE);
    println!("requests:             {requests} for {PAYMENTS} payments");
    println!("attempts that failed: {}", desk.failures.get());
    println!("receipts:             {}", desk.receipts.len());
    println!("charged:              {money} of {expected}");
    let one_each = u64::try_from(desk.receipts.len()).is_ok_and(|receipts| receipts == PAYMENTS);
    if money == expected && one_each { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Asks for each payment until there is a receipt for it, and returns how often that was.
fn ask_for_all(desk: &Desk) -> u64 {
    let mut requests = 0;
    for key in 0..PAYMENTS {
        loop {
            requests += 1;
            match desk.pay(key) {
                Ok(receipt) => {
                    assert_eq!(receipt, Receipt(key), "everybody has the receipt of the payment");
                    break;
                }
                Err(LineFailed) => thread::yield_now(),
            }
        }
    }
    requests
}
