//! Values, arrays, lists, dictionaries and records.

use purlin_manager::{Error, List, Manager, Value};
use serde::ser::Error as _;
use serde::{Deserialize, Serialize, Serializer};

use crate::bounded::{Child, Test};

pub(crate) const TESTS: &[Test] = &[
    ("a_value_is_read_and_set_by_all", a_value_is_read_and_set_by_all),
    ("a_values_type_is_kept", a_values_type_is_kept),
    ("a_value_changes_in_steps", a_value_changes_in_steps),
    ("an_array_is_checked", an_array_is_checked),
    ("a_list_does_what_lists_do", a_list_does_what_lists_do),
    ("a_lists_ranges", a_lists_ranges),
    ("a_list_is_walked_as_it_is", a_list_is_walked_as_it_is),
    ("a_dictionary_does_what_dictionaries_do", a_dictionary_does_what_dictionaries_do),
    ("a_dictionary_keeps_its_order", a_dictionary_keeps_its_order),
    ("a_record_has_fields", a_record_has_fields),
    ("failures_keep_their_kinds", failures_keep_their_kinds),
    ("what_has_no_form_is_refused", what_has_no_form_is_refused),
    ("all_kinds_of_data_pass", all_kinds_of_data_pass),
    ("a_proxy_is_not_its_contents", a_proxy_is_not_its_contents),
];

fn a_value_is_read_and_set_by_all() {
    // shows: manager-value
    let manager = Manager::start().unwrap();
    let value = manager.value(1).unwrap();
    Child::run(|| -> Result<(), Error> {
        assert_eq!(value.get(), Ok(1));
        value.set(&2)
    })
    .succeeds();
    assert_eq!(value.get(), Ok(2));
}

fn a_values_type_is_kept() {
    let manager = Manager::start().unwrap();
    let value = manager.value(u32::MAX).unwrap();
    manager.publish("value", &value).unwrap();
    // The compiler refuses another type; who takes it for one by name is told when it is read.
    let narrow: Value<u8> = manager.find("value").unwrap();
    assert_eq!(narrow.get(), Err(Error::NotTransferable));
    assert_eq!(value.get(), Ok(u32::MAX));
}

fn a_value_changes_in_steps() {
    // shows: manager-value-update-not-atomic
    let manager = Manager::start().unwrap();
    let (value, lock) = (manager.value(0).unwrap(), manager.lock().unwrap());
    let add = || -> Result<(), Error> {
        for _ in 0..200 {
            let _held = lock.acquire(None)?.sound()?;
            value.set(&(value.get()? + 1))?;
        }
        Ok(())
    };
    let children = [(); 3].map(|()| Child::run(add));
    children.into_iter().for_each(Child::succeeds);
    assert_eq!(value.get(), Ok(600));
    let update = || (0..200).try_for_each(|_| value.update(|seen| seen + 1).map(drop));
    let children = [(); 3].map(|()| Child::run(update));
    children.into_iter().for_each(Child::succeeds);
    assert_eq!(value.get(), Ok(1200));
    assert_eq!(value.replace(&7), Ok(1200));
    assert_eq!((value.replace_if(&8, &9), value.replace_if(&7, &8)), (Ok(false), Ok(true)));
}

