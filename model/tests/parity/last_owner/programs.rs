//! More programs with an `Arc` of `std`.

use std::cell::RefCell;
use std::sync::Arc as StdArc;

use selvedge_model::sync::atomic::{
    AtomicBool, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use selvedge_model::sync::{
    Arc, Barrier, Condvar, Mutex, OnceLock, RwLock, Weak, hint, mpsc, thread,
};
use selvedge_model::{Model, linearizable};

use super::{Does, OnDrop, Payload, Shared, is_complete, is_refused, looks, payload};

type Owners<T> = std::sync::Mutex<Vec<StdArc<T>>>;

fn owners<T>(value: T, number: usize) -> Owners<T> {
    let owner = StdArc::new(value);
    std::sync::Mutex::new((0..number).map(|_| StdArc::clone(&owner)).collect())
}

fn take<T>(owners: &Owners<T>) -> StdArc<T> {
    owners.lock().unwrap().pop().unwrap()
}

/// Whichever thread comes first or last in an execution, one of the others is in between.
#[test]
fn each_of_three_threads_may_be_the_last() {
    for at in 0..3 {
        let mut model = Model::new(|| owners((), 3));
        for thread in 0..3 {
            let returns = thread == at;
            model = model.thread(&format!("t{thread}"), move |owners| {
                looks();
                let owner = take(owners);
                returns && StdArc::try_unwrap(owner).is_ok()
            });
        }
        let first = format!("t0={} t1={} t2={}", at == 0, at == 1, at == 2);
        let outcomes = ["t0=false t1=false t2=false", &first];
        is_refused(model.acceptable(outcomes, "the others may be there, or not").try_check());
    }
}

/// The other thread has ended when the main thread drops its owner, but did not have to.
#[test]
fn the_thread_that_waits_for_the_last_step_of_the_other_may_drop_its_owner_first() {
    static SET: AtomicBool = AtomicBool::new(false);

    let result = Model::program(|| {
        let own = StdArc::new(OnDrop(looks));
        let other = StdArc::clone(&own);
        let child = thread::spawn(move || {
            SET.store(true, Release);
            drop(other);
        });
        hint::wait_until(|| SET.load(Acquire));
        drop(own);
        child.join().unwrap();
    });
    is_refused(result.try_check());
}

#[test]
fn an_owner_may_be_dropped_late_after_the_last_step_on_an_arc_of_the_facade() {
    type Owned = std::sync::Mutex<Option<(Arc<u64>, Payload)>>;
    let drops = |owned: &Owned| {
        let (of_both, payload) = owned.lock().unwrap().take().unwrap();
        drop(of_both);
        drop(payload);
    };
    let model = Model::new(|| {
        let of_both = Arc::new(0);
        let payload = payload(Does::Adds, &Shared::default());
        let one = (Arc::clone(&of_both), StdArc::clone(&payload));
        [Some(one), Some((of_both, payload))].map(std::sync::Mutex::new)
    });
    let model = model.thread("one", move |[owned, _]| drops(owned));
    let model = model.thread("two", move |[_, owned]| drops(owned));
    is_refused(model.acceptable("()", "nothing is returned").try_check());
}

/// The other thread sees that there is no owner left, and the value is dropped after that.
#[test]
fn what_an_arc_of_the_facade_has_may_be_dropped_late() {
    type Owner = StdArc<OnDrop<fn()>>;
    type Owned = (std::sync::Mutex<Option<Arc<Owner>>>, Weak<Owner>, Owners<OnDrop<fn()>>);
    let model = Model::new(|| {
        let owners = owners(OnDrop(looks as fn()), 2);
        let owner = Arc::new(take(&owners));
        let weak = Arc::downgrade(&owner);
        (std::sync::Mutex::new(Some(owner)), weak, owners)
    });
    let model = model.thread("drops", |(owner, ..): &Owned| drop(owner.lock().unwrap().take()));
    let model = model.thread("waits", |(_, weak, owners)| {
        hint::wait_until(|| weak.strong_count() == 0);
        drop(take(owners));
    });
    is_refused(model.acceptable("()", "nothing is returned").try_check());
}

/// The step and the drop in `std` are not apart in a run in which the thread comes last.
#[test]
fn the_last_owner_of_an_arc_of_the_facade_is_that_of_the_last_step() {
    type Owner = std::sync::Mutex<Option<Arc<OnDrop<fn()>>>>;
    let drops = |owner: &Owner| drop(owner.lock().unwrap().take());
    let model = Model::new(|| {
        let owner = Arc::new(OnDrop(looks as fn()));
        [Some(Arc::clone(&owner)), Some(owner)].map(std::sync::Mutex::new)
    });
    let model = model.thread("one", move |[owner, _]| drops(owner));
    let model = model.thread("two", move |[_, owner]| drops(owner));
    is_complete(model.acceptable("()", "nothing is returned").try_check());
}

/// The same of `upgrade`, and of the drop of a weak owner.
#[test]
fn a_weak_owner_of_the_facade_counts_as_its_steps_do() {
    type Owner<T> = std::sync::Mutex<Option<T>>;
    type Owners = (Owner<Arc<OnDrop<fn()>>>, Owner<Weak<OnDrop<fn()>>>);
    let check = |one: fn(&Owners), two: fn(&Owners)| {
        let model = Model::new(|| {
            let owner = Arc::new(OnDrop(looks as fn()));
            let weak = Arc::downgrade(&owner);
            (std::sync::Mutex::new(Some(owner)), std::sync::Mutex::new(Some(weak)))
        });
        let model = model.thread("one", one).thread("two", two);
        is_complete(model.acceptable("()", "nothing is returned").try_check());
    };
    check(
        |(_, weak)| {
            let weak = weak.lock().unwrap().take().unwrap();
            drop(weak.upgrade());
        },
        |(owner, _)| drop(owner.lock().unwrap().take()),
    );
    check(
        |(_, weak)| drop(weak.lock().unwrap().take()),
        |(owner, _)| {
            let mut owner = owner.lock().unwrap().take().unwrap();
            if Arc::get_mut(&mut owner).is_some() {
                looks();
            }
        },
    );
}

/// The block is freed with the weak owner, after all threads have ended.
#[test]
fn a_value_is_dropped_before_its_block() {
    let model = Model::new(|| {
        let owners = owners(OnDrop(looks), 2);
        let weak = StdArc::downgrade(&owners.lock().unwrap()[0]);
        (owners, weak)
    });
    let model = model.thread("one", |(owners, _)| {
        looks();
        drop(take(owners));
    });
    let model = model.thread("two", |(owners, _)| {
        looks();
        drop(take(owners));
    });
    is_refused(model.acceptable("()", "nothing is returned").try_check());
}

/// A thread whose last step is `step` drops its owner after that, or the other thread does before.
#[test]
fn an_owner_may_be_dropped_late_after_a_step_of_any_kind() {
    fn after<S: Send + Sync + 'static>(new: fn() -> S, step: fn(&S), other: fn(&S)) {
        let result = Model::new(move || (new(), owners(OnDrop(looks as fn()), 2)))
            .thread("late", move |(shared, owners)| {
                let owner = take(owners);
                step(shared);
                drop(owner);
            })
            .thread("other", move |(shared, owners)| {
                let owner = take(owners);
                other(shared);
                drop(owner);
            })
            .acceptable("()", "nothing is returned")
            .try_check();
        is_refused(result);
    }

    // The other thread waits for the step, and for nothing else.
    after(
        || AtomicBool::new(false),
        |set| set.store(true, Release),
        |set| hint::wait_until(|| set.load(Acquire)),
    );
    after(
        || RwLock::new(()),
        |lock| std::mem::forget(lock.write().unwrap()),
        |lock| while lock.try_read().is_ok() {},
    );
    after(
        || RwLock::new(()),
        |lock| std::mem::forget(lock.try_write().unwrap()),
        |lock| while lock.try_read().is_ok() {},
    );
    after(
        || {
            let (sender, receiver) = mpsc::sync_channel(1);
            (sender, std::sync::Mutex::new(receiver))
        },
        |(sender, _)| sender.try_send(()).unwrap(),
        |(_, receiver)| receiver.lock().unwrap().recv().unwrap(),
    );
    after(|| Condvar::new(), |condvar| condvar.notify_all(), |_| ());
    after(
        || OnceLock::new(),
        |once| once.set(()).unwrap(),
        |once| {
            once.wait();
        },
    );
    after(|| Barrier::new(2), |barrier| _ = barrier.wait(), |barrier| _ = barrier.wait());
    after(
        || Mutex::new(()),
        |lock| std::mem::forget(lock.lock().unwrap()),
        |lock| while lock.try_lock().is_ok() {},
    );
    // A weak owner in the façade that another thread makes a strong one.
    after(
        || {
            let owner = Arc::new(());
            (Arc::downgrade(&owner), std::sync::Mutex::new(Some(owner)))
        },
        |(weak, _)| drop(weak.upgrade()),
        |(_, owner)| drop(owner.lock().unwrap().take()),
    );
    after(
        || std::sync::Mutex::new(vec![Arc::new(()); 2]),
        |owned| {
            let owner = owned.lock().unwrap().pop().unwrap();
            Arc::into_inner(owner);
        },
        |owned| {
            let owner = owned.lock().unwrap().pop().unwrap();
            Arc::into_inner(owner);
        },
    );
}

