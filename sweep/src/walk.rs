//! The points of a sweep, one after the other: how many steps, and which cuts into system calls.

use crate::limits::{CUT_MICROS, END_COUNT, REHEARSAL_COUNT};
use crate::path::{Landing, Path};
use crate::plan::{Cut, Kill};
use crate::record::{Death, Record};

/// How closely to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Density {
    /// Every so many instructions.
    Stride(u64),
    /// Some so many points, evenly spread, from the middle of the first part on; and, in a sweep of
    /// single deaths, some system calls.
    Points(u64),
    /// Each instruction after which shared memory or the kernel may be other than before it, as a
    /// run up to the end saw them: between two of these it makes no difference to others where
    /// somebody dies. Or every so many of them only.
    Changes(u64),
}

/// The part between the marks, as a run up to the end saw it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Region {
    pub(crate) step_count: u64,
    pub(crate) calls: Vec<u64>,
    pub(crate) changes: Vec<u64>,
    pub(crate) path: Path,
}

impl Region {
    /// Of a role that ran to the end mark, with all that was noted. In a long one, points are
    /// counted from system calls on.
    pub(crate) fn noted(step_count: u64, record: &Record, is_long: bool) -> Self {
        let calls = record.calls();
        let path = Path::new(record.addresses(), is_long.then_some(&calls));
        Self { step_count, changes: record.changes(), path, calls }
    }

    /// Where to let a role run to that is to be killed there.
    pub(crate) fn landing(&self, kill: Kill) -> Option<Landing> {
        let begin = match kill.calls.checked_sub(1) {
            None => 0,
            Some(last) => *self.calls.get(last as usize)? + 1,
        };
        self.path.landing(begin, begin.checked_add(kill.steps)?)
    }

    /// The point after so many steps, as one after the last system call before it: whoever is
    /// killed there has run up to that at full speed.
    pub(crate) fn behind_last_call(&self, steps: u64) -> Kill {
        let count = self.calls.partition_point(|call| *call < steps);
        let begin = count.checked_sub(1).map_or(0, |last| self.calls[last] + 1);
        Kill { calls: count as u64, ..Kill::before(steps - begin) }
    }
}

impl Density {
    /// How often a region is measured before it is swept.
    pub(crate) const fn rehearsal_count(self) -> u32 {
        match self {
            Self::Stride(_) | Self::Changes(_) => REHEARSAL_COUNT,
            Self::Points(_) => 1,
        }
    }

    /// Whether what others see is watched.
    pub(crate) const fn looks_at_changes(self) -> bool {
        matches!(self, Self::Changes(_))
    }

    fn stride(self, step_count: u64) -> u64 {
        match self {
            Self::Stride(stride) => stride.max(1),
            Self::Points(count) => step_count.div_ceil(count.max(1)).max(1),
            Self::Changes(_) => step_count.max(1),
        }
    }
}

/// The numbers of steps to try: multiples of the stride until the end mark has been reached a few
/// times; or, in a sample, those before the end, and some system calls.
pub(crate) struct Walk {
    stride: u64,
    next: u64,
    /// Those that come first, from the back.
    given: Vec<u64>,
    /// As long as the region is: an end before it was an easy run.
    step_count: u64,
    ends_left: u32,
    is_sample: bool,
    has_all_cuts: bool,
    cut_count: usize,
}

impl Walk {
    pub(crate) fn new(density: Density, region: &Region) -> Self {
        let stride = density.stride(region.step_count);
        let walk = Self {
            stride,
            next: 0,
            given: Vec::new(),
            step_count: region.step_count,
            ends_left: END_COUNT,
            is_sample: true,
            has_all_cuts: true,
            cut_count: 0,
        };
        match density {
            Density::Stride(_) => Self { is_sample: false, ..walk },
            Density::Changes(stride) => {
                let changes = region.changes.iter().copied();
                let mut given: Vec<_> = changes.step_by(stride.max(1) as usize).collect();
                given.push(region.step_count);
                given.reverse();
                Self { given, next: region.step_count, ..walk }
            }
            Density::Points(count) => {
                let every = region.calls.len().div_ceil((count / 2).max(1) as usize).max(1);
                let given = region.calls.iter().copied().step_by(every).collect();
                Self { given, next: stride / 2, has_all_cuts: false, ..walk }
            }
        }
    }

