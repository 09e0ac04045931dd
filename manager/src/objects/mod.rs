//! The objects that a server keeps, each a plain state machine.
//!
//! A call is answered at once, or is an entry in its object until it can be, its limit comes, or
//! its caller is gone. No thread waits for it, and nothing is shared: a client that dies is an
//! entry that is taken out.

pub(crate) mod array;
pub(crate) mod barrier;
pub(crate) mod condition;
pub(crate) mod dict;
pub(crate) mod event;
pub(crate) mod list;
pub(crate) mod lock;
pub(crate) mod made;
pub(crate) mod namespace;
pub(crate) mod queue;
pub(crate) mod semaphore;
pub(crate) mod value;

use crate::error::Error;
use crate::server::turn::{Caller, ClientNumber, Limit, Ticket, Turn};
use crate::types::Types;
use crate::wire::{Call, Kind, Make, ObjectId, Reply};

/// What comes of a call.
pub(crate) enum Outcome {
    Answer(Reply),
    /// It is an entry of the object's now, under a ticket that it took.
    Waits,
}

/// An object.
pub(crate) trait State: Send {
    /// Of which kind it is.
    fn kind(&self) -> Kind;

    /// Does what is asked, or begins to wait for it.
    ///
    /// # Errors
    /// * What the call is answered with; [`Error::Incompatible`] for another kind's call.
    fn call(
        &mut self,
        turn: &mut Turn<'_>,
        caller: Caller,
        limit: Limit,
        call: Call,
    ) -> Result<Outcome, Error>;

    /// The limit of this entry has come: answers it, and takes it out.
    fn expire(&mut self, _turn: &mut Turn<'_>, _ticket: Ticket, _caller: Caller) {}

    /// Nobody waits for this entry any more: takes it out.
    fn abandon(&mut self, _turn: &mut Turn<'_>, _ticket: Ticket) {}

    /// This client has died. Its entries were abandoned before.
    fn bury(&mut self, _turn: &mut Turn<'_>, _client: ClientNumber) {}

    /// Whoever got this answer has given up before it came: takes back what it gave.
    fn undo(&mut self, _turn: &mut Turn<'_>, _caller: Caller, _reply: Reply) {}

    /// The objects that it holds.
    fn refs(&self) -> Vec<ObjectId> {
        Vec::new()
    }
}

/// Makes an object.
///
/// # Errors
/// * [`Error::InvalidArgument`] for what no such object can be.
/// * [`Error::NoSuchName`] for a type that is not registered, and what its constructor says.
pub(crate) fn make(
    make: Make,
    turn: &mut Turn<'_>,
    types: &mut Types,
) -> Result<Box<dyn State>, Error> {
    Ok(match make {
        Make::Value(item) => Box::new(value::Value::new(turn, item)),
        Make::Array(items) => Box::new(array::Array::new(turn, items)),
        Make::List(items) => Box::new(list::List::new(turn, items)),
        Make::Dict(pairs) => Box::new(dict::Dict::new(turn, pairs)),
        Make::Namespace => Box::new(namespace::Namespace::default()),
        Make::Lock => Box::new(lock::Lock::new(lock::Rules::Plain)),
        Make::RLock => Box::new(lock::Lock::new(lock::Rules::Recursive)),
        Make::Semaphore { value, is_bounded } => {
            Box::new(semaphore::Semaphore::new(value, is_bounded))
        }
        Make::Condition => Box::new(condition::Condition::new()),
        Make::Event => Box::new(event::Event::default()),
        Make::Barrier { parties } => Box::new(barrier::Barrier::new(parties)?),
        Make::Queue { max } => Box::new(queue::Queue::new(max)?),
        Make::Registered { name, input } => Box::new(made::Made::new(types.make(&name, &input)?)),
    })
}
