//! Waiting for several things at once.

use core::time::Duration;
use std::collections::HashSet;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use purlin_sync::parts::{Watch, sleep_on_any};
use purlin_sync::{Deadline, Event};

use crate::error::Error;
use crate::limits::{MIXED_SLICE, SLICE};
use crate::pipe::{Pipe, Use};
use crate::queue::Queue;
use crate::sys::socket;

/// What [`wait`] can wait for.
#[derive(Clone, Copy, Debug)]
pub enum Awaited<'a> {
    /// A message in a pipe, or its end.
    Pipe(&'a Pipe),
    /// A message in a queue, or its shutdown.
    Queue(&'a Queue),
    /// An event that is set, or was in between.
    Event(&'a Event),
    /// A descriptor that is readable, or at its end: the one by which a process's end is seen, say.
    Descriptor(BorrowedFd<'a>),
}

impl<'a> From<&'a Pipe> for Awaited<'a> {
    fn from(pipe: &'a Pipe) -> Self {
        Self::Pipe(pipe)
    }
}

impl<'a> From<&'a Queue> for Awaited<'a> {
    fn from(queue: &'a Queue) -> Self {
        Self::Queue(queue)
    }
}

impl<'a> From<&'a Event> for Awaited<'a> {
    fn from(event: &'a Event) -> Self {
        Self::Event(event)
    }
}

impl<'a> From<BorrowedFd<'a>> for Awaited<'a> {
    fn from(descriptor: BorrowedFd<'a>) -> Self {
        Self::Descriptor(descriptor)
    }
}

/// Waits until at least one of them has happened, or `deadline` passes; which of them have, by
/// their places, in order. What is named twice is told at its first place. It takes nothing:
/// another may be quicker, so that whoever must not wait takes by a call that does not.
///
/// ```
/// # fn main() -> Result<(), purlin_channel::Error> {
/// use core::time::Duration;
/// use purlin_channel::{Pipe, Queue, wait};
///
/// let (reader, writer) = Pipe::simplex()?;
/// let queue = Queue::bounded(1, 8)?;
/// let both = [(&reader).into(), (&queue).into()];
/// assert_eq!(wait(&both, Duration::from_millis(1))?, []);
/// queue.send(b"one", None)?;
/// assert_eq!(wait(&both, None)?, [1]);
/// writer.send(b"two", None)?;
/// assert_eq!(wait(&both, None)?, [0, 1]);
/// # Ok(()) }
/// ```
///
/// # Errors
/// * [`Error::Closed`] for a pipe or a queue that is closed here, also while it is waited for.
/// * [`Error::WrongDirection`] for an end of a pipe that sends only.
/// * [`Error::InvalidArgument`] for nothing at all without a deadline, which would never end; and
///   for a descriptor that is not open.
/// * [`Error::System`] when the system refuses the wait.
///
/// # Weak points
/// * Mixtures: descriptors and words are slept on by different calls of the system. Where there are
///   both, a queue or an event is seen up to 5 ms late. So are several of these among themselves on
///   Linux before 5.16, and where there are more than 128.
/// * Order: none is preferred. Whoever takes the first one of a list always first may starve the
///   rest.
/// * A queue counts as soon as a message is being written, or while its last one is being taken.
pub fn wait(awaited: &[Awaited<'_>], deadline: impl Into<Deadline>) -> Result<Vec<usize>, Error> {
    let deadline = deadline.into().start();
    if awaited.is_empty() && deadline.remaining().is_none() {
        return Err(Error::InvalidArgument);
    }
    let mut has_slept = false;
    let ready = until_ready(awaited, deadline, &mut has_slept);
    if has_slept {
        awaited.iter().for_each(|one| one.pass_on()); // also before an error
    }
    Ok(first_places(awaited, ready?))
}

/// Waits; which of them have happened, in any order. Whether it has slept is said also with an
/// error.
fn until_ready(
    awaited: &[Awaited<'_>],
    deadline: Deadline,
    has_slept: &mut bool,
) -> Result<Vec<usize>, Error> {
    let first: Vec<Option<Watch<'_>>> = awaited.iter().map(|one| one.first_watch()).collect();
    // Ends: with something, with an error, or at the deadline; each sleep is a slice at most.
    loop {
        let mut round = Round::begin(awaited, &first)?;
        let left = deadline.remaining();
        round.look_at_descriptors(Duration::ZERO)?;
        if !round.ready.is_empty() || left.is_some_and(|left| left.is_zero()) {
            return Ok(round.ready);
        }
        *has_slept = true;
        round.sleep(left.unwrap_or(SLICE))?;
    }
}

impl<'a> Awaited<'a> {
    /// The same for what is the same: the kind, and a number that no other of it has meanwhile.
    fn identity(self) -> (u8, usize) {
        match self {
            Self::Pipe(pipe) => (0, pipe.identity()),
            Self::Queue(queue) => (1, core::ptr::from_ref(queue).addr()),
            Self::Event(event) => (2, core::ptr::from_ref(event).addr()),
            Self::Descriptor(descriptor) => (3, descriptor.as_raw_fd().unsigned_abs() as usize),
        }
    }

    /// What an event was at the beginning: it may be set and cleared while nobody looks.
    fn first_watch(self) -> Option<Watch<'a>> {
        match self {
            Self::Event(event) => event.watch(),
            _ => None,
        }
    }

    /// A wake that this call may have used up is another's, too: it waits, and takes nothing. Also
    /// of a queue that was closed here meanwhile: the others have it still.
    fn pass_on(self) {
        if let Self::Queue(queue) = self {
            let view = queue.open_view();
            // The wake has taken the flag away, and others may sleep behind it.
            view.news().prepare();
            if view.has_news() {
                view.news().notify(1);
            }
        }
    }
}

/// In order, without those at which something stands once more.
fn first_places(awaited: &[Awaited<'_>], mut ready: Vec<usize>) -> Vec<usize> {
    ready.sort_unstable();
    let mut seen = HashSet::with_capacity(ready.len());
    ready.retain(|place| seen.insert(awaited[*place].identity()));
    ready
}

/// One look at all of them, and what can be slept on if there is nothing.
struct Round<'a> {
    ready: Vec<usize>,
    descriptors: Vec<(usize, Source<'a>)>,
    watches: Vec<Watch<'a>>,
}

/// Where a descriptor comes from; a pipe's stays open as long as this is there.
enum Source<'a> {
    End(Use<'a>),
    Given(BorrowedFd<'a>),
}

impl AsFd for Source<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::End(end) => end.as_fd(),
            Self::Given(descriptor) => *descriptor,
        }
    }
}

