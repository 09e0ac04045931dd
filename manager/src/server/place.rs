//! Where a server listens, what it leaves there, and what others have left.

use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use purlin_sync::Deadline;
use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::error::Error;
use crate::sys::folder::{self, FileId};
use crate::sys::{random, socket};

/// The folders of servers that chose for themselves begin so.
const PREFIX: &str = "purlin-manager-";

/// How often to try anew when others take the place away.
const TRY_MAX: u32 = 8;

/// So much of a Unix socket's address is for its path, with the zero at its end.
const PATH_MAX_BYTES: usize = 107;

/// What a server's address has left in the file system.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) address: Address,
    file: Option<FileId>,
    /// The folder was made for it.
    folder: Option<PathBuf>,
}

impl Place {
    /// Listens at the address, or at a path of its own that nobody else may reach.
    ///
    /// # Errors
    /// * [`Error::AlreadyExists`] when a server listens there, or what is there is no socket.
    /// * What else the system says.
    pub(crate) fn take(address: Option<&Address>) -> Result<(OwnedFd, Self), Error> {
        match address {
            None => private(),
            Some(Address::Path(path)) => {
                let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
                // Where the folder cannot be had alone, another server may begin meanwhile.
                let _alone = folder::lock(parent.unwrap_or(Path::new("."))).ok();
                if is_left_over(path) {
                    let _ = std::fs::remove_file(path); // else the place is taken, as it says then
                }
                at(path, None)
            }
            Some(other) => {
                let (listener, address) = socket::listen(other)?;
                Ok((listener, Self { address, file: None, folder: None }))
            }
        }
    }

    /// Removes what was left there, if it is not another's by now.
    pub(crate) fn clear(&self) {
        let Address::Path(path) = &self.address else { return };
        // What cannot be removed stays, and keeps nobody from the address.
        if self.file.is_some() && folder::file_id(path) == self.file {
            let _ = std::fs::remove_file(path);
        }
        if let Some(folder) = &self.folder {
            let _ = std::fs::remove_dir(folder);
        }
    }
}

fn at(path: &Path, folder: Option<PathBuf>) -> Result<(OwnedFd, Place), Error> {
    let (listener, address) = socket::listen(&Address::Path(path.to_owned()))?;
    // Another directory to begin in, or who is told the address, finds it all the same.
    let address = match (address, std::path::absolute(path)) {
        (Address::Path(_), Ok(path)) if path.as_os_str().len() <= PATH_MAX_BYTES => {
            Address::Path(path)
        }
        (address, _) => address,
    };
    Ok((listener, Place { address, file: folder::file_id(path), folder }))
}

fn private() -> Result<(OwnedFd, Place), Error> {
    let mut base = std::env::temp_dir();
    let longest = PREFIX.len() + "/0123456789abcdef/socket".len();
    if base.as_os_str().len() + longest > PATH_MAX_BYTES {
        base = "/tmp".into();
    }
    sweep(&base);
    let mut last = Error::OutOfResources;
    for _ in 0..TRY_MAX {
        let name = u64::from_le_bytes(random::bytes()?);
        let folder = base.join(format!("{PREFIX}{name:016x}"));
        folder::make_private(&folder)?;
        // A sweep that came in between has removed the folder: then another one.
        let taken = folder::lock(&folder)
            .and_then(|_alone| at(&folder.join("socket"), Some(folder.clone())));
        match taken {
            Ok(taken) => return Ok(taken),
            Err(error) => last = error,
        }
        let _ = std::fs::remove_dir(&folder);
    }
    Err(last)
}

/// Removes what servers have left that were killed: their folders, where nobody listens any more.
fn sweep(base: &Path) {
    let Ok(entries) = std::fs::read_dir(base) else { return };
    for entry in entries.flatten() {
        let folder = entry.path();
        let is_ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        if !is_ours || !folder::is_own(&folder) {
            continue;
        }
        let Some(_alone) = folder::try_lock(&folder) else { continue };
        let socket = folder.join("socket");
        if is_left_over(&socket) {
            let _ = std::fs::remove_file(&socket);
        }
        let _ = std::fs::remove_dir(&folder); // not while there is a socket in it
    }
}

/// Whether this is a socket at which nobody listens.
fn is_left_over(path: &Path) -> bool {
    let is_socket =
        std::fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket());
    let address = Address::Path(path.to_owned());
    let connected =
        || socket::connect(socket::make(&address)?.as_fd(), &address, Deadline::passed());
    is_socket && connected() == Err(Error::ConnectionRefused)
}
