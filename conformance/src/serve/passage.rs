//! Actors in programs of their own: what is passed to them, and how they take it up.
//!
//! All of it is one variable of the environment, with descriptors by number; the pipe of its calls
//! is the program's standard input.

use std::collections::BTreeMap;
use std::io::{self, PipeReader, Read};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::actor::{Actor, Greeting, Work};
use super::estate::Estate;
use super::life::Life;
use super::replies::{now_nanos, say};
use super::shelf::{Handled, Handles, Shelf};
use super::{Child, Ended, Object, Refusal, Subject, shared};
use crate::protocol::Answer;
use crate::script::Program;
use crate::sys::fork::{adopt, duplicate};

/// Holds what an actor's program takes up.
const PASSED: &str = "PURLIN_CONFORMANCE_ACTOR";

/// Set for the program that takes an actor's place by `exec`: the request that it answers.
pub(super) const REPLACED: &str = "PURLIN_CONFORMANCE_REPLACED";

#[derive(Serialize, Deserialize)]
pub(super) struct Passed {
    id: u64,
    name: String,
    /// The subject's objects, each with how many there are when it is several.
    objects: BTreeMap<String, Option<u64>>,
    /// The library's objects: kind and descriptors.
    memory: BTreeMap<String, (String, bool, Vec<RawFd>)>,
    heirs: Vec<PassedHeir>,
    hatch: Option<RawFd>,
    /// What it runs, when it takes no calls.
    function: Option<Program>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct PassedHeir {
    name: String,
    commands: RawFd,
    heirs: Vec<PassedHeir>,
}

impl Actor {
    /// Starts `command` as the program in which this actor lives; it must call [`run_in_program`].
    /// Its standard input and one variable of its environment are set here.
    ///
    /// # Errors
    /// * `out-of-resources` when the system refused.
    pub fn spawn(self, mut command: Command) -> Result<Box<dyn Child>, Refusal> {
        let refused = |error: io::Error| Refusal::new("out-of-resources", error);
        // Copies that stay open across exec, closed here when the program has them.
        let mut copies = Vec::new();
        let passed = self.pass(&mut |fd| copy(fd, &mut copies)).map_err(refused)?;
        let text = serde_json::to_string(&passed).map_err(|error| refused(error.into()))?;
        let stdin = match self.work {
            Work::Calls(_, commands) => Stdio::from(OwnedFd::from(commands)),
            Work::Function(_) => Stdio::null(),
        };
        command.env(PASSED, text).stdin(stdin);
        Ok(Box::new(command.spawn().map_err(refused)?))
    }

    /// All but its calls and the subject's own objects; `give` says by which number a descriptor
    /// arrives.
    pub(super) fn pass(&self, give: &mut Give<'_>) -> io::Result<Passed> {
        let mut objects = BTreeMap::new();
        let mut memory = BTreeMap::new();
        for (name, handles) in &self.objects {
            let each: &[Arc<dyn Object>] = match handles {
                Handles::One(one) => std::slice::from_ref(one),
                Handles::Many(many) => many,
            };
            if each.iter().any(|object| object.is_local()) {
                continue;
            }
            let is_many = matches!(handles, Handles::Many(_));
            let found: Option<Vec<_>> = each.iter().map(|object| object.memory()).collect();
            match found.filter(|found| !found.is_empty()) {
                Some(found) => {
                    let kind = found[0].0.to_owned();
                    let numbers = found.iter().map(|(_, memory)| give(*memory));
                    let numbers = numbers.collect::<io::Result<_>>()?;
                    memory.insert(name.clone(), (kind, is_many, numbers));
                }
                None => {
                    let count = is_many.then(|| u64::try_from(each.len()).unwrap_or(u64::MAX));
                    objects.insert(name.clone(), count);
                }
            }
        }
        let (id, hatch, function) = match &self.work {
            Work::Calls(Greeting { id, hatch }, _) => (*id, hatch.as_ref(), None),
            Work::Function(program) => (0, None, Some(program.clone())),
        };
        let hatch = hatch.map(|hatch| give(hatch.as_fd())).transpose()?;
        let heirs = pass_heirs(&self.heirs, give)?;
        Ok(Passed { id, name: self.name.clone(), objects, memory, heirs, hatch, function })
    }
}

/// Makes a descriptor arrive, and says by which number.
pub(super) type Give<'a> = dyn FnMut(BorrowedFd<'_>) -> io::Result<RawFd> + 'a;

/// The descriptor that arrived by this number.
pub(super) type Take<'a> = dyn FnMut(RawFd) -> io::Result<OwnedFd> + 'a;

fn pass_heirs(heirs: &[Estate], give: &mut Give<'_>) -> io::Result<Vec<PassedHeir>> {
    let pass = |heir: &Estate| {
        let commands = give(heir.commands.as_fd())?;
        Ok(PassedHeir { name: heir.name.clone(), commands, heirs: pass_heirs(&heir.heirs, give)? })
    };
    heirs.iter().map(pass).collect()
}

fn copy(fd: BorrowedFd<'_>, copies: &mut Vec<OwnedFd>) -> io::Result<RawFd> {
    let copy = duplicate(fd.as_raw_fd())?;
    let number = copy.as_raw_fd();
    copies.push(copy);
    Ok(number)
}

