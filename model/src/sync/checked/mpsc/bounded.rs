//! Messages with a bound: a [`Channel`] holds them.

use super::channel::{Transport, act, act_in_time, is_patient, last_act, location};
use crate::kernel::object::{Channel, ChannelAct, EMPTY};
use crate::kernel::{Handle, LocationId, Made, Site};

pub(super) struct Bounded {
    channel: Option<Handle>,
    /// With bound 0 a message is only offered, until the receiver takes it.
    is_rendezvous: bool,
}

impl Bounded {
    pub(super) fn new(bound: usize, site: Site) -> Self {
        let channel = Handle::new(site, || Made::Object(Channel::new(bound).into()));
        Self { channel, is_rendezvous: bound == 0 }
    }

    fn act(&self, what: ChannelAct, site: Site) -> u64 {
        act(self.channel, what, site)
    }

    fn begin_receive(&self, site: Site) {
        if self.is_rendezvous {
            self.act(ChannelAct::BeginReceive, site);
        }
    }
}

impl Transport for Bounded {
    fn location(&self) -> LocationId {
        location(self.channel)
    }

    fn send(&self, tries: bool, site: Site) -> u64 {
        self.act(if tries { ChannelAct::TrySend } else { ChannelAct::Send }, site)
    }

    fn deliver(&self, message: u64, site: Site) -> bool {
        !self.is_rendezvous || self.act(ChannelAct::Delivered { message }, site) != 0
    }

    fn receive(&self, site: Site) -> u64 {
        self.begin_receive(site);
        self.act(ChannelAct::Receive, site)
    }

    fn receive_in_time(&self, site: Site) -> u64 {
        self.begin_receive(site);
        if !is_patient() {
            return self.act(ChannelAct::ReceiveInTime, site);
        }
        match act_in_time(self.channel, ChannelAct::Receive, site) {
            // A `try_send` must not meet it any more.
            EMPTY if self.is_rendezvous => self.act(ChannelAct::TryReceive, site),
            result => result,
        }
    }

    fn try_receive(&self, site: Site) -> u64 {
        self.act(ChannelAct::TryReceive, site)
    }

    fn close(&self, site: Site) {
        last_act(self.channel, ChannelAct::Close, site);
    }

    fn drop_receiver(&self, site: Site) -> bool {
        last_act(self.channel, ChannelAct::DropReceiver, site);
        !self.is_rendezvous
    }
}
