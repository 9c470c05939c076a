//! Desks that go wrong: each differs from [`SoundDesk`] by the one defect that it names.

use std::hash::BuildHasher;

use super::{Desk, PaymentError, Receipt, SoundDesk};

/// Defect: a receipt is looked for in one step, and charged and stored in others. `between` is called
/// after the look-up. The variant fails with any `between`; a program that yields there fails more
/// often.
pub struct ChargeThenNoteDesk<S> {
    pub desk: SoundDesk<S>,
    pub between: fn(),
}

impl<S: BuildHasher + Send + Sync> Desk for ChargeThenNoteDesk<S> {
    fn pay(&self, key: u64, amount: u32) -> Result<Receipt, PaymentError> {
        if let Some(receipt) = self.desk.receipt(key) {
            return receipt.of(key, amount);
        }
        (self.between)();
        let receipt = self.desk.gateway.charge(key, amount)?;
        self.desk.receipts.insert(key, receipt);
        Ok(receipt)
    }

    fn receipt(&self, key: u64) -> Option<Receipt> {
        self.desk.receipt(key)
    }

    fn taken(&self) -> u64 {
        self.desk.taken()
    }
}

/// Defect: a receipt is noted before the charge, for no attempt yet, and stays when the charge fails.
pub struct NoteThenChargeDesk<S>(pub SoundDesk<S>);

impl<S: BuildHasher + Send + Sync> Desk for NoteThenChargeDesk<S> {
    fn pay(&self, key: u64, amount: u32) -> Result<Receipt, PaymentError> {
        if self.0.receipts.try_insert(key, Receipt { attempt: 0, amount }).is_ok() {
            self.0.gateway.charge(key, amount)?;
        }
        let noted = self.0.receipt(key).expect("a receipt that was noted stays");
        noted.of(key, amount)
    }

    fn receipt(&self, key: u64) -> Option<Receipt> {
        self.0.receipt(key)
    }

    fn taken(&self) -> u64 {
        self.0.taken()
    }
}

/// Defect: an attempt that fails keeps what it has taken.
pub struct KeepWhatWasTakenDesk<S>(pub SoundDesk<S>);

impl<S: BuildHasher + Send + Sync> Desk for KeepWhatWasTakenDesk<S> {
    fn pay(&self, key: u64, amount: u32) -> Result<Receipt, PaymentError> {
        let take = || self.0.gateway.take(key, amount);
        self.0.receipts.get_or_try_insert_with(key, take)?.of(key, amount)
    }

    fn receipt(&self, key: u64) -> Option<Receipt> {
        self.0.receipt(key)
    }

    fn taken(&self) -> u64 {
        self.0.taken()
    }
}
