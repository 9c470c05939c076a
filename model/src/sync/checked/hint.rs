//! Hints, and a wait that need not spin.

use std::panic::Location;

pub use std::hint::black_box;

use crate::kernel::{self, Turn};

/// To be called in each turn of a loop that waits.
#[track_caller]
pub fn spin_loop() {
    let site = Location::caller();
    if kernel::with(|engine| engine.turn(Turn::Spin, site)).is_none() {
        std::hint::spin_loop();
    }
}

/// Blocks until `condition` holds, which another thread brings about.
///
/// `condition` must be a function of shared state alone, and change nothing unless it holds: in an
/// exploration a turn in which it does not hold is as good as none.
#[track_caller]
pub fn wait_until(mut condition: impl FnMut() -> bool) {
    let site = Location::caller();
    kernel::with(|engine| engine.turn(Turn::Begin, site));
    let mut turns = 0_u32;
    while !condition() {
        if kernel::with(|engine| engine.turn(Turn::Wait, site)).is_none() {
            turns += 1;
            if turns < 100 { std::hint::spin_loop() } else { std::thread::yield_now() }
        }
    }
}
