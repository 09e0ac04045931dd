//! Children that end at once, started and waited for by nothing but the calls.
#![expect(unsafe_code, reason = "bare system calls")]

use std::ffi::CString;
use std::io;
use std::ptr;

unsafe extern "C" {
    static environ: *const *mut libc::c_char;
}

/// `fork(2)`, whose child ends at once, and `waitpid(2)`.
///
/// # Errors
/// What the calls answer.
pub fn fork_and_wait() -> io::Result<()> {
    // SAFETY: The child makes one system call, and that ends it.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        // SAFETY: `_exit` asks for nothing.
        0 => unsafe { libc::_exit(0) },
        pid => wait(pid),
    }
}

/// So many children at once, each by `fork(2)`, that end by themselves, and then each by
/// `waitpid(2)`.
///
/// # Errors
/// What the calls answer.
pub fn fork_and_wait_for(count: usize) -> io::Result<()> {
    let mut children = Vec::with_capacity(count);
    for _ in 0..count {
        // SAFETY: As above.
        match unsafe { libc::fork() } {
            -1 => return Err(io::Error::last_os_error()),
            // SAFETY: As above.
            0 => unsafe { libc::_exit(0) },
            pid => children.push(pid),
        }
    }
    children.into_iter().try_for_each(wait)
}

/// `posix_spawn(3)` of the program at `path`, with `arguments` after its name and this process's
/// environment, and `waitpid(2)`.
///
/// # Errors
/// What the calls answer, and kind `InvalidInput` for a zero byte.
pub fn spawn_and_wait(path: &str, arguments: &[&str]) -> io::Result<()> {
    let words = [path].into_iter().chain(arguments.iter().copied());
    let words: Vec<CString> = words.map(CString::new).collect::<Result<_, _>>()?;
    let pointers = words.iter().map(|word| word.as_ptr().cast_mut());
    let pointers: Vec<*mut libc::c_char> = pointers.chain([ptr::null_mut()]).collect();
    let mut pid = 0;
    // SAFETY: The texts end in zero bytes, the list in a null, and both live through the call; null
    // asks for nothing. Nobody changes the environment meanwhile.
    let errno = unsafe {
        let (argv, nothing) = (pointers.as_ptr(), ptr::null());
        libc::posix_spawn(&raw mut pid, words[0].as_ptr(), ptr::null(), nothing, argv, environ)
    };
    if errno == 0 { wait(pid) } else { Err(io::Error::from_raw_os_error(errno)) }
}

fn wait(pid: libc::pid_t) -> io::Result<()> {
    let mut status = 0;
    // Ends: each signal interrupts once.
    loop {
        // SAFETY: The pointer is valid for the call, and the child is this process's.
        if unsafe { libc::waitpid(pid, &raw mut status, 0) } == pid {
            let is_good = libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0;
            return if is_good { Ok(()) } else { Err(io::Error::other("it ended badly")) };
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}
