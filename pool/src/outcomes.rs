//! What came of several calls, in their order.

use crate::error::Error;
use crate::numbers;

/// What came of each. All values where nothing failed, without a look at each of them.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcomes<R> {
    /// Each returned a value.
    All(Vec<R>),
    /// The same, of numbers, as they were carried behind a byte.
    Numbers(Vec<u8>),
    /// Some may have failed.
    Each(Vec<Result<R, Error>>),
}

impl<R: 'static> Outcomes<R> {
    /// The same for each of so many.
    pub(crate) fn failed(error: &Error, count: usize) -> Self {
        Self::Each((0..count).map(|_| Err(error.clone())).collect())
    }

    /// How many there are, and how many have failed.
    pub(crate) fn counts(&self) -> (usize, usize) {
        match self {
            Self::All(values) => (values.len(), 0),
            Self::Numbers(bytes) => (bytes[1..].len() / size_of::<R>(), 0),
            Self::Each(each) => (each.len(), each.iter().filter(|one| one.is_err()).count()),
        }
    }

    pub(crate) fn into_each(self) -> Vec<Result<R, Error>> {
        match self {
            Self::All(values) => values.into_iter().map(Ok).collect(),
            Self::Numbers(bytes) => numbers::read(&bytes[1..]).into_iter().map(Ok).collect(),
            Self::Each(each) => each,
        }
    }

    /// Adds the values to others, if nothing failed. Nothing is dropped: that is the user's, and
    /// may panic.
    ///
    /// # Errors
    /// * What became of the first that returned nothing.
    pub(crate) fn append_to(&mut self, values: &mut Vec<R>) -> Result<(), Error> {
        match self {
            Self::All(more) => values.append(more),
            Self::Numbers(bytes) => numbers::append(values, &bytes[1..]),
            Self::Each(each) => match each.iter().find_map(|outcome| outcome.as_ref().err()) {
                Some(error) => return Err(error.clone()),
                None => values.extend(each.drain(..).flatten()),
            },
        }
        Ok(())
    }
}
