//! Each fault, and the cases that notice it; and the honest ones, with what they do not keep. A
//! file for each kind of object; a fault that concerns several kinds stands in each of their files.

mod array;
mod barrier;
mod condition;
mod event;
mod lock;
mod manager;
mod pipe;
mod pool;
mod process;
mod process_ends;
mod queue;
mod queue_ends;
mod rlock;
mod semaphore;
mod semaphore_waits;
mod subprocess;
mod thread;
mod value;

/// Cases that notice a fault.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Noticed {
    /// These.
    These(&'static [&'static str]),
    /// All of the groups but these, some of which its side is not asked.
    AllBut(&'static [&'static str]),
}

/// What is known about the cases of some groups.
pub(crate) struct Table {
    pub(crate) groups: &'static [&'static str],
    /// Faults by name. `fault-` is a faulty implementation, `false-` a falsified reply of a sound
    /// one, or of the suite's own objects, such as the host. One that no case of these groups
    /// notices need not stand here, unless it is theirs.
    pub(crate) faults: &'static [&'static [(&'static str, Noticed)]],
    /// Cases that are asked only where they are to notice, and of one honest subject.
    pub(crate) long: &'static [&'static str],
}

impl Table {
    /// Whether each fault is asked some of the other cases of these groups, too, which are to keep.
    /// What else notices a fault of a condition or of a queue, or a call of purlin's that is bent,
    /// nobody has looked at.
    pub(crate) fn is_sampled(&self) -> bool {
        !["condition", "queue"].iter().any(|group| self.groups.contains(group)) && !self.is_bent()
    }

    /// Whether its faults are calls of purlin's that are bent, and so no odd subject has its kinds.
    pub(crate) fn is_bent(&self) -> bool {
        let bent = ["process", "thread", "subprocess", "value", "array", "pipe", "pool", "manager"];
        bent.iter().any(|group| self.groups.contains(group))
    }

    pub(crate) fn is_about(&self, case: &str) -> bool {
        self.groups.iter().any(|group| case.split_once('/').is_some_and(|(of, _)| of == *group))
    }
}

pub(crate) const TABLES: &[Table] = &[
    lock::TABLE,
    rlock::TABLE,
    condition::TABLE,
    semaphore::TABLE,
    event::TABLE,
    barrier::TABLE,
    process::TABLE,
    thread::TABLE,
    subprocess::TABLE,
    queue::TABLE,
    value::TABLE,
    array::TABLE,
    pipe::TABLE,
    pool::TABLE,
    manager::TABLE,
];

/// Odd ones that are right, and the cases that find what they do not promise.
pub(crate) const HONEST: &[(&str, &[&str])] = &[
    ("honest-server", &[]),
    ("honest-threads", &[]),
    ("honest-programs", &[]),
    ("honest-handover", &[]),
    ("honest-checked", &[]),
    ("honest-spinner", &[]),
    ("honest-poller", &[]),
    ("honest-fidget", &[]),
    ("honest-late", &[]),
    ("honest-last-first", &[]),
    ("honest-newcomer-first", &[]),
    ("honest-core", &[]),
];
