//! What a data race says: both accesses, where each is, its ordering, and what should have synchronised.

use std::alloc::Layout;

use selvedge_model::Model;
use selvedge_model::sync::alloc::{Track, alloc, dealloc};
use selvedge_model::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering::*};
use selvedge_model::sync::cell::UnsafeCell;
use selvedge_model::sync::{Arc, Mutex, RwLock, hint};

struct Plain(UnsafeCell<u64>);

// SAFETY: none: each race is what its test is about.
unsafe impl Sync for Plain {}

impl Plain {
    const fn new() -> Self {
        Self(UnsafeCell::new(0))
    }
    #[track_caller]
    fn write(&self) {
        // SAFETY: none; as above.
        self.0.with_mut(|value| unsafe { *value += 1 });
    }
    #[track_caller]
    fn read(&self) -> u64 {
        // SAFETY: none; as above.
        self.0.with(|value| unsafe { *value })
    }
}

/// What the model fails with. Each place must be in this file.
fn says<S: Send + Sync + 'static, A, B>(
    init: impl Fn() -> S + Send + Sync + 'static,
    alice: impl Fn(&S) -> A + Send + Sync + 'static,
    bob: impl Fn(&S) -> B + Send + Sync + 'static,
) -> String
where
    A: std::fmt::Debug + 'static,
    B: std::fmt::Debug + 'static,
{
    let model = Model::new(init).thread("alice", alice).thread("bob", bob);
    let error = model.explore().expect_err("it races").to_string();
    let first = error.lines().next().unwrap_or_default();
    let mut said = String::new();
    for (part, piece) in first.split(" at model/tests/races.rs:").enumerate() {
        let line = if part == 0 { piece } else { piece.trim_start_matches(char::is_numeric) };
        said += if part == 0 { "" } else { " @" };
        said += line;
    }
    said
}

const UNORDERED: &str = "and no happens-before edge orders the two";

#[test]
fn plain_memory() {
    let writes = says(Plain::new, |plain| plain.write(), |plain| plain.write());
    assert_eq!(writes, format!("data race: c1: alice writes @, bob writes @, {UNORDERED}"));
    let reads = format!("data race: c1: alice writes @, bob reads @, {UNORDERED}");
    assert_eq!(says(Plain::new, |plain| plain.write(), |plain| plain.read()), reads);
    // In a container of std: the second is the first one that is used.
    let two = || vec![Plain::new(), Plain::new()];
    assert_eq!(says(two, |all| all[1].write(), |all| all[1].read()), reads);
    let shared = || Arc::new(Plain::new());
    assert_eq!(says(shared, |plain| plain.write(), |plain| plain.read()), reads);
}

#[test]
fn what_should_have_synchronised() {
    let says = |store, load| {
        says(
            || (Plain::new(), AtomicBool::new(false)),
            move |(plain, ready)| {
                plain.write();
                ready.store(true, store);
            },
            move |(plain, ready)| ready.load(load).then(|| plain.read()),
        )
    };
    let race = format!("data race: c1: alice writes @, bob reads @, {UNORDERED}");
    for (store, load, order, needed) in [
        (Relaxed, Acquire, ("rlx", "acq"), "the store must release"),
        (Release, Relaxed, ("rel", "rlx"), "the load must acquire"),
        (Relaxed, Relaxed, ("rlx", "rlx"), "the store must release and the load must acquire"),
    ] {
        let pair = format!(
            "bob's a1.load {} @ reads from alice's a1.store {} @, but they do not synchronise",
            order.1, order.0
        );
        assert_eq!(says(store, load), format!("{race}; {pair}: {needed}"));
    }
}

/// The two are ordered, and yet at the same time.
#[test]
fn an_access_under_way() {
    let said = says(
        || (Plain::new(), AtomicU64::new(0)),
        |(plain, turn)| {
            plain.0.with_mut(|_| {
                turn.store(1, Release);
                hint::wait_until(|| turn.load(Acquire) == 2);
            });
        },
        |(plain, turn)| {
            hint::wait_until(|| turn.load(Acquire) == 1);
            plain.read();
            turn.store(2, Release);
        },
    );
    let under_way = "and the first access has not ended when the second takes place";
    assert_eq!(said, format!("data race: c1: alice writes @, bob reads @, {under_way}"));
}

#[test]
fn statics() {
    static PLAIN: Plain = Plain::new();
    let said = says(|| (), |()| PLAIN.write(), |()| PLAIN.write());
    assert_eq!(said, format!("data race: c1: alice writes @, bob writes @, {UNORDERED}"));
}

/// A value that one thread takes for its own.
struct Mine<T>(std::cell::UnsafeCell<T>);

// SAFETY: none; as above.
unsafe impl<T> Sync for Mine<T> {}

