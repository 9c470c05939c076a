//! Racy variants of the library's types: each differs from the sound type by one defect.
//!
//! `loom-tests/suites/` shows each of them fail, next to the sound type that does not. A test suite that
//! cannot distinguish the two would not notice the defect elsewhere either. Do not use them for
//! anything else.

mod counter;
mod gauge;
mod map;
mod mark;
mod split_counter;
mod stats;

pub use counter::{
    LossyCounter, SwapTakeCounter, SwapTakeHandle, UnsyncCounter, count_without_waiting,
};
pub use gauge::{OnePassGauge, SignedCellGauge};
pub use map::{
    ArgumentOrderMap, CheckThenInsertMap, HalfDoneMap, LateLenMap, ReadModifyWriteMap, UnsyncMap,
};
pub use mark::UnsyncMark;
pub use split_counter::SplitCounter;
pub use stats::{
    LateResetStats, OneLookStats, RelaxedLogStats, StripeByStripeStats, TornStats,
    UnlockedReadStats,
};
