//! Where the code of this program lies, and so which functions mean the same in another process of
//! the same program.
#![expect(unsafe_code, reason = "the loader's list of programs, dl_iterate_phdr(3)")]

use std::ffi::c_void;

/// How far behind the start of the program a place of its code lies: the same in every process of
/// this program. `None` when it is no code of the main program: a plugin's lies elsewhere in each.
pub(crate) fn offset_of(address: usize) -> Option<u64> {
    let mut asked = Asked { address: Some(address), offset: 0, found: None };
    asked.ask();
    asked.found.map(|(_, offset)| offset)
}

/// The place of the code that lies so far behind the start of this program; `None` when no code of
/// the main program does.
pub(crate) fn address_of(offset: u64) -> Option<usize> {
    let mut asked = Asked { address: None, offset, found: None };
    asked.ask();
    asked.found.map(|(address, _)| address)
}

/// A number that stands for the code of this program: another program's code has another one, but
/// for one in 2^64 that differ. `None` when the code may be executed and not read.
pub(crate) fn code() -> Option<u64> {
    let mut code = Some(0);
    // SAFETY: The callback gets `code`, which lives longer than the call, and keeps nothing.
    unsafe { libc::dl_iterate_phdr(Some(sum_up), (&raw mut code).cast()) };
    code
}

/// Called for the first program of the list, and for no further one.
unsafe extern "C" fn sum_up(
    info: *mut libc::dl_phdr_info,
    _size: libc::size_t,
    code: *mut c_void,
) -> libc::c_int {
    // SAFETY: The loader passes a valid entry, and `code` is the one of the function above, which
    // nobody else touches meanwhile.
    let (info, code) = unsafe { (&*info, &mut *code.cast::<Option<u64>>()) };
    // SAFETY: The entry says where its headers are and how many; they stay as long as the program.
    let headers =
        unsafe { core::slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum)) };
    let is_code = |header: &&libc::Elf64_Phdr| {
        header.p_type == libc::PT_LOAD && header.p_flags & libc::PF_X != 0
    };
    for header in headers.iter().filter(is_code) {
        if header.p_flags & libc::PF_R == 0 {
            *code = None;
            return 1;
        }
        let place = info.dlpi_addr.wrapping_add(header.p_vaddr) as usize;
        // SAFETY: The loader has mapped this much of the file there, to be read, and it stays there
        // as long as the program. Code is not written to.
        let bytes = unsafe {
            core::slice::from_raw_parts(
                core::ptr::with_exposed_provenance::<u8>(place),
                header.p_filesz as usize,
            )
        };
        *code = code.map(|before| with_bytes(with_word(before, header.p_vaddr), bytes));
    }
    1 // enough
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

/// A question to the first entry of the loader's list, which is the main program.
struct Asked {
    /// The place that is looked for; by its offset, without.
    address: Option<usize>,
    offset: u64,
    found: Option<(usize, u64)>,
}

impl Asked {
    fn ask(&mut self) {
        // SAFETY: The callback gets `self`, which lives longer than the call, and keeps nothing.
        unsafe { libc::dl_iterate_phdr(Some(look), core::ptr::from_mut(self).cast()) };
    }

    fn look(&mut self, base: usize, headers: &[libc::Elf64_Phdr]) {
        let wanted = match self.address {
            Some(address) => address.wrapping_sub(base) as u64,
            None => self.offset,
        };
        let holds = |header: &libc::Elf64_Phdr| {
            header.p_type == libc::PT_LOAD
                && header.p_flags & libc::PF_X != 0
                && wanted.checked_sub(header.p_vaddr).is_some_and(|within| within < header.p_memsz)
        };
        if headers.iter().any(holds) {
            self.found = Some((base.wrapping_add(wanted as usize), wanted));
        }
    }
}

/// Called for the first program of the list, and for no further one.
unsafe extern "C" fn look(
    info: *mut libc::dl_phdr_info,
    _size: libc::size_t,
    asked: *mut c_void,
) -> libc::c_int {
    // SAFETY: The loader passes a valid entry, and `asked` is the one of `ask`, which nobody else
    // touches meanwhile.
    let (info, asked) = unsafe { (&*info, &mut *asked.cast::<Asked>()) };
    let count = usize::from(info.dlpi_phnum);
    // SAFETY: The entry says where its headers are and how many; they stay as long as the program.
    let headers = unsafe { core::slice::from_raw_parts(info.dlpi_phdr, count) };
    asked.look(info.dlpi_addr as usize, headers);
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
