//! Who of the subject sleeps, and how: the adapter, its actors, and whatever else is in the group.

use std::collections::BTreeSet;

use super::Session;
use crate::actor::State;
use crate::evidence::{self, Look, Sleep};

/// One thread of the subject at rest: process, thread, how it sleeps.
pub(crate) type Resting = (i32, i32, Sleep);

/// One thread of the subject: process, thread, what a look at it showed.
pub(crate) type Seen = (i32, i32, Look);

impl Session {
    /// Every thread in the adapter's group that has not ended. One that the runner stopped sleeps
    /// without a limit; a helper that stands still sleeps, too, until somebody continues it. Costs
    /// a look at each process of the system.
    pub(crate) fn all_seen(&self) -> Vec<Seen> {
        self.seen(evidence::process_group(self.adapter.pid()).into_iter())
    }

    /// Those threads, if each of them sleeps.
    pub(crate) fn at_rest(&self) -> Option<Vec<Resting>> {
        // These alone are cheap to find, and mostly one of them is awake if any is.
        let living = self.actors.values().filter(|actor| actor.is_process() && actor.is_living());
        let known = [self.adapter.pid()].into_iter().chain(living.map(|actor| actor.pid));
        resting(self.seen(known))?;
        resting(self.all_seen())
    }

    /// Whether any thread of the subject runs, or wants to.
    pub(crate) fn is_awake(&self) -> bool {
        self.adapter.is_awake()
    }

    fn seen(&self, pids: impl Iterator<Item = i32>) -> Vec<Seen> {
        let frozen = self.actors.values().filter(|actor| actor.state == State::Frozen);
        let frozen: BTreeSet<i32> = frozen.map(|actor| actor.pid).collect();
        let actors = self.actors.values().map(|actor| actor.pid);
        let known: BTreeSet<i32> = actors.chain([self.adapter.pid()]).collect();
        let mut seen = Vec::new();
        for pid in pids {
            for tid in evidence::threads(pid) {
                match evidence::look(pid, tid) {
                    Look::Gone => {}
                    Look::Stopped { switches } if frozen.contains(&pid) => {
                        let sleep = Sleep { has_limit: false, switches };
                        seen.push((pid, tid, Look::Asleep(sleep)));
                    }
                    // A script may have stopped it, such as a server, and may continue it.
                    Look::Stopped { switches } if !known.contains(&pid) => {
                        let sleep = Sleep { has_limit: true, switches };
                        seen.push((pid, tid, Look::Asleep(sleep)));
                    }
                    // Whoever else stopped it may continue it.
                    Look::Stopped { .. } => seen.push((pid, tid, Look::Awake)),
                    look => seen.push((pid, tid, look)),
                }
            }
        }
        seen
    }
}

fn resting(seen: Vec<Seen>) -> Option<Vec<Resting>> {
    let sleeps = seen.into_iter().map(|(pid, tid, look)| match look {
        Look::Asleep(sleep) => Some((pid, tid, sleep)),
        _ => None,
    });
    let resting: Vec<Resting> = sleeps.collect::<Option<_>>()?;
    (!resting.is_empty()).then_some(resting)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_is_awake_or_unknown_ends_the_rest_of_all() {
        let asleep = |tid| (1, tid, Look::Asleep(Sleep { has_limit: false, switches: 3 }));
        assert_eq!(resting(vec![asleep(1), asleep(2)]).map(|all| all.len()), Some(2));
        assert_eq!(resting(vec![asleep(1), (1, 2, Look::Awake)]), None);
        assert_eq!(resting(vec![asleep(1), (1, 2, Look::Unknown)]), None);
        assert_eq!(resting(Vec::new()), None);
    }
}
