//! Types of a program's own.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use purlin_manager::{Builder, Error, List, Manager, Types};
use purlin_process::active_children;

use crate::bounded::{Child, Test};

pub(crate) const TESTS: &[Test] = &[
    ("own_types_offer_their_methods", own_types_offer_their_methods),
    ("a_spawned_server_has_own_types", a_spawned_server_has_own_types),
    ("what_fails_says_so", what_fails_says_so),
    ("what_has_no_form_is_not_returned", what_has_no_form_is_not_returned),
    ("an_iterator_is_walked", an_iterator_is_walked),
    ("the_setup_runs_once_in_the_server", the_setup_runs_once_in_the_server),
    ("a_setup_that_panics_leaves_no_server", a_setup_that_panics_leaves_no_server),
    ("a_server_does_not_wait_for_itself", a_server_does_not_wait_for_itself),
];

fn offer(types: &mut Types) {
    let kind = types.register("counter", |start: u64| start);
    kind.method("f", |_: &mut u64, ()| "f()".to_owned());
    kind.method("add", |count: &mut u64, more: u64| {
        *count += more;
        *count
    });
    kind.fallible("g", |_: &mut u64, ()| Err::<(), _>("boom"));
    kind.method("panic", |count: &mut u64, ()| {
        *count += 100;
        assert!(*count == 0, "no more than {count}");
    });
    types.register("half", |(): ()| ()).method("f", |(), ()| 1);
    types.register("bad", |(): ()| -> u8 { panic!("not today") });
}

fn own_types_offer_their_methods() {
    // shows: manager-own-types, manager-unknown-method-refused
    let manager = Builder::new().fork_with(offer).unwrap();
    let counter = manager.object("counter", &40_u64).unwrap();
    assert_eq!(counter.call::<_, String>("f", &()), Ok("f()".to_owned()));
    Child::run(|| counter.call::<_, u64>("add", &2_u64).map(drop)).succeeds();
    assert_eq!(counter.call("add", &0_u64), Ok(42_u64));
    for _ in 0..2 {
        assert_eq!(counter.call::<_, ()>("nosuch", &()), Err(Error::NoSuchName));
    }
    let half = manager.object("half", &()).unwrap();
    assert_eq!(half.call::<_, u64>("add", &1_u64), Err(Error::NoSuchName), "it offers another set");
    assert_eq!(half.methods(), Ok(vec!["f".to_owned()]));
    assert_eq!(manager.object("nosuch", &()).err(), Some(Error::NoSuchName));
    let none: [u8; 0] = [];
    assert_eq!(counter.call::<_, u64>("add", &none), Err(Error::InvalidArgument));
    let _: List<i32> = manager.list([1]).unwrap();
    drop(half);
    assert_eq!(manager.object_count(), Ok(1));
}

fn a_spawned_server_has_own_types() {
    let manager = Builder::new().spawn_with(offer).unwrap();
    let counter = manager.object("counter", &1_u64).unwrap();
    assert_eq!(counter.call("add", &1_u64), Ok(2_u64));
}

fn what_fails_says_so() {
    // shows: manager-errors-come-back
    let manager = Builder::new().fork_with(quietly(offer)).unwrap();
    let counter = manager.object("counter", &0_u64).unwrap();
    let failed = |message: &str| Err::<(), _>(Error::TaskFailed { message: message.to_owned() });
    assert_eq!(counter.call("g", &()), failed("boom"));
    assert_eq!(counter.call("f", &()), Ok("f()".to_owned()));
    assert_eq!(counter.call("panic", &()), failed("no more than 100"));
    assert_eq!(counter.call("add", &1_u64), Ok(101_u64), "the object stays");
    assert_eq!(manager.object("bad", &()).map(drop), failed("not today"));
    assert_eq!(manager.object_count(), Ok(1));
}

/// Without the panic hook's words in the test's output.
fn quietly(setup: fn(&mut Types)) -> impl FnOnce(&mut Types) {
    move |types| {
        std::panic::set_hook(Box::new(|_| ()));
        setup(types);
    }
}

/// What cannot be carried.
struct Formless;

impl serde::Serialize for Formless {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("none"))
    }
}

fn what_has_no_form_is_not_returned() {
    // shows: manager-unsendable-result-refused
    let offer = |types: &mut Types| {
        let kind = types.register("odd", |(): ()| ());
        kind.method("thread", |(), ()| Formless).method("f", |(), ()| 7);
    };
    let manager = Builder::new().fork_with(offer).unwrap();
    let odd = manager.object("odd", &()).unwrap();
    assert_eq!(odd.call::<_, ()>("thread", &()), Err(Error::NotTransferable));
    assert_eq!(odd.call("f", &()), Ok(7));
}

fn an_iterator_is_walked() {
    // shows: manager-generator-stand-in
    let offer = |types: &mut Types| {
        types.register_iterator("squares", |end: u64| (0..end).map(|number| number * number));
    };
    let manager = Builder::new().fork_with(offer).unwrap();
    let squares = manager.object("squares", &10_u64).unwrap();
    for number in 0..10_u64 {
        assert_eq!(squares.next(), Ok(number * number));
    }
    assert_eq!(squares.next::<u64>(), Err(Error::StopIteration));
}

fn the_setup_runs_once_in_the_server() {
    // shows: manager-initialiser-runs-in-server
    let count = purlin_channel::Value::new(0_i64).unwrap();
    let here = AtomicU32::new(0);
    let setup = |_: &mut Types| {
        here.fetch_add(1, Relaxed);
        count.set(count.get(None).unwrap() + 1, None).unwrap();
    };
    let manager = Builder::new().fork_with(setup).unwrap();
    assert_eq!(count.get(None), Ok(1));
    assert_eq!(here.load(Relaxed), 0, "in another process");
    drop(manager);
}

fn a_setup_that_panics_leaves_no_server() {
    let setup = |_: &mut Types| {
        std::panic::set_hook(Box::new(|_| ()));
        panic!("not today");
    };
    let failed = Builder::new().fork_with(setup).err();
    assert_eq!(failed, Some(Error::TaskFailed { message: "not today".to_owned() }));
    assert_eq!(active_children(), []);
}

fn a_server_does_not_wait_for_itself() {
    let offer = |types: &mut Types| {
        let kind = types.register("keeper", |(): ()| Cell::new(None::<List<i32>>));
        kind.method("keep", |kept: &mut Cell<_>, list: List<i32>| kept.set(Some(list)));
        kind.fallible("use", |kept: &mut Cell<Option<List<i32>>>, ()| {
            kept.take().ok_or(Error::Damaged)?.len()
        });
    };
    let manager = Builder::new().fork_with(offer).unwrap();
    let keeper = manager.object("keeper", &()).unwrap();
    let list = manager.list([1]).unwrap();
    keeper.call::<_, ()>("keep", &list).unwrap();
    let failed = keeper.call::<_, usize>("use", &());
    assert_eq!(failed, Err(Error::TaskFailed { message: "would-deadlock".to_owned() }));
    // What belongs to another server can be used, as by any client.
    let other = Manager::start().unwrap();
    keeper.call::<_, ()>("keep", &other.list([1, 2, 3]).unwrap()).unwrap();
    assert_eq!(keeper.call("use", &()), Ok(3_usize));
}
