//! A file that claims to be a segment, and what a peer writes into it while it is used.
//!
//! | bytes | what they say |
//! |---|---|
//! | 0 | flags, see below |
//! | 1..5 | the length of the file, 64 KiB at most; 0 stands for that of a sound segment |
//! | 5..13 | where an object is opened |
//! | 1 | of a piece: how many bytes, 127 at most; bit 7: written after the attach, not before |
//! | 2 | where in the file |
//! | … | the bytes; more pieces follow |

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::sync::OnceLock;
use std::time::Duration;

use purlin_shm::Segment;
use purlin_sync::{ByAnyone, ByHolder, ByThread, Error, Exclusive, Lock, Rules};

use super::descriptors;
use super::input::Input;

/// The pieces are written on zeros, not on a sound segment.
const ON_ZEROS: u8 = 1;
/// The check in the header is made to fit what stands there before the attach.
const HEADER_FITS: u8 = 2;
/// So is the check of the object that is opened, before it is.
const OBJECT_FITS: u8 = 4;
const UNSEALED: u8 = 8;

const FILE_MAX_BYTES: usize = 1 << 16;
const AFTER_ATTACH: u8 = 0x80;

/// Attaches to what the input describes, and does with it all that can be done. Says how far that
/// came: `acquired`, `opened` or `attached`, or the kind of error that refused the file.
pub fn run(data: &[u8]) -> &'static str {
    let mut input = Input::new(data);
    let (flags, len, offset) = (input.byte(), input.number(4) as usize, input.number(8));
    let pieces = pieces(input);
    let mut bytes = if flags & ON_ZEROS != 0 { vec![0; sound().len()] } else { sound().to_vec() };
    if len != 0 {
        bytes.resize(len % (FILE_MAX_BYTES + 1), 0);
    }
    for piece in pieces.iter().filter(|piece| !piece.is_after) {
        let places = bytes.iter_mut().skip(piece.at);
        places.zip(piece.bytes).for_each(|(place, byte)| *place = *byte);
    }
    if flags & HEADER_FITS != 0 {
        fit_header(&mut bytes);
    }
    let file = descriptors::memory_file(&bytes, flags & UNSEALED == 0);
    let segment = match Segment::from_descriptor(duplicate(&file)) {
        Ok(segment) => segment,
        Err(error) => return error.kind(),
    };
    for piece in pieces.iter().filter(|piece| piece.is_after) {
        // Refused beyond the end of a sealed file.
        let _ = file.write_all_at(piece.bytes, piece.at as u64);
    }
    if flags & OBJECT_FITS != 0 {
        fit_object(&file, offset);
    }
    let came = use_segment(&segment, offset);
    // Once more, now that it was overwritten: what it says of itself may be refused now.
    let _ = Segment::from_descriptor(duplicate(&file));
    came
}

struct Piece<'a> {
    is_after: bool,
    at: usize,
    bytes: &'a [u8],
}

fn pieces(mut input: Input<'_>) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    while !input.is_over() {
        let (head, at) = (input.byte(), input.number(2) as usize);
        let bytes = input.bytes(usize::from(head & !AFTER_ATTACH));
        pieces.push(Piece { is_after: head & AFTER_ATTACH != 0, at, bytes });
    }
    pieces
}

fn use_segment(segment: &Segment, offset: u64) -> &'static str {
    let mut came = "attached";
    for told in [
        use_lock(Exclusive::<ByHolder>::open(segment, offset)),
        use_lock(Exclusive::<ByAnyone>::open(segment, offset)),
        use_lock(Exclusive::<ByThread>::open(segment, offset)),
    ] {
        match told {
            Some(true) => came = "acquired",
            Some(false) if came == "attached" => came = "opened",
            _ => {}
        }
    }
    let _ = use_lock(Lock::new_in(segment));
    let attachment = segment.attachment();
    for other in [attachment.token(), offset as u32] {
        let _ = attachment.is_dead(other, u32::MAX);
    }
    let _ = segment.capacity_bytes();
    came
}

/// Whether it was opened, and acquired.
fn use_lock<R: Rules>(lock: Result<Exclusive<R>, Error>) -> Option<bool> {
    let lock = lock.ok()?;
    let mut is_acquired = false;
    if let Ok(told) = lock.acquire(Duration::ZERO) {
        is_acquired = true;
        drop(told.sound());
    }
    let _ = lock.try_acquire().map(|told| told.keep());
    let _ = lock.is_mine();
    let _ = lock.recover();
    let _ = lock.release();
    let _ = lock.release();
    drop(lock.clone());
    Some(is_acquired)
}

/// The same bytes each time, so that an input means the same each time.
fn sound() -> &'static [u8] {
    static SOUND: OnceLock<Vec<u8>> = OnceLock::new();
    SOUND.get_or_init(|| descriptors::bytes_of(&descriptors::segment()))
}

fn duplicate(file: &File) -> OwnedFd {
    file.try_clone().expect("a descriptor").into()
}

/// The check over the header's fields, as a peer would make it that means harm: magic, layout and
/// slots, size, arena, origin.
fn fit_header(bytes: &mut [u8]) {
    let Some(header) = bytes.get_mut(..48) else { return };
    let word = |at: usize| u64::from_le_bytes(std::array::from_fn(|index| header[at + index]));
    let check = [8, 16, 24, 40].iter().fold(word(0), |state, at| mix(state, word(*at)));
    header[32..40].copy_from_slice(&check.to_le_bytes());
}

/// The check before an object: over its first eight bytes and its offset.
fn fit_object(file: &File, offset: u64) {
    let mut what = [0; 8];
    if offset <= FILE_MAX_BYTES as u64 && file.read_exact_at(&mut what, offset).is_ok() {
        let check = mix(u64::from_le_bytes(what), offset) | 1;
        let _ = file.write_all_at(&check.to_le_bytes(), offset + 8);
    }
}

/// As in `shm/src/header.rs`; a seed of the corpus fails when they differ.
const fn mix(state: u64, value: u64) -> u64 {
    let mut word = (state.rotate_left(23) ^ value).wrapping_add(0x9e37_79b9_7f4a_7c15);
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}
