//! The check of `03_transfer.rs`.

use selvedge_model::{CheckError, Model, Report};

use super::Question;

/// Three accounts.
pub trait Bank: Send + Sync + 'static {
    /// A bank whose accounts 0, 1 and 2 have these balances.
    fn new(balances: [i64; 3]) -> Self;

    /// Moves `amount` if the account `from` has so much; returns whether it did. `from` and `to` may be the same.
    fn transfer(&self, from: usize, to: usize, amount: i64) -> bool;

    /// The balances of all accounts, at one moment.
    fn balances(&self) -> [i64; 3];
}

/// What a bank must keep.
pub fn check<B: Bank>() -> Vec<Question> {
    vec![
        ("opposite transfers both take place", opposite::<B>),
        ("an account is never overdrawn", overdrawn::<B>),
        ("the balances show no half transfer", moment::<B>),
        ("a transfer from an account to itself changes nothing", itself::<B>),
        ("transfers in a cycle all take place", circle::<B>),
    ]
}

fn opposite<B: Bank>() -> Result<Report, CheckError> {
    Model::new(|| B::new([10, 10, 0]))
        .thread("alice", |bank| bank.transfer(0, 1, 10))
        .thread("bob", |bank| bank.transfer(1, 0, 10))
        .finally("balances", B::balances)
        .acceptable("alice=true bob=true balances=[10, 10, 0]", "both had the money")
        .try_check()
}

fn overdrawn<B: Bank>() -> Result<Report, CheckError> {
    Model::new(|| B::new([10, 0, 0]))
        .thread("alice", |bank| bank.transfer(0, 1, 10))
        .thread("bob", |bank| bank.transfer(0, 2, 10))
        .finally("balances", B::balances)
        .acceptable("alice=true bob=false balances=[0, 10, 0]", "alice was first")
        .acceptable("alice=false bob=true balances=[0, 0, 10]", "bob was first")
        .try_check()
}

fn moment<B: Bank>() -> Result<Report, CheckError> {
    Model::new(|| B::new([10, 0, 0]))
        .thread("alice", |bank| bank.transfer(0, 1, 10))
        .thread("auditor", B::balances)
        .acceptable("alice=true auditor=[10, 0, 0]", "before the transfer")
        .acceptable("alice=true auditor=[0, 10, 0]", "after the transfer")
        .try_check()
}

fn itself<B: Bank>() -> Result<Report, CheckError> {
    Model::new(|| B::new([10, 0, 0]))
        .thread("alice", |bank| bank.transfer(0, 0, 10))
        .thread("bob", |bank| bank.transfer(0, 1, 10))
        .finally("balances", B::balances)
        .acceptable("alice=true bob=true balances=[0, 10, 0]", "alice was first")
        .acceptable("alice=false bob=true balances=[0, 10, 0]", "bob was first")
        .try_check()
}

fn circle<B: Bank>() -> Result<Report, CheckError> {
    Model::new(|| B::new([10, 10, 10]))
        .thread("alice", |bank| bank.transfer(0, 1, 10))
        .thread("bob", |bank| bank.transfer(1, 2, 10))
        .thread("carol", |bank| bank.transfer(2, 0, 10))
        .finally("balances", B::balances)
        .acceptable("alice=true bob=true carol=true balances=[10, 10, 10]", "all had the money")
        .try_check()
}
