//! The event: half of them set it, the others wait for it and take it away. Nobody is left asleep,
//! and each set is counted by the word.

use purlin_shm::Segment;
use purlin_sync::Event;

use super::accounts::{Accounts, stay};
use super::{Burial, Subject};
use crate::limits::GLANCE;
use crate::sys::process::pause;
use crate::sys::segment_file::SegmentFile;
use crate::verdict::{Failure, Kind, Outcome, check};

pub(super) fn event() -> Result<Box<dyn Subject>, Failure> {
    let segment = Segment::anonymous(4096)?;
    let event = Event::new_in(&segment)?;
    Ok(Box::new(Signalled { segment, event, accounts: Accounts::new()?, doubt: 0 }))
}

/// What each writes down: waits that are over; sets that were begun, and that are done.
const WAITED: usize = 0;
const BEGUN: usize = 1;
const SET: usize = 2;

struct Signalled {
    segment: Segment,
    event: Event,
    accounts: Accounts,
    /// How many were killed amid a set.
    doubt: u64,
}

impl Signalled {
    fn set(&self, index: usize) {
        for visit in 0_u64.. {
            self.accounts.add_one(index, BEGUN);
            self.event.set();
            self.accounts.add_one(index, SET);
            stay(visit);
            if visit.is_multiple_of(4) {
                pause(GLANCE); // they fall asleep
            }
        }
    }

    fn wait(&self, index: usize) -> Outcome {
        loop {
            let was_set = self.event.wait(None)?;
            check(was_set, Kind::Lost, || "a wait without a limit gave up".to_owned())?;
            check(self.accounts.sum(BEGUN) > 0, Kind::Duplicate, || "nobody has set it".into())?;
            self.event.clear();
            self.accounts.add_one(index, WAITED);
        }
    }
}

impl Subject for Signalled {
    fn segment(&self) -> &Segment {
        &self.segment
    }

    fn hammer(&self, index: usize) -> Outcome {
        if index.is_multiple_of(2) {
            self.set(index);
            return Ok(());
        }
        self.wait(index)
    }

    fn bury(&mut self, index: usize) -> Result<Burial, Failure> {
        let (begun, set) = (self.accounts.get(index, BEGUN), self.accounts.get(index, SET));
        self.accounts.set(index, SET, begun); // from here on in doubt, and no more
        self.doubt += begun - set;
        Ok(Burial { is_holder: begun != set, is_time_to_settle: false })
    }

    fn settle(&self) -> Outcome {
        let file = SegmentFile::open(self.segment.descriptor())?;
        let most = self.accounts.sum(BEGUN);
        let least = most - self.doubt;
        let count = u64::from(file.word(self.event.offset())? >> 2);
        check((least..=most).contains(&count), Kind::Corrupt, || {
            format!("{least} to {most} sets, and the epoch is {count}")
        })?;
        self.event.clear();
        check(!self.event.is_set(), Kind::Corrupt, || "cleared, and set".to_owned())?;
        self.event.set();
        check(self.event.wait(None)?, Kind::Lost, || "set, and not set".to_owned())
    }

    fn done_count(&self) -> u64 {
        self.accounts.sum(WAITED)
    }
}