impl<T: Default> Mine<T> {
    fn new() -> Self {
        Self(std::cell::UnsafeCell::default())
    }
}

impl<T> Mine<T> {
    #[expect(clippy::mut_from_ref, reason = "it is wrong")]
    fn get(&self) -> &mut T {
        // SAFETY: none; as above.
        unsafe { &mut *self.0.get() }
    }
}

#[test]
fn what_a_lock_protects() {
    let mutex = says(
        Mine::<Mutex<u64>>::new,
        |mine| *mine.get().get_mut().unwrap() = 1,
        |mine| *mine.get().lock().unwrap() = 2,
    );
    assert_eq!(mutex, format!("data race: m1.contents: alice writes @, bob writes @, {UNORDERED}"));
    let lock = says(
        Mine::<RwLock<u64>>::new,
        |mine| *mine.get().get_mut().unwrap() = 1,
        |mine| *mine.get().read().unwrap(),
    );
    assert_eq!(lock, format!("data race: w1.contents: alice writes @, bob reads @, {UNORDERED}"));
}

#[test]
fn atomics_without_synchronisation() {
    // SAFETY: none; as above.
    let loads = |a: &AtomicU64| unsafe { a.unsync_load() };
    let said = says(|| AtomicU64::new(0), |a| a.store(1, Relaxed), loads);
    let race = format!("data race: a1: alice stores rlx @, bob reads @, {UNORDERED}");
    assert!(said.starts_with(&race), "{said}");
    // `get_mut` makes the atomic anew.
    let said = says(
        Mine::<AtomicU64>::new,
        |mine| *mine.get().get_mut() = 1,
        |mine| mine.get().compare_exchange(0, 1, AcqRel, Relaxed).is_ok(),
    );
    let race = "alice makes it @, bob calls compare_exchange acq_rel @";
    assert_eq!(said, format!("data race: a2: {race}, {UNORDERED}"));
}

#[test]
fn publication() {
    let said = says(
        AtomicPtr::<Mutex<u64>>::default,
        |slot| slot.store(Box::into_raw(Box::new(Mutex::new(0))), Relaxed),
        |slot| {
            let found = slot.load(Acquire);
            // SAFETY: it is never freed, and a race ends the execution.
            (!found.is_null()).then(|| *unsafe { &*found }.lock().unwrap())
        },
    );
    let pair = "bob's a1.load acq @ reads from alice's a1.store rlx @, but they do not synchronise";
    assert_eq!(
        said,
        format!(
            "data race: m1: alice makes it @, bob calls lock @, {UNORDERED}; {pair}: the store must release"
        )
    );
}

/// A destructor does not know where it is called: where the value was made is told.
#[test]
fn the_end_of_an_object() {
    fn boxed<T>(value: T) -> AtomicPtr<T> {
        AtomicPtr::new(Box::into_raw(Box::new(value)))
    }
    fn free<T>(slot: &AtomicPtr<T>) {
        // SAFETY: it was a box.
        drop(unsafe { Box::from_raw(slot.load(Relaxed)) });
    }
    let atomic = says(
        || boxed(AtomicU64::new(0)),
        // SAFETY: none; as above.
        |slot| unsafe { (*slot.load(Relaxed)).fetch_add(1, AcqRel) },
        free,
    );
    let race = "alice calls fetch_add acq_rel @, bob drops it (made @)";
    assert_eq!(atomic, format!("data race: a2: {race}, {UNORDERED}"));
    let mutex = says(
        || boxed(Mutex::new(0)),
        // SAFETY: none; as above.
        |slot| unsafe { *(*slot.load(Relaxed)).lock().unwrap() },
        free,
    );
    let race = "alice calls lock @, bob drops it (made @)";
    assert_eq!(mutex, format!("data race: m1: {race}, {UNORDERED}"));
    let plain = says(
        || boxed(Plain::new()),
        // SAFETY: none; as above.
        |slot| unsafe { &*slot.load(Relaxed) }.read(),
        free,
    );
    let race = "alice reads @, bob drops it (made @)";
    assert_eq!(plain, format!("data race: c1: {race}, {UNORDERED}"));
}

