//! How inputs and outputs look as bytes: one item after the other, in serial form. A row of numbers
//! is carried as it is, see `numbers`.
//!
//! ```text
//! input    | how many u64 | argument | argument | ...              or | number | number | ...
//! output   | kind u8 | value, message and trace, or length | ...   or | 5 | number | ...
//! ```
//!
//! An item without a serial form costs itself alone; one that cannot be read, those behind it, too.
//! Of numbers some of which failed, each has a kind and a serial form.

use postcard::ser_flavors::Flavor;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::numbers;
use crate::outcomes::Outcomes;

const VALUE: u8 = 0;
const FAILED: u8 = 1;
const NOT_TRANSFERABLE: u8 = 2;
const TOO_LARGE: u8 = 3;
const OUT_OF_RESOURCES: u8 = 4;
const NUMBERS: u8 = 5;

/// How many arguments there are stands before them.
const COUNT_BYTES: usize = 8;

/// So many numbers are written at a time, to have no second row of all.
const BLOCK_COUNT: usize = 512;

/// # Errors
/// * [`Error::NotTransferable`] for an argument without a serial form.
pub(crate) fn write_input<A: Serialize + 'static>(
    mut arguments: impl ExactSizeIterator<Item = A>,
) -> Result<Vec<u8>, Error> {
    if numbers::are::<A>() {
        return Ok(write_numbers(arguments));
    }
    let mut input = Vec::from((arguments.len() as u64).to_le_bytes());
    arguments.try_for_each(|argument| push(&mut input, &argument))?;
    Ok(input)
}

/// The same as several inputs, and how many arguments are in each: as few as there can be of so
/// many bytes at most, or of one argument.
///
/// # Errors
/// * As [`write_input`].
pub(crate) fn write_inputs<A: Serialize + 'static>(
    mut arguments: impl ExactSizeIterator<Item = A>,
    max_bytes: usize,
) -> Result<Vec<(usize, Vec<u8>)>, Error> {
    let mut inputs = Vec::new();
    if numbers::are::<A>() {
        let each = (max_bytes / size_of::<A>()).max(1);
        while arguments.len() > 0 {
            let count = each.min(arguments.len());
            inputs.push((count, write_numbers(arguments.by_ref().take(count))));
        }
        return Ok(inputs);
    }
    let (mut count, mut input) = (0, vec![0; COUNT_BYTES]);
    for argument in arguments {
        let start = input.len();
        push(&mut input, &argument)?;
        if input.len() > max_bytes && count > 0 {
            let next = [&[0; COUNT_BYTES], &input[start..]].concat();
            input.truncate(start);
            inputs.push((count, counted(count, input)));
            (count, input) = (0, next);
        }
        count += 1;
    }
    inputs.push((count, counted(count, input)));
    Ok(inputs)
}

fn counted(count: usize, mut input: Vec<u8>) -> Vec<u8> {
    input[..COUNT_BYTES].copy_from_slice(&(count as u64).to_le_bytes());
    input
}

fn write_numbers<A: 'static>(mut arguments: impl ExactSizeIterator<Item = A>) -> Vec<u8> {
    let mut input = Vec::new();
    input.reserve_exact(arguments.len() * size_of::<A>());
    let mut block = Vec::with_capacity(arguments.len().min(BLOCK_COUNT));
    while arguments.len() > 0 {
        block.clear();
        block.extend(arguments.by_ref().take(BLOCK_COUNT));
        numbers::push(&mut input, &block);
    }
    input
}

/// The arguments of an input, one after the other; what cannot be read is an error, and so are
/// those behind it.
pub(crate) struct Arguments<'a, A> {
    numbers: std::vec::IntoIter<A>,
    input: &'a [u8],
    left_count: u64,
}

impl<'a, A: DeserializeOwned + 'static> Arguments<'a, A> {
    pub(crate) fn of(mut input: &'a [u8]) -> Self {
        let numbers = numbers::read(input).into_iter(); // none, where they are none
        let mut left_count = 0;
        if let (false, Some((count, rest))) = (numbers::are::<A>(), input.split_first_chunk()) {
            left_count = u64::from_le_bytes(*count);
            input = rest;
        }
        Self { numbers, input, left_count }
    }
}

impl<A: DeserializeOwned + 'static> Iterator for Arguments<'_, A> {
    type Item = Result<A, Error>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if numbers::are::<A>() {
            return self.numbers.next().map(Ok);
        }
        self.left_count = self.left_count.checked_sub(1)?;
        // How one is read is the user's, and may panic: then none behind it can be read.
        let mut rest = core::mem::take(&mut self.input);
        let argument = next(&mut rest);
        if argument.is_ok() {
            self.input = rest;
        }
        Some(argument)
    }
}

fn next<T: DeserializeOwned>(bytes: &mut &[u8]) -> Result<T, Error> {
    let (item, rest) = postcard::take_from_bytes(bytes).map_err(|_| Error::NotTransferable)?;
    *bytes = rest;
    Ok(item)
}

