//! Values with proxies in them, on their way to a server and back.
//!
//! A proxy's serial form names its server, its object and where that is. While a value is packed
//! for a server, that server's objects in it are noted, and travel beside it: so the server knows
//! what the value holds, without being able to read it. While one is unpacked that came from a
//! server, what was noted is what the server has counted for this client.

use std::cell::RefCell;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::handle::Handle;
use super::session::{self, Origin, Session};
use crate::address::Address;
use crate::error::Error;
use crate::wire::{Item, Kind, ObjectId, ServerId};

thread_local! {
    static PACKING: RefCell<Option<Packing>> = const { RefCell::new(None) };
    static UNPACKING: RefCell<Option<Unpacking>> = const { RefCell::new(None) };
}

struct Packing {
    server: ServerId,
    refs: Vec<ObjectId>,
}

struct Unpacking {
    session: Arc<Session>,
    /// What the server has counted and no proxy has taken yet.
    refs: Vec<ObjectId>,
}

/// A value for a server.
///
/// # Errors
/// * [`Error::NotTransferable`] when it has no serial form.
pub(crate) fn pack<T: Serialize + ?Sized>(origin: &Origin, value: &T) -> Result<Item, Error> {
    let fresh = Packing { server: origin.server, refs: Vec::new() };
    // Another may be underway, when a value's serial form is made by asking a server.
    let before = PACKING.replace(Some(fresh));
    let bytes = postcard::to_stdvec(value);
    let packed = PACKING.replace(before);
    let bytes = bytes.map_err(|_| Error::NotTransferable)?;
    let refs = packed.map(|packed| packed.refs).unwrap_or_default();
    Ok(Item { bytes: bytes.into(), refs })
}

/// A value from a server.
///
/// # Errors
/// * [`Error::NotTransferable`] when it is none of this type.
pub(crate) fn unpack<T: DeserializeOwned>(session: &Arc<Session>, item: Item) -> Result<T, Error> {
    let fresh = Unpacking { session: Arc::clone(session), refs: item.refs };
    let before = UNPACKING.replace(Some(fresh));
    let value = whole(&item.bytes);
    let unpacked = UNPACKING.replace(before);
    for object in unpacked.map(|unpacked| unpacked.refs).unwrap_or_default() {
        session.release(object, false); // no proxy has taken it
    }
    value.ok_or(Error::NotTransferable)
}

/// A value that these bytes are, all of them: what is left over was another type's.
pub(crate) fn whole<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let (value, rest) = postcard::take_from_bytes(bytes).ok()?;
    rest.is_empty().then_some(value)
}

/// A proxy's serial form.
#[derive(Serialize, Deserialize)]
struct Form {
    server: ServerId,
    object: ObjectId,
    kind: Kind,
    address: Address,
}

pub(crate) fn serialize<S: Serializer>(handle: &Handle, to: S) -> Result<S::Ok, S::Error> {
    let server = handle.origin.server;
    let is_noted = PACKING.with_borrow_mut(|packing| {
        let packing = packing.as_mut().filter(|packing| packing.server == server);
        packing.map(|packing| packing.refs.push(handle.object)).is_some()
    });
    if !is_noted {
        handle.give();
    }
    let address = handle.origin.address.clone();
    Form { server, object: handle.object, kind: handle.kind, address }.serialize(to)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<Handle>, D::Error> {
    let Form { server, object, kind, address } = Form::deserialize(from)?;
    let counted = UNPACKING.with_borrow_mut(|unpacking| {
        let unpacking = unpacking.as_mut()?;
        let is_of = unpacking.session.origin.server == server;
        let place = unpacking.refs.iter().position(|noted| *noted == object).filter(|_| is_of)?;
        unpacking.refs.swap_remove(place);
        Some(Arc::clone(&unpacking.session))
    });
    Ok(match counted {
        Some(session) => Handle::claimed(&session, object, kind),
        None => Handle::unclaimed(session::origin_of(server, address), object, kind),
    })
}
