//! Channels.

use super::clock::{Clock, join};
use super::step::{Step, Taken};
use crate::program::BOUNDS;

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Channel {
    pub(super) messages: Vec<(u64, Clock)>,
    pub(super) senders: usize,
    pub(super) receiver: bool,
    pub(super) farewell: Clock,
}

impl Step<'_> {
    /// Does nothing if the thread has no sender left.
    pub(super) fn send(&mut self, q: usize, value: u64, tries: bool) -> Taken {
        if self.me().senders & 1 << q == 0 {
            return self.done();
        }
        let clock = self.clock();
        let channel = &mut self.state.channels[q];
        let full = BOUNDS[q].is_some_and(|bound| channel.messages.len() >= bound);
        if !channel.receiver {
            self.log(1);
        } else if !full {
            channel.messages.push((value, clock));
            self.log(0);
        } else if tries {
            self.log(2);
        } else {
            return Taken::Blocked;
        }
        self.done()
    }

    /// Does nothing if the thread has no receiver left.
    pub(super) fn recv(&mut self, q: usize, waits: bool) -> Taken {
        if self.me().receivers & 1 << q == 0 {
            return self.done();
        }
        let channel = &mut self.state.channels[q];
        if !channel.messages.is_empty() {
            let (value, clock) = channel.messages.remove(0);
            self.learn(&clock);
            self.log(10 + value);
        } else if channel.senders == 0 {
            let clock = channel.farewell;
            self.learn(&clock);
            self.log(0);
        } else if waits {
            return Taken::Blocked;
        } else {
            self.log(1);
        }
        self.done()
    }

    pub(super) fn drop_sender(&mut self, q: usize) -> Taken {
        let clock = self.clock();
        self.me().senders &= !(1 << q);
        let channel = &mut self.state.channels[q];
        channel.senders -= 1;
        join(&mut channel.farewell, &clock);
        self.done()
    }

    pub(super) fn drop_receiver(&mut self, q: usize) -> Taken {
        self.me().receivers &= !(1 << q);
        self.state.channels[q].receiver = false;
        // It drops the messages that are left.
        for (_, clock) in std::mem::take(&mut self.state.channels[q].messages) {
            self.learn(&clock);
        }
        self.done()
    }
}
