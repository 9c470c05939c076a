//! A bug, written down once: state, threads, and what must hold when they have ended.

use std::sync::OnceLock;

use confidence::measured::Kind;

/// One of them.
pub(crate) struct Specimen {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// A sound specimen with threads like these.
    pub(crate) control: Option<&'static str>,
    pub(crate) threads: usize,
    /// Whether a wait with a limit times out only if no thread can move: the harness can say so, and time elsewhere is real.
    pub(crate) patient: bool,
    /// Makes the state afresh.
    pub(crate) round: Box<dyn Fn() -> Box<dyn Round> + Send + Sync>,
}

/// One round of a specimen. The threads may run in any order, each of them once.
pub(crate) trait Round: Send + Sync {
    /// Does what thread `thread` does, counted from 0.
    fn run(&self, thread: usize);

    /// Whether all is as it should be, once all threads have ended.
    fn right(&self) -> bool;
}

struct Case<S, R, const N: usize> {
    state: S,
    bodies: [fn(&S) -> R; N],
    /// What each thread returned. Of `std`, and so no step: nobody reads it before the end.
    returned: [OnceLock<R>; N],
    right: fn(&S, &[R; N]) -> bool,
}

impl<S: Send + Sync, R: Clone + Send + Sync, const N: usize> Round for Case<S, R, N> {
    fn run(&self, thread: usize) {
        let returned = (self.bodies[thread])(&self.state);
        assert!(self.returned[thread].set(returned).is_ok(), "a thread runs once a round");
    }

    fn right(&self) -> bool {
        let returned = self.returned.each_ref().map(|one| one.get().cloned());
        returned.iter().all(Option::is_some)
            && (self.right)(&self.state, &returned.map(|one| one.expect("all are there")))
    }
}

impl Specimen {
    /// `right` is given the state and what each thread returned.
    pub(crate) fn new<S, R, const N: usize>(
        name: &'static str,
        kind: Kind,
        init: fn() -> S,
        bodies: [fn(&S) -> R; N],
        right: fn(&S, &[R; N]) -> bool,
    ) -> Self
    where
        S: Send + Sync + 'static,
        R: Clone + Send + Sync + 'static,
    {
        let returned = || [(); N].map(|()| OnceLock::new());
        let round = move || -> Box<dyn Round> {
            Box::new(Case { state: init(), bodies, returned: returned(), right })
        };
        Self { name, kind, control: None, threads: N, patient: false, round: Box::new(round) }
    }

    /// Lets a wait with a limit time out only if no thread can move, where the method knows of time-outs.
    pub(crate) fn patient(mut self) -> Self {
        self.patient = true;
        self
    }

    /// Names a sound specimen with threads like these.
    pub(crate) fn beside(mut self, control: &'static str) -> Self {
        self.control = Some(control);
        self
    }
}

/// What a thread returns that writes, beside readers that return what they have seen.
pub(crate) fn written<R: Default>(write: impl FnOnce()) -> R {
    write();
    R::default()
}
