//! The numbers of this crate, with their units and reasons.

use core::time::Duration;

/// Longest sleep of a join before it looks again. The kernel wakes it at the child's end; the slice
/// is for the day when foreign code has closed our descriptor and the wake goes elsewhere.
pub(crate) const JOIN_SLICE: Duration = Duration::from_secs(1);

/// Pause between two looks at a child whose descriptor says ended while its status cannot be had
/// yet: a tracer holds it, and nothing tells us when it lets go.
pub(crate) const TRACED_PAUSE: Duration = Duration::from_millis(1);

/// How long the end of a child waits for output streams that another of its threads keeps locked.
/// Whoever holds one for longer may never let go, and ending comes first.
pub(crate) const FLUSH_LIMIT: Duration = Duration::from_secs(1);

/// How long a daemon may take to end after it was asked to, when its parent ends; then it is
/// killed. Enough to write something down, and no more than who waits for the parent will bear.
pub(crate) const DAEMON_GRACE: Duration = Duration::from_secs(2);

/// The name of the process that no other started.
pub(crate) const MAIN_NAME: &str = "MainProcess";

/// What is shown of a name in a line of text, in characters: names may have any length, and lines
/// are for people.
pub(crate) const NAME_SHOWN_CHARACTERS: usize = 100;

/// Length of a key that is made here: as many as no one can try, and as a keyed SHA-256 takes.
pub(crate) const KEY_BYTES: usize = 32;

/// Exit status of a function that returned an error, as for a Rust `main`.
pub(crate) const FAILED_STATUS: i32 = 1;

/// Exit status of a function that panicked, as for a Rust `main`.
pub(crate) const PANICKED_STATUS: i32 = 101;

/// Largest exit status: `_exit(2)` keeps eight bits. It also stands for every number that does not
/// fit, since the low bits of 256 would read as success.
pub(crate) const STATUS_MAX: i32 = 255;
const _: () = assert!(FAILED_STATUS <= STATUS_MAX && PANICKED_STATUS <= STATUS_MAX);

/// Largest signal number of Linux on every architecture that this crate is built for, `signal(7)`.
pub(crate) const SIGNAL_MAX: i32 = 64;

/// Standard input, output and error: what is handed on has no number of these.
pub(crate) const STANDARD_FD_COUNT: i32 = 3;

/// What a spawned child is executed from: this program, also when its file was replaced since.
pub(crate) const PROGRAM: &str = "/proc/self/exe";

/// How long a spawned child may take to come to `init`, or to read what it is told: a program that
/// starts slowly on a busy machine takes seconds.
pub(crate) const HELLO_LIMIT: Duration = Duration::from_secs(60);

/// How long a child that closed its socket may take to be gone, if it was killed.
pub(crate) const KILLED_LIMIT: Duration = Duration::from_secs(5);

/// Descriptors that go with one byte: Linux takes 253 (`SCM_MAX_FD`, `unix(7)`).
pub(crate) const DESCRIPTORS_A_PIECE: usize = 250;

/// Descriptors that a spawned child is given beside those of what is carried: its parent's process
/// descriptor, and a daemon's lifeline.
pub(crate) const OWN_DESCRIPTOR_MAX: usize = 2;

/// What one message may carry. More descriptors than the luggage takes would be refused anyway.
pub(crate) const HANDOVER_DESCRIPTOR_MAX: usize = 500;
pub(crate) const MESSAGE_MAX_BYTES: u64 = 1 << 30;

/// What is set aside at a time for a message that is coming in.
pub(crate) const READ_BYTES: usize = 64 * 1024;

/// Pause while too many descriptors of this user are in flight; nothing tells when fewer are.
pub(crate) const FLIGHT_PAUSE: Duration = Duration::from_millis(1);

/// What one look at a folder is read into: some hundred names. It lies on the stack of a fork.
pub(crate) const FOLDER_BYTES: usize = 4 * 1024;

/// Where a program is looked for whose environment has no `PATH`, `confstr(3)`.
pub(crate) const DEFAULT_PATH: &str = "/bin:/usr/bin";

/// Largest file-creation mask: rights of three kinds of users, `umask(2)`.
pub(crate) const UMASK_MAX: u32 = 0o777;

/// Smallest stack of a thread, `PTHREAD_STACK_MIN` on x86-64; other architectures may want more,
/// and then a thread of this size is refused when it is started.
pub(crate) const STACK_MIN_BYTES: usize = 16 * 1024;

/// Stack of a thread that says nothing else, as std has it.
pub(crate) const STACK_BYTES: usize = 2 << 20;
const _: () = assert!(STACK_BYTES >= STACK_MIN_BYTES);

/// How often a join that has seen a thread's function end looks at once whether the rest of it,
/// some ten microseconds, is gone, too; and its pause between two looks after that.
pub(crate) const REST_LOOK_COUNT: u32 = 100;
pub(crate) const REST_PAUSE: Duration = Duration::from_millis(1);

/// How long a join waits for that rest. What runs there are destructors of thread-local values;
/// whoever has one that takes longer is told that the thread has ended, which its function has.
pub(crate) const REST_LIMIT: Duration = Duration::from_secs(1);

/// Steps of an exchange past its deadline, as long as there is something to be carried: a pipe
/// holds 1 MiB at most (`pipe(7)`), which is 16 reads, and one is for what came late, one for the
/// end.
pub(crate) const LATE_STEP_COUNT: u32 = 18;
const _: () = assert!((LATE_STEP_COUNT as usize - 2) * READ_BYTES == 1 << 20);

/// So many children are started at a time: the streams are held meanwhile, and what is known of
/// them lies on the stack.
pub const FORK_EACH_MAX: usize = 16;
