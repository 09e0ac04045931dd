//! Does a call wait? Evidence, not a nap.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::evidence::{Look, process_ran_nanos, ran_nanos};
use crate::limits::{
    LOOK_APART, SILENCE, SPIN_ALONE_NANOS, SPIN_LOOK_APART, SPIN_NANOS, STILL_LOOK_APART,
};
use crate::run::{End, Run};
use crate::session::Seen;
use crate::waits::Patience;

/// What was seen of a call that should wait.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// It waits.
    Seen,
    /// It does not: it has an answer, or stands at its statement `wait`.
    Over,
    /// It waits, but at this cost of processor time, in nanoseconds.
    Costly(u64),
}

impl Run<'_> {
    /// Whether the call of `actor` waits, and goes on doing so for some time, at some cost at most.
    pub(crate) fn waits(
        &mut self,
        actor: &str,
        for_nanos: Option<u64>,
        using_nanos: Option<u64>,
    ) -> Result<Wait, End> {
        let ran = |run: &Self| {
            run.session.actors.get(actor).map_or(0, |actor| process_ran_nanos(actor.pid))
        };
        if !self.is_blocked(actor)? {
            return Ok(Wait::Over);
        }
        let Some(nanos) = for_nanos else { return Ok(Wait::Seen) };
        let (before, until) = (ran(self), Instant::now() + Duration::from_nanos(nanos));
        while let Some(left) = until.checked_duration_since(Instant::now()).filter(|t| !t.is_zero())
        {
            self.session.pump(left.min(STILL_LOOK_APART))?;
            if self.is_over(actor) {
                return Ok(Wait::Over);
            }
            self.must_live(actor)?;
        }
        let cost = ran(self).saturating_sub(before);
        if !self.is_blocked(actor)? {
            return Ok(Wait::Over);
        }
        Ok(if using_nanos.is_some_and(|most| cost > most) {
            Wait::Costly(cost)
        } else {
            Wait::Seen
        })
    }

    /// Whether the call of `actor` waits; otherwise it has an answer.
    pub(crate) fn is_blocked(&mut self, actor: &str) -> Result<bool, End> {
        let mut patience = Patience::new(Duration::ZERO);
        let silence = Silence::begin(&self.session.all_seen());
        loop {
            self.session.pump(Duration::ZERO)?;
            if self.is_over(actor) {
                return Ok(false);
            }
            if self.must_live(actor).is_err() {
                // Its last words may be the answer.
                self.session.pump(Duration::ZERO)?;
                return if self.is_over(actor) {
                    Ok(false)
                } else {
                    self.must_live(actor).map(|()| true)
                };
            }
            if let Some(quiet) = self.is_quiet_twice(actor, &silence)? {
                // Whoever sleeps now has written before whatever it had to say.
                self.session.pump(Duration::ZERO)?;
                let is_over = self.is_over(actor);
                self.stands_on_silence |= quiet == Quiet::Spins && !is_over;
                return Ok(!is_over);
            }
            if patience.is_over(|| self.session.is_awake()) {
                let came = "neither an answer nor a wait that can be seen".to_owned();
                return Err(End::hung("blocked".to_owned(), came));
            }
        }
    }

    /// Whether a call has come to an answer, or to a place where the script must lead on.
    fn is_over(&self, actor: &str) -> bool {
        let call = self.session.actors.get(actor).and_then(|actor| actor.call.as_ref());
        call.is_none_or(|call| call.answer.is_some() || call.is_at_wait())
    }

    /// The whole subject sleeps on two looks, also whoever might be about to answer; or whoever of
    /// it does not sleep has run for long enough to have answered.
    fn is_quiet_twice(&mut self, actor: &str, silence: &Silence) -> Result<Option<Quiet>, End> {
        let first = self.quiet(actor, silence);
        // Whoever does not sleep by now spins, and each look takes time from it.
        let is_silent = silence.since.elapsed() >= SILENCE;
        self.session.pump(if is_silent { SPIN_LOOK_APART } else { LOOK_APART })?;
        Ok(first.and_then(|first| self.quiet(actor, silence).map(|second| first.min(second))))
    }

    fn quiet(&self, name: &str, silence: &Silence) -> Option<Quiet> {
        if self.session.at_rest().is_some() {
            return Some(Quiet::Sleeps);
        }
        let actor = self.session.actors.get(name)?;
        if silence.since.elapsed() < SILENCE {
            return None;
        }
        // A case that stands on silence once is not kept any more.
        let alone_nanos = if self.stands_on_silence { SPIN_NANOS } else { SPIN_ALONE_NANOS };
        silence.covers(&self.session.all_seen(), (actor.pid, actor.tid), alone_nanos)
    }
}

