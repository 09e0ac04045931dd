//! The actor's side: one connection a thread, and how it waits for the server's answer.

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

use purlin_conformance::serve::{self, Arguments};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, FdFlags, fcntl_setfd};
use serde_json::json;

use super::fault::Fault;
use super::kind::{LOST, Made, Wait};

/// How an actor waits, in a subject that is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Manner {
    /// It sleeps until it is told.
    #[default]
    Sleep,
    /// It never sleeps.
    Spin,
    /// It tries again and again, with naps.
    Poll,
    /// It sleeps, and wakes again and again for nothing.
    Fidget,
    /// It comes back late from every wait.
    Late,
}

/// What all handles of a process know.
#[derive(Debug, Clone)]
pub(super) struct Context {
    /// The subject's name.
    pub(super) name: &'static str,
    pub(super) address: String,
    pub(super) fault: Fault,
    pub(super) manner: Manner,
}

/// How long an acquire waits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Limit {
    Never,
    After(Duration),
}

/// What a wait comes to.
enum Waited {
    Told(String),
    IsOver,
    Interrupted,
}

/// The connection of one thread; its end is that thread's death.
struct Connection {
    stream: UnixStream,
    pid: u32,
    ends_with_thread: bool,
}

thread_local! {
    static OWN: RefCell<Option<Connection>> = const { RefCell::new(None) };
}

/// The process that was started as an actor; in one that an actor forks by itself it stays its
/// parent's. 0 stands for none yet.
pub(super) static STARTED: AtomicU32 = AtomicU32::new(0);

/// Lets go of the copy of a connection that a forked process finds.
pub(super) fn forget() {
    OWN.with(|own| own.borrow_mut().take());
}

/// What is asked of an object: an operation, and its arguments.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) op: &'a str,
    pub(super) args: &'a Arguments,
}

/// The operation by which a wait is given up.
pub(super) const CANCEL: &str = "cancel";

/// Asks and takes the answer.
pub(super) fn ask(context: &Context, object: &Made, call: Call<'_>) -> io::Result<String> {
    with_stream(context, |stream| {
        send(stream, object, call, Wait::ForEver)?;
        read_word(stream)
    })
}

/// Asks with a line of its own, and takes the answer.
pub(super) fn ask_line(context: &Context, line: &str) -> io::Result<String> {
    with_stream(context, |stream| {
        stream.write_all(format!("{line}\n").as_bytes())?;
        read_word(stream)
    })
}

/// Lets the server see all deaths up to now.
pub(super) fn sync(context: &Context) -> io::Result<()> {
    with_stream(context, |stream| {
        stream.write_all(b"sync\n")?;
        read_word(stream).map(|_| ())
    })
}

/// Asks, if this thread has a connection at all; without one it can have nothing to tell.
pub(super) fn tell_if_known(object: &Made, op: &str) {
    // While a thread ends it may be gone already, and the server knows.
    let _ = OWN.try_with(|own| {
        let mut own = own.borrow_mut();
        let known = own.as_mut().filter(|known| known.pid == std::process::id());
        if let Some(known) = known {
            let _ = tell(&mut known.stream, object, op);
        }
    });
}

/// Asks on the connection that is there, be it a forked parent's.
pub(super) fn tell_as_parent(object: &Made, op: &str) {
    let _ = OWN.try_with(|own| {
        if let Some(known) = own.borrow_mut().as_mut() {
            let _ = tell(&mut known.stream, object, op);
        }
    });
}

/// Asks for what is waited for, and waits as long as it must.
pub(super) fn wait_for(
    context: &Context,
    object: &Made,
    call: Call<'_>,
    limit: Limit,
) -> io::Result<String> {
    with_stream(context, |stream| {
        if limit == Limit::After(Duration::ZERO) {
            send(stream, object, call, Wait::Not)?;
            return read_word(stream);
        }
        if context.manner == Manner::Poll && object.kind.is_polled {
            return ask_again(stream, object, call, limit);
        }
        let wait = if limit == Limit::Never { Wait::ForEver } else { Wait::Timed };
        send(stream, object, call, wait)?;
        let burns = (context.fault == Fault::WaitBurns).then(Burns::start);
        let waited = wait_for_answer(context, stream, limit)?;
        drop(burns);
        let said = match waited {
            Waited::Told(said) => said,
            Waited::Interrupted => interrupted(context, stream, object)?,
            Waited::IsOver => {
                let said = give_up(stream, object)?;
                let takes = context.fault == Fault::NapsThenTakes && limit == Limit::Never;
                if takes && GIVEN_UP.contains(&&*said) { "ok".to_owned() } else { said }
            }
        };
        if context.fault == Fault::TakesInTwoSteps && is_served(&said) {
            tell(stream, object, "sign")?;
        }
        Ok(said)
    })
}

