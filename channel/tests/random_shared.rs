//! Random programs on one array and on one value, beside a plain model of them.

use proptest::collection::vec;
use proptest::prelude::*;
use purlin_channel::{Array, Error, Value};
use purlin_sync::Acquired;

use crate::bounded::{Child, text};

/// What is done to an array. Places and ends may lie beyond it.
#[derive(Clone, Debug)]
enum Call {
    Get(usize),
    Set(usize, u16),
    Update(usize, u16),
    Load(usize),
    Store(usize, u16),
    FetchAdd(usize, u16),
    Read(usize, usize),
    ReadInto(usize, usize),
    Write(usize, Vec<u16>),
    /// With another number of elements than the range has.
    WriteOther(usize, usize, Vec<u16>),
    StoreRange(usize, Vec<u16>),
    UpdateRange(usize, usize, u16),
    Reopen,
    HolderDies,
    Recover,
}

const LEN_MAX: usize = 9;

fn call() -> impl Strategy<Value = Call> {
    let place = || 0..LEN_MAX + 2;
    let some = || vec(any::<u16>(), 0..LEN_MAX + 1);
    prop_oneof![
        3 => place().prop_map(Call::Get),
        3 => (place(), any::<u16>()).prop_map(|(place, value)| Call::Set(place, value)),
        3 => (place(), any::<u16>()).prop_map(|(place, value)| Call::Update(place, value)),
        2 => place().prop_map(Call::Load),
        2 => (place(), any::<u16>()).prop_map(|(place, value)| Call::Store(place, value)),
        2 => (place(), any::<u16>()).prop_map(|(place, value)| Call::FetchAdd(place, value)),
        4 => (place(), place()).prop_map(|(start, end)| Call::Read(start, end)),
        3 => (place(), place()).prop_map(|(start, len)| Call::ReadInto(start, len)),
        4 => (place(), some()).prop_map(|(start, values)| Call::Write(start, values)),
        2 => (place(), place(), some()).prop_map(|(a, b, values)| Call::WriteOther(a, b, values)),
        2 => (place(), some()).prop_map(|(start, values)| Call::StoreRange(start, values)),
        3 => (place(), place(), any::<u16>()).prop_map(|(a, b, sum)| Call::UpdateRange(a, b, sum)),
        1 => Just(Call::Reopen),
        1 => (0..4).prop_map(|one| if one == 0 { Call::HolderDies } else { Call::Reopen }),
        1 => Just(Call::Recover),
    ]
}

/// What an array is: elements, and whether somebody died with its lock and nobody has looked since.
struct Model {
    elements: Vec<u16>,
    is_suspect: bool,
}

impl Model {
    fn element(&mut self, place: usize) -> Result<&mut u16, Error> {
        self.elements.get_mut(place).ok_or(Error::OutOfRange)
    }

    /// The elements from one place up to another, as far as there are such.
    fn range(&mut self, start: usize, end: usize) -> &mut [u16] {
        let len = self.elements.len();
        let start = start.min(len);
        &mut self.elements[start..end.clamp(start, len)]
    }

    /// A call for several elements together is refused while it is suspect.
    const fn sound(&self) -> Result<(), Error> {
        if self.is_suspect { Err(Error::OwnerDied) } else { Ok(()) }
    }

    fn write(&mut self, start: usize, end: usize, values: &[u16]) -> Result<(), Error> {
        if self.range(start, end).len() != values.len() {
            return Err(Error::InvalidArgument);
        }
        self.sound()?;
        self.range(start, end).copy_from_slice(values);
        Ok(())
    }
}

fn run(array: &mut Array<u16>, model: &mut Model, call: &Call) -> Result<(), TestCaseError> {
    match call {
        Call::Get(place) => {
            prop_assert_eq!(array.get(*place, None), model.element(*place).copied());
        }
        Call::Set(place, value) => {
            let set = model.element(*place).map(|element| *element = *value);
            prop_assert_eq!(array.set(*place, *value, None), set);
        }
        Call::Update(place, summand) => {
            let after = model.element(*place).map(|element| {
                *element = element.wrapping_add(*summand);
                *element
            });
            let updated = array.update(*place, None, |value| value.wrapping_add(*summand));
            prop_assert_eq!(updated, after);
        }
        Call::Load(place) => prop_assert_eq!(array.load(*place), model.element(*place).copied()),
        Call::Store(place, value) => {
            let stored = model.element(*place).map(|element| *element = *value);
            prop_assert_eq!(array.store(*place, *value), stored);
        }
        Call::FetchAdd(place, summand) => {
            let before = model
                .element(*place)
                .map(|element| core::mem::replace(element, element.wrapping_add(*summand)));
            prop_assert_eq!(array.fetch_add(*place, *summand), before);
        }
        Call::Reopen => *array = Array::open(&array.segment(), array.offset()).unwrap(),
        Call::HolderDies => die_with(array, model),
        Call::Recover => recover(array, model)?,
        of_several => run_range(array, model, of_several)?,
    }
    prop_assert_eq!(array.load_range(..), model.elements.clone());
    Ok(())
}

