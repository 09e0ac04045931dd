//! Proxies on their ways: by fork, by spawn, by message, in objects; and what they keep alive.

use std::collections::BTreeMap;

use purlin_channel::{Pipe, Queue as SharedQueue};
use purlin_manager::{Address, Builder, Client, Dict, Error, Key, List, Manager, Queue};
use purlin_pool::Pool;
use purlin_process::{ExitStatus, Process};

use crate::bounded::{Child, LIMIT, Test, sleep_on, until};

pub(crate) const TESTS: &[Test] = &[
    ("others_change_the_objects", others_change_the_objects),
    ("a_proxy_goes_by_spawn", a_proxy_goes_by_spawn),
    ("a_proxy_goes_by_message", a_proxy_goes_by_message),
    ("a_proxy_goes_to_a_pools_tasks", a_proxy_goes_to_a_pools_tasks),
    ("parent_and_child_use_one_proxy", parent_and_child_use_one_proxy),
    ("a_child_uses_what_its_parent_dropped", a_child_uses_what_its_parent_dropped),
    ("threads_get_their_own_answers", threads_get_their_own_answers),
    ("what_is_returned_is_a_copy", what_is_returned_is_a_copy),
    ("nested_objects_live", nested_objects_live),
    ("nested_queues_work", nested_queues_work),
    ("a_list_in_itself_harms_nobody", a_list_in_itself_harms_nobody),
    ("unused_objects_go", unused_objects_go),
    ("what_a_value_held_goes_with_it", what_a_value_held_goes_with_it),
    ("another_servers_objects_can_be_kept", another_servers_objects_can_be_kept),
    ("a_key_of_its_own_goes_with_no_proxy", a_key_of_its_own_goes_with_no_proxy),
    ("names_hold_objects", names_hold_objects),
    ("a_client_that_is_dropped_leaves", a_client_that_is_dropped_leaves),
];

