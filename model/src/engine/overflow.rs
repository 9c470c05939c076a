//! Says which thread under test has overflowed its stack, before the process dies of it.
//!
//! The page below a stack cannot be accessed, so that an overflow is a fault, which the kernel reports by a
//! signal. `std` explains only overflows of threads of the operating system. The handler here runs on the
//! alternate stack that `std` gives each of them, and calls `write` and `sigaction` alone. Then it returns: the
//! access is repeated, and faults again, for the default action after an overflow, and for the handler before this
//! one after any other fault.

use std::cell::Cell;

use corosensei::stack::{DefaultStack, Stack as _};

thread_local! {
    /// What runs on this thread of the operating system. Without a destructor and a lazy start: the handler reads
    /// it.
    static RUNNING: Cell<Running> = const { Cell::new(Running::NONE) };
}

/// The stack of a thread under test, and the thread's name.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(not(unix), allow(dead_code, reason = "Windows has no signals"))]
pub(super) struct Running {
    /// The lowest address, which is that of the guard page.
    lowest: usize,
    length: usize,
    name: Option<*const str>,
}

impl Running {
    const NONE: Self = Self { lowest: 0, length: 0, name: None };

    /// The name must be there as long as the thread runs.
    pub(super) fn new(stack: &DefaultStack, name: Option<&str>) -> Self {
        let lowest = stack.limit().get();
        Self { lowest, length: stack.base().get() - lowest, name: name.map(std::ptr::from_ref) }
    }

    /// How far into the stack an address is.
    pub(super) fn offset(&self, address: usize) -> Option<usize> {
        address.checked_sub(self.lowest).filter(|&at| at < self.length)
    }
}

impl Default for Running {
    fn default() -> Self {
        Self::NONE
    }
}

/// Notes what runs from now on, and returns what ran before.
pub(super) fn runs(running: Running) -> Running {
    RUNNING.replace(running)
}

#[cfg(unix)]
pub(super) use unix::install;

#[cfg(not(unix))]
pub(super) fn install() {}

#[cfg(unix)]
mod unix {
    use std::mem::{MaybeUninit, zeroed};
    use std::ptr::null_mut;
    use std::sync::OnceLock;

    use super::{RUNNING, Running};

    /// An overflow is one or the other, by the operating system.
    const SIGNALS: [libc::c_int; 2] = [libc::SIGSEGV, libc::SIGBUS];

    /// The actions before, by signal, and the size of a page.
    static BEFORE: OnceLock<([libc::sigaction; 2], usize)> = OnceLock::new();

    /// Installs the handler, once in a process.
    pub(in super::super) fn install() {
        BEFORE.get_or_init(|| {
            // The first coroutine of loom installs another handler: before this one, and not over it.
            ::loom::model(|| {});
            // SAFETY: a call without pointers.
            let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
            // SAFETY: all zeros is an action without flags, whose handler is the default.
            let mut action: libc::sigaction = unsafe { zeroed() };
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            action.sa_sigaction = on_fault as *const () as usize;
            let before = SIGNALS.map(|signal| {
                let mut before = MaybeUninit::zeroed();
                // SAFETY: both point to actions; all zeros is one.
                unsafe {
                    libc::sigaction(signal, &raw const action, before.as_mut_ptr());
                    before.assume_init()
                }
            });
            (before, usize::try_from(page).unwrap_or(4096))
        });
    }

    extern "C" fn on_fault(signal: libc::c_int, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
        // SAFETY: the kernel passes a valid pointer, and the signal comes with an address.
        let address = unsafe { (*info).si_addr() } as usize;
        let running = RUNNING.get();
        // SAFETY: as in `install`.
        let mut action = unsafe { zeroed() };
        if let Some((before, page)) = BEFORE.get() {
            if (running.lowest..running.lowest + page).contains(&address) {
                running.tell(*page);
            } else {
                action = before[usize::from(signal != SIGNALS[0])];
            }
        }
        // SAFETY: the pointer is to an action.
        unsafe { libc::sigaction(signal, &raw const action, null_mut()) };
    }

    impl Running {
        fn tell(&self, page: usize) {
            write("\nthe model's thread ");
            // SAFETY: a thread that runs has its name.
            write(self.name.map_or("without a name", |name| unsafe { &*name }));
            write(" has overflowed its stack of ");
            let (mut rest, mut digits, mut at) = (self.length - page, [0; 20], 20);
            while at == 20 || rest > 0 {
                at -= 1;
                digits[at] = b'0' + u8::try_from(rest % 10).unwrap_or(0);
                rest /= 10;
            }
            write(str::from_utf8(&digits[at..]).unwrap_or("?"));
            write(" bytes; Model::stack(bytes) sets another size for all of its threads, ");
            write("and thread::Builder::stack_size(bytes) asks for more for one\n");
        }
    }

    /// To the standard error, as far as it goes.
    fn write(text: &str) {
        // SAFETY: pointer and length are those of the text.
        unsafe { libc::write(libc::STDERR_FILENO, text.as_ptr().cast(), text.len()) };
    }
}
