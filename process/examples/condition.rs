//! Producers and consumers: whoever finds the store full or empty waits until another has changed
//! it, and looks again.
//!
//! ```sh
//! cargo run -p purlin-process --example condition
//! ```

use std::collections::{BTreeSet, VecDeque};
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use purlin_process::thread::{End, Thread};
use purlin_sync::{CheckedLock, Condition};

const PRODUCERS: u32 = 3;
const CONSUMERS: u32 = 2;
const ITEMS_EACH: u32 = 500;
const ROOM: usize = 100;

#[derive(Default)]
struct Store {
    items: VecDeque<u32>,
    taken: BTreeSet<u32>,
    taken_count: u32,
    most: usize,
}

/// The condition's lock is what keeps others away; the mutex is free whenever that is held.
struct Shop {
    condition: Condition<purlin_sync::ByThread>,
    store: Mutex<Store>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let shop = Arc::new(Shop {
        condition: Condition::over(&CheckedLock::new()?)?,
        store: Mutex::new(Store::default()),
    });
    let mut threads = Vec::new();
    for number in 0..PRODUCERS {
        let shop = Arc::clone(&shop);
        threads.push(Thread::start(format!("producer {number}"), move || shop.produce(number))?);
    }
    for number in 0..CONSUMERS {
        let shop = Arc::clone(&shop);
        threads.push(Thread::start(format!("consumer {number}"), move || shop.consume())?);
    }
    for thread in threads {
        if thread.join(None)? != End::Returned {
            return Err(format!("{} failed", thread.name()).into());
        }
    }
    let store = shop.store.lock().unwrap_or_else(PoisonError::into_inner);
    println!("{} taken, {} of them different", store.taken_count, store.taken.len());
    println!("{} left, {} at most", store.items.len(), store.most);
    Ok(())
}

impl Shop {
    fn produce(&self, number: u32) -> Result<(), purlin_sync::Error> {
        for item in number * ITEMS_EACH..(number + 1) * ITEMS_EACH {
            let guard = self.condition.lock().acquire(None)?.sound()?;
            let put = || {
                self.with(|store| {
                    let has_room = store.items.len() < ROOM;
                    has_room.then(|| {
                        store.items.push_back(item);
                        store.most = store.most.max(store.items.len());
                    })
                })
            };
            let (_guard, ()) = self.condition.wait_for(guard, None, put)?.met()?;
            self.condition.notify_all()?;
        }
        Ok(())
    }

    fn consume(&self) -> Result<(), purlin_sync::Error> {
        // Ends when all has been taken, by whomever.
        loop {
            let guard = self.condition.lock().acquire(None)?.sound()?;
            let take = || {
                self.with(|store| {
                    if store.taken_count == PRODUCERS * ITEMS_EACH {
                        return Some(None); // nothing comes any more
                    }
                    store.items.pop_front().map(|item| {
                        store.taken.insert(item);
                        store.taken_count += 1;
                        Some(item)
                    })
                })
            };
            let (_guard, item) = self.condition.wait_for(guard, None, take)?.met()?;
            self.condition.notify_all()?;
            if item.is_none() {
                return Ok(());
            }
        }
    }

    fn with<T>(&self, look: impl FnOnce(&mut Store) -> T) -> T {
        look(&mut self.store.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