/// What comes of the items of an input, as an output in the making.
pub(crate) struct Answers<R> {
    output: Vec<u8>,
    /// Values that are numbers, and which failures came behind how many of them.
    numbers: Vec<R>,
    failures: Vec<(usize, Error)>,
    /// Nothing has been said of the item that was begun last.
    is_open: bool,
    /// Where in the output that one begins.
    start: usize,
}

impl<R: Serialize + 'static> Answers<R> {
    /// Of so many, as far as is known.
    pub(crate) fn of(count: usize) -> Self {
        let number_count = if numbers::are::<R>() { count } else { 0 };
        Self {
            output: Vec::new(),
            numbers: Vec::with_capacity(number_count),
            failures: Vec::new(),
            is_open: false,
            start: 0,
        }
    }

    /// The next item.
    #[inline]
    pub(crate) fn begin(&mut self) {
        (self.is_open, self.start) = (true, self.output.len());
    }

    /// It returned this. Its serial form and its drop are the user's, and may panic.
    #[inline]
    pub(crate) fn push(&mut self, value: R) {
        if numbers::are::<R>() {
            self.numbers.push(value);
            self.is_open = false;
            return;
        }
        self.output.push(VALUE);
        match push(&mut self.output, &value) {
            Ok(()) => self.is_open = false,
            Err(error) => self.fail(error),
        }
    }

    /// It failed, unless it has returned before.
    #[cold]
    pub(crate) fn fail(&mut self, error: Error) {
        if !core::mem::take(&mut self.is_open) {
            return;
        }
        if numbers::are::<R>() {
            return self.failures.push((self.numbers.len(), error));
        }
        self.output.truncate(self.start);
        push_error(&mut self.output, &error);
    }

    pub(crate) fn into_output(mut self) -> Vec<u8> {
        if !numbers::are::<R>() {
            return self.output;
        }
        if self.failures.is_empty() {
            self.output.push(NUMBERS);
            numbers::push(&mut self.output, &self.numbers);
            return self.output;
        }
        let mut failures = self.failures.into_iter().peekable();
        for place in 0..=self.numbers.len() {
            while let Some((_, error)) = failures.next_if(|(at, _)| *at == place) {
                push_error(&mut self.output, &error);
            }
            if let Some(number) = self.numbers.get(place) {
                self.output.push(VALUE);
                let _ = push(&mut self.output, number); // of numbers, each has a form
            }
        }
        self.output
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
        Error::TooLarge { len } => {
            output.push(TOO_LARGE);
            let _ = push(output, len); // of numbers, each has a form
        }
        Error::OutOfResources => output.push(OUT_OF_RESOURCES),
        _ => output.push(NOT_TRANSFERABLE),
    }
}

/// So many outcomes; one error alone is what became of them all.
///
/// # Errors
/// * [`Error::Damaged`] when there are more or fewer, or what no worker writes.
pub(crate) fn read_output<R: DeserializeOwned + 'static>(
    output: Vec<u8>,
    count: usize,
) -> Result<Outcomes<R>, Error> {
    if let Some((&NUMBERS, rest)) = output.split_first() {
        let is_whole = numbers::are::<R>() && count.checked_mul(size_of::<R>()) == Some(rest.len());
        return if is_whole { Ok(Outcomes::Numbers(output)) } else { Err(Error::Damaged) };
    }
    let (mut values, mut rest) = (Vec::with_capacity(count), output.as_slice());
    while let Some((&VALUE, behind)) = rest.split_first()
        && let Ok((value, behind)) = postcard::take_from_bytes(behind)
    {
        values.push(value);
        rest = behind;
    }
    if rest.is_empty() && values.len() == count {
        return Ok(Outcomes::All(values));
    }
    read_each(values, rest, count).map(Outcomes::Each)
}

