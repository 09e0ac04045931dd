//! POSIX's unnamed semaphore of one, shared between processes: what CPython's lock is made of.
#![expect(unsafe_code, reason = "calls of the C library, which take pointers")]

use core::cell::UnsafeCell;
use std::io;

use super::memory::{Shareable, Shared};

/// A semaphore of one, in memory that forked children share. It knows no holder, so no death.
#[derive(Debug)]
pub struct SharedSemaphore {
    cell: Shared<Cell>,
}

#[derive(Debug)]
#[repr(transparent)]
struct Cell(UnsafeCell<libc::sem_t>);

// SAFETY: Integers, of which any bits are a value; only libc changes it, by atomic accesses.
unsafe impl Shareable for Cell {}
// SAFETY: As for `Shareable`: a semaphore is made to be called by many threads at once.
unsafe impl Sync for Cell {}

impl SharedSemaphore {
    /// Makes one that is free.
    ///
    /// # Errors
    /// What mmap(2) or sem_init(3) answers.
    pub fn new() -> io::Result<Self> {
        let cell = Shared::<Cell>::zeroed()?;
        // SAFETY: The memory is a semaphore's, and nobody has used it.
        check(unsafe { libc::sem_init(cell.0.get(), 1, 1) })?;
        Ok(Self { cell })
    }

    /// Takes the one, waiting without a limit.
    ///
    /// # Errors
    /// What sem_wait(3) answers, but for `EINTR`.
    #[inline]
    pub fn wait(&self) -> io::Result<()> {
        // Ends: with the unit, or with an error other than a signal.
        loop {
            // SAFETY: `new` initialised it; it is in place as long as `self`.
            match check(unsafe { libc::sem_wait(self.cell.0.get()) }) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                answer => return answer,
            }
        }
    }

    /// Gives the one back.
    ///
    /// # Errors
    /// What sem_post(3) answers.
    #[inline]
    pub fn post(&self) -> io::Result<()> {
        // SAFETY: As in `wait`.
        check(unsafe { libc::sem_post(self.cell.0.get()) })
    }
}

#[inline]
fn check(answer: libc::c_int) -> io::Result<()> {
    if answer == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
