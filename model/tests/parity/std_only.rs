//! A program that knows only `std` is explored by changing its imports.

mod on_std {
    mod lib {
        pub(super) use std::{sync, thread};
    }
    include!("program.rs");

    #[test]
    fn the_program_runs_on_real_threads() {
        let both = thread::scope(|scope| {
            let other = scope.spawn(|| sum_of_doubles(&[3]));
            (sum_of_doubles(&[1, 2]), other.join().unwrap())
        });
        assert_eq!(both, (6, 6));
        assert_eq!(done(), [6, 6]);
        start();
        assert_eq!(started(), 1);
    }
}

mod on_the_drop_in {
    mod lib {
        pub(super) use selvedge_model::sync::{self, thread};
    }
    include!("program.rs");

    /// The same without a model.
    #[test]
    fn the_program_runs_on_real_threads() {
        assert_eq!(sum_of_doubles(&[1, 2]), 6);
        assert_eq!(done(), [6]);
        start();
        assert_eq!(started(), 1);
    }

    #[cfg(loom)]
    mod explored {
        use super::*;
        use selvedge_model::Model;

        /// Channel, scope, statics and the trait object: each execution begins with no sum.
        #[test]
        fn every_execution_of_the_program_is_explored() {
            let report = Model::new(|| ())
                .thread("one", |()| sum_of_doubles(&[1, 2]))
                .finally("done", |()| done())
                .acceptable("one=6 done=[6]", "2 + 4")
                .check();
            assert!(report.is_complete(), "{report}");
        }

        #[test]
        fn two_sums_are_both_noted() {
            Model::new(|| ())
                .thread("one", |()| sum_of_doubles(&[1]))
                .thread("two", |()| sum_of_doubles(&[3]))
                .finally("done", |()| done())
                .acceptable("one=2 two=6 done=[2, 6]", "one was first")
                .acceptable("one=2 two=6 done=[6, 2]", "two was first")
                .check();
        }

        #[test]
        fn the_defect_of_the_program_is_found() {
            Model::new(|| ())
                .thread("one", |()| start())
                .thread("two", |()| start())
                .finally("started", |()| started())
                .acceptable("started=2", "one after the other")
                .interesting("started=1", "the locks of the one lie between those of the other")
                .check();
        }
    }
}
