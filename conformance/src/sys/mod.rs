//! What this crate knows of the system by number.

pub(crate) mod calls;
