//! The folder in which named segments have their files: the machine's shared memory, a tmpfs.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use rustix::fs::{AtFlags, CWD, Dir, FileType, FlockOperation, Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};

use crate::error::Error;
use crate::name::Name;
use crate::sys::descriptor::{self, FileId};

/// Where `shm_open(3)` has its files too.
const PATH: &str = "/dev/shm";

/// `TMPFS_MAGIC`: only there are a file's pages memory, and only there is a file made without a
/// name and linked to it later.
const TMPFS_MAGIC: u64 = 0x0102_1994;

/// Makes a file without a name, for this user alone.
///
/// # Errors
/// * [`Error::Unsupported`] where the machine has no such folder, or it is no memory.
pub(crate) fn nameless_file() -> Result<OwnedFd, Error> {
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    let file = retry_on_intr(|| rustix::fs::open(PATH, flags, Mode::RUSR | Mode::WUSR));
    let file = file.map_err(of_folder)?;
    if is_memory(&file)? { Ok(file) } else { Err(Error::Unsupported) }
}

/// Gives a nameless file its name and its mode: from here on others find it.
///
/// # Errors
/// * [`Error::AlreadyExists`] when the name is taken.
pub(crate) fn link(file: &OwnedFd, name: &Name, mode: u32) -> Result<(), Error> {
    // The process's mask of modes has had its say at the open; it has none here.
    rustix::fs::fchmod(file, Mode::from_raw_mode(mode))?;
    let from = format!("/proc/thread-self/fd/{}", file.as_raw_fd());
    let linked = retry_on_intr(|| {
        rustix::fs::linkat(CWD, from.as_str(), CWD, path(name), AtFlags::SYMLINK_FOLLOW)
    });
    match linked {
        Ok(()) => Ok(()),
        Err(Errno::EXIST) => Err(Error::AlreadyExists),
        Err(Errno::NOENT | Errno::NOTDIR) => Err(Error::Unsupported), // no /proc
        Err(other) => Err(other.into()),
    }
}

/// Opens the file of a name, which may be anybody's and anything.
///
/// # Errors
/// * [`Error::NoSuchName`] when there is none; [`Error::PermissionDenied`] when it is another
///   user's; [`Error::Incompatible`] when it is no plain file in memory.
pub(crate) fn open(name: &Name) -> Result<OwnedFd, Error> {
    open_with(name, OFlags::RDWR)
}

/// As [`open`], for a look only.
///
/// # Errors
/// * As [`open`].
pub(crate) fn open_to_read(name: &Name) -> Result<OwnedFd, Error> {
    open_with(name, OFlags::RDONLY)
}

fn open_with(name: &Name, access: OFlags) -> Result<OwnedFd, Error> {
    // Not blocking: the name may be a pipe's, and an open of one waits for its other end.
    let flags = access | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let file = match retry_on_intr(|| rustix::fs::open(path(name), flags, Mode::empty())) {
        Ok(file) => file,
        Err(Errno::NOENT | Errno::NOTDIR) => return Err(Error::NoSuchName),
        Err(Errno::LOOP | Errno::ISDIR | Errno::NXIO) => return Err(Error::Incompatible),
        Err(other) => return Err(other.into()),
    };
    let is_plain = FileType::from_raw_mode(rustix::fs::fstat(&file)?.st_mode).is_file();
    if is_plain && is_memory(&file)? { Ok(file) } else { Err(Error::Incompatible) }
}

/// Whether the name leads to this file now.
pub(crate) fn leads_to(name: &Name, file: FileId) -> Result<bool, Error> {
    match rustix::fs::statat(CWD, path(name), AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(descriptor::id_of(&stat) == file),
        Err(Errno::NOENT) => Ok(false),
        Err(other) => Err(other.into()),
    }
}

/// Takes the name away. The file lives on as long as anybody has it.
///
/// # Errors
/// * [`Error::NoSuchName`] when there is none; [`Error::PermissionDenied`] when it is another
///   user's.
pub(crate) fn unlink(name: &Name) -> Result<(), Error> {
    match rustix::fs::unlinkat(CWD, path(name), AtFlags::empty()) {
        Ok(()) => Ok(()),
        Err(Errno::NOENT | Errno::NOTDIR) => Err(Error::NoSuchName),
        Err(Errno::ISDIR) => Err(Error::Incompatible),
        Err(other) => Err(other.into()),
    }
}

/// The names in the folder that are ours by their form.
pub(crate) fn names() -> Result<Vec<Name>, Error> {
    let folder = open_folder()?;
    let mut names = Vec::new();
    for entry in Dir::read_from(&folder)? {
        names.extend(Name::of_file(entry?.file_name().to_bytes()));
    }
    names.sort_unstable();
    Ok(names)
}

/// Whether the file's pages are memory.
pub(crate) fn is_memory(file: impl AsFd) -> Result<bool, Error> {
    Ok(rustix::fs::fstatfs(file)?.f_type.cast_unsigned() == TMPFS_MAGIC)
}

/// The right to take names away, of which there is one in the machine: a lock on the folder. The
/// kernel gives it back for a process that dies.
pub(crate) struct Exclusive(OwnedFd);

/// Takes that right, or says that somebody else has it.
pub(crate) fn try_exclusive() -> Result<Option<Exclusive>, Error> {
    let folder = open_folder()?;
    match retry_on_intr(|| rustix::fs::flock(&folder, FlockOperation::NonBlockingLockExclusive)) {
        Ok(()) => Ok(Some(Exclusive(folder))),
        Err(Errno::WOULDBLOCK) => Ok(None),
        Err(other) => Err(other.into()),
    }
}

impl Drop for Exclusive {
    fn drop(&mut self) {
        // Not the close alone: a copy that a fork of foreign code made would keep it.
        let _ = rustix::fs::flock(&self.0, FlockOperation::Unlock);
    }
}

fn open_folder() -> Result<OwnedFd, Error> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    retry_on_intr(|| rustix::fs::open(PATH, flags, Mode::empty())).map_err(of_folder)
}

fn of_folder(errno: Errno) -> Error {
    match errno {
        Errno::NOENT | Errno::NOTDIR | Errno::OPNOTSUPP | Errno::ISDIR | Errno::ROFS => {
            Error::Unsupported
        }
        other => other.into(),
    }
}

fn path(name: &Name) -> String {
    [PATH, "/", &name.file_name()].concat() // in one piece: the formatter takes several
}