fn others_change_the_objects() {
    // shows: manager-holds-objects-for-others, manager-proxy-passes-as-argument
    let manager = Manager::start().unwrap();
    let (x, array) = (manager.value(0.0).unwrap(), manager.array(0..10).unwrap());
    let list = manager.list(Vec::<String>::new()).unwrap();
    Child::run(|| -> Result<(), Error> {
        x.set(&3.5)?;
        array.set(0, &5)?;
        list.push(&"Hello".to_owned())
    })
    .succeeds();
    assert_eq!(x.get(), Ok(3.5));
    assert_eq!(array.to_vec(), Ok(vec![5, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
    assert_eq!(list.to_vec(), Ok(vec!["Hello".to_owned()]));
}

fn a_proxy_goes_by_spawn() {
    // shows: manager-proxy-passes-as-argument
    let manager = Manager::start().unwrap();
    let list = manager.list(Vec::<String>::new()).unwrap();
    let push = |(list, lock): (List<String>, purlin_manager::Lock), ()| -> Result<(), Error> {
        let _held = lock.acquire(LIMIT)?.sound()?;
        list.push(&"Hello".to_owned())
    };
    let lock = manager.lock().unwrap();
    let child = Process::spawn("child", push, (list.clone(), lock), ()).unwrap();
    assert_eq!(child.join(LIMIT), Ok(ExitStatus::Code(0)));
    assert_eq!(list.to_vec(), Ok(vec!["Hello".to_owned()]));
}

fn a_proxy_goes_by_message() {
    // shows: manager-proxy-passes-by-message
    let manager = Manager::start().unwrap();
    let (reader, writer) = Pipe::simplex().unwrap();
    let shared = SharedQueue::bounded(4, 256).unwrap();
    reader.hand_over().unwrap();
    let theirs = shared.clone();
    let child = Child::run(move || {
        let by_pipe: List<i32> = postcard::from_bytes(&reader.recv(LIMIT).unwrap()).unwrap();
        by_pipe.push(&1).unwrap();
        let by_queue: List<i32> = postcard::from_bytes(&theirs.recv(LIMIT).unwrap()).unwrap();
        assert!(by_queue == by_pipe);
        by_queue.push(&2).unwrap();
    });
    let list = manager.list(Vec::<i32>::new()).unwrap();
    let message = postcard::to_stdvec(&list).unwrap();
    writer.send(&message, LIMIT).unwrap();
    shared.send(&message, LIMIT).unwrap();
    child.succeeds();
    assert_eq!(list.to_vec(), Ok(vec![1, 2]));
    // What was sent is no other type's.
    assert!(postcard::from_bytes::<Queue<i32>>(&message).is_err());
}

fn a_proxy_goes_to_a_pools_tasks() {
    // shows: manager-queue-as-task-argument
    let manager = Manager::start().unwrap();
    let queue = manager.queue::<u64>().unwrap();
    let put = |(queue, number): (Queue<u64>, u64)| queue.put(&number, LIMIT).unwrap();
    for pool in [Pool::fork(2).unwrap(), Pool::spawn(2).unwrap()] {
        pool.map(put, (0..10).map(|number| (queue.clone(), number)), None).unwrap();
        let mut taken: Vec<u64> = (0..10).map(|_| queue.get(LIMIT).unwrap()).collect();
        taken.sort_unstable();
        assert_eq!(taken, (0..10).collect::<Vec<_>>());
    }
}

fn parent_and_child_use_one_proxy() {
    // shows: manager-proxy-follows-fork
    let manager = Manager::start().unwrap();
    let list = manager.list([0]).unwrap();
    let push = |who: i32| (0..500).try_for_each(|_| list.push(&who));
    let child = Child::run(|| push(1));
    push(2).unwrap();
    child.succeeds();
    let all = list.to_vec().unwrap();
    let count = |who: i32| all.iter().filter(|one| **one == who).count();
    assert_eq!((all.len(), count(0), count(1), count(2)), (1001, 1, 500, 500));
}

fn a_child_uses_what_its_parent_dropped() {
    let manager = Manager::start().unwrap();
    let (reader, writer) = Pipe::simplex().unwrap();
    reader.hand_over().unwrap();
    let list = manager.list([1]).unwrap();
    // It has the only proxy, which it has not used when the parent's copy is dropped.
    let child = Child::run(move || {
        reader.recv(LIMIT).unwrap();
        assert_eq!(list.to_vec(), Ok(vec![1]));
    });
    assert_eq!(manager.object_count(), Ok(1));
    writer.send(b"go", LIMIT).unwrap();
    child.succeeds();
}

fn threads_get_their_own_answers() {
    // shows: manager-proxy-by-threads
    let manager = Manager::start().unwrap();
    let dict = manager.dict(Vec::<(u32, u32)>::new()).unwrap();
    std::thread::scope(|scope| {
        for own in 0..8 {
            let dict = &dict;
            scope.spawn(move || {
                for _ in 0..500 {
                    dict.insert(&own, &own).unwrap();
                    assert_eq!(dict.at(&own), Ok(own));
                }
            });
        }
    });
    assert_eq!(dict.len(), Ok(8));
}

fn what_is_returned_is_a_copy() {
    // shows: manager-proxy-call-returns-copy, manager-proxy-reassign-propagates
    let manager = Manager::start().unwrap();
    let list = manager.list([BTreeMap::<String, i32>::new()]).unwrap();
    let mut copy = list.get(0).unwrap();
    copy.insert("a".to_owned(), 1);
    assert_eq!(list.get(0), Ok(BTreeMap::new()));
    list.set(0, &copy).unwrap();
    Child::run(|| assert_eq!(list.get(0), Ok(copy))).succeeds();
}

fn nested_objects_live() {
    // shows: manager-nested-objects-live, manager-nested-object-outlives-own-proxy
    let manager = Manager::start().unwrap();
    let inner = manager.list([0, 1, 2]).unwrap();
    let outer = manager.list([inner.clone()]).unwrap();
    Child::run(|| outer.get(0).and_then(|inner| inner.set(2, &55))).succeeds();
    assert_eq!(inner.to_vec(), Ok(vec![0, 1, 55]));
    let pets = manager.dict([("ferrets".to_owned(), 2)]).unwrap();
    let all = manager.dict([("pets".to_owned(), pets)]).unwrap(); // moved in, and dropped
    let pets: Dict<String, i32> = all.at(&"pets".to_owned()).unwrap();
    assert_eq!(pets.at(&"ferrets".to_owned()), Ok(2));
    drop(all);
    assert_eq!(pets.at(&"ferrets".to_owned()), Ok(2), "it has a proxy of its own");
}

fn nested_queues_work() {
    // shows: manager-nested-queue
    let manager = Manager::start().unwrap();
    let list = manager.list([manager.queue::<i32>().unwrap()]).unwrap();
    list.get(0).unwrap().put(&123, LIMIT).unwrap();
    assert_eq!(list.get(0).unwrap().get(LIMIT), Ok(123));
    // Through a queue, too, beside ordinary values.
    let queue = manager.queue::<(String, List<i32>)>().unwrap();
    queue.put(&("one".to_owned(), manager.list([1]).unwrap()), LIMIT).unwrap();
    assert_eq!(manager.object_count(), Ok(4));
    let (name, one) = queue.get(LIMIT).unwrap();
    assert_eq!((name.as_str(), one.to_vec()), ("one", Ok(vec![1])));
    drop(one);
    assert_eq!(manager.object_count(), Ok(3));
    // The only proxies go into the call, and their objects live on.
    let lists = manager.list([manager.list([7]).unwrap()]).unwrap();
    lists.extend([manager.list([8]).unwrap()]).unwrap();
    let dict = manager.dict([(1, manager.list([9]).unwrap())]).unwrap();
    dict.extend([(2, manager.list([10]).unwrap())]).unwrap();
    let array = manager.array([manager.list([0]).unwrap()]).unwrap();
    array.write(0, [manager.list([11]).unwrap()]).unwrap();
    let all = [lists.get(0), lists.get(1), dict.at(&1), dict.at(&2), array.get(0)];
    let all = all.map(|list| list.unwrap().to_vec().unwrap()).concat();
    assert_eq!(all, [7, 8, 9, 10, 11]);
}

#[derive(serde::Serialize, serde::Deserialize)]
enum Tree {
    Leaf(i32),
    Branch(List<Tree>),
}

fn a_list_in_itself_harms_nobody() {
    // shows: manager-list-own-member
    let manager = Manager::start().unwrap();
    let list = manager.list([Tree::Leaf(1)]).unwrap();
    list.push(&Tree::Branch(list.clone())).unwrap();
    match list.get(1).unwrap() {
        Tree::Branch(same) => assert!(same == list),
        Tree::Leaf(_) => panic!("a leaf"),
    }
    drop(list);
    assert_eq!(manager.list([1]).unwrap().len(), Ok(1));
}

fn unused_objects_go() {
    // shows: manager-object-freed-when-unused
    let manager = Manager::start().unwrap();
    assert_eq!(manager.object_count(), Ok(0));
    let list = manager.list([1]).unwrap();
    let same = list.clone();
    assert_eq!(manager.object_count(), Ok(1));
    drop(list);
    assert_eq!(manager.object_count(), Ok(1));
    drop(same);
    assert_eq!(manager.object_count(), Ok(0));
    // shows: manager-object-freed-when-user-killed
    let (reader, writer) = Pipe::simplex().unwrap();
    writer.hand_over().unwrap();
    let theirs = &manager;
    let child = Child::run(move || {
        let _list = theirs.list([1]).unwrap();
        writer.send(b"made", LIMIT).unwrap();
        sleep_on();
    });
    reader.recv(LIMIT).unwrap();
    assert_eq!(manager.object_count(), Ok(1));
    child.kill();
    until("the dead one's object is gone", || manager.object_count() == Ok(0));
}

fn what_a_value_held_goes_with_it() {
    let manager = Manager::start().unwrap();
    let fresh = || manager.list([1]).unwrap();
    let list = manager.list([fresh(), fresh(), fresh()]).unwrap();
    assert_eq!(manager.object_count(), Ok(4));
    list.set(0, &fresh()).unwrap();
    drop(list.pop().unwrap());
    assert_eq!(manager.object_count(), Ok(3));
    list.repeat(3).unwrap();
    list.remove_at(0).unwrap();
    assert_eq!(manager.object_count(), Ok(3), "others still have it");
    list.clear().unwrap();
    assert_eq!(manager.object_count(), Ok(1));
    let (value, space) = (manager.value(fresh()).unwrap(), manager.namespace().unwrap());
    let dict = manager.dict([(1, fresh())]).unwrap();
    let queue = manager.bounded_queue(1).unwrap();
    space.set("list", &fresh()).unwrap();
    queue.put(&fresh(), None).unwrap();
    assert_eq!(manager.object_count(), Ok(9));
    value.set(&fresh()).unwrap();
    space.set("list", &fresh()).unwrap();
    dict.insert(&1, &fresh()).unwrap();
    assert_eq!(queue.put(&fresh(), crate::bounded::BRIEF), Err(Error::Full));
    assert_eq!(manager.object_count(), Ok(9));
    dict.clear().unwrap();
    assert_eq!(manager.object_count(), Ok(8));
    drop((list, value, space, dict, queue));
    assert_eq!(manager.object_count(), Ok(0));
    // One that cannot be read as what it is taken for is given back, too.
    let lists = manager.list([fresh()]).unwrap();
    manager.publish("lists", &lists).unwrap();
    let wrong: List<Queue<i32>> = manager.find("lists").unwrap();
    assert_eq!(wrong.get(0).err(), Some(Error::NotTransferable));
    let wrong: List<u8> = manager.find("lists").unwrap(); // nothing of what comes is a proxy
    assert_eq!(wrong.get(0).err(), Some(Error::NotTransferable));
    lists.clear().unwrap();
    assert_eq!(manager.object_count(), Ok(1));
}

fn another_servers_objects_can_be_kept() {
    let (one, other) = (Manager::start().unwrap(), Manager::start().unwrap());
    let far = other.list([7]).unwrap();
    let list = one.list([far.clone()]).unwrap();
    Child::run(|| list.get(0).and_then(|far| far.push(&8))).succeeds();
    assert_eq!(far.to_vec(), Ok(vec![7, 8]));
    assert_eq!(one.publish("far", &far), Err(Error::Incompatible));
}

fn a_key_of_its_own_goes_with_no_proxy() {
    let key = Key::new("a secret of theirs").unwrap();
    let manager = Builder::new().key(key).fork().unwrap();
    let list = manager.list([1]).unwrap();
    let message = postcard::to_stdvec(&list).unwrap();
    let secret = b"a secret of theirs";
    assert!(!message.windows(secret.len()).any(|window| window == secret));
    let without = |list: List<i32>, ()| match list.len() {
        Err(Error::AuthenticationFailed) => Ok(()),
        other => Err(format!("{other:?}")),
    };
    let child = Process::spawn("without", without, list.clone(), ()).unwrap();
    assert_eq!(child.join(LIMIT), Ok(ExitStatus::Code(0)));
    let with = |(list, address): (List<i32>, Address), ()| {
        let key = Key::new("a secret of theirs").unwrap();
        let _client = Client::connect(&address, key).unwrap();
        assert_eq!(list.len(), Ok(1));
    };
    let given = (list.clone(), manager.address().clone());
    let child = Process::spawn("with", with, given, ()).unwrap();
    assert_eq!(child.join(LIMIT), Ok(ExitStatus::Code(0)));
    let key = Key::new("a secret of theirs").unwrap();
    let inherits = |list: List<i32>, ()| list.push(&2);
    let builder = purlin_process::Builder::new().key(key);
    let child = builder.spawn(inherits, list.clone(), ()).unwrap();
    assert_eq!(child.join(LIMIT), Ok(ExitStatus::Code(0)));
    // A forked child has the proxy as it is here, and so the key.
    Child::run(|| list.push(&2)).succeeds();
}

fn names_hold_objects() {
    let manager = Manager::start().unwrap();
    let list = manager.list([1]).unwrap();
    manager.publish("list", &list).unwrap();
    assert_eq!(manager.publish("list", &list), Err(Error::AlreadyExists));
    drop(list);
    assert_eq!(manager.find::<List<i32>>("list").unwrap().len(), Ok(1));
    assert_eq!(manager.find::<Queue<i32>>("list").err(), Some(Error::Incompatible));
    assert_eq!(manager.find::<List<i32>>("none").err(), Some(Error::NoSuchName));
    manager.withdraw("list").unwrap();
    assert_eq!(manager.withdraw("list"), Err(Error::NoSuchName));
    assert_eq!(manager.object_count(), Ok(0));
}

fn a_client_that_is_dropped_leaves() {
    let manager = Manager::start().unwrap();
    let (key, address) = (purlin_process::current().key(), manager.address().clone());
    let child = Child::run(move || {
        let before = crate::bounded::descriptor_count("self");
        for _ in 0..3 {
            let client = Client::connect(&address, key.clone()).unwrap();
            let list = client.list([1]).unwrap();
            drop(client);
            assert_eq!(list.len(), Ok(1), "a proxy is enough");
        }
        assert_eq!(crate::bounded::descriptor_count("self"), before);
        sleep_on();
    });
    until("its objects are gone", || manager.object_count() == Ok(0));
    child.kill();
}
