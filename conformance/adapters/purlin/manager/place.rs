//! Addresses: folders for sockets, who may come there, and where nobody listens.

use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::{env, fs, io, process};

use purlin_manager::Address;
use rustix::net::{AddressFamily, SocketType, bind, getsockname, socket};

/// So the names of folders begin; the number of their maker's process comes next.
const PREFIX: &str = "purlin-suite-";

/// A folder for a socket, which its maker removes.
pub(super) struct Folder {
    path: PathBuf,
    made_by: u32,
}

impl Folder {
    pub(super) fn new() -> io::Result<Self> {
        static MADE: AtomicU64 = AtomicU64::new(0);

        sweep();
        let made_by = process::id();
        let number = MADE.fetch_add(1, Relaxed); // Relaxed: a number that no other gets here
        let path = env::temp_dir().join(format!("{PREFIX}{made_by}-{number}"));
        fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self { path, made_by })
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.path.join("socket")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.made_by == process::id() {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// Takes away what adapters have left that were killed.
fn sweep() {
    let entries = fs::read_dir(env::temp_dir()).into_iter().flatten().flatten();
    for entry in entries {
        let name = entry.file_name();
        let owner = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.split('-').next());
        if owner.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// The rights of the group and of others.
const OTHERS: u32 = 0o077;

/// Whether nobody but its owner can come there.
pub(super) fn is_private(address: &Address) -> bool {
    let Address::Path(path) = address else { return matches!(address, Address::Abstract(_)) };
    let is_closed = |path: &Path| {
        fs::metadata(path).is_ok_and(|found| found.permissions().mode() & OTHERS == 0)
    };
    path.ancestors().any(is_closed)
}

/// An address where nobody listens, as long as this is there.
pub(super) struct Unheard {
    pub(super) address: Address,
    _taken: Option<OwnedFd>,
    _folder: Option<Folder>,
}

impl Unheard {
    /// A port that is bound (`tcp`), or a path at which nothing is.
    pub(super) fn new(of: &str) -> io::Result<Self> {
        if of != "tcp" {
            let folder = Folder::new()?;
            let address = Address::Path(folder.socket());
            return Ok(Self { address, _taken: None, _folder: Some(folder) });
        }
        let taken = socket(AddressFamily::INET, SocketType::STREAM, None)?;
        bind(&taken, &std::net::SocketAddrV4::new(std::net::Ipv4Addr::LOCALHOST, 0))?;
        let given = std::net::SocketAddr::try_from(getsockname(&taken)?);
        let address = Address::Tcp(given.map_err(io::Error::from)?);
        Ok(Self { address, _taken: Some(taken), _folder: None })
    }
}