/// The same from some value on that came behind these.
fn read_each<R: DeserializeOwned>(
    values: Vec<R>,
    mut output: &[u8],
    count: usize,
) -> Result<Vec<Result<R, Error>>, Error> {
    let mut outcomes: Vec<Result<R, Error>> = values.into_iter().map(Ok).collect();
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
            TOO_LARGE => {
                let read = postcard::take_from_bytes(output).map_err(|_| Error::Damaged)?;
                let (len, rest) = read;
                output = rest;
                Err(Error::TooLarge { len })
            }
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

    /// What a worker writes of these.
    fn written<R: Serialize + 'static>(outcomes: Vec<Result<R, Error>>) -> Vec<u8> {
        let mut answers = Answers::of(outcomes.len());
        for outcome in outcomes {
            answers.begin();
            match outcome {
                Ok(value) => answers.push(value),
                Err(error) => answers.fail(error),
            }
            answers.fail(Error::Damaged); // of one that is over nothing more is said
        }
        answers.into_output()
    }

    fn read<R: DeserializeOwned + 'static>(output: &[u8], count: usize) -> Vec<Result<R, Error>> {
        read_output(output.to_vec(), count).expect("as it was written").into_each()
    }

    #[test]
    fn items_come_out_as_they_went_in() {
        let input = write_input([(1_u32, "one"), (2, "two")].into_iter()).unwrap();
        let items: Vec<Result<(u32, String), Error>> = Arguments::of(&input).collect();
        assert_eq!(items, [Ok((1, "one".into())), Ok((2, "two".into()))]);
        let cut: Vec<Result<(u32, String), Error>> = Arguments::of(&input[..13]).collect();
        assert_eq!(cut, [Ok((1, "one".into())), Err(Error::NotTransferable)]);
        assert_eq!(Arguments::<bool>::of(&input[..7]).count(), 0);
        assert_eq!(Arguments::<()>::of(&write_input([(); 3].into_iter()).unwrap()).count(), 3);
        let outcomes = [
            Ok(true),
            Err(failed("no")),
            Err(Error::TooLarge { len: 300 }),
            Err(Error::OutOfResources),
        ];
        let output = written(outcomes.to_vec());
        assert_eq!(read::<bool>(&output, 4), outcomes);
        assert_eq!(read_output::<bool>(output, 3), Err(Error::Damaged));
        let all = written(vec![Ok(true), Ok(false)]);
        assert_eq!(read_output(all.clone(), 2), Ok(Outcomes::All(vec![true, false])));
        assert_eq!(read_output::<bool>(all, 3), Err(Error::Damaged));
    }

    #[test]
    fn numbers_come_out_as_they_went_in() {
        let input = write_input([7_i64, -7].into_iter()).unwrap();
        assert_eq!(input.len(), 16);
        assert_eq!(Arguments::of(&input).collect::<Vec<_>>(), [Ok(7_i64), Ok(-7)]);
        let output = written(vec![Ok(7_i64), Ok(-7)]);
        assert_eq!(read::<i64>(&output, 2), [Ok(7), Ok(-7)]);
        let counts = read_output::<i64>(output.clone(), 2).map(|all| all.counts());
        assert_eq!(counts, Ok((2, 0)));
        let mut values = vec![1];
        read_output(output.clone(), 2).unwrap().append_to(&mut values).unwrap();
        assert_eq!(values, [1, 7_i64, -7]);
        assert_eq!(read_output::<i64>(output.clone(), 1), Err(Error::Damaged));
        assert_eq!(read_output::<bool>(output, 16), Err(Error::Damaged));
        for failed_ones in [vec![0], vec![1, 2], vec![3], vec![0, 1, 2, 3]] {
            let one = |place: usize| {
                if failed_ones.contains(&place) { Err(failed("no")) } else { Ok(place as u8) }
            };
            let outcomes: Vec<Result<u8, Error>> = (0..4).map(one).collect();
            assert_eq!(read::<u8>(&written(outcomes.clone()), 4), outcomes);
        }
    }

    #[test]
    fn inputs_are_cut_where_they_would_be_too_long() {
        let texts = ["one", "four", "a long one", "", "x", ""];
        let inputs = write_inputs(texts.into_iter(), COUNT_BYTES + 10).unwrap();
        let counts: Vec<usize> = inputs.iter().map(|(count, _)| *count).collect();
        assert_eq!(counts, [2, 1, 3]);
        let read = inputs.iter().flat_map(|(_, input)| Arguments::<String>::of(input));
        assert_eq!(read.collect::<Result<Vec<_>, _>>(), Ok(texts.map(str::to_owned).to_vec()));
        let inputs = write_inputs([0_u64, 1, 2, 3, 4].into_iter(), 23).unwrap();
        let counts: Vec<usize> = inputs.iter().map(|(count, _)| *count).collect();
        assert_eq!(counts, [2, 2, 1]);
        let read = inputs.iter().flat_map(|(_, input)| Arguments::<u64>::of(input));
        assert_eq!(read.collect::<Result<Vec<_>, _>>(), Ok((0..5).collect()));
        assert_eq!(write_inputs([0_u64, 1].into_iter(), 0).unwrap().len(), 2);
        assert_eq!(write_inputs([(); 3].into_iter(), 8).unwrap().len(), 1);
    }

    #[test]
    fn an_item_without_a_form_costs_itself() {
        struct Perhaps(Option<u8>);
        impl Serialize for Perhaps {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                let number = self.0.ok_or_else(|| serde::ser::Error::custom("none"))?;
                to.serialize_u8(number)
            }
        }
        let output = written([Some(1), None, Some(2)].map(|one| Ok(Perhaps(one))).into());
        assert_eq!(read::<u8>(&output, 3), [Ok(1_u8), Err(Error::NotTransferable), Ok(2)]);
    }

    #[test]
    fn no_cut_and_no_changed_byte_makes_it_panic() {
        let output = written(vec![Ok("some text".to_owned()), Err(failed("no"))]);
        for end in 0..output.len() {
            let _ = read_output::<String>(output[..end].to_vec(), 2);
            for byte in [0, 1, 5, 0x7f, 0xff] {
                let mut other = output.clone();
                other[end] = byte;
                let _ = read_output::<String>(other.clone(), 2);
                let _ = read_output::<u64>(other.clone(), 2);
                let _ = Arguments::<String>::of(&other).take(100).count();
                let _ = Arguments::<u64>::of(&other).count();
            }
        }
    }
}
