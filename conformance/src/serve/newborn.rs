//! Actors that a program starts: by the bare fork, by the subject's means, as threads.

use std::io::{self, PipeReader, Read};
use std::mem;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::Arc;
use std::thread;

use super::actor::{Actor, Greeting, Starter, Work};
use super::estate::{self, Estate};
use super::flow::{Flow, Way};
use super::life::{Life, Source};
use super::shelf::{Shelf, hand_over};
use super::{How, Refusal};
use crate::script::Program;
use crate::sys::endings::exit_now;
use crate::sys::fork::{Forked, fork};

/// A forked child on its way out of the program that forked it.
pub(super) struct Newborn {
    estate: Estate,
    greeting: Greeting,
}

/// `fork NAME`
pub(super) fn by_fork(life: &Life, id: u64, name: &str) -> Flow {
    let bare = || match fork() {
        Err(error) => Err(Refusal::new("out-of-resources", error)),
        Ok(Forked::Parent) => Ok(Some(())),
        Ok(Forked::Child) => Ok(None),
    };
    match by_raw_fork(life, id, name, bare) {
        Err(refusal) => refusal.into(),
        Ok(Ok(())) => Flow::ok(),
        Ok(Err(child)) => child,
    }
}

/// Forks by a call that gives nothing in the child. There, what comes is how to go on from here.
pub(super) fn by_raw_fork<T>(
    life: &Life,
    id: u64,
    name: &str,
    fork: impl FnOnce() -> Result<Option<T>, Refusal>,
) -> Result<Result<T, Flow>, Refusal> {
    let (estate, (hatched, hatch)) = prepare(life, name)?;
    let gate = life.pipes.gate();
    hand_over(&life.shelf.all());
    let Some(child) = fork()? else {
        mem::forget(gate); // it is this copy's no more than the parent's other threads are
        let greeting = Greeting { id, hatch: Some(hatch) };
        return Ok(Err(Flow::leaving(Way::Child(Box::new(Newborn { estate, greeting })))));
    };
    drop((gate, hatch, estate));
    wait_for(hatched);
    Ok(Ok(child))
}

/// `start NAME`, `start NAME by HOW`
pub(super) fn by_start(life: &mut Life, id: u64, name: &str, how: Option<How>) -> Flow {
    let usual = || life.subject.hello().starts.into_iter().find(|how| *how != How::Thread);
    let Some(how) = how.or_else(usual) else { return Flow::Unsupported };
    let subject = Arc::clone(&life.subject);
    match by_call(life, id, name, |actor| subject.start(how, actor)) {
        Err(refusal) => refusal.into(),
        Ok(child) => {
            life.children.push(child);
            Flow::ok()
        }
    }
}

/// Starts an actor by `start`, and waits until it has said that it is there.
pub(super) fn by_call<T>(
    life: &Life,
    id: u64,
    name: &str,
    start: impl FnOnce(Actor) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    let (actor, hatched) = actor(life, id, name)?;
    let gate = life.pipes.gate();
    hand_over(&life.shelf.all());
    let started = start(actor);
    drop(gate);
    let started = started?;
    wait_for(hatched);
    Ok(started)
}

/// Starts what runs a function and takes no calls, by `start`.
pub(super) fn with_function<T>(
    life: &Life,
    program: Program,
    start: impl FnOnce(Actor) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    let actor = alone(life, program);
    let _gate = life.pipes.gate();
    hand_over(&life.shelf.all());
    start(actor)
}

/// Who runs a function, with this actor's objects.
pub(super) fn alone(life: &Life, program: Program) -> Actor {
    let mut descriptors: Vec<_> = life.source.descriptor().into_iter().collect();
    life.heirs.iter().for_each(|heir| heir.descriptors(&mut descriptors));
    Actor {
        name: String::new(),
        work: Work::Function(program),
        heirs: Vec::new(),
        objects: life.shelf.all(),
        subject: Arc::clone(&life.subject),
        starter: starter(life, descriptors),
    }
}

/// `thread NAME`
pub(super) fn by_thread(life: &Life, id: u64, name: &str) -> Flow {
    let (actor, hatched) = match actor(life, id, name) {
        Ok(prepared) => prepared,
        Err(refusal) => return refusal.into(),
    };
    let builder = thread::Builder::new().name(name.to_owned());
    match builder.spawn(move || actor.run_in_thread()) {
        Err(error) => Refusal::new("out-of-resources", error).into(),
        Ok(_) => {
            wait_for(hatched);
            Flow::ok()
        }
    }
}

impl Newborn {
    /// Is an actor from here on, in a copy of the process of `old`, whose scopes are all left. Its
    /// end is the end of the process; nothing goes back to the frames around, which are copies.
    pub(super) fn live(self, old: &mut Life) -> ! {
        let Estate { name, commands, heirs } = self.estate;
        old.pipes.close_in_child();
        old.source.leave_behind();
        detach_input();
        let Ok(source) = Source::read_aside(commands) else { exit_now(1) };
        let shelf = mem::take(&mut old.shelf);
        let mut life = Life { heirs, source, ..Life::new(shelf, Arc::clone(&old.subject)) };
        drop(mem::take(&mut old.heirs));
        mem::forget(mem::take(&mut old.children)); // they are the parent's
        self.greeting.say(name);
        life.live();
        // `end`: as when `main` has returned.
        std::process::exit(0)
    }
}

/// The adapter's standard input, or what else this process was given, is not its own.
fn detach_input() {
    let null = rustix::fs::open("/dev/null", rustix::fs::OFlags::RDONLY, rustix::fs::Mode::empty());
    // Without `/dev` it keeps a copy that it never reads.
    if let Ok(null) = null {
        let _ = rustix::stdio::dup2_stdin(null);
    }
}

type Hatch = (PipeReader, io::PipeWriter);

fn prepare(life: &Life, name: &str) -> Result<(Estate, Hatch), Refusal> {
    let estate = estate::of(&life.heirs, name)?;
    let hatch = io::pipe().map_err(|error| Refusal::new("out-of-resources", error))?;
    Ok((estate, hatch))
}

fn actor(life: &Life, id: u64, name: &str) -> Result<(Actor, PipeReader), Refusal> {
    let (Estate { name, commands, heirs }, (hatched, hatch)) = prepare(life, name)?;
    let mut descriptors = vec![hatched.as_raw_fd()];
    descriptors.extend(life.source.descriptor());
    life.heirs.iter().for_each(|heir| heir.descriptors(&mut descriptors));
    let actor = Actor {
        name,
        work: Work::Calls(Greeting { id, hatch: Some(hatch) }, commands),
        heirs,
        objects: life.shelf.all(),
        subject: Arc::clone(&life.subject),
        starter: starter(life, descriptors),
    };
    Ok((actor, hatched))
}

fn starter(life: &Life, descriptors: Vec<RawFd>) -> Starter {
    Starter { pipes: life.pipes.clone(), shelf: Shelf::clone(&life.shelf), descriptors }
}

/// Waits until the new actor has said that it is there, or is gone. So `started` always comes
/// before what comes of the program.
fn wait_for(mut hatched: PipeReader) {
    // The end of the pipe tells of a death, unless somebody else was started at the same moment and
    // has a copy of the other end.
    let was_cut = |error: &io::Error| error.kind() == io::ErrorKind::Interrupted;
    while hatched.read(&mut [0; 1]).is_err_and(|error| was_cut(&error)) {}
}