#[test]
fn memory() {
    let layout = Layout::new::<AtomicU64>();
    let freed = says(
        #[expect(clippy::cast_ptr_alignment, reason = "it is allocated for it")]
        // SAFETY: the layout is not empty, and the memory is aligned.
        move || unsafe {
            let memory = alloc(layout).cast::<AtomicU64>();
            memory.write(AtomicU64::new(0));
            AtomicPtr::new(memory)
        },
        // SAFETY: none; as above.
        |slot| unsafe { (*slot.load(Relaxed)).load(SeqCst) },
        // SAFETY: it is from `alloc`.
        move |slot| unsafe { dealloc(slot.load(Relaxed).cast(), layout) },
    );
    assert_eq!(freed, format!("data race: a1: alice loads sc @, bob drops it @, {UNORDERED}"));
    let tracked = says(
        || Mine(std::cell::UnsafeCell::new(Track::new(0))),
        |mine| *mine.get().get_ref(),
        |mine| *mine.get().get_mut() = 1,
    );
    assert_eq!(tracked, format!("data race: h1: alice reads @, bob writes @, {UNORDERED}"));
}

/// A number that differs from run to run. What has not been used yet in the run that differs has no name there.
#[test]
fn what_is_not_deterministic_is_named_with_where_it_was_made() {
    use std::sync::atomic::AtomicU64 as Hidden;
    static RUNS: Hidden = Hidden::new(0);
    let said = says(
        || {
            let both = [AtomicU64::new(0), AtomicU64::new(0)];
            let used: u64 = both.iter().map(|each| each.load(Relaxed)).sum();
            assert_eq!(used, 0);
            both
        },
        |both| both[usize::from(RUNS.fetch_add(1, Relaxed) % 2 == 1)].fetch_add(1, Relaxed),
        |both| both[0].fetch_add(both[1].fetch_add(1, Relaxed), Relaxed),
    );
    let made = "(AtomicU64 made @)";
    assert!(said.contains(&format!(" on a1 {made} before, and is @ on a2 {made} now")), "{said}");
}

/// Where they are made says nothing; where they are used first does. They are numbered as they lie in memory.
#[test]
fn atomics_that_std_makes_are_named_by_their_first_use() {
    let error = Model::new(<[AtomicU64; 2]>::default)
        .thread("alice", |both| both[1].fetch_add(u64::MAX - 1, Relaxed))
        .thread("bob", |both| both[0].fetch_add(1 << 40, Relaxed))
        .acceptable("alice=1 bob=1", "never")
        .try_check()
        .unwrap_err();
    let picture = error.evidence();
    let line = line!() - 6;
    for (label, line, name) in [("a2", line, "alice"), ("a1", line + 1, "bob")] {
        let made =
            format!("{label}: AtomicU64 made in std (first used at model/tests/races.rs:{line}:");
        assert!(picture.contains(&made), "{name}: {picture}");
    }
    assert!(picture.contains("a2.fetch_add(!1): 0 ->"), "{picture}");
    assert!(picture.contains("0x10000000000"), "{picture}");
}

/// What is made in one place of the program is told apart by where it is used first; what is made alone is not.
#[test]
fn objects_made_in_one_place_are_named_by_their_first_use_too() {
    let made_here = line!() + 1;
    let make = || ([(); 2].map(|()| AtomicU64::new(0)), AtomicU64::new(2));
    let error = Model::new(make)
        .thread("alice", |(both, _)| both[1].fetch_add(1, Relaxed))
        .thread("bob", |(both, other)| both[0].load(Relaxed) + other.load(Relaxed))
        .acceptable("alice=1 bob=1", "never")
        .try_check()
        .unwrap_err();
    let picture = error.evidence();
    let line = line!() - 6;
    let objects: Vec<&str> =
        picture.lines().filter(|line| line.contains("AtomicU64 made at")).collect();
    let used = |line: u32| format!(" (first used at model/tests/races.rs:{line}:");
    let at = format!("made at model/tests/races.rs:{made_here}:");
    assert!(objects.len() == 3 && objects.iter().all(|object| object.contains(&at)), "{picture}");
    assert!(objects[0].contains(&used(line + 1)) && objects[1].contains(&used(line)), "{picture}");
    assert!(!objects[2].contains("first used"), "{picture}");
}

#[test]
fn a_pointer_to_the_value_is_taken_where_the_program_does() {
    let error = Model::new(Plain::new)
        .thread("alice", |plain| _ = plain.0.get())
        .thread("bob", |plain| plain.write())
        .acceptable("()", "never")
        .try_check()
        .unwrap_err();
    let place = format!("alice reads at model/tests/races.rs:{},", line!() - 5);
    assert!(error.to_string().contains(&place), "{error}");
}

#[test]
fn owners_are_counted_where_the_program_does() {
    let error = Model::new(|| Arc::downgrade(&Arc::new(0)))
        .thread("alice", |weak| weak.strong_count())
        .acceptable("alice=1", "never")
        .try_check()
        .unwrap_err();
    let place = format!("model/tests/races.rs:{}", line!() - 4);
    let picture = error.evidence();
    let counts = picture.lines().find(|line| line.contains("strong_count")).expect("a step");
    assert!(counts.contains(&place), "{picture}");
}
