//! A process that is stepped, instruction by instruction: `ptrace(2)`, on x86-64.
#![expect(unsafe_code, reason = "ptrace and the trap instructions")]

use std::io;

use crate::limits::{NOT_PERMITTED_STATUS, TICK};
use crate::sys::process::{Child, End, leave};

#[cfg(target_arch = "x86_64")]
mod x86_64;
#[cfg(target_arch = "x86_64")]
use x86_64 as processor;

#[cfg(not(target_arch = "x86_64"))]
mod elsewhere;
#[cfg(not(target_arch = "x86_64"))]
use elsewhere as processor;

/// Where the part of a role begins and ends that is stepped.
#[derive(Debug)]
pub struct Mark {
    is_armed: bool,
}

impl Mark {
    /// Of a role that nobody steps.
    pub(crate) const UNARMED: Self = Self { is_armed: false };
    /// Of a role that is traced.
    pub(crate) const ARMED: Self = Self { is_armed: true };

    /// Whether it traps.
    pub(crate) const fn is_armed(&self) -> bool {
        self.is_armed
    }

    /// From here on a traced role is stepped.
    #[inline(always)]
    pub fn begin(&self) {
        if self.is_armed {
            processor::begin();
        }
    }

    /// Up to here a traced role is stepped.
    #[inline(always)]
    pub fn end(&self) {
        if self.is_armed {
            processor::end();
        }
    }
}

/// Why a traced process does not run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// After a trap or a step; the next instruction is at this address.
    At(u64),
    /// A signal is about to be delivered.
    Signal(i32),
    /// It has ended, and is reaped.
    Ended(End),
    /// It does run on: a tick has passed.
    Late,
}

/// How a stopped process goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resume {
    Run,
    Step,
    /// To the entry of its next system call, or out of the one that it is in.
    Call,
}

/// A child that its parent steps. It dies with its parent.
#[derive(Debug)]
pub(crate) struct Traced {
    child: Child,
}

impl Traced {
    /// Starts `role`, which gets marks that trap. It ends with 77 where tracing is not permitted.
    pub(crate) fn start(role: impl FnOnce(&Mark) -> i32) -> io::Result<Self> {
        let child = Child::start(|| {
            if !processor::IS_SUPPORTED {
                leave(NOT_PERMITTED_STATUS);
            }
            // SAFETY: Makes the parent the tracer; the other arguments are not looked at.
            if unsafe { libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0) } == -1 {
                leave(NOT_PERMITTED_STATUS);
            }
            role(&Mark::ARMED)
        })?;
        Ok(Self { child })
    }

    /// Traces a process that descends from this one by another, which reaps it after us. `None`
    /// where that is not permitted.
    pub(crate) fn seize(pid: i32) -> io::Result<Option<Self>> {
        let child = Child::of_another(pid)?;
        // SAFETY: Makes this process the tracer; no memory of ours is handed over.
        let answer = unsafe { libc::ptrace(libc::PTRACE_SEIZE, pid, 0, 0) };
        Ok((answer != -1 && processor::IS_SUPPORTED).then_some(Self { child }))
    }

    pub(crate) fn pid(&self) -> i32 {
        self.child.pid()
    }

    /// SIGKILL, whatever it does, and waits until it is reaped.
    pub(crate) fn kill(&mut self) -> End {
        self.child.kill()
    }

    /// Lets the stopped process go on, `signal` delivered unless it is 0.
    pub(crate) fn resume(&self, how: Resume, signal: i32) -> io::Result<()> {
        let request = match how {
            Resume::Run => libc::PTRACE_CONT,
            Resume::Step => libc::PTRACE_SINGLESTEP,
            Resume::Call => libc::PTRACE_SYSCALL,
        };
        // SAFETY: The tracee is our own child and stopped; no memory of ours is handed over.
        check(unsafe { libc::ptrace(request, self.pid(), 0, libc::c_long::from(signal)) })
    }

    /// The tracee is killed when the tracer ends, from here on.
    pub(crate) fn tie_to_tracer(&self) -> io::Result<()> {
        let options = libc::c_long::from(libc::PTRACE_O_EXITKILL);
        // SAFETY: As in `resume`.
        check(unsafe { libc::ptrace(libc::PTRACE_SETOPTIONS, self.pid(), 0, options) })
    }

    /// From here on the tracee stops before the instruction at `address` each time that it comes
    /// there; with none, nowhere.
    pub(crate) fn stop_before(&self, address: Option<u64>) -> io::Result<()> {
        processor::stop_before(self.pid(), address)
    }

    /// Waits for the next stop, or for a tick, which interrupts the wait: a step costs no look at
    /// the clock, and a pause of the machine is one tick, however long it was.
    pub(crate) fn wait(&mut self) -> io::Result<Stop> {
        self.next_stop(0)
    }

    /// What the next stop is, if it has come; "late" otherwise.
    pub(crate) fn look(&mut self) -> io::Result<Stop> {
        self.next_stop(libc::WNOHANG)
    }

    fn next_stop(&mut self, options: i32) -> io::Result<Stop> {
        let mut status = 0;
        // SAFETY: `status` outlives the call.
        match unsafe { libc::waitpid(self.pid(), &raw mut status, libc::__WALL | options) } {
            0 => Ok(Stop::Late),
            -1 => match io::Error::last_os_error() {
                error if error.kind() == io::ErrorKind::Interrupted => Ok(Stop::Late),
                error => Err(error),
            },
            _ => self.stop_of(status),
        }
    }

    /// The number of the system call that the instruction at `address`, where the tracee stands,
    /// would make; `None` for any other instruction.
    pub(crate) fn system_call_at(&self, address: u64) -> Option<u64> {
        processor::system_call_at(self.pid(), address)
    }

    /// The number of the system call that the tracee stands at the entry or at the end of.
    pub(crate) fn system_call(&self) -> io::Result<u64> {
        processor::system_call(self.pid())
    }

    fn stop_of(&mut self, status: i32) -> io::Result<Stop> {
        if !libc::WIFSTOPPED(status) {
            return Ok(Stop::Ended(self.child.set_reaped(status)));
        }
        match libc::WSTOPSIG(status) {
            libc::SIGTRAP => Ok(Stop::At(processor::instruction_address(self.pid())?)),
            signal => Ok(Stop::Signal(signal)),
        }
    }
}

/// The address after the trap of a begin mark.
pub(crate) fn begin_address() -> u64 {
    processor::begin_address()
}

/// The address after the trap of an end mark.
pub(crate) fn end_address() -> u64 {
    processor::end_address()
}

/// Has waits of this process interrupted now and then, so that they can look at their limits. Its
/// children have no ticks.
pub(crate) fn start_ticks() -> io::Result<()> {
    extern "C" fn tick(_signal: i32) {}
    // SAFETY: All zeros is an empty set of signals, no flags, the default handler.
    let mut action: libc::sigaction = unsafe { core::mem::zeroed() };
    action.sa_sigaction = tick as extern "C" fn(i32) as usize; // and no SA_RESTART
    // SAFETY: The handler does nothing, hence nothing that is not allowed in one.
    let answer =
        unsafe { libc::sigaction(libc::SIGALRM, &raw const action, core::ptr::null_mut()) };
    check(answer.into())?;
    let tick = libc::timeval { tv_sec: 0, tv_usec: TICK.subsec_micros().into() };
    let timer = libc::itimerval { it_interval: tick, it_value: tick };
    // SAFETY: `timer` outlives the call.
    let answer =
        unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const timer, core::ptr::null_mut()) };
    check(answer.into())
}

fn check(answer: libc::c_long) -> io::Result<()> {
    if answer == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
