//! Numbers as they lie in memory: a row of them is carried so, and not item by item.
//!
//! Which form a row has follows from the type of its items alone, which both sides know.

use std::any::{Any, TypeId};

macro_rules! numbers {
    ($($number:ty)*) => {
        /// Whether items of this type are numbers.
        pub(crate) fn are<T: 'static>() -> bool {
            [$(TypeId::of::<$number>()),*].contains(&TypeId::of::<T>())
        }

        /// Adds them to the bytes. Of what is no number nothing is added.
        #[expect(clippy::ptr_arg, reason = "a vector has a type id, and a slice has none")]
        pub(crate) fn push<T: 'static>(bytes: &mut Vec<u8>, items: &Vec<T>) {
            let items: &dyn Any = items;
            $(if let Some(numbers) = items.downcast_ref::<Vec<$number>>() {
                let start = bytes.len();
                bytes.resize(start + size_of_val(numbers.as_slice()), 0);
                let (places, _) = bytes[start..].as_chunks_mut();
                for (place, number) in places.iter_mut().zip(numbers) {
                    *place = number.to_le_bytes();
                }
            })*
        }

        /// Adds as many to others as the bytes hold; none of what is no number.
        #[expect(clippy::ptr_arg, reason = "as above")]
        pub(crate) fn append<T: 'static>(items: &mut Vec<T>, bytes: &[u8]) {
            let typed: &mut dyn Any = items;
            $(if let Some(numbers) = typed.downcast_mut::<Vec<$number>>() {
                let (chunks, _) = bytes.as_chunks();
                numbers.extend(chunks.iter().map(|chunk| <$number>::from_le_bytes(*chunk)));
            })*
        }
    };
}

/// As many as the bytes hold.
pub(crate) fn read<T: 'static>(bytes: &[u8]) -> Vec<T> {
    let mut items = Vec::new();
    append(&mut items, bytes);
    items
}

numbers!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_out_as_they_went_in() {
        let mut bytes = vec![9];
        push(&mut bytes, &vec![1_u16, 0xfffe]);
        assert_eq!(bytes, [9, 1, 0, 0xfe, 0xff]);
        assert_eq!(read::<u16>(&bytes[1..]), [1, 0xfffe]);
        assert_eq!(read::<u16>(&bytes[1..4]), [1], "half a number is none");
        push(&mut bytes, &vec!["text"]);
        assert_eq!((bytes.len(), read::<&str>(&bytes).len()), (5, 0));
        assert!(are::<f64>() && are::<u8>() && !are::<bool>() && !are::<(u8, u8)>());
    }
}
