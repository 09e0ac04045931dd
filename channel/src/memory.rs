//! Memory for a message that is about to be received.

use crate::error::Error;
use crate::limits::SPARE_BYTES;

/// So many zeros.
///
/// # Errors
/// * [`Error::OutOfResources`] when there is no memory for them.
pub(crate) fn zeros(len: usize) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(len).map_err(|_| Error::OutOfResources)?;
    bytes.resize(len, 0);
    Ok(bytes)
}

/// The first bytes of what was set aside: whoever keeps a short message does not keep the guess at
/// its length.
pub(crate) fn fitted(mut bytes: Vec<u8>, len: usize) -> Vec<u8> {
    bytes.truncate(len);
    if bytes.capacity() / 2 <= len + SPARE_BYTES / 2 {
        return bytes;
    }
    let mut exact = Vec::new();
    match exact.try_reserve_exact(len) {
        Ok(()) => {
            exact.extend_from_slice(&bytes);
            exact
        }
        Err(_) => bytes, // it is taken by now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_message_keeps_little_more_than_it_has() {
        for len in [0, 1, 8, 100, 2000, 2100, 4096] {
            let message = fitted(vec![7; 4096], len);
            assert!(message == vec![7; len] && message.capacity() <= 2 * len + SPARE_BYTES + 1);
        }
    }

    #[test]
    fn what_there_is_no_memory_for_is_told() {
        assert_eq!(zeros(isize::MAX as usize), Err(Error::OutOfResources));
        assert_eq!(zeros(3), Ok(vec![0; 3]));
    }
}
