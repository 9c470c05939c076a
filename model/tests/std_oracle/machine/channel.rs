//! Channels. One of bound 0 has no room: a sender and the receiver meet. Who comes first waits for the other, and an
//! attempt to send succeeds only if the receiver waits. `std` does not say that an error tells of what the other side did.

use super::clock::Clock;
use super::step::{Step, Taken};
use crate::program::BOUNDS;

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Channel {
    pub(super) messages: Vec<(u64, Clock)>,
    pub(super) senders: usize,
    pub(super) receiver: bool,
    /// Of bound 0: what senders offer, in the order in which they came.
    pub(super) offers: Vec<(usize, u64, Clock)>,
    /// Since when the receiver waits, to which nothing has been handed.
    pub(super) awaited: Option<Clock>,
    pub(super) handed: Option<(u64, Clock)>,
    /// When offers were taken, by sender.
    pub(super) taken: Vec<(usize, Clock)>,
}

impl Step<'_> {
    /// Does nothing if the thread has no sender left.
    pub(super) fn send(&mut self, q: usize, value: u64, tries: bool) -> Taken {
        if self.me().senders & 1 << q == 0 {
            return self.done();
        }
        if BOUNDS[q] == Some(0) {
            return self.send_to_meet(q, value, tries);
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

    fn send_to_meet(&mut self, q: usize, value: u64, tries: bool) -> Taken {
        let (clock, me) = (self.clock(), self.number);
        let offers = std::mem::take(&mut self.me().offers);
        let channel = &mut self.state.channels[q];
        if let Some(at) = channel.taken.iter().position(|(sender, _)| offers && *sender == me) {
            let (_, clock) = channel.taken.remove(at);
            self.learn(&clock);
            self.log(0);
        } else if !channel.receiver {
            channel.offers.retain(|(sender, ..)| *sender != me);
            self.log(1);
        } else if offers {
            return Taken::Blocked;
        } else if let Some(since) = channel.awaited.take() {
            channel.handed = Some((value, clock));
            self.learn(&since);
            self.log(0);
        } else if tries {
            self.log(2);
        } else {
            channel.offers.push((me, value, clock));
            self.me().offers = true;
            return Taken::Done;
        }
        self.done()
    }

    fn recv_to_meet(&mut self, q: usize, waits: Option<bool>) -> Taken {
        let clock = self.clock();
        let awaits = std::mem::take(&mut self.me().awaits);
        let channel = &mut self.state.channels[q];
        if let Some((value, clock)) = channel.handed.take() {
            self.learn(&clock);
            self.log(10 + value);
        } else if !channel.offers.is_empty() {
            let (sender, value, sent) = channel.offers.remove(0);
            channel.taken.push((sender, clock));
            self.learn(&sent);
            self.log(10 + value);
        } else if channel.senders == 0 {
            channel.awaited = None;
            self.log(0);
        } else if waits.is_none() || awaits && waits == Some(true) {
            channel.awaited = None;
            self.log(1);
        } else if awaits {
            return Taken::Blocked;
        } else {
            channel.awaited = Some(clock);
            self.me().awaits = true;
            return Taken::Done;
        }
        self.done()
    }

    /// Does nothing if the thread has no receiver left. `waits` is whether time is up, if there is a limit.
    pub(super) fn recv(&mut self, q: usize, waits: Option<bool>) -> Taken {
        if self.me().receivers & 1 << q == 0 {
            return self.done();
        }
        if BOUNDS[q] == Some(0) {
            return self.recv_to_meet(q, waits);
        }
        let channel = &mut self.state.channels[q];
        if !channel.messages.is_empty() {
            let (value, clock) = channel.messages.remove(0);
            self.learn(&clock);
            self.log(10 + value);
        } else if channel.senders == 0 {
            self.log(0);
        } else if waits == Some(false) {
            return Taken::Blocked;
        } else {
            self.log(1);
        }
        self.done()
    }

    pub(super) fn drop_sender(&mut self, q: usize) -> Taken {
        self.me().senders &= !(1 << q);
        self.state.channels[q].senders -= 1;
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
