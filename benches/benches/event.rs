//! An event that nobody waits for: asked, set and cleared.

use std::hint::black_box;
use std::sync::atomic::{AtomicU32, Ordering::Acquire};

use purlin_benches::sys::Shared;
use purlin_benches::{Contender, Effort, Machine, Rounds};
use purlin_sync::Event;

fn main() {
    let effort = Effort::from_arguments();
    println!("{}", Machine::here());
    println!("an event, one process\n");
    let word = Shared::<AtomicU32>::zeroed().expect("memory");
    let unset = Event::new().expect("memory");
    let set = unset.clone();
    let waited_for = Event::new().expect("memory");
    waited_for.set();
    let mut contenders = [
        // Acquire: what is_set does, and no more.
        Contender::present("one load", || assert_eq!(black_box(&word).load(Acquire), 0)),
        Contender::present("purlin Event, is_set", || assert!(!black_box(&unset).is_set())),
        Contender::present("purlin Event, wait for what is set", || {
            assert_eq!(black_box(&waited_for).wait(None), Ok(true));
        }),
        Contender::present("purlin Event, set and clear", || {
            black_box(&set).set();
            black_box(&set).clear();
        }),
    ];
    println!("{}", Rounds::of(effort).run(&mut contenders));
}
