//! The slot table: who is attached to a segment, and who of them is alive.
//!
//! A process takes a slot by locking the slot's byte through a file description that nobody else
//! has, and advances the slot's generation; both together are its token. The kernel drops the lock
//! when the process is gone, so a token is dead when its generation has passed or its byte is free.
//! Every doubt is on the side of "alive": a false death would let two in, a false life only waits.

use core::sync::atomic::{
    AtomicU32, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
    fence,
};
use std::os::fd::{BorrowedFd, RawFd};

use crate::error::Error;
use crate::header::SLOTS_OFFSET;
use crate::limits::SLOT_COUNT;
use crate::mapping::Shared;
use crate::sys::descriptor::{FileId, leads_to};
use crate::sys::identity::Identity;
use crate::sys::{lock_byte, memory};
use crate::token;

/// What a process writes down when it takes a slot.
#[repr(C)]
struct Slot {
    generation: AtomicU32,
    pid: AtomicU32,
    pid_namespace: AtomicU64,
    pidfs_inode: AtomicU64,
}

/// All slots of a segment.
#[repr(C)]
pub(crate) struct SlotTable {
    slots: [Slot; SLOT_COUNT as usize],
}

const _: () = assert!(size_of::<Slot>() == 24 && align_of::<Slot>() == 8);
const _: () = assert!(core::mem::offset_of!(Slot, pid_namespace) == 8);
const _: () = assert!(size_of::<SlotTable>() == 24 * SLOT_COUNT as usize);

// SAFETY: `repr(C)`, atomics only; zeros and any other bits are valid values of them.
#[expect(unsafe_code, reason = "a promise about this layout, argued above")]
unsafe impl Shared for SlotTable {}

/// The private description of the process that asks, and where it should lead.
#[derive(Clone, Copy)]
pub(crate) struct Probe {
    pub(crate) private: RawFd,
    pub(crate) segment: FileId,
}

impl SlotTable {
    /// Registers the calling process and returns its token (steps S2 to S4).
    ///
    /// # Errors
    /// * [`Error::OutOfResources`] when every slot is a living process's.
    pub(crate) fn register(&self, cursor: &AtomicU32, private: RawFd) -> Result<u32, Error> {
        let slot = take_free_byte(cursor, private)?; // S2
        let entry = self.entry(slot);
        // Relaxed: only the holder of the byte lock writes this field, and the kernel orders the
        // last holder's store before its lock could be had.
        let generation = token::generation_after(entry.generation.load(Relaxed));
        // S3. Killed after: the byte is free again, the last token of the slot is dead by
        // generation. Relaxed: the fence orders it.
        entry.generation.store(generation, Relaxed);
        // Who finds the token in some word finds its generation here, and not the one before, by
        // which the living would be dead; and who reads one of the fields below reads the
        // generation above too, and so notices that the slot has changed hands.
        // Pairs with the Acquire fences in `is_dead` and in `identity_of`.
        fence(Release);
        entry.describe(Identity::of_this_process()); // S4. Killed after: as S3
        Ok(token::pack(generation, slot))
    }

    /// Whether the process that `token` names is dead: steps L1 to L4. `slices` is how many slices
    /// the caller has slept on this very token; from the second look on there is a second opinion.
    ///
    /// # Errors
    /// * [`Error::System`] (EBADF) when foreign code closed our private description: this process
    ///   can tell nobody's death any more, and looks dead itself.
    pub(crate) fn is_dead(&self, token: u32, slices: u32, probe: Probe) -> Result<bool, Error> {
        let (generation, slot) = (token::generation_of(token), token::slot_of(token));
        // Pairs with the Release fence in `register`: the word that `token` was read from was
        // written after it.
        fence(Acquire);
        // L1. Relaxed: the fence orders it.
        if self.entry(slot).generation.load(Relaxed) != generation {
            return Ok(true);
        }
        // L2, after L1 and not before: in between the slot can only go on to a later process,
        // whose lock is found here, and whose generation is found at the next look.
        let is_taken = lock_byte::is_taken(probe.private, slot);
        if is_taken != Ok(true) && !leads_to(probe.private, probe.segment) {
            return Err(Error::System { errno: libc::EBADF });
        }
        if is_taken == Ok(false) {
            return Ok(true);
        }
        Ok(slices > 0 && self.second_opinion(slot, generation)) // L3, else L4
    }

    /// L3: a child that foreign code made by a raw `clone` keeps the private description open, and
    /// so the byte locked, after its parent's death.
    fn second_opinion(&self, slot: u32, generation: u32) -> bool {
        match self.identity_of(slot, generation) {
            Some(identity) => identity.is_surely_gone(),
            None => true, // the slot has changed hands: dead as in L1
        }
    }

    /// What the process of `generation` wrote down; `None` if the slot is another's by now.
    fn identity_of(&self, slot: u32, generation: u32) -> Option<Identity> {
        let entry = self.entry(slot);
        let identity = entry.identity();
        // Pairs with the Release fence in `register`.
        fence(Acquire);
        // Relaxed: the fence orders it after the fields.
        (entry.generation.load(Relaxed) == generation).then_some(identity)
    }

    /// The entry of `slot`, which has ten bits.
    fn entry(&self, slot: u32) -> &Slot {
        &self.slots[(slot % SLOT_COUNT) as usize]
    }
}

/// The pid that a process wrote down in its slot, read from the file by one who is not attached.
///
/// # Errors
/// * [`Error::System`] when the file cannot be read.
pub(crate) fn pid_in_file(file: BorrowedFd<'_>, slot: u32) -> Result<u32, Error> {
    let mut bytes = [0; 4];
    let entry = SLOTS_OFFSET + u64::from(slot) * size_of::<Slot>() as u64;
    memory::read_at(file, &mut bytes, entry + core::mem::offset_of!(Slot, pid) as u64)?;
    Ok(u32::from_le_bytes(bytes))
}

impl Slot {
    fn describe(&self, identity: Identity) {
        // Relaxed: the Release fence before this call is what they pair by.
        self.pid.store(identity.pid, Relaxed);
        self.pid_namespace.store(identity.pid_namespace, Relaxed);
        self.pidfs_inode.store(identity.pidfs_inode, Relaxed);
    }

    fn identity(&self) -> Identity {
        // Relaxed: the Acquire fence after this call is what they pair by.
        Identity {
            pid: self.pid.load(Relaxed),
            pid_namespace: self.pid_namespace.load(Relaxed),
            pidfs_inode: self.pidfs_inode.load(Relaxed),
        }
    }
}

/// S2. The cursor rotates, so that a slot, and with it a token, comes back as late as it can.
/// Killed after: the kernel frees the byte.
fn take_free_byte(cursor: &AtomicU32, private: RawFd) -> Result<u32, Error> {
    // Relaxed: a hint where to look; the byte lock decides.
    let start = cursor.fetch_add(1, Relaxed);
    for step in 0..SLOT_COUNT {
        let slot = start.wrapping_add(step) % SLOT_COUNT;
        if lock_byte::take(private, slot)? {
            return Ok(slot);
        }
    }
    Err(Error::OutOfResources)
}
