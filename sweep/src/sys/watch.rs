//! The memory that a stopped process shares with others: whether it has changed.

use core::ops::Range;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;

const PAGE: u64 = 4096;

/// In an entry of `/proc/PID/pagemap`: the process has this page at hand.
const IS_PRESENT: u64 = 1 << 63;

/// What a process had in its shared mappings when it was last looked at.
///
/// Only pages that it has at hand are looked at: it cannot have written to any other. One that is
/// new counts as a change.
pub(crate) struct Watch {
    pid: i32,
    memory: File,
    page_map: File,
    /// Memory of our own, which it shares, too.
    left_out: Vec<Range<u64>>,
    shared: Vec<Range<u64>>,
    pages: HashMap<u64, Vec<u8>>,
}

impl Watch {
    /// Looks for the first time.
    ///
    /// # Errors
    /// The system's.
    pub(crate) fn new(pid: i32, left_out: Vec<Range<u64>>) -> io::Result<Self> {
        let mut watch = Self::open(pid, left_out)?;
        watch.has_changed()?;
        Ok(watch)
    }

    fn open(pid: i32, left_out: Vec<Range<u64>>) -> io::Result<Self> {
        let open = |name| File::open(format!("/proc/{pid}/{name}"));
        let (memory, page_map) = (open("mem")?, open("pagemap")?);
        let mut watch =
            Self { pid, memory, page_map, left_out, shared: Vec::new(), pages: HashMap::new() };
        watch.look_for_mappings()?;
        Ok(watch)
    }

    /// To be called when the process may have mapped something.
    pub(crate) fn look_for_mappings(&mut self) -> io::Result<()> {
        let text = fs::read_to_string(format!("/proc/{}/maps", self.pid))?;
        self.shared = text.lines().filter_map(shared_mapping).collect();
        self.shared.retain(|range| !self.left_out.iter().any(|out| out.contains(&range.start)));
        Ok(())
    }

    /// Whether anything is other than at the last look.
    ///
    /// # Errors
    /// The system's.
    pub(crate) fn has_changed(&mut self) -> io::Result<bool> {
        let mut has_changed = false;
        for range in &self.shared {
            let mut entries = vec![0; ((range.end - range.start) / PAGE * 8) as usize];
            self.page_map.read_exact_at(&mut entries, range.start / PAGE * 8)?;
            for (index, entry) in entries.chunks_exact(8).enumerate() {
                let entry = u64::from_le_bytes(core::array::from_fn(|byte| entry[byte]));
                if entry & IS_PRESENT != 0 {
                    let page = range.start + index as u64 * PAGE;
                    has_changed |= look_at(&self.memory, &mut self.pages, page)?;
                }
            }
        }
        Ok(has_changed)
    }
}

fn look_at(memory: &File, pages: &mut HashMap<u64, Vec<u8>>, page: u64) -> io::Result<bool> {
    let mut now = [0; PAGE as usize];
    memory.read_exact_at(&mut now, page)?;
    let before = pages.entry(page).or_default();
    let is_same = **before == now;
    if !is_same {
        *before = now.to_vec();
    }
    Ok(!is_same)
}

/// `7f00-7f10 rw-s …`: where it is, if it is shared and can be read.
fn shared_mapping(line: &str) -> Option<Range<u64>> {
    let (range, rest) = line.split_once(' ')?;
    let (start, end) = range.split_once('-')?;
    let access = rest.as_bytes();
    let is_shared = access.first() == Some(&b'r') && access.get(3) == Some(&b's');
    let number = |text| u64::from_str_radix(text, 16).ok();
    is_shared.then_some(number(start)?..number(end)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::cells::Cells;

    #[test]
    fn a_store_to_shared_memory_is_seen_once_and_to_what_is_left_out_never() {
        let (cells, other) = (Cells::new().unwrap(), Cells::new().unwrap());
        cells.set(7, 1);
        other.set(7, 1);
        let ours = [cells.addresses(), other.addresses()];
        let mut watch = of_ours(&ours, Vec::new());
        assert!(!watch.has_changed().unwrap());
        cells.set(7, 2);
        assert_eq!([(); 2].map(|()| watch.has_changed().unwrap()), [true, false]);
        let mut watch = of_ours(&ours, vec![other.addresses()]);
        other.set(7, 3);
        assert!(!watch.has_changed().unwrap());
        cells.set(7, 3);
        assert!(watch.has_changed().unwrap());
    }

    /// Of these mappings alone: this process does not stand still, and what other threads map may
    /// be gone when it is read.
    fn of_ours(ours: &[Range<u64>], left_out: Vec<Range<u64>>) -> Watch {
        let mut watch = Watch::open(std::process::id().cast_signed(), left_out).unwrap();
        watch.shared.retain(|range| ours.iter().any(|our| our.start == range.start));
        watch.has_changed().unwrap();
        watch
    }

    #[test]
    fn only_shared_mappings_count() {
        let line = "7f00a000-7f00c000 rw-s 00000000 00:01 1036 /memfd:x (deleted)";
        assert_eq!(shared_mapping(line), Some(0x7f00_a000..0x7f00_c000));
        for line in ["7f00a000-7f00c000 rw-p 00000000 00:00 0", "7f00a000-7f00c000 ---s 0 0 0", ""]
        {
            assert_eq!(shared_mapping(line), None);
        }
    }
}
