//! Something that a process is given beside what it runs: what has no serial form, what cannot be
//! read, what tells of its release, what takes long to arrive.

use std::fmt;

use std::sync::Arc;

use purlin_conformance::serve::{Arguments, Functions, Object, Refusal};
use serde::de::{Deserialize, Deserializer, Error as _, Visitor};
use serde::ser::{Error as _, Serialize, Serializer};
use serde_json::{Value, json};

const LARGE_BYTES: usize = 64 << 20;

/// What is given, as the argument `gift` says.
pub(super) enum Gift {
    Nothing,
    /// `no-serial-form`: it can be given to a copy of this process only.
    NoSerialForm,
    /// `unreadable`: it can be written, and not read again.
    Unreadable,
    /// `large`: 64 MiB.
    Large(Bytes),
    /// `watched`: when it is dropped in the process that it was made in, the log says `released`.
    Watched {
        log: Arc<dyn Object>,
        made_by: u32,
    },
}

impl Gift {
    /// What the arguments of an object ask for; `functions` finds the log `told`.
    pub(super) fn of(args: &Arguments, functions: &Functions<'_>) -> Result<Self, Refusal> {
        let text = |name: &str| args.get(name).and_then(Value::as_str);
        Ok(match text("gift") {
            Some("no-serial-form") => Self::NoSerialForm,
            Some("unreadable") => Self::Unreadable,
            Some("large") => Self::Large(Bytes::new(LARGE_BYTES)),
            Some("watched") => Self::Watched {
                log: functions.object(text("told").unwrap_or_default())?,
                made_by: std::process::id(),
            },
            _ => Self::Nothing,
        })
    }
}

impl Drop for Gift {
    fn drop(&mut self) {
        if let Self::Watched { log, made_by } = self
            && *made_by == std::process::id()
        {
            let text = Arguments::from_iter([("text".to_owned(), json!("released"))]);
            let _ = log.call("write", &text);
        }
    }
}

impl Serialize for Gift {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::NoSerialForm => Err(S::Error::custom("it has no serial form")),
            Self::Large(bytes) => (true, bytes).serialize(serializer),
            other => (!matches!(other, Self::Unreadable), Bytes::new(0)).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Gift {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match <(bool, Bytes)>::deserialize(deserializer)? {
            (true, _) => Ok(Self::Nothing),
            (false, _) => Err(D::Error::custom("it cannot be read")),
        }
    }
}

/// Bytes that are written and read as a whole: one by one many of them take long.
pub(super) struct Bytes(pub(super) Vec<u8>);

impl Bytes {
    /// So many of them, no two neighbours alike.
    pub(super) fn new(len: usize) -> Self {
        let piece: Vec<u8> = (0..=250).collect();
        let mut bytes = piece.repeat(len / piece.len() + 1);
        bytes.truncate(len);
        Self(bytes)
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Whole;

        impl Visitor<'_> for Whole {
            type Value = Bytes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }
        }
        deserializer.deserialize_bytes(Whole)
    }
}
