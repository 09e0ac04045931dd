//! How inputs and outputs look as bytes: a list of items, each with its length, so that one that
//! has no serial form costs only itself.
//!
//! ```text
//! input    | len u32 | argument | len u32 | argument | ...
//! output   | kind u8 | len u32 | value, or message and trace | ...
//! ```

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;

const VALUE: u8 = 0;
const FAILED: u8 = 1;
const NOT_TRANSFERABLE: u8 = 2;
const TOO_LARGE: u8 = 3;
const OUT_OF_RESOURCES: u8 = 4;

const LEN_BYTES: usize = 4;

/// # Errors
/// * [`Error::NotTransferable`] for an argument without a serial form.
/// * [`Error::TooLarge`] for one of 4 GiB.
pub(crate) fn write_input<A: Serialize>(arguments: &[A]) -> Result<Vec<u8>, Error> {
    let mut input = Vec::new();
    arguments.iter().try_for_each(|argument| push_item(&mut input, argument))?;
    Ok(input)
}

/// The arguments; what cannot be read is an error in its place.
pub(crate) fn read_input<A: DeserializeOwned>(mut input: &[u8]) -> Vec<Result<A, Error>> {
    let mut arguments = Vec::new();
    while let Some(item) = next_item(&mut input) {
        arguments.push(postcard::from_bytes(item).map_err(|_| Error::NotTransferable));
    }
    arguments
}

/// Adds what came of one item.
pub(crate) fn push_outcome<R: Serialize>(output: &mut Vec<u8>, outcome: &Result<R, Error>) {
    let start = output.len();
    let pushed = outcome.as_ref().map_err(Clone::clone).and_then(|value| {
        output.push(VALUE);
        push_item(output, value)
    });
    if let Err(error) = pushed {
        output.truncate(start);
        push_error(output, &error);
    }
}

/// Adds what became of an item without a value.
pub(crate) fn push_error(output: &mut Vec<u8>, error: &Error) {
    let (kind, text) = match error {
        Error::TaskFailed { message, trace } => (FAILED, (message.as_str(), trace.as_str())),
        Error::TooLarge { .. } => (TOO_LARGE, ("", "")),
        Error::OutOfResources => (OUT_OF_RESOURCES, ("", "")),
        _ => (NOT_TRANSFERABLE, ("", "")),
    };
    let start = output.len();
    output.push(kind);
    if push_item(output, &text).is_err() {
        output.truncate(start); // a message of 4 GiB; the owner finds an item missing
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
    let mut outcomes = Vec::new();
    while let Some((kind, rest)) = output.split_first() {
        output = rest;
        let item = next_item(&mut output).ok_or(Error::Damaged)?;
        outcomes.push(match *kind {
            VALUE => postcard::from_bytes(item).map_err(|_| Error::NotTransferable),
            FAILED => {
                let (message, trace) = postcard::from_bytes(item).map_err(|_| Error::Damaged)?;
                Err(Error::TaskFailed { message, trace })
            }
            NOT_TRANSFERABLE => Err(Error::NotTransferable),
            TOO_LARGE => Err(Error::TooLarge { len: item.len() }),
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

fn push_item<T: Serialize>(bytes: &mut Vec<u8>, item: &T) -> Result<(), Error> {
    let start = bytes.len();
    bytes.extend([0; LEN_BYTES]);
    postcard::to_io(item, &mut *bytes).map_err(|_| Error::NotTransferable)?;
    let len = bytes.len() - start - LEN_BYTES;
    let short = u32::try_from(len).map_err(|_| Error::TooLarge { len })?;
    bytes[start..start + LEN_BYTES].copy_from_slice(&short.to_le_bytes());
    Ok(())
}

/// Takes the next item off, if a whole one is there.
fn next_item<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (len, rest) = bytes.split_first_chunk::<LEN_BYTES>()?;
    let len = usize::try_from(u32::from_le_bytes(*len)).ok()?;
    let (item, rest) = rest.split_at_checked(len)?;
    *bytes = rest;
    Some(item)
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
        let read: Vec<Result<(u32, String), Error>> = read_input(&input);
        assert_eq!(read, [Ok((1, "one".into())), Ok((2, "two".into()))]);
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
                let _ = read_input::<String>(&other);
            }
        }
    }
}
