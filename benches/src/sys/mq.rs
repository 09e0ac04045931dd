//! POSIX's message queue: the kernel's own, which copies each message in and out by a system call.
#![expect(unsafe_code, reason = "calls of the C library, which take pointers")]

use std::ffi::CString;
use std::io;

/// Such a queue, which forked children share. Its name is gone as soon as it is made.
#[derive(Debug)]
pub struct PosixQueue {
    descriptor: libc::mqd_t,
}

impl PosixQueue {
    /// Makes one of so many messages of so many bytes.
    ///
    /// # Errors
    /// What mq_open(3) answers: the kernel may have none, and allows unprivileged users 10 messages
    /// of 8192 bytes.
    pub fn new(count: i64, size: i64) -> io::Result<Self> {
        let name = CString::new(format!("/purlin-bench-{}", std::process::id()))?;
        // SAFETY: Integers, of which zero is a value.
        let mut attributes: libc::mq_attr = unsafe { core::mem::zeroed() };
        (attributes.mq_maxmsg, attributes.mq_msgsize) = (count, size);
        let flags = libc::O_CREAT | libc::O_EXCL | libc::O_RDWR | libc::O_CLOEXEC;
        // SAFETY: A string that ends with a zero, and attributes that outlive the call.
        let descriptor = unsafe { libc::mq_open(name.as_ptr(), flags, 0o600, &raw mut attributes) };
        if descriptor < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: As above. It has no reason to fail, and a name that stays harms nobody.
        unsafe { libc::mq_unlink(name.as_ptr()) };
        Ok(Self { descriptor })
    }

    /// Puts a message, waiting for room.
    ///
    /// # Errors
    /// What mq_send(3) answers, but for `EINTR`.
    #[inline]
    pub fn send(&self, message: &[u8]) -> io::Result<()> {
        // Ends: with the message put, or with an error other than a signal.
        loop {
            let (start, len) = (message.as_ptr().cast(), message.len());
            // SAFETY: So many bytes can be read there.
            if unsafe { libc::mq_send(self.descriptor, start, len, 0) } == 0 {
                return Ok(());
            }
            interrupted()?;
        }
    }

    /// Takes the oldest message into a buffer of the queue's size; how many bytes it has.
    ///
    /// # Errors
    /// What mq_receive(3) answers, but for `EINTR`.
    #[inline]
    pub fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
        // Ends: as `send`.
        loop {
            let (start, len) = (buffer.as_mut_ptr().cast(), buffer.len());
            let none = core::ptr::null_mut();
            // SAFETY: So many bytes can be written there; nobody wants the priority.
            let got = unsafe { libc::mq_receive(self.descriptor, start, len, none) };
            if let Ok(len) = usize::try_from(got) {
                return Ok(len);
            }
            interrupted()?;
        }
    }
}

impl Drop for PosixQueue {
    fn drop(&mut self) {
        // SAFETY: It is ours, and nobody uses it any more.
        unsafe { libc::mq_close(self.descriptor) };
    }
}

fn interrupted() -> io::Result<()> {
    let error = io::Error::last_os_error();
    if error.kind() == io::ErrorKind::Interrupted { Ok(()) } else { Err(error) }
}
