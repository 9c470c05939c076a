//! `OnceLock`.

use super::clock::Clock;
use super::step::{Step, Taken};

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Once {
    pub(super) value: Option<u64>,
    pub(super) making: bool,
    pub(super) clock: Clock,
}

impl Step<'_> {
    pub(super) fn make(&mut self, once: usize, skip: usize) -> Taken {
        let Once { value, making, clock } = self.state.onces[once].clone();
        if making {
            return Taken::Blocked;
        }
        self.learn(&clock);
        if let Some(value) = value {
            self.log(value);
            return self.goto(skip);
        }
        self.state.onces[once].making = true;
        self.done()
    }

    pub(super) fn made(&mut self, once: usize, value: u64) -> Taken {
        let (clock, unwinding) = (self.clock(), self.me().unwinding);
        let once = &mut self.state.onces[once];
        (once.making, once.clock) = (false, clock);
        if !unwinding {
            once.value = Some(value);
            self.log(value);
        }
        self.done()
    }

    pub(super) fn set(&mut self, o: usize, value: u64) -> Taken {
        let once = self.state.onces[o].clone();
        if once.making {
            return Taken::Blocked;
        }
        self.learn(&once.clock);
        if once.value.is_none() {
            let clock = self.clock();
            self.state.onces[o] = Once { value: Some(value), making: false, clock };
        }
        self.log(u64::from(once.value.is_some()));
        self.done()
    }

    pub(super) fn get(&mut self, o: usize) -> Taken {
        let once = self.state.onces[o].clone();
        if once.value.is_some() {
            self.learn(&once.clock);
        }
        self.log(once.value.unwrap_or(0));
        self.done()
    }
}