impl<'a> Round<'a> {
    /// Looks at the words, each after it was told that somebody may sleep there.
    fn begin(awaited: &[Awaited<'a>], first: &[Option<Watch<'a>>]) -> Result<Self, Error> {
        let mut round = Self { ready: Vec::new(), descriptors: Vec::new(), watches: Vec::new() };
        for (place, (one, first)) in awaited.iter().zip(first).enumerate() {
            match *one {
                Awaited::Pipe(pipe) => {
                    round.descriptors.push((place, Source::End(pipe.awaited()?)));
                }
                Awaited::Descriptor(descriptor) => {
                    round.descriptors.push((place, Source::Given(descriptor)));
                }
                Awaited::Queue(queue) => {
                    let view = queue.view()?;
                    let watch = view.news().watch(view.news().prepare());
                    round.add(place, (!view.has_news()).then_some(watch));
                }
                Awaited::Event(event) => {
                    let was_set = first.is_none_or(|first| event.was_set_since(&first));
                    round.add(place, if was_set { None } else { event.watch() });
                }
            }
        }
        Ok(round)
    }

    /// A word that is to be watched, or has news.
    fn add(&mut self, place: usize, watch: Option<Watch<'a>>) {
        match watch {
            Some(watch) => self.watches.push(watch),
            None => self.ready.push(place),
        }
    }

    fn look_at_descriptors(&mut self, limit: Duration) -> Result<(), Error> {
        if self.descriptors.is_empty() {
            return Ok(());
        }
        let borrowed: Vec<_> = self.descriptors.iter().map(|(_, source)| source.as_fd()).collect();
        let are_ready = socket::wait_any(&borrowed, limit)?;
        let ready = self.descriptors.iter().zip(are_ready).filter(|(_, is_ready)| *is_ready);
        self.ready.extend(ready.map(|((place, _), _)| *place));
        Ok(())
    }

    /// Until something may have happened, or `left` is over. It is looked at anew then.
    fn sleep(mut self, left: Duration) -> Result<(), Error> {
        let slice = self.slice(left);
        if self.descriptors.is_empty() {
            Ok(sleep_on_any(&self.watches, slice)?)
        } else {
            self.look_at_descriptors(slice)
        }
    }

    /// For how long nobody looks, of so much time that is left: where there are both, at the
    /// descriptors only.
    fn slice(&self, left: Duration) -> Duration {
        let is_mixed = !self.descriptors.is_empty() && !self.watches.is_empty();
        left.min(if is_mixed { MIXED_SLICE } else { SLICE })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_together_are_slept_on_for_five_milliseconds_at_most() {
        let (reader, _writer) = Pipe::simplex().unwrap();
        let (queue, event) = (Queue::bounded(1, 8).unwrap(), Event::new().unwrap());
        let slice = |awaited: &[Awaited<'_>], left| {
            let first: Vec<_> = awaited.iter().map(|one| one.first_watch()).collect();
            Round::begin(awaited, &first).unwrap().slice(left)
        };
        let (pipe, queue, event) = ((&reader).into(), (&queue).into(), (&event).into());
        let far = Duration::MAX;
        for mixed in [&[pipe, queue][..], &[event, pipe], &[queue, event, pipe, pipe]] {
            assert_eq!(slice(mixed, far), Duration::from_millis(5));
            assert_eq!(slice(mixed, Duration::from_millis(3)), Duration::from_millis(3));
        }
        for alike in [&[pipe, pipe][..], &[queue, event], &[]] {
            assert_eq!(slice(alike, far), Duration::from_millis(50));
        }
    }
}
