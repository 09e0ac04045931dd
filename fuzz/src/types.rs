//! The types that the receiver of handles may ask for.

/// Calls a function for the type of this number.
macro_rules! with_type {
    ($number:expr, $call:ident($($argument:expr),*)) => {{
        use std::os::fd::OwnedFd;

        use purlin_shm::Segment;
        use purlin_sync::{CheckedLock, HandoverLock, Lock};
        match $number % 10 {
            0 => $call::<Lock>($($argument),*),
            1 => $call::<HandoverLock>($($argument),*),
            2 => $call::<CheckedLock>($($argument),*),
            3 => $call::<Segment>($($argument),*),
            4 => $call::<OwnedFd>($($argument),*),
            5 => $call::<Vec<Lock>>($($argument),*),
            6 => $call::<Option<CheckedLock>>($($argument),*),
            7 => $call::<(Lock, Segment, HandoverLock, OwnedFd)>($($argument),*),
            8 => $call::<Vec<Vec<Option<OwnedFd>>>>($($argument),*),
            _ => $call::<(Vec<()>, ())>($($argument),*),
        }
    }};
}

pub(super) use with_type;