fn is_served(said: &str) -> bool {
    said == "ok" || said.starts_with("ok ") || said == "owner-died"
}

const TIMED_OUT: &str = "timed-out";

/// What a wait may come to that is given up.
pub(super) const GIVEN_UP: &[&str] = &[TIMED_OUT, "empty", "full"];

/// Threads that keep processors busy until this goes.
struct Burns(Arc<AtomicBool>);

impl Burns {
    fn start() -> Self {
        const THREADS_COUNT: usize = 4; // several, so that a busy machine hides less of it
        let goes_on = Arc::new(AtomicBool::new(true));
        for _ in 0..THREADS_COUNT {
            let goes_on = Arc::clone(&goes_on);
            // Relaxed: nothing else is told by it.
            std::thread::spawn(move || while goes_on.load(Relaxed) {});
        }
        Self(goes_on)
    }
}

impl Drop for Burns {
    fn drop(&mut self) {
        self.0.store(false, Relaxed); // Relaxed: as in the threads
    }
}

/// It may have been let in meanwhile; then that is the answer.
fn give_up(stream: &mut UnixStream, object: &Made) -> io::Result<String> {
    send(stream, object, Call { op: CANCEL, args: &Arguments::new() }, Wait::ForEver)?;
    read_outcome(stream)
}

fn interrupted(context: &Context, stream: &mut UnixStream, object: &Made) -> io::Result<String> {
    let said = match context.fault {
        Fault::InterruptLeavesTicket => String::new(),
        _ => give_up(stream, object)?,
    };
    Ok(if is_served(&said) { said } else { "interrupted".to_owned() })
}

fn ask_again(
    stream: &mut UnixStream,
    object: &Made,
    call: Call<'_>,
    limit: Limit,
) -> io::Result<String> {
    let deadline = deadline(limit);
    loop {
        send(stream, object, call, Wait::Not)?;
        let said = read_word(stream)?;
        let is_over = deadline.is_some_and(|deadline| Instant::now() >= deadline);
        if said != TIMED_OUT || is_over {
            return Ok(said);
        }
        if serve::was_interrupted() {
            return Ok("interrupted".to_owned());
        }
        // Polling nothing is a nap: that is its nature, and orders nothing.
        let _ = poll(&mut [], Some(&NAP));
    }
}

/// Waits for an answer.
fn wait_for_answer(context: &Context, stream: &mut UnixStream, limit: Limit) -> io::Result<Waited> {
    let fault = context.fault;
    let limit = match (fault, limit) {
        (Fault::GivesUpEarly, Limit::After(limit)) => Limit::After(limit / 100),
        (Fault::NapsThenTakes, Limit::Never) => Limit::After(LONG_NAP),
        _ => limit,
    };
    let mut ends = deadline(limit);
    let mut has_slept = false;
    loop {
        match look(context.manner, stream, ends) {
            Ok(true) => {
                let said = read_word(stream)?;
                if said != LOST {
                    late(context.manner, has_slept);
                    return Ok(Waited::Told(said));
                }
                match fault {
                    Fault::LoserGivesUp => return Ok(Waited::IsOver),
                    Fault::LimitRestarts => ends = deadline(limit),
                    _ => {}
                }
            }
            Ok(false) if ends.is_some_and(|ends| Instant::now() >= ends) => {
                late(context.manner, has_slept);
                return Ok(Waited::IsOver);
            }
            Ok(false) if serve::was_interrupted() => return Ok(Waited::Interrupted),
            Ok(false) => {}
            Err(Errno::INTR) if serve::was_interrupted() => return Ok(Waited::Interrupted),
            Err(Errno::INTR) => match fault {
                Fault::SignalCuts => return Ok(Waited::IsOver),
                Fault::SignalRestarts => ends = deadline(limit),
                _ => {}
            },
            Err(error) => return Err(error.into()),
        }
        has_slept = true;
    }
}

