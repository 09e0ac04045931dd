//! How long a call may wait: one type for every call that can.
//!
//! A [`Duration`] is kept as it came and becomes a point in time only when a call is about to sleep
//! ([`Deadline::start`]), so that a call that succeeds at once never reads the clock.

use core::time::Duration;

use crate::sys::clock;

/// When a call gives up: never, a time after the call began, or a point of the monotonic clock.
///
/// Calls take `impl Into<Deadline>`: `None`, a [`Duration`] from now, or a `Deadline` made earlier
/// that several calls share. It bounds the whole call, however often its waiter is woken in
/// between. A duration of any size is good: what the clock cannot hold is the same as never.
///
/// ```
/// use core::time::Duration;
/// use purlin_sync::Deadline;
///
/// let total = Deadline::after(Duration::from_secs(2)); // shared by all calls that get it
/// assert!(total.remaining().unwrap() <= Duration::from_secs(2));
/// assert_eq!(Deadline::never().remaining(), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline(Form);

/// A duration waits for its call; a point does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Never,
    Within(Duration),
    At { nanos: u64 },
}

impl Deadline {
    /// No limit: the call waits until what it waits for has happened.
    #[inline]
    #[must_use]
    pub const fn never() -> Self {
        Self(Form::Never)
    }

    /// Already passed: the call tries once.
    #[inline]
    #[must_use]
    pub const fn passed() -> Self {
        Self(Form::At { nanos: 0 })
    }

    /// `duration` from now, counted from this line and not from the call that gets it.
    #[must_use]
    pub fn after(duration: Duration) -> Self {
        Self(Form::Within(duration)).start()
    }

    /// The time left, zero once it has passed; `None` when there is no limit.
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        match self.0 {
            Form::Never => None,
            Form::Within(duration) => Some(duration),
            Form::At { nanos: 0 } => Some(Duration::ZERO), // a try, which looks at no clock
            Form::At { nanos } => {
                Some(Duration::from_nanos(nanos.saturating_sub(clock::now_nanos())))
            }
        }
    }

    /// The same, but not before `duration` from now.
    #[inline]
    pub(crate) fn at_least(self, duration: Duration) -> Self {
        match self.0 {
            Form::Never => self,
            Form::Within(limit) => Self(Form::Within(limit.max(duration))),
            Form::At { nanos } if nanos > 0 && self.remaining() > Some(duration) => self,
            Form::At { .. } => Self(Form::Within(duration)),
        }
    }

    /// Fixes the point in time, if that has not been done yet. A waiting call does this once,
    /// before its first sleep, and looks at [`remaining`](Self::remaining) from then on.
    #[must_use]
    pub fn start(self) -> Self {
        let Form::Within(duration) = self.0 else { return self };
        let limit = u64::try_from(duration.as_nanos()).ok();
        match limit.and_then(|limit_nanos| clock::now_nanos().checked_add(limit_nanos)) {
            Some(nanos) => Self(Form::At { nanos }),
            None => Self::never(), // more than five centuries
        }
    }
}

impl From<Duration> for Deadline {
    #[inline]
    fn from(duration: Duration) -> Self {
        Self(Form::Within(duration))
    }
}

impl From<Option<Duration>> for Deadline {
    #[inline]
    fn from(limit: Option<Duration>) -> Self {
        limit.map_or(Self::never(), Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_too_large_for_the_clock_is_never() {
        assert_eq!(Deadline::from(Duration::MAX).start(), Deadline::never());
        assert_eq!(Deadline::after(Duration::from_secs(1 << 53)), Deadline::never());
    }

    #[test]
    fn a_started_deadline_stays_where_it_is() {
        let started = Deadline::after(Duration::from_secs(5));
        assert_eq!(started.start(), started);
        assert!(started.remaining().unwrap() <= Duration::from_secs(5));
    }

    #[test]
    fn a_deadline_is_put_off_and_never_brought_forward() {
        let (second, hour) = (Duration::from_secs(1), Duration::from_secs(3600));
        for early in [Deadline::passed(), Deadline::from(Duration::ZERO), second.into()] {
            assert_eq!(early.at_least(second), second.into());
        }
        let late = Deadline::after(hour);
        for put_off in [late, hour.into(), Deadline::never()] {
            assert_eq!(put_off.at_least(second), put_off);
        }
    }

    #[test]
    fn zero_and_passed_have_nothing_left() {
        assert_eq!(Deadline::passed().remaining(), Some(Duration::ZERO));
        assert_eq!(Deadline::after(Duration::ZERO).remaining(), Some(Duration::ZERO));
    }
}
