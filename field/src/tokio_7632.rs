//! # tokio #7632: a task is woken without release
//!
//! **Source.** <https://github.com/tokio-rs/tokio/issues/7632>, and before it
//! <https://github.com/tokio-rs/tokio/issues/7589>, mended in <https://github.com/tokio-rs/tokio/pull/7622>.
//!
//! **Kind.** Lost wake-up; weak memory (store buffering).
//!
//! **What happened.** A task that was woken already is marked as notified. `wake_by_ref` loaded the state, found the mark, and
//! returned: nothing was written, so nothing was released. The worker that then runs the task clears the mark, but need not
//! see what the waking thread had stored before. The task finds nothing, goes to sleep, and the wake-up is lost. It was seen under
//! Miri and on ARM.
//!
//! **What the checker says.** The task finds nothing and is not scheduled again, first in execution 2. It takes weak memory: no
//! interleaving reaches it. The fixed one is explored completely, in 5 executions.
//!
//! **Assumed.** The state is the one bit. The issue suspects the queue of the runtime; its title, and the fix, are about
//! the wake-up, and that is what is modelled. The fix writes the state that it has found.

use selvedge_model::sync::atomic::Ordering::{AcqRel, Acquire, Release};
use selvedge_model::sync::atomic::{AtomicBool, AtomicUsize};

/// A wake-up that finds the mark only loads.
pub type Broken = Task<false>;
/// A wake-up that finds the mark writes it again.
pub type Fixed = Task<true>;

const IDLE: usize = 0;
const NOTIFIED: usize = 1;

/// A task that is notified already, and what it waits for.
pub struct Task<const FIXED: bool> {
    state: AtomicUsize,
    is_ready: AtomicBool,
}

impl<const FIXED: bool> Default for Task<FIXED> {
    fn default() -> Self {
        Self { state: AtomicUsize::new(NOTIFIED), is_ready: AtomicBool::new(false) }
    }
}

impl<const FIXED: bool> Task<FIXED> {
    /// The waking thread: makes the task ready, and wakes it. Returns whether it is scheduled again.
    pub fn wake(&self) -> bool {
        // Release: pairs with the Acquire of `poll`. A read-modify-write, as in a channel: on x86 it hides the defect.
        self.is_ready.swap(true, Release);
        let state = self.state.load(Acquire);
        if !FIXED && state == NOTIFIED {
            return false;
        }
        // AcqRel: released to the worker that clears the mark, also where it is written again.
        self.state.swap(NOTIFIED, AcqRel) == IDLE
    }

    /// The worker: clears the mark, and polls the task. Returns whether it was ready.
    pub fn poll(&self) -> bool {
        // AcqRel: acquires from `wake`.
        self.state.swap(IDLE, AcqRel);
        self.is_ready.load(Acquire)
    }
}

#[cfg(test)]
mod tests {
    use selvedge_model::Model;

    use super::{Broken, Fixed, Task};
    use crate::expect;

    const LOST: &str = "scheduled=false ready=false";

    fn model<const FIXED: bool>() -> Model<Task<FIXED>> {
        Model::new(Task::default)
            .thread("scheduled", Task::wake)
            .thread("ready", Task::poll)
            .acceptable("scheduled=false ready=true", "the poll that was due finds it")
            .acceptable("scheduled=true ready=false", "there is another poll")
            .acceptable("scheduled=true ready=true", "there is one poll more than needed")
    }

    #[test]
    fn a_wake_up_that_writes_nothing_is_lost() {
        let model: Model<Broken> = model();
        let report = model.interesting(LOST, "the task sleeps for ever").check();
        expect::reached(&report, LOST, 2, false);
    }

    #[test]
    fn a_wake_up_that_writes_the_mark_again_is_seen() {
        let model: Model<Fixed> = model();
        expect::complete(&model.check(), 5);
    }
}
