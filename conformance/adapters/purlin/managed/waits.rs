//! Locks, semaphores, conditions, events, barriers and queues, at a server. Each call keeps its
//! hold, so that a later call can end it.

use std::thread::{self, ThreadId};
use std::time::Duration;

use purlin_conformance::serve::{Arguments, CallResult, Flow, Function, Functions, Item, is_true};
use purlin_manager::{Acquired, Condition, Error, Permit, Queue};
use purlin_pool::Bytes;
use purlin_sync::Deadline;
use serde_json::Value;

use super::element::{Element, Proxy};
use super::{Done, Managed, failed, locked, null, prevented, refusal};
use crate::adapter::purlin::queue::limit;

/// Asks one of those that need nothing but the call.
pub(super) fn ask(proxy: &Proxy, op: &str, args: &Arguments) -> Done<Value> {
    match proxy {
        Proxy::Lock(lock) => match op {
            "acquire" => taken(lock.acquire(limit(args)?)),
            "try" => taken(lock.try_acquire()),
            "release" => lock.release().map(null).map_err(failed),
            _ => Err(CallResult::Unsupported),
        },
        Proxy::RLock(lock) => match op {
            "acquire" => taken(lock.acquire(limit(args)?)),
            "try" => taken(lock.try_acquire()),
            "release" => lock.release().map(null).map_err(failed),
            _ => Err(CallResult::Unsupported),
        },
        Proxy::Semaphore(semaphore) => match op {
            "acquire" => semaphore.acquire(limit(args)?).map(Permit::keep),
            "try" => semaphore.try_acquire().map(Permit::keep),
            "release" => semaphore.release(),
            "value" => return semaphore.value().map(Value::from).map_err(failed),
            _ => return Err(CallResult::Unsupported),
        }
        .map(null)
        .map_err(failed),
        Proxy::Event(event) => match op {
            "set" => event.set().map(null).map_err(failed),
            "clear" => event.clear().map(null).map_err(failed),
            "is_set" => event.is_set().map(Value::from).map_err(failed),
            "wait" if event.wait(limit(args)?).map_err(failed)? => Ok(Value::Null),
            "wait" => Err(CallResult::failed("timed-out", "it is not set")),
            _ => Err(CallResult::Unsupported),
        },
        Proxy::Barrier(barrier) => match op {
            "wait" => barrier.wait(limit(args)?).map(Value::from).map_err(failed),
            "parties" => barrier.parties().map(Value::from).map_err(failed),
            "waiting" => barrier.waiting().map(Value::from).map_err(failed),
            "abort" => barrier.abort().map(null).map_err(failed),
            "reset" => barrier.reset().map(null).map_err(failed),
            "is_broken" => barrier.is_broken().map(Value::from).map_err(failed),
            _ => Err(CallResult::Unsupported),
        },
        _ => Err(CallResult::Unsupported),
    }
}

fn taken(acquired: Result<Acquired<'_>, Error>) -> Done<Value> {
    if acquired.map_err(failed)?.keep() {
        return Err(CallResult::failed("owner-died", "held, and not vouched for"));
    }
    Ok(Value::Null)
}

pub(super) fn ask_queue(
    queue: &Queue<Element>,
    op: &str,
    args: &Arguments,
    functions: &Functions<'_>,
) -> Done<Value> {
    let item = || Element::of(args, "item", functions);
    match op {
        "put" => queue.put(&item()?, limit(args)?).map(null).map_err(failed),
        "try_put" | "put_nowait" => queue.try_put(&item()?).map(null).map_err(failed),
        "get" => queue.get(limit(args)?).map_err(failed)?.told(args, Some(functions)),
        "try_get" | "get_nowait" => queue.try_get().map_err(failed)?.told(args, Some(functions)),
        "qsize" => queue.len().map(Value::from).map_err(failed),
        "empty" => queue.is_empty().map(Value::from).map_err(failed),
        "full" => queue.is_full().map(Value::from).map_err(failed),
        "task_done" => queue.task_done().map(null).map_err(failed),
        "join" => queue.join(limit(args)?).map(null).map_err(failed),
        "put_kinds" => put_kinds(queue),
        "get_kinds" => get_kinds(queue),
        _ => Err(CallResult::Unsupported),
    }
}

