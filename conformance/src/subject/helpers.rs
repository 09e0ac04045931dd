//! The subject's own helpers: processes of its group that are neither the adapter nor an actor,
//! such as Python's resource tracker. When the others have ended they tidy up and end too.

use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::is_readable;
use crate::evidence::{self, Look};
use crate::limits::{LOOK_APART, PATIENCE_TIMES_MAX, SILENCE, grace};

/// Waits until all processes of the group have ended, for the time of grace, and for a while longer
/// if they run. It does not wait for those that sleep without a limit: what the end of the others
/// should have woken has been woken. `listen` takes in what they say, or one with much to say would
/// wait for ever. Gives those that are left.
pub(super) fn let_end(group: Pid, mut listen: impl FnMut()) -> Vec<Pid> {
    let deadline = Instant::now() + grace();
    let longest = deadline + grace() * PATIENCE_TIMES_MAX;
    let mut still: Option<(Instant, Vec<(Pid, u64)>)> = None;
    loop {
        listen();
        let left = living(group);
        let Some(first) = left.first() else { return left };
        // One that runs is tidying up; a busy machine may need longer than the time of grace.
        let is_over = Instant::now() >= deadline && !is_awake(&left);
        if is_over || Instant::now() >= longest {
            return left;
        }
        let now = sleeping(&left);
        match (&still, now) {
            (Some((since, before)), Some(now)) if *before == now => {
                if since.elapsed() >= SILENCE {
                    return left;
                }
            }
            (_, now) => still = now.map(|now| (Instant::now(), now)),
        }
        wait_for(*first, LOOK_APART);
    }
}

fn living(group: Pid) -> Vec<Pid> {
    let all = evidence::process_group(group.as_raw_pid()).into_iter();
    let living = all.filter(|pid| !evidence::has_ended(*pid));
    living.filter_map(Pid::from_raw).collect()
}

/// How often each has given up the processor, if all sleep without a limit.
fn sleeping(all: &[Pid]) -> Option<Vec<(Pid, u64)>> {
    let mut sleeping = Vec::new();
    for pid in all {
        for tid in evidence::threads(pid.as_raw_pid()) {
            match evidence::look(pid.as_raw_pid(), tid) {
                Look::Asleep(sleep) if !sleep.has_limit => sleeping.push((*pid, sleep.switches)),
                Look::Gone => {}
                _ => return None,
            }
        }
    }
    Some(sleeping)
}

fn is_awake(all: &[Pid]) -> bool {
    let mut threads = all.iter().flat_map(|pid| {
        let pid = pid.as_raw_pid();
        evidence::threads(pid).into_iter().map(move |tid| evidence::look(pid, tid))
    });
    threads.any(|look| look == Look::Awake)
}

fn wait_for(pid: Pid, time: Duration) {
    if let Ok(pidfd) = pidfd_open(pid, PidfdFlags::empty()) {
        is_readable(&pidfd, time);
    }
}
