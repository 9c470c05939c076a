//! The drop-in is `std`, item by item.

/// Runs a function as a test outside a model, and as the one thread of a model.
macro_rules! in_both {
    ($($name:ident;)*) => {
        mod real {
            $(
                #[test]
                fn $name() {
                    super::$name();
                }
            )*
        }
        #[cfg(loom)]
        mod explored {
            $(
                #[test]
                fn $name() {
                    let model = selvedge_model::Model::new(|| ());
                    let model = model.thread("one", |()| super::$name());
                    model.acceptable("()", "as in std").check();
                }
            )*
        }
    };
}

mod arc;
mod atomic;
mod cell;
mod items;
#[cfg(loom)]
mod last_owner;
mod locks;
#[cfg(loom)]
mod owners_oracle;
#[cfg(loom)]
mod std_arc;
mod std_only;
mod table;
mod threads;
