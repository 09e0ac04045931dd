//! Something that a process is given beside what it runs: what has no serial form, what cannot be
//! read, what tells of its release, what takes long to arrive.

use std::sync::Arc;

use purlin_conformance::serve::{Arguments, Functions, Object, Refusal};
use serde::de::{Deserialize, Deserializer, Error as _};
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
    Large(String),
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
            Some("large") => Self::Large(text_of(LARGE_BYTES)),
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
            Self::Large(text) => (true, text).serialize(serializer),
            other => (!matches!(other, Self::Unreadable), "").serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Gift {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match <(bool, String)>::deserialize(deserializer)? {
            (true, _) => Ok(Self::Nothing),
            (false, _) => Err(D::Error::custom("it cannot be read")),
        }
    }
}

/// So many characters, no two neighbours alike. A text is written and read as a whole: other bytes
/// one by one, which takes long for many.
pub(super) fn text_of(len: usize) -> String {
    let piece: String = (0..=126_u8).map(char::from).collect();
    let mut text = piece.repeat(len / piece.len() + 1);
    text.truncate(len);
    text
}
