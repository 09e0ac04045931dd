//! Hints to the processor's caches.
#![expect(unsafe_code, reason = "the hints take pointers")]

use core::sync::atomic::AtomicU64;

/// Has the line of `unit` come to this processor, to be read.
#[inline]
pub(crate) fn for_a_load(unit: &AtomicU64) {
    #[cfg(target_arch = "x86_64")]
    {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: A hint changes nothing, whatever its address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(unit.as_ptr().cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = unit;
}

/// Has the line of `unit` come to this processor, to be written.
#[inline]
pub(crate) fn for_a_store(unit: &AtomicU64) {
    #[cfg(target_arch = "x86_64")]
    {
        // The instruction by its name: what the compiler makes of its own hint for a processor
        // that it knows nothing of leaves the line shared, and the store waits all the same.
        // SAFETY: A hint changes nothing, whatever its address; processors without it pass it over.
        unsafe {
            core::arch::asm!(
                "prefetchw [{}]",
                in(reg) unit.as_ptr(),
                options(nostack, preserves_flags, readonly),
            );
        };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = unit;
}
