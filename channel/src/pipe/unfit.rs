//! Why a receive into a buffer gave nothing.

use core::fmt;

use crate::error::Error;

/// Why a receive into a buffer wrote nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecvIntoError {
    /// The message is larger than the buffer: here it is.
    TooLarge(Vec<u8>),
    /// No message was taken, or it was none.
    Failed(Error),
}

impl RecvIntoError {
    /// The kind's name in the catalogue's closed list.
    ///
    /// ```
    /// use purlin_channel::RecvIntoError;
    ///
    /// assert_eq!(RecvIntoError::TooLarge(vec![1, 2]).kind(), "message-too-large");
    /// ```
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.error().kind()
    }

    /// The same without the message.
    #[must_use]
    pub fn error(&self) -> Error {
        match self {
            Self::TooLarge(message) => Error::MessageTooLarge { len: message.len() },
            Self::Failed(error) => *error,
        }
    }
}

impl From<Error> for RecvIntoError {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl fmt::Display for RecvIntoError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error().fmt(out)
    }
}

impl std::error::Error for RecvIntoError {}
