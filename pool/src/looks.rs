//! What somebody who waits does before it sleeps.

use purlin_sync::parts::has_several_processors;

use crate::limits::{LOOK_COUNT, SPIN_ITERATIONS};

/// How often it looks: not at all where nobody else runs meanwhile.
pub(crate) fn look_count() -> u32 {
    if has_several_processors() { LOOK_COUNT } else { 0 }
}

/// Lets a moment pass between two looks.
pub(crate) fn spin() {
    (0..SPIN_ITERATIONS).for_each(|_| core::hint::spin_loop());
}
