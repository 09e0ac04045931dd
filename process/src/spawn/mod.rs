//! Spawn: a child that is this program executed anew, with a function of it, arguments, handles.
//!
//! ```text
//!   parent                                    child: /proc/self/exe
//!     socketpair, start with one end as stdin ──►  main: init()
//!     hello                                   ◄──  takes the socket, closes what is not its own
//!     letter: who it is, task, arguments,     ──►  is who it is; a daemon ties its life to the
//!       handles                                    parent's; checks, unpacks
//!     …                                            the function, then exit
//! ```
//!
//! Killed anywhere: the other side sees the end of the socket. A child without a letter ends; a
//! parent without a hello says why.

mod bytes;
mod init;
mod start;
mod task;

use std::os::fd::OwnedFd;

use serde::{Deserialize, Serialize};

pub use init::init;
pub(crate) use start::spawn;

/// What a spawned child is told, beside descriptors.
#[derive(Serialize, Deserialize)]
struct Letter {
    name: String,
    /// Its number below the main process, with its parent's.
    path: String,
    /// Its lifeline is the second descriptor then.
    is_daemon: bool,
    key: Vec<u8>,
    /// Its parent's process descriptor is the first one.
    parent_name: String,
    parent_pid: i32,
    /// Where the task's trampoline lies in the program.
    task: u64,
    /// What the code of the program is to be, where the program was chosen.
    code: Option<u64>,
    #[serde(with = "bytes")]
    arguments: Vec<u8>,
    /// The packed handles.
    #[serde(with = "bytes")]
    items: Vec<u8>,
}

/// What the task makes its arguments of.
pub(crate) struct Parcel {
    arguments: Vec<u8>,
    items: Vec<u8>,
    descriptors: Vec<OwnedFd>,
}

/// The environment variable by which a child knows that it is one: the device and the inode of the
/// socket that it has as its standard input. A descendant that inherits the variable has another
/// standard input.
const MARK: &str = "PURLIN_SPAWNED";

/// What a child says first.
const HELLO: u8 = b'h';
