//! A function of this program as something that can be sent to a worker: where its trampoline lies
//! in the program.
#![expect(unsafe_code, reason = "a function's place becomes the function again")]

use purlin_process::parts::{address_of, offset_of};

use crate::error::Error;

/// The one form of all trampolines: input to output.
type Trampoline = fn(&[u8]) -> Vec<u8>;

/// What a worker runs.
#[derive(Clone, Copy)]
pub(crate) struct Function(Trampoline);

impl Function {
    pub(crate) fn of(trampoline: Trampoline) -> Self {
        Self(trampoline)
    }

    /// Where it lies in the program.
    ///
    /// # Errors
    /// * [`Error::NotTransferable`] when that is not in the main program, as for a plugin's.
    pub(crate) fn offset(self) -> Result<u64, Error> {
        offset_of(self.0 as usize).ok_or(Error::NotTransferable)
    }

    /// The one at this offset, which the owner of this worker sent.
    ///
    /// # Errors
    /// * [`Error::NotTransferable`] when there is no code of this program.
    pub(crate) fn at(offset: u64) -> Result<Self, Error> {
        let address = address_of(offset).ok_or(Error::NotTransferable)?;
        // SAFETY: The owner runs the same program and sent what `offset` gave for a trampoline
        // there, over a socket whose other end only it has, and what it forked, which could as well
        // change itself. The place was checked to be code of this program.
        Ok(Self(unsafe { core::mem::transmute::<usize, Trampoline>(address) }))
    }

    pub(crate) fn call(self, input: &[u8]) -> Vec<u8> {
        (self.0)(input)
    }
}

/// A value of a function's type, which has no size.
pub(crate) fn conjure<F: Copy + 'static>() -> F {
    const { assert!(size_of::<F>() == 0, "a task is a function that captures nothing") };
    // SAFETY: `F` has no size, so that there are no bytes that could be wrong, and the owner had a
    // value of it when it made the task: it can be made, and it is `Copy`, so that one more is
    // nothing new.
    unsafe { core::ptr::NonNull::<F>::dangling().read() }
}