/// What a caller that says nothing was seen to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Quiet {
    /// It sleeps: the kernel shows a wait.
    Sleeps,
    /// It runs, or cannot be seen: nothing but silence stands for a wait.
    Spins,
}

/// For subjects that never sleep as a whole, because somebody in them spins: no answer for a while,
/// during which each thread either sleeps or has run. One that was merely not scheduled, be it the
/// caller or whoever would let it go on, is not taken for one that has nothing to do.
struct Silence {
    since: Instant,
    ran_nanos: BTreeMap<(i32, i32), u64>,
}

impl Silence {
    fn begin(seen: &[Seen]) -> Self {
        let ran = seen
            .iter()
            .filter_map(|(pid, tid, _)| ran_nanos(*pid, *tid).map(|nanos| ((*pid, *tid), nanos)));
        Self { since: Instant::now(), ran_nanos: ran.collect() }
    }

    /// What the caller does, if everybody seen now, with it among them, sleeps or has run since.
    /// `alone_nanos`: what the caller must have run for, where it does not sleep.
    fn covers(&self, seen: &[Seen], caller: (i32, i32), alone_nanos: u64) -> Option<Quiet> {
        let own = seen.iter().find(|(pid, tid, _)| (*pid, *tid) == caller);
        // Nobody is seen without `/proc`; then silence alone has to do.
        let all = seen.iter().all(|(pid, tid, look)| match look {
            Look::Awake => self.has_run(*pid, *tid),
            _ => true,
        });
        if !all || own.is_none() && !seen.is_empty() {
            return None;
        }
        let (pid, tid) = caller;
        match own {
            Some((_, _, Look::Asleep(_))) => Some(Quiet::Sleeps),
            // What it does before it waits may take a while.
            Some(_) => self.has_run_for(pid, tid, alone_nanos).then_some(Quiet::Spins),
            None => Some(Quiet::Spins),
        }
    }

    fn has_run(&self, pid: i32, tid: i32) -> bool {
        self.has_run_for(pid, tid, SPIN_NANOS)
    }

    fn has_run_for(&self, pid: i32, tid: i32, nanos: u64) -> bool {
        let before = self.ran_nanos.get(&(pid, tid)).copied().unwrap_or(0);
        // Where the kernel does not count, silence alone has to do.
        ran_nanos(pid, tid).is_none_or(|now| now.saturating_sub(before) >= nanos)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Sleep;

    const ALONE: u64 = SPIN_ALONE_NANOS;

    #[test]
    fn one_that_was_not_scheduled_is_not_silent() {
        let pid = rustix::process::getpid().as_raw_pid();
        let tid = rustix::thread::gettid().as_raw_pid();
        let own = [(pid, tid, Look::Awake)];
        let silence = Silence::begin(&own);
        let deadline = Instant::now() + Duration::from_secs(120);
        let begun = ran_nanos(pid, tid).unwrap();
        assert_eq!(silence.covers(&own, (pid, tid), ALONE), None);
        let run_for = |nanos: u64| {
            while ran_nanos(pid, tid).unwrap() < begun + nanos {
                assert!(Instant::now() < deadline, "this thread does not run");
            }
        };
        run_for(2 * SPIN_NANOS);
        assert_eq!(silence.covers(&own, (pid, tid), ALONE), None, "it may be on its way to sleep");
        run_for(SPIN_ALONE_NANOS + 2 * SPIN_NANOS);
        assert_eq!(silence.covers(&own, (pid, tid), ALONE), Some(Quiet::Spins));
        assert_eq!(silence.covers(&own, (pid, -1), ALONE), None, "the caller was not seen");
        let asleep = Look::Asleep(Sleep { has_limit: false, switches: 1 });
        let beside = [own[0], (pid, -1, asleep)];
        assert_eq!(silence.covers(&beside, (pid, -1), ALONE), Some(Quiet::Sleeps), "others spin");
    }
}
