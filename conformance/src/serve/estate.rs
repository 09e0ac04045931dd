//! What an actor inherits for those that it will start itself: the reading ends of their pipes,
//! made by the adapter, which keeps the writing ends. So they take calls when it is dead.

use std::collections::BTreeMap;
use std::io::{self, PipeReader, PipeWriter};
use std::os::fd::{AsRawFd, RawFd};

use super::Refusal;
use crate::protocol::Heir;

/// The pipe of an actor that is to be started, and of those that it will start.
pub(super) struct Estate {
    pub(super) name: String,
    pub(super) commands: PipeReader,
    pub(super) heirs: Vec<Estate>,
}

impl Estate {
    /// Makes the pipes of a whole tree; the writing ends go to `writers`.
    ///
    /// # Errors
    /// * What the system refused.
    pub(super) fn make(
        name: &str,
        heirs: &[Heir],
        writers: &mut BTreeMap<String, PipeWriter>,
    ) -> io::Result<Self> {
        let (commands, writer) = io::pipe()?;
        writers.insert(name.to_owned(), writer);
        let heirs = heirs.iter().map(|heir| Self::make(&heir.name, &heir.heirs, writers));
        Ok(Self { name: name.to_owned(), commands, heirs: heirs.collect::<io::Result<_>>()? })
    }

    /// A copy to give away; the original stays, for the heir may be started a second time.
    fn try_clone(&self) -> io::Result<Self> {
        let heirs = self.heirs.iter().map(Self::try_clone).collect::<io::Result<_>>()?;
        Ok(Self { name: self.name.clone(), commands: self.commands.try_clone()?, heirs })
    }

    pub(super) fn descriptors(&self, all: &mut Vec<RawFd>) {
        all.push(self.commands.as_raw_fd());
        self.heirs.iter().for_each(|heir| heir.descriptors(all));
    }
}

/// What `name` is to have, out of what an actor inherited.
///
/// # Errors
/// * `no-such-name` when it was not announced.
pub(super) fn of(heirs: &[Estate], name: &str) -> Result<Estate, Refusal> {
    let unknown = || Refusal::new("no-such-name", format!("{name} is no heir of this actor"));
    let found = heirs.iter().find(|heir| heir.name == name).ok_or_else(unknown)?;
    found.try_clone().map_err(|error| Refusal::new("out-of-resources", error))
}
