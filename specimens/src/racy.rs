//! The deliberately broken twins: each differs from the sound type by one defect.
//!
//! They are here to be taken apart. `loom-tests/` shows each of them fail, next to the sound type
//! that does not; a test suite that cannot tell them apart would not notice the defect elsewhere
//! either. Never use one for anything else.

mod counter;
mod map;
mod mark;
mod split_counter;
mod stats;

pub use counter::{
    LossyCounter, SwapTakeCounter, SwapTakeHandle, UnsyncCounter, count_without_waiting,
};
pub use map::{
    ArgumentOrderMap, CheckThenInsertMap, HalfDoneMap, LateLenMap, ReadModifyWriteMap, UnsyncMap,
};
pub use mark::UnsyncMark;
pub use split_counter::SplitCounter;
pub use stats::{
    LateResetStats, OneLookStats, RelaxedLogStats, StripeByStripeStats, TornStats,
    UnlockedReadStats,
};