fn run_range(array: &Array<u16>, model: &mut Model, call: &Call) -> Result<(), TestCaseError> {
    match call {
        Call::Read(start, end) => {
            let read = model.sound().map(|()| model.range(*start, *end).to_vec());
            prop_assert_eq!(array.read(*start..*end, None), read);
        }
        Call::ReadInto(start, len) => {
            let mut into = vec![0; *len];
            let read = array.read_into(*start, &mut into, None).map(|()| into);
            let is_inside = start + len <= model.elements.len();
            let expected = if is_inside { model.sound() } else { Err(Error::OutOfRange) };
            let expected = expected.map(|()| model.range(*start, start + len).to_vec());
            prop_assert_eq!(read, expected);
        }
        Call::Write(start, values) => {
            let end = start + values.len();
            prop_assert_eq!(
                array.write(*start..end, values, None),
                model.write(*start, end, values)
            );
        }
        Call::WriteOther(start, end, values) => {
            let written = model.write(*start, *end, values);
            prop_assert_eq!(array.write(*start..*end, values, None), written);
        }
        Call::StoreRange(start, values) => {
            let end = start + values.len();
            let is_suspect = core::mem::replace(&mut model.is_suspect, false); // no lock, no word
            let stored = model.write(*start, end, values);
            model.is_suspect = is_suspect;
            prop_assert_eq!(array.store_range(*start..end, values), stored);
        }
        Call::UpdateRange(start, end, summand) => {
            let change = |values: &mut [u16]| {
                values.iter_mut().for_each(|value| *value = value.wrapping_add(*summand));
                values.len()
            };
            let expected = model.sound().map(|()| change(model.range(*start, *end)));
            prop_assert_eq!(array.update_range(*start..*end, None, change), expected);
        }
        of_one => unreachable!("{of_one:?} is of one element"),
    }
    Ok(())
}

/// A process ends that holds the array's lock.
fn die_with(array: &Array<u16>, model: &mut Model) {
    let there = array.clone();
    Child::run(move || there.lock().acquire(None).map(Acquired::keep).map(drop).map_err(text))
        .succeeds("it held the lock to its end");
    model.is_suspect = true;
}

/// Somebody looks, and vouches.
fn recover(array: &Array<u16>, model: &mut Model) -> Result<(), TestCaseError> {
    match array.lock().acquire(None).unwrap() {
        Acquired::Held(_) => prop_assert!(!model.is_suspect),
        Acquired::OwnerDied(suspect) => {
            prop_assert!(model.is_suspect);
            drop(suspect.recover());
            model.is_suspect = false;
        }
    }
    Ok(())
}

/// What is done to a value.
#[derive(Clone, Debug)]
enum One {
    Get,
    Set(i32),
    Update(i32),
    Store(i32),
    FetchAdd(i32),
    Exchange(i32, i32),
    ExchangeSeen(i32),
    Reopen,
}

fn one() -> impl Strategy<Value = One> {
    prop_oneof![
        Just(One::Get),
        any::<i32>().prop_map(One::Set),
        any::<i32>().prop_map(One::Update),
        any::<i32>().prop_map(One::Store),
        any::<i32>().prop_map(One::FetchAdd),
        any::<(i32, i32)>().prop_map(|(seen, next)| One::Exchange(seen, next)),
        any::<i32>().prop_map(One::ExchangeSeen),
        Just(One::Reopen),
    ]
}

fn run_one(value: &mut Value<i32>, model: &mut i32, call: &One) -> Result<(), TestCaseError> {
    let added =
        |summand: i32, model: &mut i32| core::mem::replace(model, model.wrapping_add(summand));
    match *call {
        One::Get => prop_assert_eq!(value.get(None), Ok(*model)),
        One::Set(next) => {
            prop_assert_eq!(value.set(next, None), Ok(()));
            *model = next;
        }
        One::Update(summand) => {
            let updated = value.update(None, |seen| seen.wrapping_add(summand));
            added(summand, model);
            prop_assert_eq!(updated, Ok(*model));
        }
        One::Store(next) => {
            value.store(next);
            *model = next;
        }
        One::FetchAdd(summand) => prop_assert_eq!(value.fetch_add(summand), added(summand, model)),
        One::Exchange(seen, next) => {
            let expected = if seen == *model { Ok(()) } else { Err(*model) };
            prop_assert_eq!(value.compare_exchange(seen, next), expected);
            *model = if expected.is_ok() { next } else { *model };
        }
        One::ExchangeSeen(next) => {
            prop_assert_eq!(value.compare_exchange(*model, next), Ok(()));
            *model = next;
        }
        One::Reopen => *value = Value::open(&value.segment(), value.offset()).unwrap(),
    }
    prop_assert_eq!(value.load(), *model);
    Ok(())
}

/// So many cases; one that fails is printed, and kept nowhere.
fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..Default::default() }
}

proptest! {
    #![proptest_config(config(200))]

    #[test]
    fn an_array_is_what_its_model_is(
        (elements, calls) in (vec(any::<u16>(), 0..=LEN_MAX), vec(call(), 1..80))
    ) {
        let mut array = Array::new(&elements).unwrap();
        let mut model = Model { elements, is_suspect: false };
        calls.iter().try_for_each(|call| run(&mut array, &mut model, call))?;
    }

    #[test]
    fn a_value_is_what_its_model_is((first, calls) in (any::<i32>(), vec(one(), 1..80))) {
        let (mut value, mut model) = (Value::new(first).unwrap(), first);
        calls.iter().try_for_each(|call| run_one(&mut value, &mut model, call))?;
    }
}
