//! How inputs and outputs look as bytes: one item after the other, in serial form.
//!
//! ```text
//! input    | how many | argument | argument | ...
//! output   | kind u8 | value, or message and trace | kind u8 | ...
//! ```
//!
//! An item without a serial form costs itself alone; one that cannot be read, those behind it, too.

use postcard::ser_flavors::Flavor;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;

const VALUE: u8 = 0;
const FAILED: u8 = 1;
const NOT_TRANSFERABLE: u8 = 2;
const TOO_LARGE: u8 = 3;
const OUT_OF_RESOURCES: u8 = 4;

/// # Errors
/// * [`Error::NotTransferable`] for an argument without a serial form.
pub(crate) fn write_input<A: Serialize>(arguments: &[A]) -> Result<Vec<u8>, Error> {
    let mut input = Vec::new();
    push(&mut input, &arguments.len())?;
    arguments.iter().try_for_each(|argument| push(&mut input, argument))?;
    Ok(input)
}

/// The arguments, one after the other; what cannot be read is an error, and so are those behind it.
pub(crate) fn read_input<A: DeserializeOwned>(
    mut input: &[u8],
) -> impl Iterator<Item = Result<A, Error>> {
    let mut left_count: usize = next(&mut input).unwrap_or(0);
    core::iter::from_fn(move || {
        left_count = left_count.checked_sub(1)?;
        let argument = next(&mut input);
        if argument.is_err() {
            input = &[];
        }
        Some(argument)
    })
}

fn next<T: DeserializeOwned>(bytes: &mut &[u8]) -> Result<T, Error> {
    let (item, rest) = postcard::take_from_bytes(bytes).map_err(|_| Error::NotTransferable)?;
    *bytes = rest;
    Ok(item)
}

/// Adds what came of one item.
pub(crate) fn push_outcome<R: Serialize>(output: &mut Vec<u8>, outcome: &Result<R, Error>) {
    let start = output.len();
    let pushed = outcome.as_ref().map_err(Clone::clone).and_then(|value| {
        output.push(VALUE);
        push(output, value)
    });
    if let Err(error) = pushed {
        output.truncate(start);
        push_error(output, &error);
    }
}

/// Adds what became of an item without a value.
pub(crate) fn push_error(output: &mut Vec<u8>, error: &Error) {
    match error {
        Error::TaskFailed { message, trace } => {
            output.push(FAILED);
            // Of texts there is nothing that has no form.
            let _ = push(output, &(message, trace));
        }
        Error::TooLarge { .. } => output.push(TOO_LARGE),
        Error::OutOfResources => output.push(OUT_OF_RESOURCES),
        _ => output.push(NOT_TRANSFERABLE),
    }
}

/// So many outcomes; one error alone is what became of them all.
///
/// # Errors
/// * [`Error::Damaged`] when there are more or fewer, or what no worker writes.
pub(crate) fn read_output<R: DeserializeOwned>(
    mut output: &[u8],
    count: usize,
) -> Result<Vec<Result<R, Error>>, Error> {
    let mut outcomes = Vec::with_capacity(count);
    while let Some((kind, rest)) = output.split_first() {
        output = rest;
        outcomes.push(match *kind {
            VALUE => match postcard::take_from_bytes(output) {
                Ok((value, rest)) => {
                    output = rest;
                    Ok(value)
                }
                Err(_) => {
                    // Nobody knows where the next one begins.
                    outcomes.resize_with(count, || Err(Error::NotTransferable));
                    return Ok(outcomes);
                }
            },
            FAILED => {
                let read = postcard::take_from_bytes(output).map_err(|_| Error::Damaged)?;
                let ((message, trace), rest) = read;
                output = rest;
                Err(Error::TaskFailed { message, trace })
            }
            NOT_TRANSFERABLE => Err(Error::NotTransferable),
            TOO_LARGE => Err(Error::TooLarge { len: 0 }),
            OUT_OF_RESOURCES => Err(Error::OutOfResources),
            _ => return Err(Error::Damaged),
        });
    }
    match outcomes.as_slice() {
        [Err(error)] => Ok((0..count).map(|_| Err(error.clone())).collect()),
        all if all.len() == count => Ok(outcomes),
        _ => Err(Error::Damaged),
    }
}

/// Adds the serial form of an item, or nothing.
fn push<T: Serialize>(bytes: &mut Vec<u8>, item: &T) -> Result<(), Error> {
    let start = bytes.len();
    let pushed = postcard::serialize_with_flavor(item, Onto(&mut *bytes));
    if pushed.is_err() {
        bytes.truncate(start);
    }
    pushed.map_err(|_| Error::NotTransferable)
}

/// Writes at the end of a row of bytes.
struct Onto<'a>(&'a mut Vec<u8>);

impl Flavor for Onto<'_> {
    type Output = ();

    #[inline]
    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    #[inline]
    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(message: &str) -> Error {
        Error::TaskFailed { message: message.into(), trace: "here".into() }
    }

    #[test]
    fn items_come_out_as_they_went_in() {
        let input = write_input(&[(1_u32, "one"), (2, "two")]).unwrap();
        let read: Vec<Result<(u32, String), Error>> = read_input(&input).collect();
        assert_eq!(read, [Ok((1, "one".into())), Ok((2, "two".into()))]);
        let cut: Vec<Result<(u32, String), Error>> = read_input(&input[..6]).collect();
        assert_eq!(cut, [Ok((1, "one".into())), Err(Error::NotTransferable)]);
        assert_eq!(read_input::<()>(&write_input(&[(); 3]).unwrap()).count(), 3);
        let outcomes =
            [Ok(7_u64), Err(failed("no")), Err(Error::NotTransferable), Err(Error::OutOfResources)];
        let mut output = Vec::new();
        outcomes.iter().for_each(|outcome| push_outcome(&mut output, outcome));
        assert_eq!(read_output(&output, 4), Ok(outcomes.to_vec()));
        assert_eq!(read_output::<u64>(&output, 3), Err(Error::Damaged));
    }

    #[test]
    fn an_item_without_a_form_costs_itself() {
        struct Formless;
        impl Serialize for Formless {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                let _ = to;
                Err(serde::ser::Error::custom("none"))
            }
        }
        let mut output = Vec::new();
        push_outcome(&mut output, &Ok(1_u8));
        push_outcome(&mut output, &Ok(Formless));
        push_outcome(&mut output, &Ok(2_u8));
        let read = read_output(&output, 3);
        assert_eq!(read, Ok(vec![Ok(1_u8), Err(Error::NotTransferable), Ok(2)]));
    }

    #[test]
    fn no_cut_and_no_changed_byte_makes_it_panic() {
        let mut output = Vec::new();
        push_outcome(&mut output, &Ok("some text".to_owned()));
        push_outcome(&mut output, &Err::<String, _>(failed("no")));
        for end in 0..output.len() {
            let _ = read_output::<String>(&output[..end], 2);
            for byte in [0, 1, 5, 0x7f, 0xff] {
                let mut other = output.clone();
                other[end] = byte;
                let _ = read_output::<String>(&other, 2);
                let _ = read_input::<String>(&other).take(100).count();
            }
        }
    }
}
