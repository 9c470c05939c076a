//! A program on the types of the façade.

use std::cell::Cell;
use std::time::Duration;

use selvedge_model::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use selvedge_model::sync::{Arc, Condvar, Mutex, RwLock, hint, thread};

use super::program::{By, Op, Program, Put, RW};

#[derive(Default)]
struct Shared {
    mutexes: [(Mutex<Cell<u64>>, Condvar); 2],
    /// A cell of `std` that may be shared: the checker does not see it.
    rwlock: RwLock<std::sync::atomic::AtomicU64>,
    marks: AtomicU64,
    flag: AtomicBool,
}

/// Runs the program. Returns what its threads logged.
pub(super) fn run(program: &std::sync::Arc<Program>) -> String {
    let shared = Arc::new(Shared::default());
    let threads = (0..program.threads.len()).map(|number| {
        let (shared, program) = (shared.clone(), std::sync::Arc::clone(program));
        thread::spawn(move || {
            let mut log = Vec::new();
            shared.run(&program.threads[number], &mut log, &mut |_| ());
            log
        })
    });
    let threads: Vec<_> = threads.collect();
    let logs: Vec<_> = threads.into_iter().map(|t| t.join().expect("it does not panic")).collect();
    format!("{logs:?}")
}

const SOON: Duration = Duration::from_millis(1);

impl Shared {
    fn run(&self, ops: &[Op], log: &mut Vec<u64>, put: &mut dyn FnMut(Put)) {
        for op in ops {
            self.op(op, log, put);
        }
    }

    fn value(&self, lock: usize) -> u64 {
        if lock == RW {
            self.rwlock.read().unwrap().load(SeqCst)
        } else {
            self.mutexes[lock].0.lock().unwrap().get()
        }
    }

    /// `None` if the lock is not free.
    fn try_value(&self, lock: usize) -> Option<u64> {
        if lock == RW {
            self.rwlock.try_read().ok().map(|value| value.load(SeqCst))
        } else {
            self.mutexes[lock].0.try_lock().ok().map(|value| value.get())
        }
    }

    fn op(&self, op: &Op, log: &mut Vec<u64>, put: &mut dyn FnMut(Put)) {
        match *op {
            Op::Mark => log.push(self.marks.fetch_add(1, SeqCst)),
            Op::Lock { lock: RW, tries, ref body } => {
                let guard = if tries {
                    self.rwlock.try_write().ok()
                } else {
                    Some(self.rwlock.write().unwrap())
                };
                log.extend(tries.then_some(u64::from(guard.is_some())));
                if let Some(mut guard) = guard {
                    self.run(body, log, &mut |put| {
                        if put.hidden {
                            guard.store(put.value, SeqCst);
                        } else {
                            *guard.get_mut() = put.value;
                        }
                    });
                }
            }
            Op::Lock { lock, tries, ref body } => {
                let mutex = &self.mutexes[lock].0;
                let guard = if tries { mutex.try_lock().ok() } else { Some(mutex.lock().unwrap()) };
                log.extend(tries.then_some(u64::from(guard.is_some())));
                if let Some(mut guard) = guard {
                    self.run(body, log, &mut |put| put.into(&mut guard));
                }
            }
            Op::Crossed { first, second, put } => {
                let mut first = self.mutexes[first].0.lock().unwrap();
                let second = self.mutexes[second].0.lock().unwrap();
                put.into(&mut first);
                drop(first);
                drop(second);
            }
            Op::Put(value) => put(value),
            Op::Notify(mutex) => self.mutexes[mutex].1.notify_all(),
            Op::Watch { lock, by, until } => self.watch(lock, by, until, log),
            Op::Await { lock, value } => hint::wait_until(|| self.value(lock) == value),
            Op::Take(mutex) => {
                let (mutex, condvar) = &self.mutexes[mutex];
                let takes = |value: &mut Cell<u64>| {
                    let none = value.get() == 0;
                    value.set(value.get().saturating_sub(1));
                    none
                };
                drop(condvar.wait_while(mutex.lock().unwrap(), takes).unwrap());
            }
            Op::Flips { lock, most } => {
                let (mut flips, mut last) = (0, true);
                while flips < most && !self.flag.load(SeqCst) {
                    let free = self.try_value(lock).is_some();
                    flips += u64::from(free != last);
                    last = free;
                    hint::spin_loop();
                }
                log.push(flips);
            }
            Op::Raise => self.flag.store(true, SeqCst),
        }
    }

    fn watch(&self, lock: usize, by: By, until: u64, log: &mut Vec<u64>) {
        let mut seen = None;
        let mut is_last = |value: u64| {
            if seen.replace(value) != Some(value) {
                log.push(value);
            }
            value == until
        };
        match by {
            By::Lock => {
                while !is_last(self.value(lock)) {
                    hint::spin_loop();
                }
            }
            By::TryLock => {
                while !self.try_value(lock).is_some_and(&mut is_last) {
                    hint::spin_loop();
                }
            }
            By::Wait | By::WaitTimeout => {
                let (mutex, condvar) = &self.mutexes[lock];
                let mut guard = mutex.lock().unwrap();
                while !is_last(guard.get()) {
                    guard = if by == By::Wait {
                        condvar.wait(guard).unwrap()
                    } else {
                        condvar.wait_timeout(guard, SOON).unwrap().0
                    };
                }
            }
        }
    }
}

impl Put {
    fn into(self, cell: &mut Cell<u64>) {
        if self.hidden { cell.set(self.value) } else { *cell.get_mut() = self.value }
    }
}
