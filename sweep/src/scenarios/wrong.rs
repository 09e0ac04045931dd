//! Scenarios that are wrong on purpose: the instrument must tell each from a failure of the
//! library, and must notice a lock that is no good. They are run by name only.

use std::hint::black_box;
use std::time::Duration;

use crate::journal::Journal;
use crate::stage::{AnyStage, Scenario, Stage, Sweep};
use crate::sys::clock;
use crate::sys::process::{Child, idle_as_orphan, leave, pause};
use crate::sys::trace::Mark;
use crate::verdict::{Failure, Kind, Outcome};

pub(super) const SCENARIOS: [Scenario; 12] = [
    wrong("wrong-setup", || Err(Failure::new(Kind::SetupFailed, "there is no such thing"))),
    wrong("wrong-setup-panics", || panic!("the setup panics")),
    wrong("wrong-no-begin", || Ok(Box::new(NoBegin))),
    wrong("wrong-no-end", || Ok(Box::new(NoEnd))),
    wrong("wrong-leaves-children", || Ok(Box::new(LeavesChildren(std::process::id())))),
    wrong("wrong-checker", || Ok(Box::new(Checker))),
    wrong("wrong-hangs", || Ok(Box::new(Hangs))),
    wrong("wrong-panics-stepped", || Ok(Box::new(Panics))),
    wrong("wrong-sleeps", || Ok(Box::new(Sleeps))),
    wrong("wrong-slow", || Ok(Box::new(Slow))),
    wrong("wrong-lock", || Ok(Box::new(ForgetfulLock(Journal::new()?)))),
    Scenario { sweep: Sweep::Long, ..wrong("wrong-ways", || Ok(Box::new(TwoWays))) },
];

const fn wrong(name: &'static str, make: fn() -> Result<AnyStage, Failure>) -> Scenario {
    Scenario { name, about: "wrong on purpose", make, sweep: Sweep::Single }
}

struct NoBegin;

impl Stage for NoBegin {
    fn victim(&self, mark: &Mark) -> Outcome {
        mark.end(); // too early
        Ok(())
    }

    fn check(&self) -> Outcome {
        Ok(())
    }
}

struct NoEnd;

impl Stage for NoEnd {
    fn victim(&self, mark: &Mark) -> Outcome {
        mark.begin();
        Ok(())
    }

    fn check(&self) -> Outcome {
        Ok(())
    }
}

/// A victim with nothing to do.
fn pass(mark: &Mark) -> Outcome {
    mark.begin();
    mark.end();
    Ok(())
}

struct LeavesChildren(/* the stage's pid */ u32);

impl Stage for LeavesChildren {
    fn victim(&self, mark: &Mark) -> Outcome {
        pass(mark)
    }

    fn check(&self) -> Outcome {
        let parents = [std::process::id(), self.0];
        match Child::split(false)? {
            None => {
                idle_as_orphan(parents, || false);
                leave(0);
            }
            Some(child) => core::mem::forget(child), // its drop would end it
        }
        Ok(())
    }
}

struct Checker;

impl Stage for Checker {
    fn victim(&self, mark: &Mark) -> Outcome {
        pass(mark)
    }

    fn check(&self) -> Outcome {
        Err(Failure::new(Kind::Corrupt, "the checker is never content"))
    }
}

struct Hangs;

const FOR_EVER: Duration = Duration::from_secs(1 << 20);

impl Stage for Hangs {
    fn victim(&self, mark: &Mark) -> Outcome {
        pass(mark)
    }

    fn check(&self) -> Outcome {
        pause(FOR_EVER);
        Ok(())
    }
}

struct Panics;

impl Stage for Panics {
    fn victim(&self, mark: &Mark) -> Outcome {
        mark.begin();
        panic!("the victim panics");
    }

    fn check(&self) -> Outcome {
        Ok(())
    }
}

/// A step that takes longer than any should: more than twice the ticks after which it is killed
/// asleep, since a busy machine may miss some. It comes back when nobody kills it, before it would
/// count as hung.
struct Sleeps;

const LONG_SLEEP: Duration = Duration::from_millis(2500);

impl Stage for Sleeps {
    fn victim(&self, mark: &Mark) -> Outcome {
        mark.begin();
        pause(LONG_SLEEP);
        mark.end();
        Ok(())
    }

    fn check(&self) -> Outcome {
        Ok(())
    }
}

/// Nothing is wrong with it, unharmed, but that it takes longer than it is looked into why.
struct Slow;

const LONG_WORK: Duration = Duration::from_secs(5);

impl Stage for Slow {
    fn victim(&self, mark: &Mark) -> Outcome {
        mark.begin();
        let began = clock::now();
        while clock::now().saturating_sub(began) < LONG_WORK {
            core::hint::spin_loop();
        }
        mark.end();
        Ok(())
    }

    fn check(&self) -> Outcome {
        Ok(())
    }
}

/// Nothing is wrong with it, but that it goes one way or another, as its number is even or odd.
struct TwoWays;

impl Stage for TwoWays {
    fn victim(&self, mark: &Mark) -> Outcome {
        let (is_even, mut way) = (std::process::id().is_multiple_of(2), 0_u64);
        mark.begin();
        for turn in 0..20 {
            way = if is_even { black_box(way + turn) } else { black_box(way * 3) };
        }
        mark.end();
        Ok(())
    }

    fn check(&self) -> Outcome {
        Ok(())
    }
}

/// A lock that says whether it is held, and not by whom.
struct ForgetfulLock(Journal);

impl ForgetfulLock {
    fn visit(&self) {
        while self.0.swap_cell(0, 1) != 0 {
            pause(Duration::from_millis(5));
        }
        self.0.set_cell(0, 0);
    }
}

impl Stage for ForgetfulLock {
    fn victim(&self, mark: &Mark) -> Outcome {
        mark.begin();
        self.visit();
        mark.end();
        Ok(())
    }

    fn check(&self) -> Outcome {
        self.visit();
        Ok(())
    }
}
