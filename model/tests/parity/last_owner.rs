//! Which thread drops the last owner of an `Arc` of `std` is invisible to the checker. What depends on it is said.

use std::sync::Arc as StdArc;

use selvedge_model::sync::atomic::{
    AtomicBool, AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};
use selvedge_model::sync::{Arc, Mutex, hint, mpsc, thread};
use selvedge_model::{CheckError, Model, Report};

mod programs;

/// What `Drop` does is done by the thread that drops the last owner.
struct OnDrop<F: Fn()>(F);

impl<F: Fn()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

type Payload = StdArc<dyn Send + Sync>;
type Body = fn(&Shared, Payload);

#[derive(Default)]
struct Shared {
    ready: AtomicBool,
    drops: StdArc<AtomicU64>,
    log: StdArc<Mutex<u64>>,
    owners: std::sync::Mutex<Vec<Payload>>,
}

impl Shared {
    /// The owner of one more thread.
    fn owner(&self) -> Payload {
        self.owners.lock().unwrap().pop().expect("an owner for each thread")
    }
}

/// What a payload does when it is dropped.
#[derive(Debug, Clone, Copy)]
enum Does {
    Nothing,
    Adds,
    Locks,
    Disconnects,
}

fn payload(does: Does, shared: &Shared) -> Payload {
    let (drops, log) = (shared.drops.clone(), shared.log.clone());
    match does {
        Does::Nothing => StdArc::new(OnDrop(|| ())),
        Does::Adds => StdArc::new(OnDrop(move || _ = drops.fetch_add(1, AcqRel))),
        Does::Locks => StdArc::new(OnDrop(move || *log.lock().unwrap() += 1)),
        Does::Disconnects => StdArc::new(std::sync::Mutex::new(mpsc::channel::<u64>())),
    }
}

/// The threads share a payload, in the order in which they are declared.
fn check(does: Does, bodies: &[(&str, Body)]) -> Result<Report, CheckError> {
    let threads = bodies.len();
    let mut model = Model::new(move || {
        let shared = Shared::default();
        let payload = payload(does, &shared);
        *shared.owners.lock().unwrap() = vec![payload; threads];
        shared
    });
    for &(name, body) in bodies {
        model = model.thread(name, move |shared: &Shared| {
            // All threads take their owner before one is dropped: `init` has made them.
            let owner = shared.owner();
            body(shared, owner);
        });
    }
    model.acceptable("()", "nothing is returned").try_check()
}