/// The last owner is dropped after all else has been returned.
#[test]
fn a_thread_that_is_not_joined_may_drop_the_last_owner() {
    let result = Model::program(|| {
        let own = StdArc::new(AtomicU64::new(0));
        let other = StdArc::clone(&own);
        thread::spawn(move || _ = other.fetch_add(1, Relaxed));
        own.load(Relaxed);
    });
    is_complete(result.try_check());
}

/// A scope waits for what its threads return, and not for the destructors of their thread-local values.
#[test]
fn a_thread_local_value_may_be_the_last_owner_after_its_scope() {
    selvedge_model::sync::thread_local! {
        static KEPT: RefCell<Option<StdArc<OnDrop<fn()>>>> = const { RefCell::new(None) };
    }

    let result = Model::program(|| {
        let own = StdArc::new(OnDrop(looks as fn()));
        let other = StdArc::clone(&own);
        thread::scope(|scope| {
            scope.spawn(move || KEPT.with(|kept| drop(kept.replace(Some(other)))));
        });
        drop(own);
    });
    is_refused(result.try_check());
}

/// What a closure has captured is dropped when it ends.
#[test]
fn what_a_thread_captures_may_be_the_last_owner() {
    let result = Model::program(|| {
        let own = StdArc::new(OnDrop(looks));
        let others = [StdArc::clone(&own), own];
        let children = others.map(|captured| {
            thread::spawn(move || {
                let _captured = &captured;
                looks();
            })
        });
        for child in children {
            child.join().unwrap();
        }
    });
    is_refused(result.try_check());
}