/// An element of each kind that there is, in their order.
fn kinds() -> Vec<Element> {
    let plain = [
        Value::from("hello world"),
        Value::Null,
        true.into(),
        2.25.into(),
        "\u{43f}\u{440}\u{438}\u{432}\u{435}\u{442}".into(),
    ];
    let bytes = Item::bytes(200, 100).as_bytes().to_vec(); // those above 127 are among them
    plain.iter().map(Element::plain).chain([Element::Bytes(Bytes(bytes))]).collect()
}

fn put_kinds(queue: &Queue<Element>) -> Done<Value> {
    kinds().iter().try_for_each(|element| queue.put(element, None)).map(null).map_err(failed)
}

/// How many came as they were put.
fn get_kinds(queue: &Queue<Element>) -> Done<Value> {
    let mut count = 0;
    for expected in kinds() {
        let found = queue.get(None).map_err(failed)?;
        let told = |element: Element| element.told(&Arguments::new(), None);
        count += u64::from(told(found)? == told(expected)?);
    }
    Ok(count.into())
}

impl Managed {
    pub(super) fn ask_condition(
        &self,
        condition: &Condition,
        op: &str,
        args: &Arguments,
        functions: &mut Functions<'_>,
    ) -> Done<Value> {
        match op {
            "acquire" => {
                taken(condition.acquire(limit(args)?))?;
                locked(&self.holders).push(thread::current().id());
                Ok(Value::Null)
            }
            "release" => {
                condition.release().map_err(failed)?;
                self.let_go(thread::current().id());
                Ok(Value::Null)
            }
            "notify" => condition.notify_one().map(|_| Value::Null).map_err(failed),
            "notify_all" => condition.notify_all().map(|_| Value::Null).map_err(failed),
            "wait" => self.wait(condition, limit(args)?),
            "wait_for" => {
                let function = Function::of(args, "function").ok_or(CallResult::Unsupported)?;
                let held = self.held(condition)?;
                let holds = || Ok(is_true(&functions.run(&function)));
                let waited = condition.wait_for(&held, holds, limit(args)?);
                waited.map(|()| true.into()).map_err(failed)
            }
            _ => Err(CallResult::Unsupported),
        }
    }

    fn wait(&self, condition: &Condition, limit: Deadline) -> Done<Value> {
        let held = self.held(condition)?;
        match condition.wait(&held, limit) {
            Ok(true) => Ok(Value::Null),
            Ok(false) => Err(CallResult::failed("timed-out", "held again")),
            Err(error) => Err(failed(error)),
        }
    }

    /// A guard of what this thread holds already: a deeper hold of a lock that is recursive, of
    /// which a wait gives up all.
    fn held<'a>(&self, condition: &'a Condition) -> Done<purlin_manager::Guard<'a>> {
        if !locked(&self.holders).contains(&thread::current().id()) {
            return Err(prevented("a wait is given the guard of a lock that is held"));
        }
        condition.try_acquire().and_then(Acquired::sound).map_err(failed)
    }

    /// This thread holds it one time less.
    fn let_go(&self, thread: ThreadId) {
        let mut holders = locked(&self.holders);
        if let Some(place) = holders.iter().position(|holder| *holder == thread) {
            holders.swap_remove(place);
        }
    }

    pub(super) fn scope_of(&self, proxy: &Proxy, body: &mut dyn FnMut() -> Flow) -> Flow {
        let refused = |error: Error| Flow::Failed(refusal(&error));
        let never = None::<Duration>;
        match proxy {
            Proxy::Lock(lock) => match lock.acquire(never).and_then(Acquired::sound) {
                Ok(_guard) => body(),
                Err(error) => refused(error),
            },
            Proxy::RLock(lock) => match lock.acquire(never).and_then(Acquired::sound) {
                Ok(_guard) => body(),
                Err(error) => refused(error),
            },
            Proxy::Semaphore(semaphore) => match semaphore.acquire(never) {
                Ok(_permit) => body(),
                Err(error) => refused(error),
            },
            Proxy::Condition(condition) => {
                match condition.acquire(never).and_then(Acquired::sound) {
                    Ok(_guard) => {
                        let _holds = Holds::begin(self);
                        body()
                    }
                    Err(error) => refused(error),
                }
            }
            _ => Flow::Unsupported,
        }
    }
}

/// That a thread is in the scope of a condition's lock, however it leaves that.
struct Holds<'a>(&'a Managed, ThreadId);

impl<'a> Holds<'a> {
    fn begin(managed: &'a Managed) -> Self {
        let own = thread::current().id();
        locked(&managed.holders).push(own);
        Self(managed, own)
    }
}

impl Drop for Holds<'_> {
    fn drop(&mut self) {
        self.0.let_go(self.1);
    }
}
