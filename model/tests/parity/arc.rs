//! `Arc`: its conversions, its traits, and its counts in models.

use std::borrow::Cow;
use std::collections::HashMap;
use std::error::Error;
use std::ffi::{CString, OsString};
use std::path::Path;

use selvedge_model::sync::atomic::{AtomicU64, Ordering};
use selvedge_model::sync::{Arc, Weak};

/// All below holds on the façade's own types outside a model too.
#[test]
fn an_arc_of_an_unsized_type_is_made_from_a_sized_one() {
    assert_eq!(&*Arc::<str>::from("a"), "a");
    assert_eq!(&*Arc::<str>::from(String::from("a")), "a");
    assert_eq!(&*Arc::<str>::from(Cow::Borrowed("a")), "a");
    assert_eq!(&*Arc::<[u8]>::from(Arc::<str>::from("a")), b"a");
    assert_eq!(&*Arc::<[u8]>::from(vec![1, 2]), &[1, 2]);
    assert_eq!(&*Arc::<[u8]>::from([1, 2]), &[1, 2]);
    assert_eq!(&*Arc::<[u8]>::from(&[1, 2][..]), &[1, 2]);
    assert_eq!(*(1..4).collect::<Arc<[u8]>>(), [1, 2, 3]);
    assert_eq!(*<Arc<[u8; 2]>>::try_from(Arc::<[u8]>::from([1, 2])).unwrap(), [1, 2]);
    assert!(<Arc<[u8; 3]>>::try_from(Arc::<[u8]>::from([1, 2])).is_err());
    assert_eq!(Arc::<Path>::from(Path::new("a")).to_str(), Some("a"));
    assert_eq!(&*Arc::<std::ffi::OsStr>::from(OsString::from("a")), "a");
    assert_eq!(&*Arc::<std::ffi::CStr>::from(CString::new("a").unwrap()), c"a");
    let function: Arc<dyn Fn(u8) -> u8> =
        Arc::from(Box::new(|n: u8| n + 1) as Box<dyn Fn(u8) -> u8>);
    assert_eq!(Arc::clone(&function)(1), 2);
    assert_eq!(&*Arc::<str>::default(), "");
}

#[test]
fn an_arc_has_the_traits_of_its_value() {
    let (one, two) = (Arc::new(1), Arc::new(2));
    assert!(one < two && one == Arc::new(1) && one.cmp(&two).is_lt());
    assert_eq!(format!("{one} {one:?}"), "1 1");
    assert_eq!(format!("{one:p}"), format!("{:p}", &raw const *one));
    let names = HashMap::from([(Arc::<str>::from("one"), 1)]);
    assert_eq!(names.get("one"), Some(&1), "by Borrow and Hash");
    let error: Arc<dyn Error> = Arc::from(Box::<dyn Error>::from("no"));
    assert_eq!(error.to_string(), "no");
    let any: Arc<dyn std::any::Any + Send + Sync> = Arc::from(Box::new(7_u8) as Box<_>);
    let any = any.downcast::<u16>().unwrap_err();
    assert_eq!(*any.downcast::<u8>().unwrap(), 7);
}

struct Node {
    this: Weak<Node>,
    value: AtomicU64,
}

/// Returns what can be said of the counts after each step, which is what `std` says.
fn counts() -> Vec<(usize, usize)> {
    let mut all = Vec::new();
    let mut count = |arc: &Arc<Node>| all.push((Arc::strong_count(arc), Arc::weak_count(arc)));
    let node = Arc::new_cyclic(|this: &Weak<Node>| {
        assert!(this.upgrade().is_none());
        Node { this: this.clone(), value: AtomicU64::new(1) }
    });
    count(&node);
    assert_eq!((node.this.strong_count(), node.this.weak_count()), (1, 1));
    let pointer = Arc::into_raw(Arc::clone(&node));
    count(&node);
    // SAFETY: `pointer` is from `into_raw`, and each owner is given up once.
    let again = unsafe {
        Arc::increment_strong_count(pointer);
        count(&node);
        Arc::decrement_strong_count(pointer);
        Arc::from_raw(pointer)
    };
    assert_eq!(again.value.load(Ordering::Relaxed), 1);
    assert_eq!(Arc::as_ptr(&again), pointer);
    drop(again);
    count(&node);
    let weak = Arc::downgrade(&node).into_raw();
    count(&node);
    // SAFETY: it is from `into_raw`.
    let weak = unsafe { Weak::from_raw(weak) };
    assert!(weak.upgrade().is_some_and(|same| Arc::ptr_eq(&same, &node)));
    drop(node);
    assert!(weak.upgrade().is_none());
    assert_eq!((weak.strong_count(), weak.weak_count()), (0, 0));
    all
}

