//! The system calls of this crate.

pub(crate) mod barrier;
pub(crate) mod bulk;
pub(crate) mod descriptor;
pub(crate) mod prefetch;
pub(crate) mod sealed_file;
pub(crate) mod socket;

use rustix::io::Errno;

use crate::error::Error;

impl From<Errno> for Error {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::MFILE
            | Errno::NFILE
            | Errno::NOMEM
            | Errno::NOSPC
            | Errno::NOBUFS
            | Errno::FBIG => Self::OutOfResources,
            Errno::ACCESS | Errno::PERM => Self::PermissionDenied,
            other => Self::System { errno: other.raw_os_error() },
        }
    }
}