#[test]
fn an_owner_in_a_scope_may_be_the_last() {
    let result = Model::program(|| {
        let own = StdArc::new(OnDrop(looks));
        let other = StdArc::clone(&own);
        thread::scope(|scope| {
            scope.spawn(move || drop(own));
            scope.spawn(move || {
                looks();
                drop(other);
            });
        });
    });
    is_refused(result.try_check());
}

/// Its thread drops the result, or the one that drops the handle: both are explored.
#[test]
fn the_result_of_a_thread_that_is_not_joined_is_dropped_by_either() {
    let result = Model::program(|| {
        let child = thread::spawn(|| {
            looks();
            OnDrop(looks)
        });
        looks();
        drop(child);
    });
    is_complete(result.try_check());
}

#[test]
fn an_owner_that_is_handed_over_is_dropped_where_it_arrives() {
    fn program(through: impl Fn(StdArc<OnDrop<fn()>>) + Send + Sync + 'static) -> Model<()> {
        Model::program(move || {
            let own = StdArc::new(OnDrop(looks as fn()));
            through(StdArc::clone(&own));
            drop(own);
        })
    }
    // The main thread still has one when the other is received.
    let sent = program(|other| {
        let (sender, receiver) = mpsc::channel();
        let child = thread::spawn(move || drop(receiver.recv()));
        sender.send(other).unwrap();
        child.join().unwrap();
    });
    is_complete(sent.try_check());
    let late = program(|other| {
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || drop(receiver.recv()));
        sender.send(other).unwrap();
    });
    is_refused(late.try_check());
    let locked = program(|other| {
        let slot = Arc::new(Mutex::new(Some(other)));
        let others = Arc::clone(&slot);
        thread::spawn(move || drop(others.lock().unwrap().take()));
    });
    is_refused(locked.try_check());
    let returned = program(|other| {
        let child = thread::spawn(move || {
            looks();
            other
        });
        drop(child.join().unwrap());
    });
    is_complete(returned.try_check());
}

