//! pthread's mutexes, shared between processes: the peers of a lock.
#![expect(unsafe_code, reason = "calls of the C library, which take pointers")]

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::time::Duration;
use std::io;
use std::time::SystemTime;

use super::memory::{Shareable, Shared};

/// Which of pthread's mutexes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The default: waits at once in the kernel; knows of no death.
    Normal,
    /// Kept in a list that the kernel walks when a thread ends, so that the next one is told.
    Robust,
    /// Spins before it waits (a glibc extension).
    Adaptive,
    /// Names its holder's thread, and refuses its second acquire.
    Checking,
    /// Names its holder's thread, which takes it again and again.
    Recursive,
}

/// How a robust mutex was got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// In order.
    Held,
    /// From a thread that ended with it.
    OwnerDied,
}

/// A mutex with `PTHREAD_PROCESS_SHARED`, in memory that forked children share.
#[derive(Debug)]
pub struct SharedMutex {
    cell: Shared<Cell>,
}

#[derive(Debug)]
#[repr(transparent)]
struct Cell(UnsafeCell<libc::pthread_mutex_t>);

// SAFETY: Integers, of which any bits are a value; only libc changes it, and that by atomic
// accesses. The list links of a robust one are addresses, but of the thread that holds it.
unsafe impl Shareable for Cell {}
// SAFETY: As for `Shareable`: a mutex is made to be called by many threads at once.
unsafe impl Sync for Cell {}

impl SharedMutex {
    /// Makes one.
    ///
    /// # Errors
    /// * Kind `Unsupported` where the C library does not have this kind.
    /// * Else what mmap(2) or the C library answers.
    pub fn new(kind: Kind) -> io::Result<Self> {
        let cell = Shared::<Cell>::zeroed()?;
        let attributes = Attributes::of(kind)?;
        // SAFETY: The memory is a mutex's, nobody has used it, and the attributes are initialised.
        check(unsafe { libc::pthread_mutex_init(cell.0.get(), &attributes.0) })?;
        Ok(Self { cell })
    }

    /// Takes it, waiting without a limit.
    ///
    /// # Errors
    /// What pthread_mutex_lock(3) answers, `EOWNERDEAD` included.
    #[inline]
    pub fn lock(&self) -> io::Result<()> {
        // SAFETY: `new` initialised it; it is in place as long as `self`.
        check(unsafe { libc::pthread_mutex_lock(self.cell.0.get()) })
    }

    /// Takes it, waiting for `limit`. A dead owner's data is declared sound.
    ///
    /// # Errors
    /// What pthread_mutex_timedlock(3) answers; kind `TimedOut` at the limit.
    pub fn lock_for(&self, limit: Duration) -> io::Result<Taken> {
        let until = after(limit);
        // SAFETY: As in `lock`; the time is a valid one.
        let answer = unsafe { libc::pthread_mutex_timedlock(self.cell.0.get(), &until) };
        if answer != libc::EOWNERDEAD {
            return check(answer).map(|()| Taken::Held);
        }
        // SAFETY: The caller holds it, as EOWNERDEAD says.
        check(unsafe { libc::pthread_mutex_consistent(self.cell.0.get()) })?;
        Ok(Taken::OwnerDied)
    }

    /// Where it is.
    pub(super) fn raw(&self) -> *mut libc::pthread_mutex_t {
        self.cell.0.get()
    }

    /// Gives it back.
    ///
    /// # Errors
    /// What pthread_mutex_unlock(3) answers.
    #[inline]
    pub fn unlock(&self) -> io::Result<()> {
        // SAFETY: As in `lock`. Who does not hold it breaks the mutex, not memory.
        check(unsafe { libc::pthread_mutex_unlock(self.cell.0.get()) })
    }
}

/// Initialised attributes of a mutex.
struct Attributes(libc::pthread_mutexattr_t);

impl Attributes {
    fn of(kind: Kind) -> io::Result<Self> {
        let mut raw = MaybeUninit::uninit();
        // SAFETY: The pointer is to memory of the right size.
        check(unsafe { libc::pthread_mutexattr_init(raw.as_mut_ptr()) })?;
        // SAFETY: It was initialised by the line above.
        let mut attributes = Self(unsafe { raw.assume_init() });
        let shared = libc::PTHREAD_PROCESS_SHARED;
        // SAFETY: The attributes are initialised.
        check(unsafe { libc::pthread_mutexattr_setpshared(&mut attributes.0, shared) })?;
        match kind {
            Kind::Normal => attributes.set_type(libc::PTHREAD_MUTEX_NORMAL)?,
            Kind::Robust => attributes.set_robust()?,
            Kind::Adaptive => attributes.set_adaptive()?,
            Kind::Recursive => attributes.set_type(libc::PTHREAD_MUTEX_RECURSIVE)?,
            Kind::Checking => attributes.set_type(libc::PTHREAD_MUTEX_ERRORCHECK)?,
        }
        Ok(attributes)
    }

    fn set_type(&mut self, number: libc::c_int) -> io::Result<()> {
        // SAFETY: The attributes are initialised; an unknown type is answered by EINVAL.
        check(unsafe { libc::pthread_mutexattr_settype(&mut self.0, number) })
    }

    fn set_robust(&mut self) -> io::Result<()> {
        // SAFETY: The attributes are initialised.
        check(unsafe { libc::pthread_mutexattr_setrobust(&mut self.0, libc::PTHREAD_MUTEX_ROBUST) })
    }

    #[cfg(target_env = "gnu")]
    fn set_adaptive(&mut self) -> io::Result<()> {
        self.set_type(libc::PTHREAD_MUTEX_ADAPTIVE_NP)
    }

    #[cfg(not(target_env = "gnu"))]
    fn set_adaptive(&mut self) -> io::Result<()> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "this C library has no adaptive mutexes"))
    }
}

impl Drop for Attributes {
    fn drop(&mut self) {
        // SAFETY: They are initialised, and used by nobody after.
        unsafe { libc::pthread_mutexattr_destroy(&mut self.0) };
    }
}

#[inline]
fn check(answer: libc::c_int) -> io::Result<()> {
    if answer == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(answer)) }
}

/// The wall clock's time at the end of `limit`: what pthread_mutex_timedlock(3) counts by.
fn after(limit: Duration) -> libc::timespec {
    let until =
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default() + limit;
    libc::timespec {
        tv_sec: libc::time_t::try_from(until.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_nsec: libc::c_long::from(until.subsec_nanos() as i32),
    }
}
