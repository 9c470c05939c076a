//! Bugs from public reports. The package `field` has the types and what each thread does, a file a bug; the name of a
//! specimen is that of its file, with `#` before the number.
//!
//! `internment_11` and `rust_98498` are left out: where threads are real, they use freed memory.

use confidence::measured::Kind::{
    self, DataRace, Deadlock, Order, Sound, WeakDataRace, WeakMemory,
};
use field::{
    affinitypool_21, basedrop_9, basedrop_10, bb8_122, cache_rs_62, crossbeam_1187, dashmap_369,
    dora_3288, event_listener_138, iree_23707, moka_195, octos_927, perry_8735, poco_5214,
    qdrant_8847, rayon_992, rayon_1205, rust_101194, spin_65, stabby_139, thread_local_33,
    tokio_4225, tokio_7632, turso_4509, xline_166,
};

use crate::specimen::{Specimen, written};

/// A program, by its name and what is wrong with it.
type Program = fn(&'static str, Kind) -> Specimen;

/// `broken` and `fixed` of a module, in the same program.
macro_rules! pair {
    ($program:ident, $module:ident::$broken:ident, $fixed:ident) => {
        [
            |name, kind| $program(name, kind, $module::$broken),
            |name, kind| $program(name, kind, $module::$fixed),
        ]
    };
}

/// All of them: the bug, and as its control the same program without the bug.
pub(crate) fn all() -> Vec<Specimen> {
    let of = |bug: &'static str, kind: Kind, programs: [Program; 2]| {
        let fixed = format!("{bug}, fixed").leak();
        [programs[0](bug, kind).beside(fixed), programs[1](fixed, Sound)]
    };
    [
        of("affinitypool #21", WeakMemory, [affinitypool::<false>, affinitypool::<true>]),
        of("basedrop #9", WeakDataRace, [queue::<false, false>, queue::<true, true>]),
        of("basedrop #10", WeakMemory, [shared_cell::<false>, shared_cell::<true>]),
        of("crossbeam #1187", Order, [crossbeam::<false>, crossbeam::<true>]),
        of("dashmap #369", Deadlock, [dashmap::<false>, dashmap::<true>]),
        of("dora #3288", WeakMemory, [dora::<false>, dora::<true>]),
        of("event-listener #138", WeakMemory, [event_listener::<false>, event_listener::<true>]),
        of("perry #8735", WeakMemory, [perry::<false>, perry::<true>]),
        of("qdrant #8847", Order, [qdrant::<false>, qdrant::<true>]),
        of("rayon #992", Deadlock, [rayon::<false>, rayon::<true>]),
        of("stabby #139", WeakDataRace, [stabby::<false>, stabby::<true>]),
        of("thread_local #33", WeakDataRace, [thread_local::<false>, thread_local::<true>]),
        of("tokio #4225", DataRace, [oneshot::<false>, oneshot::<true>]),
        of("tokio #7632", WeakMemory, [task::<false>, task::<true>]),
        of("bb8 #122", Deadlock, pair!(bb8, bb8_122::broken, fixed)),
        of("cache-rs #62", Order, pair!(cache, cache_rs_62::broken, fixed)),
        of("iree #23707", WeakMemory, pair!(ring, iree_23707::broken, fixed)),
        of("moka #195", Order, pair!(moka, moka_195::broken, fixed)),
        of("octos #927", Deadlock, pair!(octos, octos_927::broken, fixed)),
        of("poco #5214", Deadlock, pair!(poco, poco_5214::broken, fixed)),
        of("rayon #1205", Deadlock, pair!(join, rayon_1205::broken, fixed)),
        of("rust #101194", Deadlock, pair!(elements, rust_101194::broken, fixed)),
        of("spin #65", WeakDataRace, pair!(spin, spin_65::write_broken, write_fixed)),
        of("turso #4509", Deadlock, pair!(turso, turso_4509::broken, fixed)),
        of("xline #166", Order, [watch_broken, watch_fixed]),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn affinitypool<const FIXED: bool>(name: &'static str, kind: Kind) -> Specimen {
    use affinitypool_21::Pool;
    Specimen::new(name, kind, Pool::<FIXED>::default, [Pool::spawn, Pool::work], |_, _| true)
}

fn queue<const RELEASED: bool, const ACQUIRED: bool>(name: &'static str, kind: Kind) -> Specimen {
    use basedrop_9::Queue;
    let init = Queue::<RELEASED, ACQUIRED>::default;
    let push = |queue: &Queue<RELEASED, ACQUIRED>| written(|| queue.queue());
    Specimen::new(name, kind, init, [push, push, Queue::collect], |_, _| true)
}

fn shared_cell<const FIXED: bool>(name: &'static str, kind: Kind) -> Specimen {
    use basedrop_10::SharedCell;
    let bodies = [SharedCell::get, SharedCell::set];
    Specimen::new(name, kind, SharedCell::<FIXED>::default, bodies, |cell, _| cell.queued() == 1)
}

fn crossbeam<const FIXED: bool>(name: &'static str, kind: Kind) -> Specimen {
    use crossbeam_1187::Channel;
    let bodies = [Channel::send, Channel::send, Channel::disconnect];
    Specimen::new(name, kind, Channel::<FIXED>::default, bodies, |channel, _| channel.frees() < 2)
}

fn dashmap<const FIXED: bool>(name: &'static str, kind: Kind) -> Specimen {
    use dashmap_369::Map;
    Specimen::new(name, kind, Map::<FIXED>::default, [Map::there, Map::back], |_, _| true)
}

/// What a reader has seen, if anything: both words are of one moment.
fn is_whole(seen: Option<(u64, u64)>) -> bool {
    seen.is_none_or(|(one, other)| one == other)
}

fn dora<const FIXED: bool>(name: &'static str, kind: Kind) -> Specimen {
    use dora_3288::Frame;
    let write = |frame: &Frame<FIXED>| written(|| frame.write());
    Specimen::new(name, kind, Frame::<FIXED>::default, [write, Frame::read], |_, [_, seen]| {
        is_whole(*seen)
    })
}

fn event_listener<const FIXED: bool>(name: &'static str, kind: Kind) -> Specimen {
    use event_listener_138::Event;
    Specimen::new(name, kind, Event::<FIXED>::default, [Event::wait, Event::set], |_, _| true)
}

fn perry<const FIXED: bool>(name: &'static str, kind: Kind) -> Specimen {
    use perry_8735::Entry;
    let publish = |entry: &Entry<FIXED>| written(|| entry.publish());
    Specimen::new(name, kind, Entry::<FIXED>::default, [publish, Entry::read], |_, [_, seen]| {
        is_whole(*seen)
    })
}

fn qdrant<const FIXED: bool>(name: &'static str, kind: Kind) -> Specimen {
    use qdrant_8847::Watched;
    let change = |watched: &Watched<FIXED>| written(|| watched.change());
    let bodies = [Watched::wait_times_out, change];
    let right = |_: &Watched<FIXED>, returned: &[bool; 2]| !returned[0];
    Specimen::new(name, kind, Watched::<FIXED>::default, bodies, right).patient()
}

fn rayon<const FIXED: bool>(name: &'static str, kind: Kind) -> Specimen {
    use rayon_992::Worker;
    let bodies = [Worker::run, Worker::broadcast];
    Specimen::new(name, kind, Worker::<FIXED>::default, bodies, |_, _| true)
}

fn stabby<const FIXED: bool>(name: &'static str, kind: Kind) -> Specimen {
    use stabby_139::Shared;
    Specimen::new(name, kind, Shared::<FIXED>::default, [Shared::release; 2], |_, _| true)
}

fn thread_local<const FIXED: bool>(name: &'static str, kind: Kind) -> Specimen {
    use thread_local_33::ThreadLocal;
    let insert = |local: &ThreadLocal<FIXED>| written(|| local.insert());
    let bodies = [insert, ThreadLocal::first];
    Specimen::new(name, kind, ThreadLocal::<FIXED>::default, bodies, |_, [_, seen]| {
        [0, 7].contains(seen)
    })
}

fn oneshot<const FIXED: bool>(name: &'static str, kind: Kind) -> Specimen {
    use tokio_4225::Oneshot;
    let bodies = [Oneshot::send, Oneshot::close_then_receive];
    Specimen::new(name, kind, Oneshot::<FIXED>::default, bodies, |_, [back, received]| {
        back.is_some() != received.is_some()
    })
}

fn task<const FIXED: bool>(name: &'static str, kind: Kind) -> Specimen {
    use tokio_7632::Task;
    Specimen::new(name, kind, Task::<FIXED>::default, [Task::wake, Task::poll], |_, returned| {
        returned.contains(&true)
    })
}

fn bb8(name: &'static str, kind: Kind, get: fn(&bb8_122::Pool)) -> Specimen {
    use bb8_122::Pool;
    Specimen::new(name, kind, Pool::default, [get, Pool::put], |_, _| true)
}

fn cache(name: &'static str, kind: Kind, contains: fn(&cache_rs_62::Table) -> bool) -> Specimen {
    use cache_rs_62::Table;
    let compact = |table: &Table| written(|| table.compact());
    Specimen::new(name, kind, Table::default, [contains, compact], |_, [found, _]| *found)
}

fn ring(name: &'static str, kind: Kind, reserve: fn(&iree_23707::Ring) -> bool) -> Specimen {
    use iree_23707::Ring;
    let consume = |ring: &Ring| written(|| ring.consume());
    Specimen::new(name, kind, Ring::full, [consume, reserve, reserve], |ring, _| ring.used() <= 1)
}

fn moka(name: &'static str, kind: Kind, get_with: fn(&moka_195::Cache) -> u64) -> Specimen {
    use moka_195::Cache;
    Specimen::new(name, kind, Cache::default, [get_with; 2], |cache, _| cache.inits() == 1)
}

fn octos(name: &'static str, kind: Kind, task: fn(&octos_927::Token)) -> Specimen {
    use octos_927::Token;
    Specimen::new(name, kind, Token::default, [task, Token::cancel], |_, _| true)
}

fn poco(name: &'static str, kind: Kind, work: fn(&poco_5214::Queue)) -> Specimen {
    use poco_5214::Queue;
    Specimen::new(name, kind, Queue::default, [work, Queue::shut_down], |_, _| true)
}

fn join(name: &'static str, kind: Kind, work: fn(&rayon_1205::Pool) -> u64) -> Specimen {
    use rayon_1205::Pool;
    let write = |pool: &Pool| written(|| pool.write());
    Specimen::new(name, kind, Pool::default, [work, write], |_, _| true)
}

fn elements(
    name: &'static str,
    kind: Kind,
    some_left: fn(&rust_101194::Elements) -> bool,
) -> Specimen {
    use rust_101194::{elements, take};
    let first = |all: &_| written(|| take::<0>(all));
    let second = |all: &_| written(|| take::<1>(all));
    Specimen::new(name, kind, elements, [some_left, first, second], |_, _| true)
}

fn spin(name: &'static str, kind: Kind, write: fn(&spin_65::Lock)) -> Specimen {
    use spin_65::{Lock, read_fixed};
    let read = |lock: &Lock| _ = read_fixed(lock);
    Specimen::new(name, kind, Lock::default, [write, read], |_, _| true)
}

fn turso(name: &'static str, kind: Kind, read: fn(&turso_4509::Log)) -> Specimen {
    use turso_4509::{Log, write};
    Specimen::new(name, kind, Log::default, [read, write], |_, _| true)
}

fn watch_broken(name: &'static str, kind: Kind) -> Specimen {
    use xline_166::Broken;
    let bodies = [|all: &Broken| written(|| all.put()), Broken::watch];
    Specimen::new(name, kind, Broken::default, bodies, |all, [_, past]| {
        past.len() + all.delivered().len() > 0
    })
}

fn watch_fixed(name: &'static str, kind: Kind) -> Specimen {
    use xline_166::Fixed;
    let bodies = [|all: &Fixed| written(|| all.put()), Fixed::watch];
    Specimen::new(name, kind, Fixed::default, bodies, |all, [_, past]| {
        past.len() + all.delivered().len() > 0
    })
}
