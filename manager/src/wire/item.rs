//! A value on its way, or kept: its serial form, and the objects that it refers to.

use std::fmt;
use std::sync::Arc;

use serde::de::{Deserializer, Visitor};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

use super::ObjectId;

/// A value as the server sees it. Two are the same when their serial forms are.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Item {
    #[serde(serialize_with = "write", deserialize_with = "read")]
    pub(crate) bytes: Arc<Vec<u8>>,
    /// Objects of this server whose proxies are in the value, one entry for each.
    pub(crate) refs: Vec<ObjectId>,
}

impl PartialEq for Item {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

fn write<S: Serializer>(bytes: &Arc<Vec<u8>>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_bytes(bytes)
}

fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<Vec<u8>>, D::Error> {
    from.deserialize_bytes(Whole).map(Arc::new)
}

/// All bytes at once, since one by one megabytes take long.
struct Whole;

impl Visitor<'_> for Whole {
    type Value = Vec<u8>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("bytes")
    }

    fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        Ok(bytes.to_vec())
    }
}
