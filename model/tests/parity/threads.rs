//! What threads, thread-local values and channels have beside their operations.

use std::cell::{Cell, RefCell};

use selvedge_model::sync::{mpsc, thread, thread_local};

thread_local! {
    static CELL: Cell<u8> = panic!("the initialiser runs");
    static REF_CELL: RefCell<u8> = panic!("the initialiser runs");
    static REPLACED: RefCell<u8> = const { RefCell::new(1) };
}

/// Also where the value is not there yet: the initialiser does not run.
fn a_value_is_set_without_its_initialiser() {
    CELL.set(1);
    assert_eq!((CELL.replace(2), CELL.get(), CELL.take(), CELL.get()), (1, 2, 2, 0));
    REF_CELL.set(1);
    assert_eq!((REF_CELL.replace(2), REF_CELL.take()), (1, 2));
    REF_CELL.set(3);
    assert_eq!(REF_CELL.with_borrow(|value| *value), 3);
    assert_eq!(REPLACED.replace(2), 1);
}

fn a_builder_spawns_in_a_scope() {
    let numbers = [1, 2];
    let (name, sum) = thread::scope(|scope| {
        let named = thread::Builder::new().name("of the scope".to_owned());
        let sum = || numbers.iter().sum::<i32>();
        let body = move || (thread::current().name().map(str::to_owned), sum());
        named.spawn_scoped(scope, body).unwrap().join().unwrap()
    });
    assert_eq!((name.as_deref(), sum), (Some("of the scope"), 3));
}

fn iterators_of_channels_show_their_receiver() {
    let (_sender, receiver) = mpsc::channel::<u8>();
    assert_eq!(format!("{:?}", receiver.iter()), "Iter { rx: Receiver { .. } }");
    assert_eq!(format!("{:?}", receiver.try_iter()), "TryIter { rx: Receiver { .. } }");
    assert_eq!(format!("{:?}", receiver.into_iter()), "IntoIter { rx: Receiver { .. } }");
}

in_both! {
    a_value_is_set_without_its_initialiser;
    a_builder_spawns_in_a_scope;
    iterators_of_channels_show_their_receiver;
}
