//! The suite on loom.
#![cfg(loom)]

use cell::OnceCell;
use loom::sync::Arc;
use loom::thread;

#[test]
fn a_value_is_seen_whole() {
    loom::model(|| {
        let cell = Arc::new(OnceCell::new());
        let writer = {
            let cell = cell.clone();
            thread::spawn(move || cell.set((1, 1)))
        };
        if let Some((a, b)) = cell.get() {
            assert_eq!(a, b);
        }
        assert!(writer.join().unwrap());
        assert_eq!(cell.get(), Some((1, 1)));
    });
}

#[test]
fn the_first_writes() {
    loom::model(|| {
        let cell = Arc::new(OnceCell::new());
        let writers: Vec<_> = (0..2)
            .map(|number| {
                let cell = cell.clone();
                thread::spawn(move || cell.set(number))
            })
            .collect();
        let written: Vec<bool> = writers.into_iter().map(|writer| writer.join().unwrap()).collect();
        assert_eq!(written.iter().filter(|written| **written).count(), 1);
        assert_eq!(cell.get(), written.iter().position(|written| *written));
    });
}