    /// How to cut into the system call that was just found: in every way, or, of some points only,
    /// in one at a time.
    pub(crate) fn cuts(&mut self) -> Vec<Cut> {
        let mut cuts: Vec<_> = CUT_MICROS.map(|micros| Cut::Within { micros }).into();
        cuts.push(Cut::Asleep);
        if !self.has_all_cuts {
            self.cut_count += 1;
            cuts = vec![cuts[self.cut_count % cuts.len()]];
        }
        cuts
    }

    pub(crate) fn next(&mut self) -> Option<u64> {
        if let Some(steps) = self.given.pop() {
            return Some(steps);
        }
        // To the end, and unharmed, a sample has come when its region was measured.
        if self.ends_left == 0 || self.is_sample && self.next >= self.step_count {
            return None;
        }
        let steps = self.next;
        self.next += self.stride;
        Some(steps)
    }

    /// What came of the last one. A step that sleeps for good is an end where the region has no
    /// later steps, and nowhere else.
    pub(crate) fn note(&mut self, death: &Death) {
        let is_end = death.has_reached_end || death.is_stuck;
        if is_end && self.next >= self.step_count.saturating_add(self.stride) {
            self.ends_left = self.ends_left.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(step_count: u64) -> Region {
        Region { step_count, ..Region::default() }
    }

    fn walked(density: Density, region: &Region) -> Vec<u64> {
        let mut walk = Walk::new(density, region);
        let mut seen = Vec::new();
        while let Some(steps) = walk.next() {
            seen.push(steps);
            walk.note(&Death { has_reached_end: steps >= 20, ..Death::default() });
        }
        seen
    }

    #[test]
    fn a_walk_ends_when_the_end_was_reached_a_few_times() {
        assert_eq!(walked(Density::Stride(10), &of(20)), [0, 10, 20, 30, 40]);
    }

    #[test]
    fn a_step_that_sleeps_for_good_ends_no_walk_before_its_end() {
        let mut walk = Walk::new(Density::Stride(1), &of(20));
        let mut seen = 0;
        while let Some(steps) = walk.next() {
            seen = steps;
            let (is_stuck, has_reached_end) = (steps % 7 == 5, steps >= 20);
            walk.note(&Death { is_stuck, has_reached_end, ..Death::default() });
        }
        assert_eq!(seen, 22);
        // One that is the region's last is its end.
        let mut walk = Walk::new(Density::Stride(1), &of(20));
        while let Some(steps) = walk.next() {
            seen = steps;
            walk.note(&Death { is_stuck: steps >= 20, ..Death::default() });
        }
        assert_eq!(seen, 22);
    }

    #[test]
    fn a_sample_has_some_system_calls_too() {
        let region = Region { step_count: 20, calls: vec![1, 3, 5, 7], ..Region::default() };
        assert_eq!(walked(Density::Points(4), &region), [5, 1, 2, 7, 12, 17]);
    }

    #[test]
    fn of_changes_each_is_walked_to_and_the_end() {
        let region = Region { step_count: 20, changes: vec![0, 3, 5, 7], ..Region::default() };
        assert_eq!(walked(Density::Changes(1), &region), [0, 3, 5, 7, 20]);
        assert_eq!(walked(Density::Changes(3), &region), [0, 7, 20]);
        assert_eq!(Walk::new(Density::Changes(1), &region).cuts().len(), CUT_MICROS.len() + 1);
    }

    #[test]
    fn a_point_is_counted_from_the_last_system_call_before_it() {
        let region = Region { step_count: 20, calls: vec![3, 4, 9], ..Region::default() };
        let point = |steps| region.behind_last_call(steps).to_string();
        assert_eq!(
            [0, 3, 4, 5, 9, 10, 25].map(point),
            ["0", "3", "1:0", "2:0", "2:4", "3:0", "3:15"]
        );
    }

    #[test]
    fn points_are_spread_over_the_region() {
        assert_eq!(Density::Points(10).stride(995), 100);
        assert_eq!(Density::Points(10).stride(3), 1);
        assert_eq!(Density::Stride(0).stride(3), 1);
    }
}
