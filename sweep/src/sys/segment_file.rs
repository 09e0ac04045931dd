//! A segment's file as `docs/layout.md` has it, read beside the library: slots, the lock bytes, the
//! arena. So checkers need not believe what they check.
#![expect(unsafe_code, reason = "open-file-description locks")]

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::fs::FileExt;

/// Where the arena begins, and what each object takes at least, in bytes.
pub(crate) const ARENA_OFFSET: u64 = 24832;
pub(crate) const LINE_BYTES: u64 = 128;

const SLOTS_OFFSET: u64 = 256;
const SLOT_BYTES: u64 = 24;
const SLOT_COUNT: u32 = 1024;
const NEXT_OFFSET: u64 = 128;
const CURSOR_OFFSET: u64 = 136;
/// From an object's line to the object.
const OBJECT_OFFSET: u64 = 16;
const LOCK_BYTES_START: i64 = 1 << 40;

/// The file, through a description of its own.
pub(crate) struct SegmentFile(File);

/// A token's two parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) generation: u32,
    pub(crate) slot: u32,
}

impl Token {
    pub(crate) const fn of(token: u32) -> Self {
        Self { generation: token >> 10, slot: token % SLOT_COUNT }
    }
}

impl SegmentFile {
    pub(crate) fn open(segment: BorrowedFd<'_>) -> io::Result<Self> {
        let path = format!("/proc/self/fd/{}", segment.as_raw_fd());
        OpenOptions::new().read(true).write(true).open(path).map(Self)
    }

    pub(crate) fn cursor(&self) -> io::Result<u32> {
        self.u32_at(CURSOR_OFFSET)
    }

    /// Has the next registration begin at `slot`, as if the cursor had gone round.
    pub(crate) fn set_cursor(&self, slot: u32) -> io::Result<()> {
        self.0.write_all_at(&slot.to_le_bytes(), CURSOR_OFFSET)
    }

    /// The generation of the last process that took the slot.
    pub(crate) fn generation(&self, slot: u32) -> io::Result<u32> {
        self.u32_at(SLOTS_OFFSET + u64::from(slot) * SLOT_BYTES)
    }

    /// Where the free space begins.
    pub(crate) fn next(&self) -> io::Result<u64> {
        self.u64_at(NEXT_OFFSET)
    }

    pub(crate) fn size_bytes(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    /// The header of the object whose line begins at `offset`: what it is, and its check.
    pub(crate) fn object(&self, offset: u64) -> io::Result<(u64, u64)> {
        Ok((self.u64_at(offset)?, self.u64_at(offset + 8)?))
    }

    /// The word of the lock whose line begins at `offset`.
    pub(crate) fn word(&self, offset: u64) -> io::Result<u32> {
        self.u32_at(offset + OBJECT_OFFSET)
    }

    /// Eight bytes of the object whose line begins at `offset`, from `at` on.
    pub(crate) fn u64_of(&self, offset: u64, at: u64) -> io::Result<u64> {
        self.u64_at(offset + OBJECT_OFFSET + at)
    }

    /// Overwrites the word of a lock that nobody uses at the moment.
    pub(crate) fn set_word(&self, offset: u64, word: u32) -> io::Result<()> {
        self.0.write_all_at(&word.to_le_bytes(), offset + OBJECT_OFFSET)
    }

    /// The slots whose bytes somebody has locked.
    pub(crate) fn taken_slots(&self) -> io::Result<Vec<u32>> {
        let mut slots = Vec::new();
        for slot in 0..SLOT_COUNT {
            // One look at all that are left ends the search; there are few.
            if !self.is_any_taken(slot, SLOT_COUNT - slot)? {
                break;
            }
            if self.is_any_taken(slot, 1)? {
                slots.push(slot);
            }
        }
        Ok(slots)
    }

    fn is_any_taken(&self, slot: u32, count: u32) -> io::Result<bool> {
        let mut request = libc::flock {
            l_type: libc::F_WRLCK as libc::c_short,
            l_whence: libc::SEEK_SET as libc::c_short,
            l_start: LOCK_BYTES_START + i64::from(slot),
            l_len: i64::from(count),
            l_pid: 0,
        };
        // SAFETY: The command reads and writes the structure, which outlives the call.
        match unsafe { libc::fcntl(self.0.as_raw_fd(), libc::F_OFD_GETLK, &raw mut request) } {
            -1 => Err(io::Error::last_os_error()),
            _ => Ok(i32::from(request.l_type) != libc::F_UNLCK),
        }
    }

    fn u32_at(&self, offset: u64) -> io::Result<u32> {
        let mut bytes = [0; 4];
        self.0.read_exact_at(&mut bytes, offset)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn u64_at(&self, offset: u64) -> io::Result<u64> {
        let mut bytes = [0; 8];
        self.0.read_exact_at(&mut bytes, offset)?;
        Ok(u64::from_le_bytes(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_is_the_librarys() {
        let segment = purlin_shm::Segment::anonymous(4096).unwrap();
        let file = SegmentFile::open(segment.descriptor()).unwrap();
        let token = Token::of(segment.attachment().token());
        assert_eq!((token.slot, file.cursor().unwrap()), (0, 1));
        assert_eq!(file.generation(0).unwrap(), token.generation);
        assert_eq!(file.taken_slots().unwrap(), [0]);
        assert_eq!(file.next().unwrap(), ARENA_OFFSET);
        let lock = purlin_sync::Lock::new_in(&segment).unwrap();
        assert_eq!(lock.offset(), ARENA_OFFSET);
        assert_eq!(file.next().unwrap(), ARENA_OFFSET + LINE_BYTES);
        let (what, check) = file.object(lock.offset()).unwrap();
        assert_eq!((what, check == 0), (1 | 1 << 16 | 4 << 32, false));
    }
}