const COUNTS: [(usize, usize); 5] = [(1, 1), (2, 1), (3, 1), (1, 1), (1, 2)];

#[test]
fn raw_pointers_and_cycles_are_counted() {
    assert_eq!(counts(), COUNTS);
}

#[derive(Debug)]
struct Counted<'a>(&'a AtomicU64);

impl Clone for Counted<'_> {
    fn clone(&self) -> Self {
        self.0.fetch_add(1, Ordering::Relaxed);
        Self(self.0)
    }
}

/// How often `make_mut` and `unwrap_or_clone` clone: alone, beside a weak owner, beside a strong one.
fn clones() -> [u64; 4] {
    let clones = AtomicU64::new(0);
    let count = || clones.swap(0, Ordering::Relaxed);
    let mut arc = Arc::new(Counted(&clones));
    Arc::make_mut(&mut arc);
    let alone = count();
    let weak = Arc::downgrade(&arc);
    Arc::make_mut(&mut arc);
    let with_weak = count();
    assert!(weak.upgrade().is_none(), "the value has moved");
    assert_eq!((Arc::strong_count(&arc), Arc::weak_count(&arc)), (1, 0));
    let other = Arc::clone(&arc);
    Arc::make_mut(&mut arc);
    let with_strong = count();
    assert!(!Arc::ptr_eq(&arc, &other));
    let another = Arc::clone(&other);
    let values = [Arc::unwrap_or_clone(other), Arc::unwrap_or_clone(another)];
    assert!(values.iter().all(|value| std::ptr::eq(value.0, &raw const clones)));
    [alone, with_weak, with_strong, count()]
}

#[test]
fn a_value_with_weak_owners_is_moved_and_not_cloned() {
    assert_eq!(clones(), [0, 0, 1, 1]);
}

#[cfg(loom)]
mod explored {
    use super::*;
    use selvedge_model::{CheckError, Model};

    #[test]
    fn it_is_the_same_in_a_model() {
        Model::new(|| ())
            .thread("one", |()| (counts() == COUNTS, clones()))
            .acceptable("one=(true, [0, 0, 1, 1])", "as in std")
            .check();
    }

    /// The pointer says which object it is: two threads that give up an owner through it synchronise.
    #[test]
    fn the_last_owner_through_a_raw_pointer_sees_what_the_others_wrote() {
        Model::new(|| {
            let pointer = Arc::into_raw(Arc::new(AtomicU64::new(0)));
            // SAFETY: it is from `into_raw`.
            unsafe { Arc::increment_strong_count(pointer) };
            pointer.expose_provenance()
        })
        .thread("one", |&pointer| give_up(pointer))
        .thread("two", |&pointer| give_up(pointer))
        .acceptable("one=None two=Some(2)", "the second was last")
        .acceptable("one=Some(2) two=None", "the first was last")
        .check();
    }

    fn give_up(pointer: usize) -> Option<u64> {
        let pointer = std::ptr::with_exposed_provenance::<AtomicU64>(pointer);
        // SAFETY: the model has made an owner for each of the two threads.
        let owner = unsafe { Arc::from_raw(pointer) };
        owner.fetch_add(1, Ordering::Relaxed);
        Arc::into_inner(owner).map(AtomicU64::into_inner)
    }

    #[test]
    fn a_weak_owner_may_come_too_late() {
        Model::new(|| {
            let arc = Arc::<dyn Fn() -> u8 + Send + Sync>::from(
                Box::new(|| 1_u8) as Box<dyn Fn() -> u8 + Send + Sync>
            );
            (Arc::downgrade(&arc), std::sync::Mutex::new(Some(arc)))
        })
        .thread("owner", |(_, arc)| drop(arc.lock().unwrap().take()))
        .thread("weak", |(weak, _)| weak.upgrade().map(|f| f()))
        .acceptable("weak=None", "too late")
        .acceptable("weak=Some(1)", "in time")
        .check();
    }

    #[test]
    fn a_pointer_from_outside_is_refused() {
        let outside = Arc::into_raw(Arc::new(1_u8)).expose_provenance();
        let result = Model::new(|| ())
            .thread("one", move |()| {
                let pointer = std::ptr::with_exposed_provenance::<u8>(outside);
                // SAFETY: it is from `into_raw`, and this is refused before another owner is counted.
                unsafe { Arc::increment_strong_count(pointer) };
            })
            .try_check();
        let error = result.expect_err("it is refused");
        assert!(matches!(error, CheckError::WrongModel { .. }), "{error}");
    }
}
