//! Actors in processes that a subject starts with descriptors and handles of its own: what it has
//! to take there, and how the actor is taken up.

use std::io::{self, PipeReader};
use std::os::fd::{BorrowedFd, OwnedFd, RawFd};
use std::sync::Arc;

use super::actor::{Actor, Work};
use super::passage::{Passed, idle_if_replaced};
use super::shelf::Handles;
use super::{Object, Refusal, Subject};

/// An actor on its way to a process that was not forked for it.
pub struct Package {
    /// What [`run_package`] needs, as text.
    pub text: String,
    /// The descriptors that it needs, in their order.
    pub descriptors: Vec<OwnedFd>,
    /// The subject's own objects by name, to be handed over in the subject's own way. One of
    /// several has the name `many[3]`.
    pub objects: Vec<(String, Arc<dyn Object>)>,
}

impl Actor {
    /// Makes a package of it.
    ///
    /// # Errors
    /// * `out-of-resources` without descriptors.
    pub fn pack(self) -> Result<Package, Refusal> {
        let refused = |error: io::Error| Refusal::new("out-of-resources", error);
        let mut descriptors = Vec::new();
        let passed = self.pass(&mut |fd| place(fd, &mut descriptors)).map_err(refused)?;
        let text = serde_json::to_string(&passed).map_err(|error| refused(error.into()))?;
        let objects = own_objects(&self);
        if let Work::Calls(_, commands) = self.work {
            descriptors.push(OwnedFd::from(commands)); // the last of them
        }
        Ok(Package { text, descriptors, objects })
    }
}

/// Is the actor of a [`Package`], until the adapter lets go of it or it ends by itself. `open` is
/// asked for each of the objects.
///
/// The inner result is what [`Actor::run_in_fork`] gives.
///
/// # Errors
/// * When the package is none, or what `open` gave.
pub fn run_package(
    subject: Arc<dyn Subject>,
    text: &str,
    mut descriptors: Vec<OwnedFd>,
    open: impl Fn(&str) -> io::Result<Arc<dyn Object>>,
) -> io::Result<Result<(), Refusal>> {
    idle_if_replaced();
    let passed: Passed = serde_json::from_str(text)?;
    let commands = if passed.takes_calls() {
        Some(PipeReader::from(descriptors.pop().ok_or_else(missing)?))
    } else {
        None
    };
    passed.live(subject, commands, &mut taking(descriptors), open)
}

/// Gives each of these once, by its place.
pub(super) fn taking(descriptors: Vec<OwnedFd>) -> impl FnMut(RawFd) -> io::Result<OwnedFd> {
    let mut descriptors: Vec<Option<OwnedFd>> = descriptors.into_iter().map(Some).collect();
    move |number| {
        let place = usize::try_from(number).ok().and_then(|place| descriptors.get_mut(place));
        place.and_then(Option::take).ok_or_else(missing)
    }
}

/// The place of a copy, in the place of its number.
fn place(fd: BorrowedFd<'_>, descriptors: &mut Vec<OwnedFd>) -> io::Result<RawFd> {
    descriptors.push(fd.try_clone_to_owned()?);
    RawFd::try_from(descriptors.len() - 1).map_err(io::Error::other)
}

fn own_objects(actor: &Actor) -> Vec<(String, Arc<dyn Object>)> {
    let mut own = Vec::new();
    for (name, handles) in &actor.objects {
        match handles {
            Handles::One(one) => own.push((name.clone(), Arc::clone(one))),
            Handles::Many(many) => {
                let each = many.iter().enumerate();
                own.extend(each.map(|(at, one)| (format!("{name}[{at}]"), Arc::clone(one))));
            }
        }
    }
    own.retain(|(_, object)| object.memory().is_none() && !object.is_local());
    own
}

fn missing() -> io::Error {
    io::Error::other("a descriptor was not passed on")
}
