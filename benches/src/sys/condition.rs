//! pthread's condition variable and its mutex, shared between processes: the peer of a condition.
#![expect(unsafe_code, reason = "calls of the C library, which take pointers")]

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use std::io;

use super::memory::{Shareable, Shared};
use super::mutex::{Kind, SharedMutex};

/// A condition variable with `PTHREAD_PROCESS_SHARED`, and a normal mutex.
#[derive(Debug)]
pub struct SharedCondition {
    cell: Shared<Cell>,
    mutex: SharedMutex,
}

#[derive(Debug)]
#[repr(transparent)]
struct Cell(UnsafeCell<libc::pthread_cond_t>);

// SAFETY: Integers, of which any bits are a value; only libc changes it, and that by atomic
// accesses.
unsafe impl Shareable for Cell {}
// SAFETY: As for `Shareable`: it is made to be called by many threads at once.
unsafe impl Sync for Cell {}

impl SharedCondition {
    /// Makes one.
    ///
    /// # Errors
    /// What mmap(2) or the C library answers.
    pub fn new() -> io::Result<Self> {
        let cell = Shared::<Cell>::zeroed()?;
        let mutex = SharedMutex::new(Kind::Normal)?;
        let mut raw = MaybeUninit::uninit();
        // SAFETY: The pointer is to memory of the right size.
        check(unsafe { libc::pthread_condattr_init(raw.as_mut_ptr()) })?;
        // SAFETY: It was initialised by the line above.
        let mut attributes = unsafe { raw.assume_init() };
        let shared = libc::PTHREAD_PROCESS_SHARED;
        // SAFETY: The attributes are initialised.
        check(unsafe { libc::pthread_condattr_setpshared(&raw mut attributes, shared) })?;
        // SAFETY: The memory is a condition variable's, nobody has used it, and the attributes are
        // initialised.
        check(unsafe { libc::pthread_cond_init(cell.0.get(), &raw const attributes) })?;
        // SAFETY: They are initialised, and used by nobody after.
        unsafe { libc::pthread_condattr_destroy(&raw mut attributes) };
        Ok(Self { cell, mutex })
    }

    /// The mutex.
    #[must_use]
    pub const fn mutex(&self) -> &SharedMutex {
        &self.mutex
    }

    /// Waits, by one that has the mutex.
    ///
    /// # Errors
    /// What pthread_cond_wait(3) answers.
    #[inline]
    pub fn wait(&self) -> io::Result<()> {
        // SAFETY: `new` initialised both; they are in place as long as `self`. Who does not hold
        // the mutex breaks it, not memory.
        check(unsafe { libc::pthread_cond_wait(self.cell.0.get(), self.mutex.raw()) })
    }

    /// Wakes one, if anybody waits.
    ///
    /// # Errors
    /// What pthread_cond_signal(3) answers.
    #[inline]
    pub fn signal(&self) -> io::Result<()> {
        // SAFETY: As in `wait`.
        check(unsafe { libc::pthread_cond_signal(self.cell.0.get()) })
    }
}

fn check(answer: libc::c_int) -> io::Result<()> {
    if answer == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(answer)) }
}
