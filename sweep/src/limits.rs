//! Every number of this crate, with its unit and its reason.

use std::time::Duration;

use purlin_sync::SLICE_FIRST_NANOS;

/// How long survivors may take, pauses of the machine apart, before it is looked into why: sixty
/// slices.
pub(crate) const SURVIVORS_LIMIT: Duration = Duration::from_secs(3);

/// Who has gone back to sleep so often since its limit passed has had its chance: whatever it waits
/// for was not there, each time that it looked. Who has not may wait for a processor.
pub(crate) const CHANCE_COUNT: u64 = 20;

/// Who lies still for so long, in one sleep, waits for what does not come: twenty slices.
pub(crate) const STILL_MIN: Duration = Duration::from_secs(1);

/// How much of a processor may be used after a limit has passed, by all together: those who wait
/// for one are not hung, but they may be going round in circles.
pub(crate) const CIRCLES_LIMIT: Duration = Duration::from_secs(60);

/// Who has slept so often on a word, and sleeps there, waits for its holder: it has looked at the
/// word and at the holder in between, and done all it can.
pub(crate) const WAITING_SLEEP_COUNT: u64 = 3;

/// Who lies in one sleep on a word for so long, more than two slices, waits there, too, be it
/// without slices.
pub(crate) const WAITING_MIN: Duration = Duration::from_millis(120);

/// The limit of one that is to sleep for the first slice, and for a part of the second.
pub(crate) const SHORT_LIMIT: Duration = Duration::from_nanos(SLICE_FIRST_NANOS * 3 / 2);

/// The limit of one that is to find that nothing comes while it spins: some spins long.
pub(crate) const VAIN_LIMIT: Duration = Duration::from_micros(200);

/// After so many sleeps the slices of a sleeper have their full length.
pub(crate) const LONG_SLICES_COUNT: u64 = 4;

/// Between two looks at survivors.
pub(crate) const LOOK: Duration = Duration::from_millis(20);

/// A look that comes this late means that the machine paused, or had no processor for us.
pub(crate) const PAUSE_MIN: Duration = Duration::from_millis(120);

/// How long a role may take to its begin mark or, unharmed, to its end, and peers to their places,
/// before it is looked into why.
pub(crate) const PLACES_LIMIT: Duration = Duration::from_secs(3);

/// How long who is left at the end may take to go, before it is looked into why.
pub(crate) const ORPHANS_LIMIT: Duration = Duration::from_secs(2);

/// Between two looks at evidence that should come at once.
pub(crate) const GLANCE: Duration = Duration::from_micros(100);

/// A server that has answered so often has had the time to see that a client is gone.
pub(crate) const ANSWER_COUNT_MAX: u32 = 300;

/// A step that is found in the same sleep at so many ticks sleeps for good, and is killed asleep.
pub(crate) const STEP_TICK_COUNT: u32 = 10;

/// How often a step that does not come back is looked at.
pub(crate) const TICK: Duration = Duration::from_millis(100);

/// How long to wait for a system call to fall asleep before it counts as one that does not.
pub(crate) const ASLEEP_LIMIT: Duration = Duration::from_millis(2);

/// How long a step into a system call may run before the kill, in microseconds: about its entry,
/// its middle and its end.
pub(crate) const CUT_MICROS: [u32; 3] = [0, 3, 30];

/// How long a whole point may take. Everything in it has limits of its own.
pub(crate) const POINT_LIMIT: Duration = Duration::from_secs(600);

/// How often the end mark has to be reached before a sweep is over: the region is a little longer
/// now and then, when a peer was in the way.
pub(crate) const END_COUNT: u32 = 3;

/// Processes that hammer in a soak: more than small machines have processors.
pub(crate) const HAMMER_COUNT: usize = 8;

/// After so many kills nobody is killed or replaced until so much was done.
pub(crate) const CALM_PERIOD: u64 = 4;
pub(crate) const CALM_DONE_COUNT: u64 = 64;

/// Every so many visits of a soak is a long one, of so many idle turns: some 50 microseconds.
pub(crate) const LONG_VISIT_PERIOD: u64 = 16;
pub(crate) const LONG_VISIT_TURNS: u64 = 1000;

/// Between two kills of a soak, on the average, where nothing else was asked.
pub const KILL_PERIOD: Duration = Duration::from_millis(10);

/// How often a region is measured before it is swept; the longest run counts. A sample is content
/// with one run, which may be shorter than others: its points are where that one was.
pub(crate) const REHEARSAL_COUNT: u32 = 3;

/// What a role that panics ends with.
pub(crate) const PANIC_STATUS: i32 = 101;

/// What a traced role ends with where tracing is not permitted.
pub(crate) const NOT_PERMITTED_STATUS: i32 = 77;

/// How many steps of a role are noted; a later one has no landing, and is stepped to.
pub(crate) const LIST_MAX: usize = 1 << 20;

/// In a region of so many instructions, some 30 ms of steps, roles run to soon before their points
/// at full speed.
pub(crate) const LANDING_MIN: u64 = 1000;

/// Failures that are shown in full for each scenario; the others are counted.
pub(crate) const SHOWN_COUNT: usize = 8;

/// In a sample of a long region, by how many instructions each point lies further behind its system
/// call than the one before it, and after how many points that begins anew: a call is often
/// followed by the next within a hundred.
pub(crate) const SAMPLE_STEPS: u64 = 13;
pub(crate) const SAMPLE_PERIOD: u64 = 8;
