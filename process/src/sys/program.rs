//! Where the code of this program lies, and so which functions mean the same in another process of
//! the same program.
#![expect(unsafe_code, reason = "the loader's list of programs, dl_iterate_phdr(3)")]

use std::ffi::c_void;
use std::sync::OnceLock;

/// Where the loader put the main program.
struct Program {
    base: usize,
    headers: &'static [libc::Elf64_Phdr],
}

static PROGRAM: OnceLock<Program> = OnceLock::new();

/// Asks the loader where this program is, once. Early, since its list has a lock that a fork may
/// copy as held by a thread that is gone.
pub(crate) fn locate() {
    program();
}

/// How far behind the start of the program a place of its code lies: the same in every process of
/// this program. `None` when it is no code of the main program: a plugin's lies elsewhere in each.
pub(crate) fn offset_of(address: usize) -> Option<u64> {
    let offset = address.wrapping_sub(program().base) as u64;
    program().holds(offset).then_some(offset)
}

/// The place of the code that lies so far behind the start of this program; `None` when no code of
/// the main program does.
pub(crate) fn address_of(offset: u64) -> Option<usize> {
    program().holds(offset).then(|| program().base.wrapping_add(offset as usize))
}

fn program() -> &'static Program {
    PROGRAM.get_or_init(|| {
        let mut program = Program { base: 0, headers: &[] };
        // SAFETY: The callback gets `program`, which lives longer than the call, and keeps nothing.
        unsafe { libc::dl_iterate_phdr(Some(look), (&raw mut program).cast()) };
        program
    })
}

/// A number that stands for the code of this program: another program's code has another one, but
/// for one in 2^64 that differ. `None` when the code may be executed and not read.
pub(crate) fn code() -> Option<u64> {
    let program = program();
    let is_code = |header: &&libc::Elf64_Phdr| {
        header.p_type == libc::PT_LOAD && header.p_flags & libc::PF_X != 0
    };
    program.headers.iter().filter(is_code).try_fold(0, |code, header| {
        if header.p_flags & libc::PF_R == 0 {
            return None;
        }
        let place = program.base.wrapping_add(header.p_vaddr as usize);
        // SAFETY: The loader has mapped this much of the file there, to be read, and it stays there
        // as long as the program. Code is not written to.
        let bytes = unsafe {
            core::slice::from_raw_parts(
                core::ptr::with_exposed_provenance::<u8>(place),
                header.p_filesz as usize,
            )
        };
        Some(with_bytes(with_word(code, header.p_vaddr), bytes))
    })
}

fn with_bytes(before: u64, bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let words = words.iter().map(|word| u64::from_le_bytes(*word));
    let rest = rest.iter().copied().map(u64::from);
    words.chain(rest).fold(with_word(before, bytes.len() as u64), with_word)
}

/// One more word. Each of its steps can be undone, so that two that differ in one word differ.
fn with_word(before: u64, word: u64) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15; // 2^64 by the golden ratio: its bits are well spread
    (before.rotate_left(5) ^ word).wrapping_mul(ODD)
}

impl Program {
    fn holds(&self, offset: u64) -> bool {
        self.headers.iter().any(|header| {
            header.p_type == libc::PT_LOAD
                && header.p_flags & libc::PF_X != 0
                && offset.checked_sub(header.p_vaddr).is_some_and(|within| within < header.p_memsz)
        })
    }
}

/// Called for the first entry of the list, which is the main program, and for no further one.
unsafe extern "C" fn look(
    info: *mut libc::dl_phdr_info,
    _size: libc::size_t,
    program: *mut c_void,
) -> libc::c_int {
    // SAFETY: The loader passes a valid entry, and `program` is the one of our caller, which nobody
    // else touches meanwhile.
    let (info, program) = unsafe { (&*info, &mut *program.cast::<Program>()) };
    let count = usize::from(info.dlpi_phnum);
    // SAFETY: The entry says where its headers are and how many; they stay as long as the program.
    program.headers = unsafe { core::slice::from_raw_parts(info.dlpi_phdr, count) };
    program.base = info.dlpi_addr as usize;
    1 // enough
}

/// Code that the loader put somewhere else than this program's, as it does with a plugin's.
#[cfg(test)]
pub(crate) fn address_in_a_library() -> usize {
    libc::getpid as *const () as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_of_this_program_is_found_again_and_nothing_else_is() {
        let here = look as *const () as usize;
        let offset = offset_of(here).expect("code of this program");
        assert_eq!(address_of(offset), Some(here));
        static DATA: u8 = 7;
        assert_eq!(offset_of(&raw const DATA as usize), None);
        assert_eq!(offset_of(address_in_a_library()), None);
        for outside in [0, 1 << 40, u64::MAX] {
            assert_eq!(address_of(outside), None, "{outside:x}");
        }
    }

    #[test]
    fn code_has_a_number_that_a_byte_changes() {
        assert!(code().is_some());
        assert_eq!(code(), code());
        let bytes = *b"some code, nineteen";
        let number = with_bytes(7, &bytes);
        for place in 0..bytes.len() {
            let mut other = bytes;
            other[place] ^= 1;
            assert_ne!(with_bytes(7, &other), number, "{place}");
        }
        assert_ne!(with_bytes(7, &bytes[1..]), number);
    }
}
