//! A payment desk whose clients ask again when they hear nothing: several requests for one payment, at
//! the same time, over a line that fails now and then. Each payment is charged once.
//!
//! `loom-tests/suites/payments.rs` proves it, and shows how the racy variants fail. The first variant yields between
//! its two steps now and then, so that every run fails.
//!
//! ```text
//! cargo run -p examples --bin payments
//! cargo run -p examples --bin payments -- --racy                       # charged, and noted then; fails
//! cargo run -p examples --bin payments -- --racy=note-then-charge      # or noted, and charged then; fails
//! cargo run -p examples --bin payments -- --racy=keep-what-was-taken   # or nothing given back; fails
//! ```

use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, ValueEnum};
use indicatif::HumanCount;
use selvedge::{Counter, CounterHandle, Map};

use examples::cores::all_cores;
use examples::workers::Workers;
use examples::yielding::yield_now_and_then;
use specimens::payments::racy::{ChargeThenNoteDesk, KeepWhatWasTakenDesk, NoteThenChargeDesk};
use specimens::payments::{Desk, PaymentError, SoundDesk};

/// Asks for payments until they are made, on all cores, and checks that each is charged once.
#[derive(Parser)]
struct Args {
    /// Run a racy variant: charge-then-note if none is named
    #[arg(long, value_name = "VARIANT", num_args = 0..=1, require_equals = true)]
    #[arg(value_enum, default_missing_value = "charge-then-note")]
    racy: Option<Variant>,
    /// Clients, each a thread, who all ask for every payment
    #[arg(long, default_value_t = all_cores(), value_parser = clap::value_parser!(u32).range(2..=64))]
    clients: u32,
    /// Payments
    #[arg(long, default_value_t = 50_000)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    payments: u64,
    /// Attempts that get no answer: the first so many
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(..=100_000))]
    outages: u64,
}

/// The ways to get it wrong.
#[derive(Clone, Copy, ValueEnum)]
enum Variant {
    /// Looks for a receipt, charges, and notes it
    ChargeThenNote,
    /// Notes the payment, and then charges it
    NoteThenCharge,
    /// Gives nothing back when an attempt fails half way
    KeepWhatWasTaken,
}

impl Args {
    fn desk(&self) -> Arc<dyn Desk> {
        let desk = SoundDesk::new(self.outages, Map::new());
        match self.racy {
            None => Arc::new(desk),
            Some(Variant::ChargeThenNote) => {
                Arc::new(ChargeThenNoteDesk { desk, between: yield_now_and_then })
            }
            Some(Variant::NoteThenCharge) => Arc::new(NoteThenChargeDesk(desk)),
            Some(Variant::KeepWhatWasTaken) => Arc::new(KeepWhatWasTakenDesk(desk)),
        }
    }
}

/// What clients note.
#[derive(Default)]
struct Noted {
    requests: Counter,
    unanswered: Counter,
    /// Receipts of an attempt that is not the one which the desk knows in the end.
    superseded: Counter,
}

fn main() -> ExitCode {
    let args = Arc::new(Args::parse());
    let (desk, noted) = (args.desk(), Arc::new(Noted::default()));
    let Args { clients, payments, .. } = *args;
    println!("{clients} clients, who all ask for the same {} payments", HumanCount(payments));

    let mut workers = Workers::of(clients);
    for _ in 0..clients {
        let (args, desk, noted) = (Arc::clone(&args), Arc::clone(&desk), Arc::clone(&noted));
        workers.work(move |done| ask(args.payments, desk.as_ref(), &noted, done));
    }
    if let Err(timeout) = workers.watch(u64::from(clients) * payments) {
        println!("{timeout}");
        return examples::program::close("every payment is made", false);
    }

    let due: u64 = (0..payments).map(|key| u64::from(price(key))).sum();
    let receipts = (0..payments).filter_map(|key| desk.receipt(key)).count() as u64;
    let (taken, superseded) = (desk.taken(), noted.superseded.get());
    println!("requests:   {}", HumanCount(noted.requests.get()));
    println!("unanswered: {}", HumanCount(noted.unanswered.get()));
    println!("receipts:   {} for {} payments", HumanCount(receipts), HumanCount(payments));
    println!("superseded: {} receipts are not the one that is kept", HumanCount(superseded));
    println!("charged:    {} of {} due", HumanCount(taken), HumanCount(due));
    examples::program::close(
        "every payment is charged once, and everybody has the one receipt",
        taken == due && receipts == payments && superseded == 0,
    )
}

/// The price of a payment.
fn price(key: u64) -> u32 {
    1 + u32::try_from(key % 100).expect("less than 100")
}

/// Asks for each payment until there is a receipt for it.
fn ask(payments: u64, desk: &dyn Desk, noted: &Noted, done: &mut CounterHandle) {
    let (mut requests, mut unanswered) = (noted.requests.handle(), noted.unanswered.handle());
    let mut received = Vec::new();
    let mut open: Vec<_> = (0..payments).collect();
    while !open.is_empty() {
        open.retain(|key| {
            requests.increment();
            match desk.pay(*key, price(*key)) {
                Ok(receipt) => {
                    received.push((*key, receipt));
                    done.increment();
                    false
                }
                Err(PaymentError::NoAnswer { .. }) => {
                    unanswered.increment();
                    true
                }
                Err(why) => panic!("a key is always asked for with the same price: {why}"),
            }
        });
    }
    let kept = |(key, receipt): &(u64, _)| desk.receipt(*key) == Some(*receipt);
    noted.superseded.add(received.iter().filter(|one| !kept(one)).count() as u64);
}
