//! Copies of many units at once, between a buffer and a ring that others map as well.
//!
//! On x86-64 by the processor's own instruction for it, which moves whole lines; a loop of atomic
//! loads and stores moves a unit at a time, for no compiler joins those.
#![cfg_attr(target_arch = "x86_64", expect(unsafe_code, reason = "it is an instruction"))]

use core::sync::atomic::AtomicU64;

/// From so many bytes on it is worth to begin one: it takes some 30 cycles.
pub(crate) const BULK_BYTES: usize = 512;

/// Writes `chunks` to as many units. To be published by a store of the caller's that follows.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) fn write(units: &[AtomicU64], chunks: &[[u8; 8]]) {
    let count = units.len().min(chunks.len());
    // SAFETY: Both are of `count` times 8 bytes at least. Others may write to the units meanwhile,
    // as to any atomic: the instruction moves words, whatever they are, and the compiler knows
    // nothing of what it moved. It counts upwards, since Rust keeps the direction flag clear. Its
    // stores may come in any order among each other, but before those of later instructions (the
    // manuals' chapters on the order of memory accesses, where they speak of string operations), so
    // that they are ordered as the loop's would be.
    unsafe { move_words(chunks.as_ptr().cast(), units.as_ptr().cast_mut().cast(), count) };
}

/// Reads as many units as there are `chunks`. Ordered by a load of the caller's before.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) fn read(units: &[AtomicU64], chunks: &mut [[u8; 8]]) {
    let count = units.len().min(chunks.len());
    // SAFETY: As in `write`; the chunks are nobody's but the caller's.
    unsafe { move_words(units.as_ptr().cast(), chunks.as_mut_ptr().cast(), count) };
}

/// Copies so many words of 8 bytes.
///
/// # Safety
/// `from` can be read for so many, `to` written; they do not overlap.
#[cfg(target_arch = "x86_64")]
#[inline]
unsafe fn move_words(from: *const u64, to: *mut u64, count: usize) {
    // SAFETY: What it touches is what the caller has promised; it changes no flags, and no stack.
    unsafe {
        core::arch::asm!(
            "rep movsq",
            inout("rcx") count => _,
            inout("rsi") from => _,
            inout("rdi") to => _,
            options(nostack, preserves_flags),
        );
    }
}

/// Writes `chunks` to as many units. To be published by a store of the caller's that follows.
#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn write(units: &[AtomicU64], chunks: &[[u8; 8]]) {
    use core::sync::atomic::Ordering::Relaxed;
    for (unit, chunk) in units.iter().zip(chunks) {
        unit.store(u64::from_le_bytes(*chunk), Relaxed); // Relaxed: as said above
    }
}

/// Reads as many units as there are `chunks`. Ordered by a load of the caller's before.
#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn read(units: &[AtomicU64], chunks: &mut [[u8; 8]]) {
    use core::sync::atomic::Ordering::Relaxed;
    for (unit, chunk) in units.iter().zip(chunks) {
        *chunk = unit.load(Relaxed).to_le_bytes(); // Relaxed: as said above
    }
}
