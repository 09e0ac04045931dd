//! Who this process is: its name, where it stands below the main process, whether it is a daemon,
//! its key, its parent. Written once when it begins, and the same until it ends.

use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use crate::Error;
use crate::key::Key;
use crate::limits::MAIN_NAME;
use crate::sys::origin::{self, PerProcess, Prepared};

static IDENTITY: PerProcess<Identity> = PerProcess::new();

/// What a child that is to be forked will know of itself.
pub(crate) struct Newborn {
    identity: Prepared<Identity>,
}

/// What a process knows of itself.
pub(crate) struct Identity {
    pub(crate) name: String,
    pub(crate) is_daemon: bool,
    /// It is a copy of another process, whose exit handlers are not its own.
    pub(crate) is_forked: bool,
    /// None in the main process, and in one that foreign code forked.
    pub(crate) parent: Option<ParentRecord>,
    /// Its number among its parent's children, behind its parent's path; empty in the main process.
    path: String,
    key: OnceLock<Key>,
    /// How many children of this process have been described.
    numbered_count: AtomicU64,
}

/// What a process knows of the one that started it.
pub(crate) struct ParentRecord {
    pub(crate) name: String,
    pub(crate) pid: i32,
    /// The parent's process descriptor, which the parent itself opened before the start: it never
    /// leads to another process.
    pub(crate) sentinel: Arc<OwnedFd>,
}

/// A process that has been described and not started.
pub(crate) struct Plan {
    /// Given, or made of the path.
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) is_daemon: bool,
    /// Instead of the parent's.
    pub(crate) key: Option<Key>,
    /// Instead of the parent's file, when it is spawned.
    pub(crate) program: Option<PathBuf>,
}

impl Plan {
    /// A child of the calling process: the next number, that as a name, a daemon in a daemon.
    pub(crate) fn new() -> Self {
        let own = own();
        // Relaxed: numbers need be different, not ordered with anything.
        let number = own.numbered_count.fetch_add(1, Ordering::Relaxed) + 1;
        let path = match own.path.as_str() {
            "" => number.to_string(),
            above => format!("{above}:{number}"),
        };
        let name = format!("Process-{path}");
        Self { name, path, is_daemon: own.is_daemon, key: None, program: None }
    }

    /// Refuses to start anything in a daemon.
    pub(crate) fn check(own: &Identity) -> Result<(), Error> {
        if own.is_daemon { Err(Error::DaemonMayNotHaveChildren) } else { Ok(()) }
    }

    /// The key that the child gets.
    ///
    /// # Errors
    /// * As [`Identity::key`].
    pub(crate) fn key(&self, own: &Identity) -> Result<Key, Error> {
        self.key.clone().map_or_else(|| own.key(), Ok)
    }
}

impl Identity {
    pub(crate) fn new(plan: Plan, key: Key, parent: ParentRecord, is_forked: bool) -> Self {
        let Plan { name, path, is_daemon, .. } = plan;
        let identity =
            Self { is_daemon, is_forked, parent: Some(parent), ..Self::bare(name, path) };
        identity.set_key(key);
        identity
    }

    /// Its key; in the main process made when it is first asked for.
    ///
    /// # Errors
    /// * What the system said that has no random bytes to give.
    pub(crate) fn key(&self) -> Result<Key, Error> {
        if let Some(key) = self.key.get() {
            return Ok(key.clone());
        }
        let fresh = Key::try_random()?;
        // Of two threads that both make one, the second takes the first one's.
        Ok(self.key.get_or_init(|| fresh).clone())
    }

    fn set_key(&self, key: Key) {
        let _ = self.key.set(key); // an error says that there is one
    }

    fn bare(name: String, path: String) -> Self {
        Self {
            name,
            is_daemon: false,
            is_forked: origin::is_copy(),
            parent: None,
            path,
            key: OnceLock::new(),
            numbered_count: AtomicU64::new(0),
        }
    }

    /// Of a process that nothing was written for: the main one, or one that foreign code forked.
    fn found(copied: Option<&Self>) -> Self {
        let Some(from) = copied else { return Self::bare(MAIN_NAME.to_owned(), String::new()) };
        let copy = Self { is_forked: true, ..Self::bare(from.name.clone(), from.path.clone()) };
        if let Some(key) = from.key.get() {
            copy.set_key(key.clone());
        }
        copy
    }
}

/// Of the calling process.
pub(crate) fn own() -> &'static Identity {
    IDENTITY.get_after(Identity::found)
}

/// Makes the calling process, which has just begun, the one that its parent described.
pub(crate) fn begin(identity: Identity) {
    IDENTITY.put(Prepared::new(identity));
}

impl Newborn {
    /// A child of the calling process, whose number and descriptor these are.
    ///
    /// # Errors
    /// * As [`Identity::key`].
    pub(crate) fn new(
        own: &Identity,
        pid: i32,
        sentinel: &Arc<OwnedFd>,
        plan: Plan,
    ) -> Result<Self, Error> {
        let key = plan.key(own)?;
        let (name, sentinel) = (own.name.clone(), Arc::clone(sentinel));
        let parent = ParentRecord { name, pid, sentinel };
        Ok(Self { identity: Prepared::new(Identity::new(plan, key, parent, true)) })
    }

    /// As [`begin`], in the child.
    pub(crate) fn begin(self) {
        IDENTITY.put(self.identity);
    }
}
