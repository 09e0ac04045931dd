//! Pipes between the processes of a test, read with a limit.

use std::io::{PipeReader, PipeWriter, Read, Write, pipe};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::bounded::{LIMIT, check};

/// A pipe, or why there is none.
pub(crate) fn talk() -> Result<(PipeReader, PipeWriter), String> {
    pipe().map_err(|error| error.to_string())
}

/// Whether something can be read, or the end of it seen, before `limit` has passed.
pub(crate) fn is_readable(reader: &PipeReader, limit: Duration) -> bool {
    let limit = Timespec::try_from(limit).expect("a minute fits");
    loop {
        match poll(&mut [PollFd::new(reader, PollFlags::IN)], Some(&limit)) {
            Err(rustix::io::Errno::INTR) => {}
            count => return count.expect("poll") > 0,
        }
    }
}

/// The next byte, which must come.
pub(crate) fn next(reader: &mut PipeReader, what: &str) -> Result<u8, String> {
    check(is_readable(reader, LIMIT), &format!("{what} comes"))?;
    let mut byte = [0];
    reader.read_exact(&mut byte).map_err(|error| format!("{what}: {error}"))?;
    Ok(byte[0])
}

/// All that is written until the last writer is gone, which it must be some time.
pub(crate) fn all(reader: &mut PipeReader, what: &str) -> Result<String, String> {
    let deadline = Instant::now() + LIMIT;
    let mut bytes = Vec::new();
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let so_far = String::from_utf8_lossy(&bytes).into_owned();
        check(is_readable(reader, left), &format!("{what} ends; so far: {so_far:?}"))?;
        let mut piece = [0; 1024];
        match reader.read(&mut piece).map_err(|error| format!("{what}: {error}"))? {
            0 => return Ok(so_far),
            count => bytes.extend_from_slice(&piece[..count]),
        }
    }
}

/// Says something; nobody may be there to hear it.
pub(crate) fn say(mut writer: &PipeWriter, what: &str) {
    let _ = writer.write_all(what.as_bytes());
}

/// Waits until something is said, or nobody is left to say it.
pub(crate) fn listen(mut reader: &PipeReader) {
    let _ = reader.read(&mut [0]);
}

/// For ever; ended by a signal only.
pub(crate) fn idle() {
    loop {
        std::thread::park();
    }
}
