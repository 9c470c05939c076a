//! A bank at noon: tellers transfer money crosswise between few accounts, on all cores, while an auditor
//! adds up all balances again and again. The total never moves, and no account is overdrawn.
//!
//! `loom-tests/suites/bank.rs` proves it, and shows how the racy variants fail. Here the variants yield between
//! their two steps now and then, so that every run fails.
//!
//! ```text
//! cargo run -p examples --bin bank
//! cargo run -p examples --bin bank -- --racy                   # a transfer in two steps; fails
//! cargo run -p examples --bin bank -- --racy=check-then-act    # or checked beforehand; fails
//! cargo run -p examples --bin bank -- --racy=payer-first       # or two locks, the payer's first; fails
//! ```

use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, ValueEnum};
use indicatif::HumanCount;
use selvedge::{Counter, CounterHandle, Map, Stats};

use examples::cores::all_cores;
use examples::workers::Workers;
use examples::yielding::yield_now_and_then;
use specimens::bank::racy::{CheckThenActBank, PayerFirstBank, TwoStepBank};
use specimens::bank::{Bank, BankError, Receipt, SoundBank};

/// What is in each account in the morning.
const OPENING: u32 = 100;

/// The most that is transferred at once: more than there may be.
const MOST: u32 = 150;

/// Transfers money crosswise on all cores, under the eyes of an auditor.
#[derive(Parser)]
struct Args {
    /// Run a racy variant: two-step if none is named
    #[arg(long, value_name = "VARIANT", num_args = 0..=1, require_equals = true)]
    #[arg(value_enum, default_missing_value = "two-step")]
    racy: Option<Variant>,
    /// Tellers, each a thread
    #[arg(long, default_value_t = all_cores(), value_parser = clap::value_parser!(u32).range(2..=64))]
    tellers: u32,
    /// Accounts
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(2..=10_000))]
    accounts: u32,
    /// Transfers that each teller tries
    #[arg(long, default_value_t = 250_000)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    transfers: u64,
    /// What the random transfers are made from
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// The ways to get it wrong.
#[derive(Clone, Copy, ValueEnum)]
enum Variant {
    /// Withdraws in one step and deposits in another
    TwoStep,
    /// Checks the cover in one step and transfers in another
    CheckThenAct,
    /// Locks the payer's account first, and then the other one
    PayerFirst,
}

impl Args {
    fn bank(&self) -> Arc<dyn Bank> {
        let balances = (0..self.accounts).map(|account| (account.into(), OPENING.into()));
        let between = yield_now_and_then;
        let sound = || SoundBank::new(balances.clone().collect::<Map<u64, i64>>());
        match self.racy {
            None => Arc::new(sound()),
            Some(Variant::TwoStep) => Arc::new(TwoStepBank { bank: sound(), between }),
            Some(Variant::CheckThenAct) => Arc::new(CheckThenActBank { bank: sound(), between }),
            Some(Variant::PayerFirst) => Arc::new(PayerFirstBank::new(balances, between)),
        }
    }
}

/// What tellers and the auditor note.
#[derive(Default)]
struct Day {
    moved: Stats,
    refused: Counter,
    /// Tellers who have done all their transfers.
    gone_home: Counter,
    audits: Counter,
    /// Audits that found another total.
    off: Counter,
    /// How often an account was found below 0, by an audit or by a teller.
    overdrawn: Counter,
}

fn main() -> ExitCode {
    let args = Arc::new(Args::parse());
    let (bank, day) = (args.bank(), Arc::new(Day::default()));
    let total = i64::from(args.accounts) * i64::from(OPENING);
    let asked = u64::from(args.tellers) * args.transfers;
    let transfers = HumanCount(asked);
    let Args { tellers, accounts, .. } = *args;
    println!("{tellers} tellers, {accounts} accounts of {OPENING}, {transfers} transfers");

    let mut workers = Workers::of(tellers + 1);
    for teller in 0..args.tellers {
        let (args, bank, day) = (Arc::clone(&args), Arc::clone(&bank), Arc::clone(&day));
        workers.work(move |done| {
            work(&args, teller, bank.as_ref(), &day, done);
            day.gone_home.increment();
        });
    }
    workers.work({
        let (bank, day) = (Arc::clone(&bank), Arc::clone(&day));
        move |_| {
            while day.gone_home.get() < u64::from(tellers) {
                let balances = bank.audit();
                day.audits.increment();
                day.off.add(u64::from(balances.iter().sum::<i64>() != total));
                day.overdrawn.add(u64::from(balances.iter().any(|balance| *balance < 0)));
                yield_now_and_then();
            }
        }
    });
    if let Err(timeout) = workers.watch(asked) {
        println!("{timeout}, each with an account that another one waits for");
        return examples::program::close("every transfer ends", false);
    }

    let (moved, refused) = (day.moved.snapshot(), day.refused.get());
    let (off, overdrawn) = (day.off.get(), day.overdrawn.get());
    let payouts = close_accounts(bank.as_ref());
    let paid: i64 = payouts.iter().map(|(amount, _)| amount).sum();
    let movements = moved.count() + payouts.len() as u64;
    let last = payouts.last().map_or(0, |(_, Receipt(number))| *number);
    println!("moved:      {} transfers, {} in all", HumanCount(moved.count()), moved.sum());
    println!("refused:    {} transfers", HumanCount(refused));
    println!("audits:     {}", HumanCount(day.audits.get()));
    println!("off:        {} of them found another total than {total}", HumanCount(off));
    println!("overdrawn:  {} times an account was below 0", HumanCount(overdrawn));
    println!("paid out:   {paid} of {total} at the end of the day");
    println!("receipts:   {} for {} movements", HumanCount(last), HumanCount(movements));
    let counted = moved.count() + refused == asked && last == movements;
    examples::program::close(
        "the total never moves, no account is overdrawn, and every transfer is counted",
        off == 0 && overdrawn == 0 && paid == total && counted,
    )
}

/// A teller's day: transfers that look random, and are the same for the same seed.
fn work(args: &Args, teller: u32, bank: &dyn Bank, day: &Day, done: &mut CounterHandle) {
    let mut random = fastrand::Rng::with_seed(args.seed.wrapping_add(teller.into()));
    let (mut moved, mut refused) = (day.moved.handle(), day.refused.handle());
    let mut overdrawn = day.overdrawn.handle();
    let accounts = u64::from(args.accounts);
    for _ in 0..args.transfers {
        let from = random.u64(..accounts);
        let to = (from + random.u64(1..accounts)) % accounts;
        let amount = random.u32(1..=MOST);
        match bank.transfer(from, to, amount) {
            Ok(_) => moved.record(amount.into()),
            Err(BankError::InsufficientFunds { available, .. }) => {
                refused.increment();
                overdrawn.add(u64::from(available < 0));
            }
            Err(why) => panic!("a transfer between two accounts of the bank: {why}"),
        }
        done.increment();
    }
}

/// Pays out what is in the accounts, and returns each amount with its receipt.
fn close_accounts(bank: &dyn Bank) -> Vec<(i64, Receipt)> {
    let mut payouts = Vec::new();
    for (account, balance) in (0..).zip(bank.audit()) {
        match u32::try_from(balance).map(|amount| bank.withdraw(account, amount)) {
            Ok(Ok(receipt)) => payouts.push((balance, receipt)),
            Ok(Err(why)) => println!("account {account}: {why}"),
            Err(_) => println!("account {account} is at {balance}, and pays nothing out"),
        }
    }
    payouts
}
