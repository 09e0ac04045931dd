//! What a new array begins with.

use crate::plain::Plain;

/// How long a new array is, and what stands in it: a number is so many zeros; a slice, an array or
/// a vector is copied.
///
/// ```
/// # fn main() -> Result<(), purlin_channel::Error> {
/// use purlin_channel::Array;
///
/// assert_eq!(Array::<i32>::new(3)?.read(.., None)?, [0, 0, 0]);
/// assert_eq!(Array::new(&[1.5, 2.5])?.read(.., None)?, [1.5, 2.5]);
/// # Ok(()) }
/// ```
pub trait Contents<T: Plain>: sealed::Sealed<T> {}

impl<T: Plain, C: sealed::Sealed<T>> Contents<T> for C {}

mod sealed {
    use crate::plain::Plain;

    pub trait Sealed<T: Plain> {
        /// How many elements.
        fn count(&self) -> usize;

        /// What stands in them, if not zeros.
        fn elements(&self) -> &[T];
    }

    impl<T: Plain> Sealed<T> for usize {
        fn count(&self) -> usize {
            *self
        }

        fn elements(&self) -> &[T] {
            &[]
        }
    }

    impl<T: Plain> Sealed<T> for &[T] {
        fn count(&self) -> usize {
            self.len()
        }

        fn elements(&self) -> &[T] {
            self
        }
    }

    impl<T: Plain> Sealed<T> for &Vec<T> {
        fn count(&self) -> usize {
            self.len()
        }

        fn elements(&self) -> &[T] {
            self
        }
    }

    impl<T: Plain, const N: usize> Sealed<T> for &[T; N] {
        fn count(&self) -> usize {
            N
        }

        fn elements(&self) -> &[T] {
            self.as_slice()
        }
    }
}
