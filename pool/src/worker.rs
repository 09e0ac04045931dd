//! What a worker does, in its own process: one task after the other.

use std::any::Any;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::function::{Function, conjure};
use crate::hook;
use crate::limits::FIRST_WORDS_MAX_COUNT;
use crate::wire::{self, Answers, Arguments};
use crate::words::{Bell, Mailbox};

/// What a worker runs first.
pub(crate) type Initialize = dyn Fn() -> Result<(), Error> + Send + Sync;

/// What a worker has of its owner.
pub(crate) struct Worker<'a> {
    /// Borrowed, both: handles are counted, and a new child writes to as little memory as it can.
    pub(crate) mailbox: &'a Mailbox,
    pub(crate) bell: &'a Bell,
    /// Over which the owner says where functions are.
    pub(crate) functions: OwnedFd,
    /// How often it looks before it sleeps.
    pub(crate) look_count: u32,
}

/// What the owner says of a function: its number, and where it lies.
pub(crate) const TOLD_BYTES: usize = 12;

pub(crate) fn told(number: u32, offset: u64) -> [u8; TOLD_BYTES] {
    let mut bytes = [0; TOLD_BYTES];
    bytes[..4].copy_from_slice(&number.to_le_bytes());
    bytes[4..].copy_from_slice(&offset.to_le_bytes());
    bytes
}

impl Worker<'_> {
    /// Works until the owner says that it is over.
    ///
    /// # Errors
    /// * What the initializer said.
    /// * [`Error::Damaged`] for what no owner leaves.
    pub(crate) fn work(self, initialize: impl FnOnce() -> Result<(), Error>) -> Result<(), Error> {
        hook::enter();
        // Of an initializer the message is told, and not where it was: to tell a stack takes long.
        let failed = |message| Error::TaskFailed { message, trace: String::new() };
        if let Err(error) = quietly(initialize).map_err(failed).flatten() {
            // An owner that is gone, or that takes no more, hears nothing.
            let _ = UnixStream::from(self.functions).write_all(last_words(&error).as_bytes());
            return Err(error);
        }
        self.mailbox.set_ready();
        let mut functions = Functions::new(self.functions)?;
        // Who has just begun has no reason to look for a task again and again.
        let mut reader = self.mailbox.reader();
        while let Some((function, input)) = self.mailbox.next(&reader)? {
            let output = match functions.find(function) {
                Ok(function) => function.call(&input),
                Err(error) => one_error(&error),
            };
            drop(input);
            match self.mailbox.answer(&mut reader, &output) {
                Ok(()) => {}
                Err(error) => self.mailbox.answer(&mut reader, &one_error(&error))?,
            }
            self.bell.ring();
            reader.set_look_count(self.look_count);
        }
        Ok(())
    }
}

/// What the owner is told of an initializer that failed.
fn last_words(error: &Error) -> String {
    let text = match error {
        Error::TaskFailed { message, .. } => message.clone(),
        other => other.to_string(),
    };
    text.chars().take(FIRST_WORDS_MAX_COUNT).collect()
}

/// What is said in place of an output: the owner takes one error for all items.
fn one_error(error: &Error) -> Vec<u8> {
    let mut output = Vec::new();
    wire::push_error(&mut output, error);
    output
}

/// The trampoline of a function: runs it on each argument.
pub(crate) fn trampoline<F, A, R>(input: &[u8]) -> Vec<u8>
where
    F: Fn(A) -> R + Copy + 'static,
    A: DeserializeOwned + 'static,
    R: Serialize + 'static,
{
    let function: F = conjure();
    let mut arguments = Arguments::<A>::of(input);
    let mut answers = Answers::<R>::of(arguments.size_hint().0);
    // Ends: each turn goes on behind the argument at which the one before it panicked.
    while let Err(message) = quietly(|| answer_all(&function, &mut arguments, &mut answers)) {
        answers.fail(Error::TaskFailed { message, trace: hook::trace() });
    }
    answers.into_output()
}

/// All that is the user's runs in here: how an argument is read, the function, the serial form of a
/// value and its drop. Each may panic.
fn answer_all<A, R>(
    function: &impl Fn(A) -> R,
    arguments: &mut Arguments<'_, A>,
    answers: &mut Answers<R>,
) where
    A: DeserializeOwned + 'static,
    R: Serialize + 'static,
{
    loop {
        answers.begin();
        match arguments.next() {
            Some(Ok(argument)) => answers.push(function(argument)),
            Some(Err(error)) => answers.fail(error),
            None => return,
        }
    }
}

/// Runs it; the panic hook has printed what it panics with, which is told.
pub(crate) fn quietly<R>(function: impl FnOnce() -> R) -> Result<R, String> {
    // What a panic leaves half done is the function's own: nothing of ours is inside.
    catch_unwind(AssertUnwindSafe(function)).map_err(message_of)
}

/// What a panic said.
fn message_of(payload: Box<dyn Any + Send>) -> String {
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => match payload.downcast::<&'static str>() {
            Ok(text) => (*text).to_owned(),
            Err(payload) => {
                // A payload whose drop panics would end the worker.
                let _ = catch_unwind(AssertUnwindSafe(|| drop(payload)));
                "panicked with no text".to_owned()
            }
        },
    }
}

/// Where the functions are that the owner has told of, by their numbers.
struct Functions {
    known: Vec<Option<u64>>,
    told: UnixStream,
    rest: Vec<u8>,
}

impl Functions {
    fn new(told: OwnedFd) -> Result<Self, Error> {
        let told = UnixStream::from(told);
        told.set_nonblocking(true)?;
        Ok(Self { known: Vec::new(), told, rest: Vec::new() })
    }

    /// # Errors
    /// * [`Error::NotTransferable`] for one that it was not told of, or that is no code of this
    ///   program.
    fn find(&mut self, index: u32) -> Result<Function, Error> {
        let index = index as usize;
        if self.known(index).is_none() {
            self.hear();
        }
        Function::at(self.known(index).ok_or(Error::NotTransferable)?)
    }

    fn known(&self, index: usize) -> Option<u64> {
        self.known.get(index).copied().flatten()
    }

    /// Reads what was told by now: a function is told of before the first task with it.
    fn hear(&mut self) {
        let mut bytes = [0; 1024];
        loop {
            match self.told.read(&mut bytes) {
                Ok(0) => break,
                Ok(len) => self.rest.extend(&bytes[..len]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        let (all, _) = self.rest.as_chunks::<TOLD_BYTES>();
        for told in all {
            let &[a, b, c, d, ref offset @ ..] = told;
            let index = u32::from_le_bytes([a, b, c, d]) as usize;
            self.known.resize(self.known.len().max(index + 1), None);
            self.known[index] = Some(u64::from_le_bytes(*offset));
        }
        self.rest.drain(..self.rest.len() / TOLD_BYTES * TOLD_BYTES);
    }
}
