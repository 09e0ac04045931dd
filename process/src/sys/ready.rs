//! A wait for several descriptors, however many this process may have open by now.
#![expect(unsafe_code, reason = "a set of descriptors by number")]

use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

use rustix::event::{
    FdSetElement, PollFd, PollFlags, Timespec, fd_set_insert, fd_set_num_elements, poll, select,
};
use rustix::io::Errno;

/// Waits until something can be read from one of `readers`, be it the end, or `writer` takes
/// something or never will again, or `limit` is over. Returns whether one is ready. A signal ends
/// the wait with [`Errno::INTR`].
pub(crate) fn wait(
    readers: &[BorrowedFd<'_>],
    writer: Option<BorrowedFd<'_>>,
    limit: Duration,
) -> Result<bool, Errno> {
    // Callers pass slices of seconds at most; what does not fit is as good as the largest.
    let limit = Timespec::try_from(limit).unwrap_or(Timespec { tv_sec: i64::MAX, tv_nsec: 0 });
    let from = readers.iter().map(|fd| PollFd::new(fd, PollFlags::IN));
    let to = writer.iter().map(|fd| PollFd::new(fd, PollFlags::OUT));
    let mut polled: Vec<_> = from.chain(to).collect();
    match poll(&mut polled, Some(&limit)) {
        // More than this process may have open: its limit was lowered since they were opened.
        Err(Errno::INVAL) => wait_by_number(readers, writer, &limit),
        // Foreign code closed one of them, which says nothing about what it stood for.
        Ok(_) if polled.iter().any(|one| one.revents().contains(PollFlags::NVAL)) => {
            Err(Errno::BADF)
        }
        done => Ok(done? > 0),
    }
}

/// The same by `select(2)`, whose sets are as large as the numbers in them, and which asks for no
/// limit.
fn wait_by_number(
    readers: &[BorrowedFd<'_>],
    writer: Option<BorrowedFd<'_>>,
    limit: &Timespec,
) -> Result<bool, Errno> {
    let all = readers.iter().chain(&writer).map(AsRawFd::as_raw_fd);
    let count = all.max().unwrap_or(-1) + 1;
    let none = || vec![FdSetElement::default(); fd_set_num_elements(readers.len() + 1, count)];
    let (mut from, mut to) = (none(), none());
    readers.iter().for_each(|fd| fd_set_insert(&mut from, fd.as_raw_fd()));
    writer.iter().for_each(|fd| fd_set_insert(&mut to, fd.as_raw_fd()));
    // SAFETY: Each number in the sets is of a descriptor that is borrowed for this call.
    Ok(unsafe { select(count, Some(&mut from), Some(&mut to), None, Some(limit)) }? > 0)
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn both_ways_say_the_same() {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        let (silent, _kept) = std::io::pipe().expect("a pipe");
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        let both = |readers: &[BorrowedFd<'_>], writer: Option<BorrowedFd<'_>>| {
            let one = wait(readers, writer, Duration::ZERO);
            assert_eq!(one, wait_by_number(readers, writer, &now));
            one.expect("an answer")
        };
        assert!(!both(&[silent.as_fd(), reader.as_fd()], None));
        assert!(both(&[silent.as_fd()], Some(writer.as_fd())), "there is room");
        assert!(!both(&[], None));
        drop(writer);
        assert!(both(&[silent.as_fd(), reader.as_fd()], None), "its end");
    }
}
