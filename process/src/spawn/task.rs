//! A function of this program as something that can be sent to another process of it.
//!
//! The function is a value without size: a named function, or a closure that captures nothing. What
//! travels is where its trampoline lies in the program. An offset is believed only when it came
//! over the private socket from the parent, which runs the same program.
#![expect(unsafe_code, reason = "a function's place becomes the function again")]

use purlin_shm::Carry;
use serde::de::DeserializeOwned;

use crate::handover::unpack;
use crate::outcome::{ExitCode, Outcome};
use crate::sys::program;
use crate::{Error, spawn::Parcel};

/// What a trampoline makes of a parcel: the whole life of the child, not yet begun.
pub(crate) type Life = Box<dyn FnOnce() -> Result<ExitCode, String>>;

/// The one form of all trampolines.
type Trampoline = fn(Parcel) -> Result<Life, Error>;

/// A task: the trampoline of one function.
#[derive(Clone, Copy)]
pub(crate) struct Task(Trampoline);

impl Task {
    /// The task that calls a function of the type `F`.
    pub(crate) fn of<F, A, C, R>() -> Self
    where
        F: Fn(A, C) -> R + Copy + 'static,
        A: DeserializeOwned + 'static,
        C: Carry + 'static,
        R: Outcome,
    {
        const { assert!(size_of::<F>() == 0, "a task is a function that captures nothing") };
        Self(trampoline::<F, A, C, R>)
    }

    /// Where it lies in the program.
    ///
    /// # Errors
    /// * [`Error::NotTransferable`] when that is not in the main program, as for a plugin's.
    pub(crate) fn offset(self) -> Result<u64, Error> {
        program::offset_of(self.0 as usize).ok_or(Error::NotTransferable)
    }

    /// The task at this offset, which the parent of this process sent.
    ///
    /// # Errors
    /// * [`Error::NotTransferable`] when there is no code of this program.
    pub(crate) fn at(offset: u64) -> Result<Self, Error> {
        let address = program::address_of(offset).ok_or(Error::NotTransferable)?;
        // SAFETY: The parent runs the same file and sent what `offset` gave for a trampoline there,
        // over a socket that nobody else has. The place was checked to be code of this program.
        Ok(Self(unsafe { core::mem::transmute::<usize, Trampoline>(address) }))
    }

    /// Takes the parcel apart for the function.
    ///
    /// # Errors
    /// * [`Error::Damaged`] for arguments that cannot be read, and those of what is carried.
    pub(crate) fn prepare(self, parcel: Parcel) -> Result<Life, Error> {
        (self.0)(parcel)
    }
}

fn trampoline<F, A, C, R>(parcel: Parcel) -> Result<Life, Error>
where
    F: Fn(A, C) -> R + Copy + 'static,
    A: DeserializeOwned + 'static,
    C: Carry + 'static,
    R: Outcome,
{
    let arguments: A = postcard::from_bytes(&parcel.arguments).map_err(|_| Error::Damaged)?;
    let carried: C = unpack(&parcel.items, parcel.descriptors)?;
    // SAFETY: `F` has no size, so that there are no bytes that could be wrong, and a value of it
    // was given to the process that made the task: it can be made, and it is `Copy`, so that one
    // more is nothing new.
    let function: F = unsafe { core::ptr::NonNull::<F>::dangling().read() };
    Ok(Box::new(move || function(arguments, carried).into_status()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task_of<F: Fn((), ()) + Copy + 'static>(_function: F) -> Task {
        Task::of::<F, (), (), ()>()
    }

    #[test]
    fn what_is_no_code_of_the_main_program_is_not_transferable() {
        let offset = task_of(|(), ()| ()).offset().expect("a function of this program");
        assert!(Task::at(offset).is_ok());
        let foreign = program::address_in_a_library();
        // SAFETY: It is the place of a function, is asked where it lies, and never called.
        let foreign = Task(unsafe { core::mem::transmute::<usize, Trampoline>(foreign) });
        assert_eq!(foreign.offset(), Err(Error::NotTransferable));
        for outside in [0, u64::MAX] {
            assert_eq!(Task::at(outside).err(), Some(Error::NotTransferable), "{outside:x}");
        }
    }
}