/// Whether there is an answer; false when the deadline came first, or for nothing.
fn look(manner: Manner, stream: &UnixStream, ends: Option<Instant>) -> Result<bool, Errno> {
    let left = ends.map(|ends| ends.saturating_duration_since(Instant::now()));
    let left = left.and_then(|left| Timespec::try_from(left).ok());
    let limit = match manner {
        Manner::Spin => Some(NOW),
        Manner::Fidget => Some(left.map_or(NAP, |left| left.min(NAP))),
        _ => left,
    };
    poll(&mut [PollFd::new(stream, PollFlags::IN)], limit.as_ref()).map(|count| count > 0)
}

fn late(manner: Manner, has_slept: bool) {
    if manner == Manner::Late && has_slept {
        let _ = poll(&mut [], Some(&LATE));
    }
}

fn deadline(limit: Limit) -> Option<Instant> {
    match limit {
        Limit::Never => None,
        Limit::After(limit) => Instant::now().checked_add(limit),
    }
}

const NOW: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

/// The pause of one that asks again and again.
const NAP: Timespec = Timespec { tv_sec: 0, tv_nsec: 5_000_000 };

/// How late it is whose manner that is.
const LATE: Timespec = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };

/// After so long one that naps and then takes does so.
pub(super) const LONG_NAP: Duration = Duration::from_millis(40);

fn with_stream<T>(
    context: &Context,
    run: impl FnOnce(&mut UnixStream) -> io::Result<T>,
) -> io::Result<T> {
    OWN.with(|own| {
        let mut own = own.borrow_mut();
        let is_forked = own.as_ref().is_some_and(|own| own.pid != std::process::id());
        if is_forked && context.fault != Fault::ChildIsParent {
            *own = None;
        }
        let own = match own.take() {
            Some(known) => own.insert(known),
            None => own.insert(Connection::open(context)?),
        };
        run(&mut own.stream)
    })
}

impl Connection {
    fn open(context: &Context) -> io::Result<Self> {
        let address = SocketAddr::from_abstract_name(&context.address)?;
        let mut stream = UnixStream::connect_addr(&address)?;
        let pid = std::process::id();
        // Relaxed: it was written by this very thread, or before this process was forked.
        let started = STARTED.load(Relaxed);
        let forked = if started != 0 && started != pid { "forked " } else { "" };
        stream.write_all(format!("client {forked}{pid}\n").as_bytes())?;
        if context.fault == Fault::ExecKeeps {
            fcntl_setfd(&stream, FdFlags::empty())?;
        }
        Ok(Self { stream, pid, ends_with_thread: context.fault != Fault::ThreadEndKeeps })
    }
}

impl Drop for Connection {
    /// A forked child closes its copy and nothing more.
    fn drop(&mut self) {
        if self.pid != std::process::id() {
            return;
        }
        if self.ends_with_thread {
            let _ = self.stream.shutdown(Shutdown::Both);
        } else if let Ok(copy) = self.stream.try_clone() {
            std::mem::forget(copy);
        }
    }
}

fn send(
    stream: &mut UnixStream,
    object: &Made,
    Call { op, args }: Call<'_>,
    wait: Wait,
) -> io::Result<()> {
    let json =
        |args: &Arguments| if args.is_empty() { String::new() } else { json!(args).to_string() };
    let (wait, name, kind) = (wait.word(), &object.name, object.kind.name);
    let (made, args) = (json(&object.args), json(args));
    stream.write_all(format!("{op}\t{wait}\t{name}\t{kind}\t{made}\t{args}\n").as_bytes())
}

/// Asks for what has no arguments and does not wait.
fn tell(stream: &mut UnixStream, object: &Made, op: &str) -> io::Result<String> {
    send(stream, object, Call { op, args: &Arguments::new() }, Wait::ForEver)?;
    read_word(stream)
}

/// The answer to what was asked last, behind what was on its way.
fn read_outcome(stream: &mut UnixStream) -> io::Result<String> {
    loop {
        let said = read_word(stream)?;
        if said != LOST {
            return Ok(said);
        }
    }
}

/// One answer; there is never another behind it.
fn read_word(stream: &mut UnixStream) -> io::Result<String> {
    let mut word = Vec::new();
    let mut byte = [0];
    loop {
        stream.read_exact(&mut byte)?;
        if byte[0] == b'\n' {
            return Ok(String::from_utf8_lossy(&word).into_owned());
        }
        word.push(byte[0]);
    }
}
