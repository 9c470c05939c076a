//! `Map` where threads begin, end, wait for each other, and panic.

use std::cell::RefCell;
use std::hash::Hasher;
use std::sync::{Arc, mpsc};
use std::thread;

use selvedge::Map;

use crate::map_helpers::{ON_PURPOSE, caught, hush, in_good_time};

/// At the end of a thread, when other thread-local values have gone: what is dropped then may use a
/// map, as long as the map itself lives.
#[test]
fn a_map_can_be_used_by_a_thread_local_value_that_is_dropped() {
    type Errand = (Arc<Map<u64, u64>>, mpsc::Sender<bool>);
    struct Farewell(RefCell<Option<Errand>>);
    impl Drop for Farewell {
        fn drop(&mut self) {
            if let Some((map, done)) = self.0.take() {
                let nested = map.update(&1, |n| Map::from([(1, 1)]).get(&1).unwrap_or(0) + n);
                let refused = map.with(&1, |_| map.is_inside()) == Some(true);
                let _ = done.send(nested == Some(10) && refused);
            }
        }
    }
    thread_local! {
        static FAREWELL: Farewell = const { Farewell(RefCell::new(None)) };
    }
    for map_first in [false, true] {
        let map = Arc::new(Map::from([(1, 10)]));
        let (done, ended) = mpsc::channel();
        let theirs = Arc::clone(&map);
        let thread = thread::spawn(move || {
            // What a map keeps for a thread is then older than the farewell, or younger.
            let nested = || theirs.with(&1, |_| Map::from([(1, 1)]).len());
            let before = if map_first { nested() } else { Some(1) };
            let errand = (Arc::clone(&theirs), done);
            FAREWELL.with(|farewell| *farewell.0.borrow_mut() = Some(errand));
            assert_eq!((before, nested()), (Some(1), Some(1)));
        });
        thread.join().expect("it ends well");
        assert_eq!(ended.recv(), Ok(true));
        assert_eq!(map.get(&1), Some(11));
    }
}

/// A closure that waits for another thread, which uses another entry: the one thing that a closure
/// must not do, but where the shards differ it is no deadlock, and never a wrong refusal.
#[test]
fn another_thread_may_use_another_shard_meanwhile() {
    in_good_time(|| {
        let map: Map<u64, u64, ByParity> =
            Map::with_shards_and_hasher(2, ByParity).expect("2 are accepted");
        map.insert(0, 0);
        map.insert(1, 10);
        let other = map.update(&0, |n| {
            thread::scope(|scope| {
                let there = scope.spawn(|| map.update(&1, |n| n + 1)).join();
                n + there.expect("it is not refused").expect("it is there")
            })
        });
        assert_eq!((other, map.get(&0), map.get(&1)), (Some(0), Some(10), Some(11)));
    });
}

/// Even keys in one shard, odd ones in the other.
#[derive(Clone, Copy)]
struct ByParity;

struct Parity(u64);

impl std::hash::BuildHasher for ByParity {
    type Hasher = Parity;

    fn build_hasher(&self) -> Parity {
        Parity(0)
    }
}

impl Hasher for Parity {
    fn write(&mut self, _: &[u8]) {
        unreachable!("all keys are u64");
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = if key & 1 == 1 { u64::MAX } else { 0 };
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Threads that insert, replace, remove and panic: each value that was made is dropped once.
#[test]
fn threads_leak_nothing() {
    hush();
    let token = Arc::new(());
    let map = Map::with_shards(2).expect("2 are accepted");
    thread::scope(|scope| {
        for thread in 0..8_u64 {
            let (map, token) = (&map, &token);
            scope.spawn(move || {
                let new = || Arc::clone(token);
                for round in 0..500 {
                    let key = (thread + round) % 7;
                    drop(map.insert(key, new()));
                    drop(map.try_insert(key + 1, new()));
                    drop(map.update(&(key + 1), |_| new()));
                    drop(map.compute(key, |value| value.is_none().then(new)));
                    drop(map.get_or_insert_with(key, new));
                    drop(map.update_pair(&key, &(key + 1), |a, b| (Arc::clone(b), Arc::clone(a))));
                    let panics = || -> Arc<()> { panic!("{ON_PURPOSE}") };
                    drop(caught(|| map.update(&key, |_| panics())));
                    drop(caught(|| map.get_or_insert_with(99, panics)));
                    drop(map.remove(&key));
                    match round % 100 {
                        40 => map.retain(|key, _| key % 2 == 0),
                        80 => map.clear(),
                        _ => {}
                    }
                }
            });
        }
    });
    assert_eq!(Arc::strong_count(&token), 1 + map.len(), "one for each entry");
    drop(map);
    assert_eq!(Arc::strong_count(&token), 1);
}
