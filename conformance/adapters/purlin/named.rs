//! A lock of purlin that actors find by its name.

use std::any::Any;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use purlin_conformance::serve::{Arguments, CallResult, Object, Refusal};
use purlin_sync::{Error, HandoverLock, Lock, Name};

use super::lock::{deadline, done, taken};

/// The kind of object.
pub(super) const KIND: &str = "named-lock";

/// What can be asked of it.
pub(super) const OPERATIONS: [&str; 8] =
    ["create", "open", "open_or_create", "unlink", "acquire", "try", "release", "recover"];

/// Before each name that a run makes; behind it stands the adapter's pid.
const PREFIX: &str = "conformance-";

/// An actor's handle, once it has made or opened a name.
pub(super) struct NamedLock {
    adapter: u32,
    handle: Mutex<Option<Lock>>,
}

impl NamedLock {
    /// In the adapter. Names that a killed one has left are taken away first.
    pub(super) fn new() -> Result<Self, Refusal> {
        let left = purlin_shm::collect(|name| name.as_str().starts_with(PREFIX));
        left.map_err(|error| Refusal::new(error.kind(), error))?;
        Ok(Self::of_adapter(std::process::id()))
    }

    /// What [`of_word`](Self::of_word) makes one of in another process.
    pub(super) fn as_word(&self) -> String {
        format!("{KIND}-{}", self.adapter)
    }

    pub(super) fn of_word(word: &str) -> Option<Self> {
        let adapter = word.strip_prefix(KIND)?.strip_prefix('-')?.parse().ok()?;
        Some(Self::of_adapter(adapter))
    }

    const fn of_adapter(adapter: u32) -> Self {
        Self { adapter, handle: Mutex::new(None) }
    }

    fn prefix(&self) -> String {
        format!("{PREFIX}{}-", self.adapter)
    }

    fn name(&self, args: &Arguments) -> Result<Name, Error> {
        let name = args.get("name").and_then(serde_json::Value::as_str).unwrap_or("");
        Ok(Name::new(&format!("{}{name}", self.prefix()))?)
    }

    fn handle(&self) -> MutexGuard<'_, Option<Lock>> {
        self.handle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, lock: Lock) {
        let before = self.handle().replace(lock);
        drop(before); // behind the lock
    }

    /// `kind` and `layout` ask for what a program of another kind or version would make.
    fn create(&self, args: &Arguments) -> Result<(), Error> {
        let name = self.name(args)?;
        if args.get("kind").is_some_and(|kind| kind == "handover-lock") {
            return HandoverLock::create(&name).map(drop);
        }
        let lock = Lock::create(&name)?;
        if let Some(layout) = args.get("layout").and_then(serde_json::Value::as_u64) {
            return relabel(&lock, layout as u32);
        }
        self.keep(lock);
        Ok(())
    }

    fn open(&self, args: &Arguments) -> Result<(), Error> {
        self.keep(Lock::open_named(&self.name(args)?)?);
        Ok(())
    }

    /// Each of the two may find that somebody was faster; then the other one helps.
    fn open_or_create(&self, args: &Arguments) -> Result<(), Error> {
        loop {
            match self.open(args) {
                Err(Error::NoSuchName) => {}
                answer => return answer,
            }
            match self.create(args) {
                Err(Error::AlreadyExists) => {}
                answer => return answer,
            }
        }
    }
}

/// Writes another layout version over the segment's own, as `docs/layout.md` has it.
fn relabel(lock: &Lock, layout: u32) -> Result<(), Error> {
    const LAYOUT_AT: u64 = 8;
    let file = lock.segment().descriptor().try_clone_to_owned().map(File::from);
    let written = file.and_then(|file| file.write_all_at(&layout.to_le_bytes(), LAYOUT_AT));
    written.map_err(|error| Error::System { errno: error.raw_os_error().unwrap_or(0) })
}

impl Object for NamedLock {
    fn call(&self, op: &str, args: &Arguments) -> CallResult {
        match op {
            "create" => return done(self.create(args)),
            "open" => return done(self.open(args)),
            "open_or_create" => return done(self.open_or_create(args)),
            "unlink" => {
                return done(self.name(args).and_then(|name| Ok(name.unlink()?)));
            }
            _ => {}
        }
        // A copy, since a call may wait while another thread opens another name.
        let Some(lock) = self.handle().clone() else {
            return CallResult::Failed(Refusal::new("no-such-name", "nothing is open here"));
        };
        match op {
            "acquire" => match deadline(args) {
                Ok(deadline) => taken(lock.acquire(deadline)),
                Err(result) => result,
            },
            "try" => taken(lock.try_acquire()),
            "release" => done(lock.release()),
            "recover" => done(lock.recover()),
            _ => CallResult::Unsupported,
        }
    }

    fn handle(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

impl Drop for NamedLock {
    /// The adapter's own takes the names of its run away; an actor's leaves them to it.
    fn drop(&mut self) {
        if self.adapter != std::process::id() {
            return;
        }
        let prefix = self.prefix();
        let own = purlin_shm::list().unwrap_or_default().into_iter().map(|listed| listed.name);
        for name in own.filter(|name| name.as_str().starts_with(&prefix)) {
            // Gone already, or in the hands of a collector: as good.
            let _ = name.unlink();
        }
    }
}
