//! Traps, registers and system calls of x86-64.
#![expect(unsafe_code, reason = "ptrace and the trap instructions")]

use std::io;

/// Whether instructions can be stepped here.
pub(super) const IS_SUPPORTED: bool = true;

// A trap and the way back. Untraced, the trap would end the process: a mark calls it only where a
// tracer waits for it.
core::arch::global_asm!(
    ".pushsection .text.purlin_sweep_marks, \"ax\", @progbits",
    ".globl purlin_sweep_begin",
    ".type purlin_sweep_begin, @function",
    "purlin_sweep_begin: int3",
    "ret",
    ".size purlin_sweep_begin, . - purlin_sweep_begin",
    ".globl purlin_sweep_end",
    ".type purlin_sweep_end, @function",
    "purlin_sweep_end: int3",
    "ret",
    ".size purlin_sweep_end, . - purlin_sweep_end",
    ".popsection",
);

unsafe extern "C" {
    fn purlin_sweep_begin();
    fn purlin_sweep_end();
}

/// The trap is one byte long.
const TRAP_BYTES: u64 = 1;
/// The instruction `syscall`, as the first two bytes in memory.
const SYSCALL: u64 = 0x050f;

#[inline(always)]
pub(super) fn begin() {
    // SAFETY: Traps and returns; the tracer, which is there, lets it go on. No register changes.
    unsafe { purlin_sweep_begin() };
}

#[inline(always)]
pub(super) fn end() {
    // SAFETY: As in `begin`.
    unsafe { purlin_sweep_end() };
}

pub(super) fn begin_address() -> u64 {
    purlin_sweep_begin as *const () as u64 + TRAP_BYTES
}

pub(super) fn end_address() -> u64 {
    purlin_sweep_end as *const () as u64 + TRAP_BYTES
}

pub(super) fn instruction_address(pid: i32) -> io::Result<u64> {
    register(pid, core::mem::offset_of!(libc::user_regs_struct, rip))
}

pub(super) fn system_call_at(pid: i32, address: u64) -> Option<u64> {
    let word = peek(libc::PTRACE_PEEKTEXT, pid, address).ok()?;
    if word & 0xffff != SYSCALL {
        return None;
    }
    register(pid, core::mem::offset_of!(libc::user_regs_struct, rax)).ok()
}

pub(super) fn system_call(pid: i32) -> io::Result<u64> {
    register(pid, core::mem::offset_of!(libc::user_regs_struct, orig_rax))
}

/// The debug register that holds an address, and the one that says what for.
const ADDRESS_REGISTER: usize = 0;
const CONTROL_REGISTER: usize = 7;
/// The first address is for this process, and for instructions.
const IS_SET: u64 = 1;

pub(super) fn stop_before(pid: i32, address: Option<u64>) -> io::Result<()> {
    if let Some(address) = address {
        set_debug_register(pid, ADDRESS_REGISTER, address)?;
    }
    set_debug_register(pid, CONTROL_REGISTER, address.map_or(0, |_| IS_SET))
}

fn set_debug_register(pid: i32, index: usize, value: u64) -> io::Result<()> {
    let offset = core::mem::offset_of!(libc::user, u_debugreg) + index * size_of::<u64>();
    // SAFETY: The tracee is our own child and stopped; no memory of ours is handed over. The kernel
    // refuses what would stop anybody else.
    match unsafe { libc::ptrace(libc::PTRACE_POKEUSER, pid, offset, value) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

fn register(pid: i32, offset: usize) -> io::Result<u64> {
    // The registers stand at the start of the user area.
    peek(libc::PTRACE_PEEKUSER, pid, offset as u64)
}

fn peek(request: libc::c_uint, pid: i32, address: u64) -> io::Result<u64> {
    // SAFETY: errno is this thread's own. Any word is an answer, -1 too, so that only errno tells.
    unsafe { *libc::__errno_location() = 0 };
    // SAFETY: Reads of the tracee, which is our own child and stopped; nothing of ours is written.
    let word = unsafe { libc::ptrace(request, pid, address, 0) };
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        Some(errno) if word == -1 && errno != 0 => Err(error),
        _ => Ok(word.cast_unsigned()),
    }
}
