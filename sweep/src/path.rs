//! The way of a role from its begin mark to its end mark, as a run that was stepped whole has seen
//! it: where to go at full speed, so that only little is left to step.

use std::collections::{HashMap, HashSet};

/// A place soon before a point, to which the role runs at full speed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Landing {
    /// The instruction.
    pub(crate) address: u64,
    /// It is the one that is meant when it comes for this time.
    pub(crate) rank: u64,
    /// There is no system call before it: a role that makes one has gone another way. Or there may
    /// be some, which nobody needs to hear of.
    pub(crate) makes_no_call: bool,
    /// How many steps that is from where it began to run.
    pub(crate) steps: u64,
    /// The instruction at the point itself: a role that stands elsewhere has gone another way, and
    /// is stepped whole. None behind the end.
    pub(crate) goal: Option<u64>,
}

/// The way, and for each place on it how often its instruction had come.
#[derive(Clone, Debug, Default)]
pub(crate) struct Path {
    addresses: Vec<u64>,
    /// 0: no place to land at.
    ranks: Vec<u64>,
    is_by_calls: bool,
}

impl Path {
    /// Of the addresses after 0, 1, 2… steps. Instructions are counted from 0 on; and, where
    /// `calls` are told, the steps after which there is a system call, from behind each of them.
    pub(crate) fn new(addresses: Vec<u64>, calls: Option<&[u64]>) -> Self {
        let repeated: HashSet<u64> =
            addresses.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
        let (mut counts, mut ranks) = (HashMap::new(), Vec::with_capacity(addresses.len()));
        let mut begins = calls.unwrap_or_default().iter().map(|call| call + 1).peekable();
        let mut first = addresses.first();
        for (steps, address) in addresses.iter().enumerate() {
            if begins.next_if_eq(&(steps as u64)).is_some() {
                counts.clear();
                first = Some(address);
            }
            let count = counts.entry(*address).or_insert(0);
            *count += 1;
            // Whether the role stops where it already stands, or at each turn of an instruction
            // that repeats itself, is not to matter.
            let is_fit = first != Some(address) && !repeated.contains(address);
            ranks.push(if is_fit { *count } else { 0 });
        }
        Self { addresses, ranks, is_by_calls: calls.is_some() }
    }

    /// The cheapest landing for the point after `steps`, of a role that begins to run after
    /// `begin`; none where stepping is as cheap.
    pub(crate) fn landing(&self, begin: u64, steps: u64) -> Option<Landing> {
        let goal = self.addresses.get(steps as usize).copied();
        let last = steps.min(self.addresses.len().checked_sub(1)? as u64);
        let (mut best, mut best_cost) = (None, steps.checked_sub(begin)?);
        for place in (begin..=last).rev() {
            if steps - place >= best_cost {
                break;
            }
            let (address, rank) = (self.addresses[place as usize], self.ranks[place as usize]);
            let cost = steps - place + rank;
            if rank > 0 && cost < best_cost {
                best_cost = cost;
                let makes_no_call = self.is_by_calls;
                best = Some(Landing { address, rank, makes_no_call, steps: place - begin, goal });
            }
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Straight, a loop of three that is run four times, straight.
    const ADDRESSES: [u64; 18] = [1, 2, 3, 11, 12, 13, 11, 12, 13, 11, 12, 13, 11, 12, 13, 4, 5, 6];

    fn landing(begin: u64, steps: u64) -> Option<(u64, u64, u64)> {
        let landing = Path::new(ADDRESSES.into(), Some(&[4])).landing(begin, steps)?;
        assert_eq!(landing.goal, ADDRESSES.get(steps as usize).copied());
        Some((landing.address, landing.rank, landing.steps))
    }

    #[test]
    fn a_landing_is_as_near_as_its_instruction_is_rare() {
        assert_eq!(landing(5, 16), Some((5, 1, 11)));
        assert_eq!(landing(5, 15), Some((4, 1, 10)));
        assert_eq!(landing(5, 7), Some((12, 1, 2)));
        assert_eq!(landing(5, 17), Some((6, 1, 12)));
        // Behind the end: the last place on the way.
        assert_eq!(landing(5, 20), Some((6, 1, 12)));
    }

    #[test]
    fn nobody_lands_where_it_stands_or_where_stepping_is_as_cheap() {
        assert_eq!(landing(0, 0), None);
        assert_eq!(landing(0, 1), None);
        assert_eq!(landing(0, 2), Some((3, 1, 2)));
        assert_eq!(landing(5, 6), None);
        assert_eq!(landing(20, 7), None);
    }

    #[test]
    fn an_instruction_that_repeats_itself_is_no_landing() {
        let path = Path::new(vec![1, 4, 2, 7, 7, 7, 7, 7, 3], None);
        assert_eq!(path.landing(0, 6).map(|landing| landing.steps), Some(2));
        assert_eq!(path.landing(0, 8).map(|landing| landing.steps), Some(8));
    }
}
