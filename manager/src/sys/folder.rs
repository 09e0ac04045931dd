//! Folders and files of sockets: private ones, locks on them, and which file is which.

use std::fs::File;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::Path;

use purlin_sync::Deadline;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::error::Error;
use crate::limits::{CONNECT_PAUSE, FOLDER_LIMIT};
use crate::sys::pause::pause;

/// A file, whatever it is called. The number of one that is gone is soon another's; that one was
/// made later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct FileId {
    device: u64,
    inode: u64,
    changed_seconds: i64,
    changed_nanos: i64,
}

/// Which file has this name, if one has.
pub(crate) fn file_id(path: &Path) -> Option<FileId> {
    let found = std::fs::symlink_metadata(path).ok()?;
    Some(FileId {
        device: found.dev(),
        inode: found.ino(),
        changed_seconds: found.mtime(),
        changed_nanos: found.mtime_nsec(),
    })
}

/// Makes a folder that its owner alone may enter.
///
/// # Errors
/// * [`Error::AlreadyExists`], and what else the system says.
pub(crate) fn make_private(path: &Path) -> Result<(), Error> {
    std::fs::DirBuilder::new().mode(0o700).create(path).map_err(|error| Error::of_io(&error))
}

/// Has a folder for itself among all who ask so, until it is dropped, or its process ends.
pub(crate) struct FolderLock {
    _folder: File,
}

/// Waits while another process has the folder for itself, which is for a few system calls; but so
/// can anybody have it who may read it, for as long as he likes.
///
/// # Errors
/// * [`Error::TimedOut`] when that takes too long.
/// * What the system says of the folder.
pub(crate) fn lock(folder: &Path) -> Result<FolderLock, Error> {
    let folder = File::open(folder).map_err(|error| Error::of_io(&error))?;
    let deadline = Deadline::after(FOLDER_LIMIT).start();
    // Ends: with the lock, or at the deadline.
    loop {
        match flock(&folder, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(FolderLock { _folder: folder }),
            Err(Errno::WOULDBLOCK | Errno::INTR) => {}
            Err(other) => return Err(other.into()),
        }
        if deadline.remaining().is_some_and(|left| left.is_zero()) {
            return Err(Error::TimedOut);
        }
        pause(CONNECT_PAUSE);
    }
}

/// The same, at once or not at all.
pub(crate) fn try_lock(folder: &Path) -> Option<FolderLock> {
    let folder = File::open(folder).ok()?;
    flock(&folder, FlockOperation::NonBlockingLockExclusive).ok()?;
    Some(FolderLock { _folder: folder })
}

/// Whether the folder belongs to the calling process's user.
pub(crate) fn is_own(folder: &Path) -> bool {
    let own = std::fs::metadata("/proc/self").map(|own| own.uid());
    let found = std::fs::symlink_metadata(folder).map(|found| found.uid());
    matches!((own, found), (Ok(own), Ok(found)) if own == found)
}
