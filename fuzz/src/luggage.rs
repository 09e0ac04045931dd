//! Handles on their way, as bytes and descriptors that were never packed.
//!
//! | bytes | what they say |
//! |---|---|
//! | 0 | the type that is asked for |
//! | 1 | how many descriptors there are beside, 15 at most |
//! | 1 each | what it leads to |
//! | … | the items |

use std::os::fd::OwnedFd;

use purlin_shm::{Carry, Error, Luggage};

use super::descriptors;
use super::input::Input;
use super::types::with_type;

/// Unpacks the input. Says `arrived`, or the kind of error that refused it.
///
/// # Panics
/// When it is out of resources: then an earlier one has leaked descriptors.
pub fn run(data: &[u8]) -> &'static str {
    let mut input = Input::new(data);
    let (number, count) = (input.byte(), input.byte() % 16);
    let beside = (0..count).map(|_| descriptors::of_sort(input.byte())).collect();
    let came = match with_type!(number, unpack(input.rest(), beside)) {
        Ok(()) => "arrived",
        Err(error) => error.kind(),
    };
    assert_ne!(came, "out-of-resources", "nothing here takes many descriptors");
    came
}

fn unpack<T: Carry>(bytes: &[u8], beside: Vec<OwnedFd>) -> Result<(), Error> {
    let mut luggage = Luggage::from_parts(bytes, beside)?;
    let arrived = T::unpack(&mut luggage)?;
    // What arrived can be packed again, as all that can be carried.
    arrived.pack(&mut Luggage::new())?;
    luggage.finish()
}
