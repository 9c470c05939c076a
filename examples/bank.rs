//! A bank at noon: tellers transfer money, an auditor adds up all accounts while they do. No account is
//! ever overdrawn, and no money is ever missing.
//!
//! Why this holds, and what goes wrong otherwise: `loom-tests/balance.rs`.
//!
//! ```text
//! cargo run --example bank
//! ```

use std::process::ExitCode;
use std::thread;

use selvedge::{Counter, Map, MapError, Stats};

const ACCOUNTS: u64 = 20;
const OPENING_BALANCE: u64 = 100;
const TELLERS: u64 = 4;
const TRANSFERS: u64 = 20_000;

/// Accounts by number, and what the bank knows of its own work.
#[derive(Default)]
struct Bank {
    balances: Map<u64, u64>,
    refused: Counter,
    amounts: Stats,
}

impl Bank {
    fn open() -> Self {
        let bank = Self::default();
        for account in 0..ACCOUNTS {
            bank.balances.insert(account, OPENING_BALANCE);
        }
        bank
    }

    /// Moves `amount` if it is there. Checked, taken and given in one step, whatever the order of the
    /// two accounts.
    ///
    /// # Errors
    ///
    /// Those of [`Map::update_pair`]: one account twice, say.
    fn transfer(&self, from: u64, to: u64, amount: u64) -> Result<(), MapError> {
        let mut covered = false;
        self.balances.update_pair(&from, &to, |payer, payee| {
            covered = *payer >= amount;
            if covered { (payer - amount, payee + amount) } else { (*payer, *payee) }
        })?;
        if covered {
            self.amounts.record(amount);
        } else {
            self.refused.increment();
        }
        Ok(())
    }

    /// All the money, at one moment.
    fn audit(&self) -> u64 {
        self.balances.values().iter().sum()
    }
}

fn main() -> ExitCode {
    let bank = Bank::open();
    let expected = ACCOUNTS * OPENING_BALANCE;
    let (audits, wrong) = thread::scope(|scope| {
        let tellers: Vec<_> = (1..=TELLERS)
            .map(|teller| {
                scope.spawn({
                    let bank = &bank;
                    move || work(bank, teller)
                })
            })
            .collect();
        let (mut audits, mut wrong) = (0, 0);
        while !tellers.iter().all(thread::ScopedJoinHandle::is_finished) {
            wrong += u64::from(bank.audit() != expected);
            audits += 1;
        }
        (audits, wrong)
    });

    let (done, refused) = (bank.amounts.snapshot(), bank.refused.get());
    println!("transfers done:      {} (of {} in all)", done.count(), done.sum());
    println!("refused, no cover:   {refused}");
    println!("audits meanwhile:    {audits}, of which wrong: {wrong}");
    println!("in the end there is: {} of {expected}", bank.audit());
    let all_counted = done.count() + refused == TELLERS * TRANSFERS;
    if wrong == 0 && bank.audit() == expected && all_counted {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// A teller's day: transfers that look random and are the same each time.
fn work(bank: &Bank, teller: u64) {
    let mut state = teller;
    for _ in 0..TRANSFERS {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let from = (state >> 33) % ACCOUNTS;
        let to = (from + 1 + (state >> 40) % (ACCOUNTS - 1)) % ACCOUNTS;
        let amount = 1 + (state >> 50) % 150;
        bank.transfer(from, to, amount).expect("two accounts that differ, outside the map");
    }
}
