//! Objects in a server process, shared by proxies, by processes near and far.
//!
//! A [`Manager`] starts a server; its proxies go to other processes, or those [connect](Client) by
//! address and key. A client may be killed at any instruction: its locks go to the next, who is
//! told, its places in waits are empty, its references are given back. When the server ends every
//! call says so, also those that wait.
//!
//! ```text
//!  client                        server: one thread               client
//!  list.push ──► request ──────► [ list | lock | queue ]  ◄────── queue.get, waits
//!            ◄── answer  ──────  no thread waits: entries ──────► answered, or taken out
//!                Unix socket, or TCP; both sides prove the key
//! ```
//!
//! ```
//! use purlin_manager::{Error, Manager};
//! use purlin_process::Process;
//!
//! let manager = Manager::start()?;
//! let lock = manager.lock()?;
//! let child = Process::fork("child", || lock.acquire(None).map(|held| drop(held.keep())))?;
//! child.join(None)?; // it has ended, and had the lock
//! assert_eq!(lock.acquire(None)?.sound().unwrap_err(), Error::OwnerDied);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What this crate does not do
//! * Share memory: each call is a message to a process and back, some ten microseconds. Locks,
//!   queues and values that live on one machine are in `purlin-sync` and `purlin-channel`.
//! * Encrypt: both sides prove the key, and the rest of the wire can be read, and changed, by who
//!   is on it. See [`Address`] for tunnels.
//! * Keep anything: the objects end with their server. What must outlive it goes to a database.
//! * Spread over several servers, or replace one that ended: see the README for what does.

#![deny(unsafe_code)]

mod address;
mod builder;
mod client;
mod error;
mod limits;
mod line;
mod manager;
mod objects;
mod proxies;
mod server;
mod spins;
mod sys;
mod types;
mod wire;

pub use address::Address;
pub use builder::Builder;
pub use client::Client;
pub use error::Error;
pub use limits::{
    CONNECTION_MAX, LINGER, MESSAGE_MAX_BYTES, MESSAGE_MIN_BYTES, PROOF_LIMIT, STRANGER_MAX,
};
pub use manager::Manager;
pub use proxies::{
    Acquired, Array, Barrier, Condition, Dict, Event, Guard, Iter, List, Lock, Namespace, Object,
    Permit, Proxy, Queue, RLock, Semaphore, Suspect, Value,
};
pub use purlin_process::Key;
pub use server::{Server, Stopper};
pub use types::{Type, Types};