#[test]
fn whether_a_weak_owner_finds_a_value_is_not_determined() {
    let result = Model::new(|| {
        let owners = owners((), 2);
        let weak = StdArc::downgrade(&owners.lock().unwrap()[0]);
        (owners, weak)
    });
    let result = result.thread("one", |(owners, _)| {
        looks();
        drop(take(owners));
    });
    let result = result.thread("weak", |(_, weak)| {
        looks();
        weak.upgrade().is_some()
    });
    let result = result.thread("two", |(owners, _)| {
        looks();
        drop(take(owners));
    });
    let outcomes = ["weak=true", "weak=false"];
    is_refused(result.acceptable(outcomes, "there may be an owner").try_check());
}

/// Each order of the operations explains what they return in the one execution; but there is another.
#[test]
fn the_result_of_an_operation_that_depends_on_other_owners_is_refused() {
    let result = linearizable(|| owners((), 2))
        .operation("give up", |owners| {
            looks();
            let owner = owners.lock().unwrap().pop();
            owner.and_then(StdArc::into_inner).is_some()
        })
        .size(2, 1)
        .try_check();
    let said = result.expect_err("who drops last is not determined").to_string();
    assert!(said.contains("dropped the last owner of an Arc of std in one run"), "{said}");
}

/// The last of these owners has the last owner of another value.
#[test]
fn owners_in_what_another_owner_has() {
    type Nested = (StdArc<StdArc<OnDrop<fn()>>>, StdArc<OnDrop<fn()>>);

    let model = |ordered: bool| {
        let model = Model::new(|| {
            let inner = StdArc::new(OnDrop(looks as fn()));
            let outer = StdArc::new(StdArc::clone(&inner));
            let owned: [Nested; 2] =
                [(StdArc::clone(&outer), StdArc::clone(&inner)), (outer, inner)];
            (AtomicBool::new(false), owned.map(|owned| std::sync::Mutex::new(Some(owned))))
        });
        let take = |owned: &std::sync::Mutex<Option<Nested>>| owned.lock().unwrap().take().unwrap();
        let model = model.thread("first", move |(dropped, [owned, _])| {
            drop(take(owned));
            dropped.store(true, Relaxed);
        });
        let model = model.thread("second", move |(dropped, [_, owned])| {
            if ordered {
                hint::wait_until(|| dropped.load(Relaxed));
            }
            looks();
            drop(take(owned));
        });
        model.acceptable("()", "nothing is returned").try_check()
    };
    is_complete(model(true));
    is_refused(model(false));
}

/// The steps are the same, and so is what is returned; what one of them writes is not.
#[test]
fn what_the_last_owner_writes_is_not_determined() {
    let model = |reads: bool| {
        let model = Model::new(|| (AtomicU64::new(0), owners(5_u64, 2)));
        let model = model.thread("writes", |(written, owners)| {
            let owner = take(owners);
            looks();
            written.store(StdArc::into_inner(owner).unwrap_or(1), Relaxed);
        });
        let model = model.thread("drops", |(_, owners)| {
            let owner = take(owners);
            looks();
            drop(owner);
        });
        let model = model.thread("reads", move |(written, _)| {
            let five = reads && written.compare_exchange(5, 6, Relaxed, Relaxed).is_ok();
            if five {
                looks();
            }
        });
        model.acceptable("()", "nothing is returned").try_check()
    };
    is_refused(model(true));
    is_complete(model(false));
}
