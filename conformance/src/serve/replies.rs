//! Replies on their way out, whole or not at all.

use rustix::time::{ClockId, clock_gettime};

use crate::limits::ACTOR_LINE_MAX_BYTES;
use crate::protocol::{Answer, Reply};

/// Writes one reply in one `write(2)`, past every buffer. A line that is too long for that says so
/// instead; `hello`, whose fields can be many, is written before there is anybody to kill.
pub(super) fn say(id: u64, answer: Answer) {
    let is_of_call = !matches!(answer, Answer::Ok { .. });
    let mut line = line(id, answer);
    if is_of_call && line.len() > ACTOR_LINE_MAX_BYTES {
        let (kind, text) = ("system".to_owned(), "the reply is too long".to_owned());
        line = self::line(id, Answer::Failed { at: now_nanos(), kind, text });
    }
    let mut rest = line.as_bytes();
    while !rest.is_empty() {
        match rustix::io::write(rustix::stdio::stdout(), rest) {
            Ok(len) => rest = &rest[len..],
            Err(rustix::io::Errno::INTR) => {}
            // Nobody listens any more; the end of standard input will say so too.
            Err(_) => return,
        }
    }
}

/// The monotonic clock, in nanoseconds.
pub(super) fn now_nanos() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    seconds * 1_000_000_000 + u64::try_from(now.tv_nsec).unwrap_or(0)
}

fn line(id: u64, answer: Answer) -> String {
    let mut line = serde_json::to_string(&Reply { id, answer }).unwrap_or_default();
    line.push('\n');
    line
}
