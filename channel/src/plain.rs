//! What a shared value, or an element of a shared array, may be.

use core::fmt::Debug;

/// A type of plain data that lies in shared memory: whole numbers of 8 to 64 bits, floating-point
/// numbers of 32 and 64, and `bool`. Each is read and written by one atomic access, so that nobody
/// ever sees half of a write, nor leaves one behind by dying.
///
/// A byte of text is a `u8`. Any bits are a value of each: of a `bool` all but zero are `true`.
pub trait Plain: Copy + PartialEq + Debug + Send + Sync + 'static + stored::Stored {}

/// A type of whole numbers, which can be added to in one step.
pub trait Whole: Plain {}

pub(crate) mod stored {
    use core::sync::atomic::{
        AtomicU8, AtomicU16, AtomicU32, AtomicU64,
        Ordering::{AcqRel, Acquire, Release},
    };

    use purlin_shm::Shared;

    /// How a type is stored. Nobody can implement it elsewhere.
    pub trait Stored: Sized {
        /// What it is stored in.
        type Cell: Cell;
        /// Tells the types apart in a segment, from 0 on. Never given to another.
        const CODE: u16;

        /// As it is stored.
        fn to_bits(self) -> <Self::Cell as Cell>::Bits;

        /// As it was stored, whatever stands there.
        fn of_bits(bits: <Self::Cell as Cell>::Bits) -> Self;
    }

    /// A place in memory that others write at any moment.
    pub trait Cell: Shared + 'static {
        /// What stands in it.
        type Bits: Copy + Eq;

        /// What stands there.
        fn load(&self) -> Self::Bits;

        /// Replaces it.
        fn store(&self, bits: Self::Bits);

        /// Replaces it if it is `seen`; else says what it is.
        ///
        /// # Errors
        /// What stands there.
        fn exchange(&self, seen: Self::Bits, next: Self::Bits) -> Result<(), Self::Bits>;

        /// Adds to it, round the end, and says what stood there before.
        fn add(&self, bits: Self::Bits) -> Self::Bits;
    }

    macro_rules! cells {
        ($($atomic:ident of $bits:ident)+) => {$(
            impl Cell for $atomic {
                type Bits = $bits;

                #[inline]
                fn load(&self) -> $bits {
                    self.load(Acquire) // pairs with the Release in `store` and the exchanges
                }

                #[inline]
                fn store(&self, bits: $bits) {
                    self.store(bits, Release); // pairs with the Acquire in `load` and the exchanges
                }

                #[inline]
                fn exchange(&self, seen: $bits, next: $bits) -> Result<(), $bits> {
                    // AcqRel and Acquire pair with the Release and the Acquire above.
                    self.compare_exchange(seen, next, AcqRel, Acquire).map(drop)
                }

                #[inline]
                fn add(&self, bits: $bits) -> $bits {
                    // AcqRel pairs with the Release and the Acquire above.
                    self.fetch_add(bits, AcqRel)
                }
            }
        )+};
    }

    cells! { AtomicU8 of u8 AtomicU16 of u16 AtomicU32 of u32 AtomicU64 of u64 }

    macro_rules! whole {
        ($($code:literal: $name:ident in $atomic:ident as $bits:ident)+) => {$(
            impl Stored for $name {
                type Cell = $atomic;
                const CODE: u16 = $code;

                #[inline]
                fn to_bits(self) -> $bits {
                    self as $bits
                }

                #[inline]
                fn of_bits(bits: $bits) -> Self {
                    bits as $name
                }
            }

            impl super::Plain for $name {}
            impl super::Whole for $name {}
        )+};
    }

    whole! {
        0: i8 in AtomicU8 as u8
        1: u8 in AtomicU8 as u8
        2: i16 in AtomicU16 as u16
        3: u16 in AtomicU16 as u16
        4: i32 in AtomicU32 as u32
        5: u32 in AtomicU32 as u32
        6: i64 in AtomicU64 as u64
        7: u64 in AtomicU64 as u64
    }

    macro_rules! float {
        ($($code:literal: $name:ident in $atomic:ident as $bits:ident)+) => {$(
            impl Stored for $name {
                type Cell = $atomic;
                const CODE: u16 = $code;

                #[inline]
                fn to_bits(self) -> $bits {
                    $name::to_bits(self)
                }

                #[inline]
                fn of_bits(bits: $bits) -> Self {
                    $name::from_bits(bits)
                }
            }

            impl super::Plain for $name {}
        )+};
    }

    float! {
        8: f32 in AtomicU32 as u32
        9: f64 in AtomicU64 as u64
    }

    impl Stored for bool {
        type Cell = AtomicU8;
        const CODE: u16 = 10;

        #[inline]
        fn to_bits(self) -> u8 {
            self.into()
        }

        #[inline]
        fn of_bits(bits: u8) -> Self {
            bits != 0
        }
    }

    impl super::Plain for bool {}

    /// How many codes there may be.
    pub(crate) const CODE_COUNT: u16 = 32;
}
