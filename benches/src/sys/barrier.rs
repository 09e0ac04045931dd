//! POSIX's barrier, shared between processes.
#![expect(unsafe_code, reason = "calls of the C library, which take pointers")]

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use std::io;

use super::memory::{Shareable, Shared};

/// A barrier in memory that forked children share. It knows no deaths and no limits.
#[derive(Debug)]
pub struct SharedBarrier {
    cell: Shared<Cell>,
}

#[repr(transparent)]
struct Cell(UnsafeCell<libc::pthread_barrier_t>);

impl core::fmt::Debug for Cell {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        out.write_str("Cell")
    }
}

// SAFETY: Integers, of which any bits are a value; only libc changes it, by atomic accesses.
unsafe impl Shareable for Cell {}
// SAFETY: As for `Shareable`: a barrier is made to be called by many threads at once.
unsafe impl Sync for Cell {}

impl SharedBarrier {
    /// Makes one for so many parties.
    ///
    /// # Errors
    /// What mmap(2), pthread_barrierattr_setpshared(3) or pthread_barrier_init(3) answers.
    pub fn new(parties: u32) -> io::Result<Self> {
        let cell = Shared::<Cell>::zeroed()?;
        let mut attributes = MaybeUninit::uninit();
        // SAFETY: A place for attributes, which this initialises.
        check(unsafe { libc::pthread_barrierattr_init(attributes.as_mut_ptr()) })?;
        let shared = libc::PTHREAD_PROCESS_SHARED;
        // SAFETY: They are initialised.
        check(unsafe { libc::pthread_barrierattr_setpshared(attributes.as_mut_ptr(), shared) })?;
        // SAFETY: The memory is a barrier's, and nobody has used it; the attributes are
        // initialised.
        check(unsafe { libc::pthread_barrier_init(cell.0.get(), attributes.as_ptr(), parties) })?;
        Ok(Self { cell })
    }

    /// Waits until all parties have come.
    ///
    /// # Errors
    /// What pthread_barrier_wait(3) answers.
    #[inline]
    pub fn wait(&self) -> io::Result<()> {
        // SAFETY: `new` initialised it; it is in place as long as `self`.
        match unsafe { libc::pthread_barrier_wait(self.cell.0.get()) } {
            libc::PTHREAD_BARRIER_SERIAL_THREAD => Ok(()),
            error => check(error),
        }
    }
}

fn check(error: libc::c_int) -> io::Result<()> {
    if error == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(error)) }
}
