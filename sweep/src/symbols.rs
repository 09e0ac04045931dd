//! Which function an address lies in: the symbol tables of the files that this process has mapped.
//! Roles are forked from it, so that their addresses are its own.

use std::collections::HashMap;
use std::fs;

/// Names for addresses.
#[derive(Debug, Default)]
pub(crate) struct Symbols {
    files: HashMap<String, Vec<Symbol>>,
}

/// A function in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Symbol {
    address: u64,
    name: String,
}

/// A part of a file as it is mapped.
struct Mapped {
    /// What to take off an address to get the file's own.
    bias: u64,
    path: String,
}

impl Symbols {
    /// The function that `address` lies in, and how far; where there is no name, the file.
    pub(crate) fn name(&mut self, address: u64) -> String {
        let Some(mapped) = mapping_of(address) else { return format!("{address:#x}") };
        let own_address = address.wrapping_sub(mapped.bias);
        let symbols = self
            .files
            .entry(mapped.path.clone())
            .or_insert_with(|| fs::read(&mapped.path).map(|file| read(&file)).unwrap_or_default());
        let after = symbols.partition_point(|symbol| symbol.address <= own_address);
        let file = mapped.path.rsplit('/').next().unwrap_or_default();
        match symbols[..after].last() {
            Some(found) => {
                let name = rustc_demangle::demangle(&found.name);
                format!("{name:#}+{:#x}", own_address - found.address)
            }
            None => format!("{file}+{own_address:#x}"),
        }
    }
}

/// What of which file is mapped at `address`.
fn mapping_of(address: u64) -> Option<Mapped> {
    let text = fs::read_to_string("/proc/self/maps").ok()?;
    let mut bases: HashMap<&str, u64> = HashMap::new();
    for line in text.lines() {
        let mut words = line.split_ascii_whitespace();
        let (range, path) = (words.next()?, words.nth(4).unwrap_or("[anonymous]"));
        let (start, end) = range.split_once('-')?;
        let start = u64::from_str_radix(start, 16).ok()?;
        // A position-independent file begins where its first part is mapped.
        let bias = *bases.entry(path).or_insert(start);
        if (start..u64::from_str_radix(end, 16).ok()?).contains(&address) {
            return Some(Mapped { bias, path: path.to_owned() });
        }
    }
    None
}

/// The functions of an ELF file of 64 bits, by address, see `elf(5)`; none for any other file.
fn read(file: &[u8]) -> Vec<Symbol> {
    const SYMTAB: u64 = 2;
    const DYNSYM: u64 = 11;
    let mut symbols = Vec::new();
    for kind in [SYMTAB, DYNSYM] {
        if symbols.is_empty() {
            symbols = read_table(file, kind).unwrap_or_default();
        }
    }
    symbols.sort_by_key(|symbol| symbol.address);
    symbols
}

fn read_table(file: &[u8], kind: u64) -> Option<Vec<Symbol>> {
    const FUNCTION: u64 = 2;
    if file.get(..5)? != b"\x7fELF\x02" {
        return None;
    }
    let (start, size) = (number(file, 0, 0x28, 8)?, number(file, 0, 0x3a, 2)?);
    let section = |index: u64| start.checked_add(index.checked_mul(size)?);
    let sections = (0..number(file, 0, 0x3c, 2)?).filter_map(section);
    let table = sections.into_iter().find(|at| number(file, *at, 4, 4) == Some(kind))?;
    let (offset, bytes) = (number(file, table, 24, 8)?, number(file, table, 32, 8)?);
    let names = number(file, section(number(file, table, 40, 4)?)?, 24, 8)?;
    let mut symbols = Vec::new();
    for entry in (0..bytes / 24).filter_map(|index| offset.checked_add(index * 24)) {
        let is_function = number(file, entry, 4, 1)? & 0xf == FUNCTION;
        let (name, address) = (number(file, entry, 0, 4)?, number(file, entry, 8, 8)?);
        if is_function && address != 0 {
            symbols.push(Symbol { address, name: text(file, names.checked_add(name)?)? });
        }
    }
    Some(symbols)
}

/// The number of `len` bytes that stands `offset` bytes into what begins at `start`.
fn number(file: &[u8], start: u64, offset: u64, len: usize) -> Option<u64> {
    let at = usize::try_from(start.checked_add(offset)?).ok()?;
    let mut word = [0; 8];
    word[..len].copy_from_slice(file.get(at..at.checked_add(len)?)?);
    Some(u64::from_le_bytes(word))
}

fn text(file: &[u8], at: u64) -> Option<String> {
    let rest = file.get(usize::try_from(at).ok()?..)?;
    let end = rest.iter().position(|byte| *byte == 0)?;
    Some(String::from_utf8_lossy(&rest[..end]).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_the_name_of_its_function() {
        let address = mapping_of as *const () as u64;
        let name = Symbols::default().name(address);
        assert!(name.contains("symbols::mapping_of") && name.ends_with("+0x0"), "{name}");
    }

    #[test]
    fn what_is_no_elf_file_has_no_symbols() {
        assert!(read(b"").is_empty());
        assert!(read(b"\x7fELF\x02 and then nothing").is_empty());
        assert!(read(&[&b"\x7fELF\x02"[..], &[0xff; 200]].concat()).is_empty());
        assert_eq!(Symbols::default().name(1), "0x1");
    }
}