/// Is the actor that [`Actor::spawn`] started this program for, until the adapter lets go of it or
/// it ends by itself. `open` reaches an object by its name (`many[3]` is one of several).
///
/// The inner result is what [`Actor::run_in_fork`] gives.
///
/// # Errors
/// * When the program was not started so, or what `open` gave.
pub fn run_in_program(
    subject: Arc<dyn Subject>,
    open: impl Fn(&str) -> io::Result<Arc<dyn Object>>,
) -> io::Result<Result<(), Refusal>> {
    idle_if_replaced();
    let passed = std::env::var(PASSED).map_err(io::Error::other)?;
    let passed: Passed = serde_json::from_str(&passed)?;
    let commands = passed.takes_calls().then(|| duplicate(0)).transpose()?;
    passed.live(subject, commands.map(PipeReader::from), &mut take_up, open)
}

impl Passed {
    /// Whether it takes calls, and runs no function instead.
    pub(super) fn takes_calls(&self) -> bool {
        self.function.is_none()
    }

    /// Is the actor, once it has what was passed.
    pub(super) fn live(
        self,
        subject: Arc<dyn Subject>,
        commands: Option<PipeReader>,
        take: &mut Take<'_>,
        open: impl Fn(&str) -> io::Result<Arc<dyn Object>>,
    ) -> io::Result<Result<(), Refusal>> {
        let shelf = Shelf::new(take_up_objects(self.objects, self.memory, take, open)?);
        let heirs = take_up_heirs(self.heirs, take)?;
        let life = Life { heirs, ..Life::new(shelf, subject) };
        let hatch = self.hatch.map(take).transpose()?.map(Into::into);
        let work = match (self.function, commands) {
            (Some(program), _) => Work::Function(program),
            (None, Some(commands)) => Work::Calls(Greeting { id: self.id, hatch }, commands),
            (None, None) => return Err(io::Error::other("no calls can come")),
        };
        Ok(work.fill(life, self.name, true))
    }

    /// What has the objects that were passed, and takes no calls.
    pub(super) fn errands(
        self,
        subject: Arc<dyn Subject>,
        take: &mut Take<'_>,
        open: impl Fn(&str) -> io::Result<Arc<dyn Object>>,
    ) -> io::Result<Life> {
        let shelf = Shelf::new(take_up_objects(self.objects, self.memory, take, open)?);
        Ok(Life::new(shelf, subject))
    }
}

fn take_up_objects(
    objects: BTreeMap<String, Option<u64>>,
    memory: BTreeMap<String, (String, bool, Vec<RawFd>)>,
    take: &mut Take<'_>,
    open: impl Fn(&str) -> io::Result<Arc<dyn Object>>,
) -> io::Result<Handled> {
    let mut handled = Handled::new();
    for (name, count) in objects {
        let handles = match count {
            None => Handles::One(open(&name)?),
            Some(count) => {
                let each = (0..count).map(|place| open(&format!("{name}[{place}]")));
                Handles::Many(each.collect::<io::Result<_>>()?)
            }
        };
        handled.insert(name, handles);
    }
    for (name, (kind, is_many, numbers)) in memory {
        let each = numbers.into_iter().map(|number| shared::open(&kind, take(number)?));
        let mut each: Vec<_> = each.collect::<io::Result<_>>()?;
        let handles = match each.pop() {
            Some(one) if !is_many => Handles::One(one),
            last => {
                each.extend(last);
                Handles::Many(each)
            }
        };
        handled.insert(name, handles);
    }
    Ok(handled)
}

fn take_up_heirs(heirs: Vec<PassedHeir>, take: &mut Take<'_>) -> io::Result<Vec<Estate>> {
    let each = |heir: PassedHeir| {
        let commands = PipeReader::from(take(heir.commands)?);
        Ok(Estate { name: heir.name, commands, heirs: take_up_heirs(heir.heirs, take)? })
    };
    heirs.into_iter().map(each).collect()
}

/// From here on it is closed on exec, as every descriptor of this program is.
fn take_up(number: RawFd) -> io::Result<OwnedFd> {
    let fd = adopt(number)?;
    rustix::io::fcntl_setfd(&fd, rustix::io::FdFlags::CLOEXEC)?;
    Ok(fd)
}

/// Does nothing, unless this program took an actor's place by the statement `exec`. Then it says
/// so, waits until the adapter lets go, and ends.
///
/// [`serve`](super::serve) and [`run_in_program`] begin with it. A `main` that does more than
/// reading its arguments before calls it first.
pub fn idle_if_replaced() {
    let id = std::env::var(REPLACED).ok().and_then(|id| id.parse().ok());
    let Some(id) = id else { return };
    say(id, Answer::Returned { at: now_nanos(), value: serde_json::Value::Null });
    let mut bytes = [0; 1024];
    loop {
        match io::stdin().read(&mut bytes) {
            Ok(0) => std::process::exit(0),
            Err(error) if error.kind() != io::ErrorKind::Interrupted => std::process::exit(1),
            _ => {}
        }
    }
}

impl Child for std::process::Child {
    fn reap(&mut self) -> Result<Ended, Refusal> {
        let status = self.wait().map_err(|error| Refusal::new("system", error))?;
        Ok(match (status.code(), status.signal()) {
            (Some(code), _) => Ended::Code(code),
            (None, signal) => Ended::Signal(signal.unwrap_or(0)),
        })
    }
}
