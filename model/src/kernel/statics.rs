//! Statics, and what they were declared with.
//!
//! What is written to the segments of the program and its libraries is copied before `main`. So the value of
//! the constant expression that a static was declared with is known, whatever became of the static since.

#[cfg(any(
    target_os = "linux",
    target_os = "android",
    target_os = "freebsd",
    target_os = "netbsd",
    target_os = "openbsd",
    target_os = "dragonfly"
))]
mod segments {
    use std::ffi::{c_int, c_void};
    use std::hint::black_box;
    use std::sync::OnceLock;

    /// A part of the program that can be written to.
    struct Segment {
        start: usize,
        bytes: usize,
        /// What it began with; after that, zeros.
        begins: Box<[u8]>,
    }

    static SEGMENTS: OnceLock<Vec<Segment>> = OnceLock::new();

    /// Called before `main`, when addresses have been relocated.
    #[used]
    #[unsafe(link_section = ".init_array")]
    static AT_START: extern "C" fn() = {
        extern "C" fn at_start() {
            SEGMENTS.get_or_init(loaded);
        }
        at_start
    };

    #[allow(
        clippy::cast_possible_truncation,
        clippy::unnecessary_cast,
        reason = "addresses, which have another type for each target"
    )]
    unsafe extern "C" fn add(
        info: *mut libc::dl_phdr_info,
        _: usize,
        segments: *mut c_void,
    ) -> c_int {
        // SAFETY: `loaded` passes a vector that nothing else uses meanwhile.
        let segments = unsafe { &mut *segments.cast::<Vec<Segment>>() };
        // SAFETY: the loader passes a description that is valid during this call.
        let info = unsafe { &*info };
        for at in 0..usize::from(info.dlpi_phnum) {
            // SAFETY: there are so many headers.
            let header = unsafe { &*info.dlpi_phdr.add(at) };
            if header.p_type == libc::PT_LOAD && header.p_flags & libc::PF_W != 0 {
                let start = info.dlpi_addr as usize + header.p_vaddr as usize;
                let from = std::ptr::with_exposed_provenance::<u8>(start);
                let mut begins = vec![0; header.p_filesz as usize];
                // SAFETY: the segment is loaded there, and there is one thread.
                unsafe { begins.as_mut_ptr().copy_from_nonoverlapping(from, begins.len()) };
                let bytes = header.p_memsz as usize;
                segments.push(Segment { start, bytes, begins: begins.into() });
            }
        }
        0
    }

    fn loaded() -> Vec<Segment> {
        let mut segments = Vec::new();
        // SAFETY: `add` has the signature that is asked for, and is passed what it expects.
        unsafe { libc::dl_iterate_phdr(Some(add), (&raw mut segments).cast()) };
        segments
    }

    pub(super) fn at(address: usize, bytes: usize) -> Option<Vec<u8>> {
        // The linker leaves out what is not used.
        black_box(&AT_START);
        let segments = SEGMENTS.get()?;
        segments.iter().find_map(|segment| {
            let at = address.checked_sub(segment.start)?;
            (at < segment.bytes && bytes <= segment.bytes - at).then(|| {
                let written = segment.begins.iter().skip(at).copied();
                written.chain(std::iter::repeat(0)).take(bytes).collect()
            })
        })
    }
}

/// Elsewhere, statics count as made outside any model.
#[cfg(not(any(
    target_os = "linux",
    target_os = "android",
    target_os = "freebsd",
    target_os = "netbsd",
    target_os = "openbsd",
    target_os = "dragonfly"
)))]
mod segments {
    pub(super) fn at(_: usize, _: usize) -> Option<Vec<u8>> {
        None
    }
}

/// Whether a static is there. Known on Linux, Android and the BSDs.
pub fn is_static(address: usize) -> bool {
    segments::at(address, 0).is_some()
}

/// So many bytes of a static, as it was declared.
pub fn declared(address: usize, bytes: usize) -> Option<Vec<u8>> {
    segments::at(address, bytes)
}