/// In every order of declaration.
fn check_all(
    does: Does,
    bodies: &[(&'static str, Body)],
    verify: impl Fn(Result<Report, CheckError>),
) {
    fn orders<T: Copy>(of: &[T]) -> Vec<Vec<T>> {
        let Some((&first, rest)) = of.split_first() else { return vec![vec![]] };
        let insert = |order: Vec<T>| {
            (0..=order.len()).map(move |at| {
                let mut order = order.clone();
                order.insert(at, first);
                order
            })
        };
        orders(rest).into_iter().flat_map(insert).collect()
    }
    for order in orders(bodies) {
        verify(check(does, &order));
    }
}

fn is_refused(result: Result<Report, CheckError>) {
    let said = result.expect_err("who drops last is not determined").to_string();
    assert!(said.contains("the model is not deterministic"), "{said}");
    assert!(said.contains("dropped the last owner of an Arc of std in one run"), "{said}");
    assert!(said.contains("use the one of selvedge_model::sync"), "{said}");
}

fn is_complete(result: Result<Report, CheckError>) {
    let report = result.unwrap();
    assert!(report.bound().is_none(), "{report}");
}

/// It takes a step of its own, so that the model is not refused for want of steps.
fn looks_and_drops(shared: &Shared, owner: Payload) {
    shared.ready.load(Relaxed);
    drop(owner);
}

fn drops_and_looks(shared: &Shared, owner: Payload) {
    drop(owner);
    shared.ready.load(Relaxed);
}

fn sets_and_drops(shared: &Shared, owner: Payload) {
    shared.ready.store(true, Release);
    drop(owner);
}

fn drops_and_sets(shared: &Shared, owner: Payload) {
    drop(owner);
    shared.ready.store(true, Release);
}

/// What `upgrade` does is over before the step that comes next.
fn upgrades_sets_and_drops(shared: &Shared, owner: Payload) {
    let gone = Arc::downgrade(&Arc::new(()));
    assert!(gone.upgrade().is_none());
    sets_and_drops(shared, owner);
}

/// So is what the drop of a weak owner does.
fn forgets_sets_and_drops(shared: &Shared, owner: Payload) {
    let strong = Arc::new(());
    let weak = Arc::downgrade(&strong);
    drop(strong);
    drop(weak);
    sets_and_drops(shared, owner);
}

fn waits_and_drops(shared: &Shared, owner: Payload) {
    hint::wait_until(|| shared.ready.load(Acquire));
    drop(owner);
}

const STEPS: [Does; 3] = [Does::Adds, Does::Locks, Does::Disconnects];

#[test]
fn two_threads_that_may_both_be_last_are_refused() {
    for does in STEPS {
        check_all(does, &[("a", looks_and_drops), ("b", looks_and_drops)], is_refused);
        check_all(does, &[("a", drops_and_looks), ("b", looks_and_drops)], is_refused);
        check_all(does, &[("a", sets_and_drops), ("b", drops_and_looks)], is_refused);
    }
}

/// Whichever comes first, the thread that sets the flag drops its owner at once in a run that does not suspend it there.
#[test]
fn an_owner_that_is_dropped_after_the_step_that_another_waits_for_may_be_the_last() {
    for does in STEPS {
        check_all(does, &[("sets", sets_and_drops), ("waits", waits_and_drops)], is_refused);
        for sets in [upgrades_sets_and_drops, forgets_sets_and_drops] {
            check_all(does, &[("sets", sets), ("waits", waits_and_drops)], is_refused);
        }
    }
}

#[test]
fn one_of_three_threads_that_may_be_last_is_refused() {
    for does in STEPS {
        let bodies: [(_, Body); 3] =
            [("one", waits_and_drops), ("two", looks_and_drops), ("three", drops_and_sets)];
        check_all(does, &bodies, is_refused);
    }
}

#[test]
fn the_last_owner_that_is_ordered_after_all_others_is_accepted() {
    for does in [Does::Nothing, Does::Adds, Does::Locks, Does::Disconnects] {
        check_all(does, &[("drops", drops_and_sets), ("waits", waits_and_drops)], is_complete);
    }
}

#[test]
fn a_drop_that_takes_no_step_may_be_the_last_in_any_thread() {
    let bodies: [(_, Body); 3] =
        [("one", waits_and_drops), ("two", looks_and_drops), ("three", sets_and_drops)];
    check_all(Does::Nothing, &bodies, is_complete);
}

fn two<T: Send + Sync + ?Sized + 'static>(
    new: impl Fn() -> StdArc<T> + Send + Sync + 'static,
    a: impl Fn(StdArc<T>) + Send + Sync + 'static,
    b: impl Fn(StdArc<T>) + Send + Sync + 'static,
) -> Result<Report, CheckError> {
    let owners = move || {
        let owner = new();
        std::sync::Mutex::new(vec![StdArc::clone(&owner), owner])
    };
    Model::new(owners)
        .thread("a", move |owners| {
            let owner = owners.lock().unwrap().pop().unwrap();
            a(owner);
        })
        .thread("b", move |owners| {
            let owner = owners.lock().unwrap().pop().unwrap();
            b(owner);
        })
        .acceptable("()", "nothing is returned")
        .try_check()
}

fn looks() {
    AtomicU64::new(0).load(Relaxed);
}

/// The counts come first in the block, whatever is in it.
#[test]
fn an_arc_of_any_layout_is_known_by_its_counts() {
    static DROPS: AtomicU64 = AtomicU64::new(0);

    struct Empty;
    #[repr(align(64))]
    struct Aligned(#[expect(dead_code)] u8);
    impl Drop for Empty {
        fn drop(&mut self) {
            DROPS.fetch_add(1, Relaxed);
        }
    }
    impl Drop for Aligned {
        fn drop(&mut self) {
            DROPS.fetch_add(1, Relaxed);
        }
    }

    fn either<T: Send + Sync + ?Sized + 'static>(new: fn() -> StdArc<T>) {
        let drops = |owner: StdArc<T>| {
            looks();
            drop(owner);
        };
        is_refused(two(new, drops, drops));
    }
    either(|| StdArc::new(Empty));
    either(|| StdArc::new(Aligned(0)));
    either::<[Empty]>(|| StdArc::new([Empty]));
    either::<dyn Send + Sync>(|| StdArc::new(Aligned(1)));
    either(|| StdArc::new_cyclic(|_| Empty));
}

/// A thread may be suspended after it has sent, and before it drops its owner; and after it has spawned another.
#[test]
fn an_owner_may_be_dropped_late_after_a_message_and_after_a_spawn() {
    for sends_on in [true, false] {
        let result = Model::new(|| {
            let owner = payload(Does::Adds, &Shared::default());
            std::sync::Mutex::new(Some((StdArc::clone(&owner), owner, mpsc::channel::<()>())))
        })
        .thread("parent", move |shared| {
            let (own, other, (sender, receiver)) = shared.lock().unwrap().take().unwrap();
            let child = thread::spawn(move || {
                if sends_on {
                    receiver.recv().unwrap();
                }
                drop(other);
                looks();
            });
            if sends_on {
                sender.send(()).unwrap();
            }
            drop(own);
            child.join().unwrap();
        })
        .acceptable("()", "nothing is returned")
        .try_check();
        is_refused(result);
    }
}

#[test]
fn a_result_that_depends_on_other_owners_is_refused() {
    let returns = |f: fn(StdArc<u64>) -> bool| {
        Model::new(|| {
            let owner = StdArc::new(1);
            std::sync::Mutex::new(vec![StdArc::clone(&owner), owner])
        })
        .thread("a", move |owners| {
            looks();
            let owner = owners.lock().unwrap().pop().unwrap();
            f(owner)
        })
        .thread("b", |owners| {
            looks();
            let owner = owners.lock().unwrap().pop();
            drop(owner);
        })
        .acceptable(["a=true", "a=false"], "the other owner may be there")
        .try_check()
    };
    is_refused(returns(|owner| StdArc::try_unwrap(owner).is_ok()));
    is_refused(returns(|owner| StdArc::strong_count(&owner) == 1));
    is_refused(returns(|mut owner| StdArc::get_mut(&mut owner).is_some()));
    is_refused(returns(|owner| {
        assert!(StdArc::try_unwrap(owner).is_err(), "there is no other owner");
        true
    }));
}

/// A thread runs on after a step on a count of the façade's `Arc`, but not beyond the next one.
#[test]
fn an_owner_may_be_dropped_late_after_owners_in_the_facade() {
    type Owned = std::sync::Mutex<Option<(Arc<u64>, Option<Arc<u64>>, Payload)>>;

    let drops = |owned: &Owned| {
        let (of_both, other, payload) = owned.lock().unwrap().take().unwrap();
        drop(of_both);
        drop(other);
        drop(payload);
    };
    let model = Model::new(|| {
        let (of_both, other) = (Arc::new(0), Arc::new(1));
        let payload = payload(Does::Adds, &Shared::default());
        let one = (Arc::clone(&of_both), Some(Arc::clone(&other)), StdArc::clone(&payload));
        ([Some(one), Some((of_both, None, payload))].map(std::sync::Mutex::new), other)
    });
    let model = model.thread("one", move |([owned, _], _)| drops(owned));
    let model = model.thread("two", move |([_, owned], _)| drops(owned));
    is_refused(model.acceptable("()", "nothing is returned").try_check());
}
