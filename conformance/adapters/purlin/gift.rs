//! Something that a process is given beside what it runs: what has no serial form, what cannot be
//! read, what tells of its release.

use std::sync::Arc;

use purlin_conformance::serve::{Arguments, Functions, Object, Refusal};
use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Error as _, Serialize, Serializer};
use serde_json::{Value, json};

/// What is given, as the argument `gift` says.
pub(super) enum Gift {
    Nothing,
    /// `no-serial-form`: it can be given to a copy of this process only.
    NoSerialForm,
    /// `unreadable`: it can be written, and not read again.
    Unreadable,
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
            other => serializer.serialize_bool(!matches!(other, Self::Unreadable)),
        }
    }
}

impl<'de> Deserialize<'de> for Gift {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match bool::deserialize(deserializer)? {
            true => Ok(Self::Nothing),
            false => Err(D::Error::custom("it cannot be read")),
        }
    }
}