fn an_array_is_checked() {
    // shows: manager-array
    let manager = Manager::start().unwrap();
    let array = manager.array(0..10).unwrap();
    Child::run(|| array.set(0, &5)).succeeds();
    assert_eq!(array.to_vec(), Ok(vec![5, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
    assert_eq!(array.len(), Ok(10));
    assert_eq!(array.get(20), Err(Error::OutOfRange));
    assert_eq!(array.get(usize::MAX), Err(Error::OutOfRange));
    assert_eq!(array.set(10, &1), Err(Error::OutOfRange));
    assert_eq!(array.write(8, [1, 2, 3]), Err(Error::OutOfRange));
    assert_eq!(array.write(usize::MAX, [1, 2]), Err(Error::OutOfRange));
    array.write(7, [1, 2, 3]).unwrap();
    assert_eq!(array.read(6..), Ok(vec![6, 1, 2, 3]));
    assert_eq!(array.read(11..), Err(Error::OutOfRange));
    assert_eq!(
        (array.is_empty(), manager.array([0; 0]).unwrap().is_empty()),
        (Ok(false), Ok(true))
    );
}

fn a_list_does_what_lists_do() {
    // shows: manager-list
    let manager = Manager::start().unwrap();
    let list = manager.list((0..10).map(|number| number.to_string())).unwrap();
    let text = |number: i32| number.to_string();
    Child::run(|| -> Result<(), Error> {
        list.reverse()?;
        list.push(&"x".to_owned())?;
        list.insert(0, &text(7))?;
        list.remove(&text(5))?;
        assert_eq!(list.pop()?, "x");
        list.extend([text(1), text(2)])?;
        assert_eq!((list.count_of(&text(7))?, list.place_of(&text(9))?), (2, 1));
        Ok(())
    })
    .succeeds();
    let expected = [7, 9, 8, 7, 6, 4, 3, 2, 1, 0, 1, 2].map(text);
    assert_eq!(list.to_vec(), Ok(expected.to_vec()));
    assert_eq!(list.remove(&"none".to_owned()), Err(Error::NoSuchName));
    assert_eq!(list.place_of(&"none".to_owned()), Err(Error::NoSuchName));
    assert_eq!(list.insert(13, &text(0)), Err(Error::OutOfRange));
    assert_eq!(list.set(12, &text(0)), Err(Error::OutOfRange));
    assert_eq!(list.remove_at(12), Err(Error::OutOfRange));
    list.replace([text(1)]).unwrap();
    assert_eq!((list.remove_at(0), list.is_empty()), (Ok(text(1)), Ok(true)));
    assert_eq!(list.pop(), Err(Error::OutOfRange));
    list.push(&text(1)).unwrap();
    assert_eq!(list.repeat((1 << 24) + 1), Err(Error::OutOfRange));
    assert_eq!(list.repeat(u64::MAX), Err(Error::OutOfRange));
    assert_eq!(list.len(), Ok(1));
}

fn a_lists_ranges() {
    // shows: manager-list-slices-and-arithmetic
    let manager = Manager::start().unwrap();
    let list = manager.list(0..5).unwrap();
    assert_eq!(list.read(2..10), Ok(vec![2, 3, 4]));
    assert_eq!(list.read(1..=1), Ok(vec![1]));
    assert_eq!(list.read(7..), Ok(vec![]));
    list.repeat(2).unwrap();
    let mut joined = list.to_vec().unwrap();
    joined.extend([5, 6]);
    assert_eq!(joined, [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 5, 6]);
    assert_eq!(list.len(), Ok(10));
    assert_eq!(list.repeat(u64::MAX), Err(Error::OutOfRange));
    list.repeat(0).unwrap();
    assert_eq!(list.len(), Ok(0));
    list.repeat(u64::MAX).unwrap();
    assert_eq!(list.len(), Ok(0), "nothing, however often");
}

fn a_list_is_walked_as_it_is() {
    // shows: manager-list-iterates
    let manager = Manager::start().unwrap();
    let list = manager.list(0..10).unwrap();
    let mut walk = list.iter();
    list.set(0, &100).unwrap();
    assert_eq!(walk.next(), Some(Ok(100)));
    list.repeat(0).unwrap();
    assert_eq!((walk.next(), walk.next()), (None, None));
    let all: Result<Vec<i32>, Error> = (&manager.list([1, 2]).unwrap()).into_iter().collect();
    assert_eq!(all, Ok(vec![1, 2]));
}

fn a_dictionary_does_what_dictionaries_do() {
    // shows: manager-dict
    let manager = Manager::start().unwrap();
    let dict = manager.dict(Vec::<(u32, char)>::new()).unwrap();
    Child::run(|| dict.extend((65..70).zip('A'..))).succeeds();
    let pairs: Vec<(u32, char)> = (65..70).zip('A'..).collect();
    assert_eq!(dict.items(), Ok(pairs.clone()));
    assert_eq!(dict.keys(), Ok((65..70).collect()));
    assert_eq!(dict.values(), Ok(('A'..='E').collect()));
    assert_eq!(dict.get(&70).map(|found| found.unwrap_or('?')), Ok('?'));
    assert_eq!((dict.remove(&65), dict.remove(&65)), (Ok(Some('A')), Ok(None)));
    assert_eq!((dict.contains(&65), dict.len()), (Ok(false), Ok(4)));
    assert_eq!(dict.at(&65), Err(Error::NoSuchName));
    assert_eq!(dict.insert(&66, &'b'), Ok(Some('B')));
    assert_eq!((dict.get_or_insert(&66, &'x'), dict.get_or_insert(&1, &'y')), (Ok('b'), Ok('y')));
    assert_eq!((dict.pop(), dict.is_empty()), (Ok(Some((1, 'y'))), Ok(false)));
    dict.clear().unwrap();
    assert_eq!((dict.pop(), dict.len()), (Ok(None), Ok(0)));
}

fn a_dictionary_keeps_its_order() {
    let manager = Manager::start().unwrap();
    let dict = manager.dict([(3, 'c'), (1, 'a'), (2, 'b'), (3, 'C')]).unwrap();
    assert_eq!(dict.items(), Ok(vec![(3, 'C'), (1, 'a'), (2, 'b')]));
    dict.remove(&3).unwrap();
    dict.insert(&3, &'d').unwrap();
    assert_eq!(dict.keys(), Ok(vec![1, 2, 3]));
}

fn a_record_has_fields() {
    // shows: manager-namespace
    let manager = Manager::start().unwrap();
    let record = manager.namespace().unwrap();
    record.set("name", "Bob").unwrap();
    record.set("job", "Builder").unwrap();
    record.set("age", &42).unwrap();
    Child::run(|| -> Result<(), Error> {
        assert_eq!(record.get::<String>("name")?, "Bob");
        record.remove("job")
    })
    .succeeds();
    assert_eq!(record.get::<String>("job"), Err(Error::NoSuchName));
    assert_eq!(record.remove("job"), Err(Error::NoSuchName));
    assert_eq!(record.names(), Ok(vec!["age".to_owned(), "name".to_owned()]));
}

fn failures_keep_their_kinds() {
    // shows: manager-error-kinds-kept
    let manager = Manager::start().unwrap();
    let (list, dict) = (manager.list([1]).unwrap(), manager.dict([(1, 1)]).unwrap());
    let (full, empty) = (manager.bounded_queue(1).unwrap(), manager.queue::<i32>().unwrap());
    let semaphore = manager.bounded_semaphore(1).unwrap();
    full.put(&1, None).unwrap();
    assert_eq!(list.get(3), Err(Error::OutOfRange));
    assert_eq!(dict.at(&9), Err(Error::NoSuchName));
    assert_eq!(full.try_put(&2), Err(Error::Full));
    assert_eq!(empty.try_get(), Err(Error::Empty));
    assert_eq!(semaphore.release(), Err(Error::OverReleased));
    assert_eq!(semaphore.release_many(0), Err(Error::InvalidArgument));
    assert_eq!(manager.barrier(0).err(), Some(Error::InvalidArgument));
    assert_eq!(manager.bounded_queue::<i32>(0).err(), Some(Error::InvalidArgument));
}

/// What cannot be carried.
#[derive(Deserialize)]
struct Formless;

impl Serialize for Formless {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(S::Error::custom("none"))
    }
}

#[derive(Serialize, Deserialize)]
enum Mixed {
    Formless(List<i32>, Formless),
    Fine(i32),
}

fn what_has_no_form_is_refused() {
    // shows: manager-unsendable-argument-refused
    let manager = Manager::start().unwrap();
    let list = manager.list(Vec::<Mixed>::new()).unwrap();
    let inner = manager.list([1]).unwrap();
    assert_eq!(list.push(&Mixed::Formless(inner, Formless)), Err(Error::NotTransferable));
    list.push(&Mixed::Fine(1)).unwrap();
    assert_eq!(list.len(), Ok(1));
    assert_eq!(manager.object_count(), Ok(1));
    assert!(matches!(list.get(0), Ok(Mixed::Fine(1))));
}

fn all_kinds_of_data_pass() {
    // shows: manager-remote-data-kinds
    type Data = (String, Option<()>, bool, f64, String, Vec<u8>);
    let manager = Manager::start().unwrap();
    let queue = manager.queue::<Data>().unwrap();
    let bytes: Vec<u8> = (128..=255).collect();
    let data: Data = ("hello world".into(), None, true, 2.25, "Привет".into(), bytes);
    Child::run(|| queue.put(&data, None)).succeeds();
    assert_eq!(queue.get(None), Ok(data));
}

fn a_proxy_is_not_its_contents() {
    let manager = Manager::start().unwrap();
    let (one, other) = (manager.list([1]).unwrap(), manager.list([1]).unwrap());
    assert!(one == one.clone() && one != other);
    assert_eq!(one.to_vec(), other.to_vec());
    assert!(format!("{one:?}").contains("object: "));
}
