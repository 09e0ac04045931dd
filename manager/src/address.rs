//! Where a server is reached.

use core::fmt;
use core::str::FromStr;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// Where a server listens: on this machine, or beyond.
///
/// As text: `unix:/run/shop`, `unix:@shop` for an abstract name, `tcp:127.0.0.1:7000`.
///
/// ```
/// use purlin_manager::{Address, Error};
///
/// let address: Address = "tcp:127.0.0.1:7000".parse()?;
/// assert_eq!(address, Address::Tcp(([127, 0, 0, 1], 7000).into()));
/// assert_eq!("unix:@shop".parse::<Address>()?.to_string(), "unix:@shop");
/// assert_eq!("shop".parse::<Address>(), Err(Error::InvalidArgument));
/// # Ok::<(), Error>(())
/// ```
///
/// # Weak points
/// * The wire is not encrypted, and what goes over it after the proof of the key is not signed:
///   over a network that others share, [`Tcp`](Self::Tcp) belongs inside a tunnel, such as
///   `ssh -L 7000:localhost:7000 host`, or `ssh -L /run/near:/run/far host` for a path.
/// * An abstract name has no rights and no owner: every user of the network namespace can connect
///   to it, and then has to prove the key, or take it before the server does.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Address {
    /// A socket in the file system, at most 107 bytes long.
    Path(PathBuf),
    /// A Unix socket's abstract name, which is no file and goes with its server.
    Abstract(String),
    /// A TCP socket. With the port 0 the server is given one, and says which.
    Tcp(SocketAddr),
}

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(out, "unix:{}", path.display()),
            Self::Abstract(name) => write!(out, "unix:@{name}"),
            Self::Tcp(address) => write!(out, "tcp:{address}"),
        }
    }
}

impl FromStr for Address {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if let Some(address) = text.strip_prefix("tcp:") {
            return address.parse().map(Self::Tcp).map_err(|_| Error::InvalidArgument);
        }
        match text.strip_prefix("unix:") {
            Some("" | "@") | None => Err(Error::InvalidArgument),
            Some(name) => Ok(match name.strip_prefix('@') {
                Some(name) => Self::Abstract(name.to_owned()),
                None => Self::Path(name.into()),
            }),
        }
    }
}
