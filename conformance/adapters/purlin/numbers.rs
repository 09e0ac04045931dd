//! Numbers of purlin that processes share, of a type and under a lock that a script says: a value
//! is one of them (`value.rs`), an array a row (`array.rs`).

use std::any::{Any, TypeId};
use std::sync::Arc;

use purlin_channel::{Array, Error, Guarding, Plain, Unlocked, Value as One};
use purlin_conformance::serve::{Arguments, CallResult, Flow, Object, Refusal};
use purlin_shm::{Carry, Luggage};
use purlin_sync::{Exclusive, Lock, RLock, Rules};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::array::Row;
use super::lock::Shared;
use super::value::Number;

/// The name of the type of single bytes that a script writes as text.
const CHAR: &str = "char";

/// A type of numbers, as a script writes them.
pub(super) trait Form: Send + Sync + 'static {
    /// What is stored.
    type Plain: Plain + Default + PartialOrd + Serialize + DeserializeOwned;
    /// What a script calls it.
    const NAME: &'static str;

    /// What a script's value is, if the type has it.
    fn of(value: &Value) -> Option<Self::Plain>;

    /// As a script reads it.
    fn told(plain: Self::Plain) -> Value;

    /// The sum, round the end of the type.
    fn sum(one: Self::Plain, other: Self::Plain) -> Self::Plain;

    /// Whether it has a minus sign.
    fn is_negative(plain: Self::Plain) -> bool;

    /// Adds in one step, where there is such a thing; what was there before.
    fn fetch_add<L: Guarding>(to: &One<Self::Plain, L>, n: Self::Plain) -> Option<Self::Plain> {
        let _ = (to, n);
        None
    }
}

macro_rules! whole {
    ($($form:ident)+) => {$(
        impl Form for $form {
            type Plain = $form;
            const NAME: &'static str = stringify!($form);

            fn of(value: &Value) -> Option<$form> {
                let signed = value.as_i64().and_then(|value| value.try_into().ok());
                signed.or_else(|| value.as_u64().and_then(|value| value.try_into().ok()))
            }

            fn told(plain: $form) -> Value {
                plain.into()
            }

            fn sum(one: $form, other: $form) -> $form {
                one.wrapping_add(other)
            }

            fn is_negative(plain: $form) -> bool {
                i128::from(plain) < 0
            }

            fn fetch_add<L: Guarding>(to: &One<$form, L>, n: $form) -> Option<$form> {
                Some(to.fetch_add(n))
            }
        }
    )+};
}

whole! { i8 u8 i16 u16 i32 u32 i64 u64 }

impl Form for f64 {
    type Plain = Self;
    const NAME: &'static str = "f64";

    fn of(value: &Value) -> Option<Self> {
        match value.as_str() {
            Some("infinity") => Some(Self::INFINITY),
            Some("-infinity") => Some(Self::NEG_INFINITY),
            Some("nan") => Some(Self::NAN),
            _ => value.as_f64(),
        }
    }

    fn told(plain: Self) -> Value {
        match plain {
            Self::INFINITY => "infinity".into(),
            Self::NEG_INFINITY => "-infinity".into(),
            _ if plain.is_nan() => "nan".into(),
            _ => plain.into(),
        }
    }

    fn sum(one: Self, other: Self) -> Self {
        one + other
    }

    fn is_negative(plain: Self) -> bool {
        plain.is_sign_negative()
    }
}

impl Form for f32 {
    type Plain = Self;
    const NAME: &'static str = "f32";

    #[expect(clippy::cast_possible_truncation, reason = "to round it is what is asked for")]
    fn of(value: &Value) -> Option<Self> {
        f64::of(value).map(|value| value as Self)
    }

    fn told(plain: Self) -> Value {
        f64::told(plain.into())
    }

    fn sum(one: Self, other: Self) -> Self {
        one + other
    }

    fn is_negative(plain: Self) -> bool {
        plain.is_sign_negative()
    }
}

/// A byte that a script writes as a text of one letter.
pub(super) enum Char {}

impl Form for Char {
    type Plain = u8;
    const NAME: &'static str = CHAR;

    fn of(value: &Value) -> Option<u8> {
        let mut letters = value.as_str()?.chars();
        let letter = letters.next().filter(|_| letters.next().is_none());
        letter.and_then(|letter| u8::try_from(letter).ok())
    }

    fn told(plain: u8) -> Value {
        char::from(plain).to_string().into()
    }

    fn sum(one: u8, other: u8) -> u8 {
        one.wrapping_add(other)
    }

    fn is_negative(_: u8) -> bool {
        false
    }
}

/// What guards the numbers: a lock, which each access takes, or nothing.
pub(super) trait Fence: Guarding + Send + Sync + 'static {
    fn get<T: Plain>(of: &One<T, Self>) -> Result<T, Error>;
    fn set<T: Plain>(of: &One<T, Self>, value: T) -> Result<(), Error>;
    fn get_at<T: Plain>(of: &Array<T, Self>, index: usize) -> Result<T, Error>;
    fn set_at<T: Plain>(of: &Array<T, Self>, index: usize, value: T) -> Result<(), Error>;
    fn read<T: Plain>(of: &Array<T, Self>, range: Range) -> Result<Vec<T>, Error>;
    fn write<T: Plain>(of: &Array<T, Self>, range: Range, elements: &[T]) -> Result<(), Error>;

    /// The lock of a value, as an object of its own.
    fn lock_of<T: Plain>(of: &One<T, Self>) -> Option<Arc<dyn Object>>;

    /// The lock of an array.
    fn lock_of_row<T: Plain>(of: &Array<T, Self>) -> Option<Arc<dyn Object>>;
}

/// From where up to where; to the end without.
pub(super) type Range = (std::ops::Bound<usize>, std::ops::Bound<usize>);

impl<R: Rules + Send + Sync + 'static> Fence for Exclusive<R> {
    fn get<T: Plain>(of: &One<T, Self>) -> Result<T, Error> {
        of.get(None)
    }

    fn set<T: Plain>(of: &One<T, Self>, value: T) -> Result<(), Error> {
        of.set(value, None)
    }

    fn get_at<T: Plain>(of: &Array<T, Self>, index: usize) -> Result<T, Error> {
        of.get(index, None)
    }

    fn set_at<T: Plain>(of: &Array<T, Self>, index: usize, value: T) -> Result<(), Error> {
        of.set(index, value, None)
    }

    fn read<T: Plain>(of: &Array<T, Self>, range: Range) -> Result<Vec<T>, Error> {
        of.read(range, None)
    }

    fn write<T: Plain>(of: &Array<T, Self>, range: Range, elements: &[T]) -> Result<(), Error> {
        of.write(range, elements, None)
    }

    fn lock_of<T: Plain>(of: &One<T, Self>) -> Option<Arc<dyn Object>> {
        Some(Arc::new(Shared(of.lock().clone())))
    }

    fn lock_of_row<T: Plain>(of: &Array<T, Self>) -> Option<Arc<dyn Object>> {
        Some(Arc::new(Shared(of.lock().clone())))
    }
}

impl Fence for Unlocked {
    fn get<T: Plain>(of: &One<T, Self>) -> Result<T, Error> {
        Ok(of.load())
    }

    fn set<T: Plain>(of: &One<T, Self>, value: T) -> Result<(), Error> {
        of.store(value);
        Ok(())
    }

    fn get_at<T: Plain>(of: &Array<T, Self>, index: usize) -> Result<T, Error> {
        of.load(index)
    }

    fn set_at<T: Plain>(of: &Array<T, Self>, index: usize, value: T) -> Result<(), Error> {
        of.store(index, value)
    }

    fn read<T: Plain>(of: &Array<T, Self>, range: Range) -> Result<Vec<T>, Error> {
        Ok(of.load_range(range))
    }

    fn write<T: Plain>(of: &Array<T, Self>, range: Range, elements: &[T]) -> Result<(), Error> {
        of.store_range(range, elements)
    }

    fn lock_of<T: Plain>(_: &One<T, Self>) -> Option<Arc<dyn Object>> {
        None
    }

    fn lock_of_row<T: Plain>(_: &Array<T, Self>) -> Option<Arc<dyn Object>> {
        None
    }
}

/// What can be asked of the lock.
pub(super) const LOCK_OPERATIONS: [&str; 4] = ["acquire", "try", "release", "recover"];

/// Asks the lock, if there is one.
pub(super) fn ask_lock(lock: Option<Arc<dyn Object>>, op: &str, args: &Arguments) -> CallResult {
    let none = || CallResult::Prevented("what has no lock has no such function".to_owned());
    lock.map_or_else(none, |lock| lock.call(op, args))
}

/// Runs `body` while the lock is held.
pub(super) fn scope(lock: Option<Arc<dyn Object>>, body: &mut dyn FnMut() -> Flow) -> Flow {
    lock.map_or(Flow::Unsupported, |lock| lock.scope(body))
}

/// What a script's value is in this type.
///
/// # Errors
/// * A result that says that the type has no such value.
pub(super) fn meant<F: Form>(value: Option<&Value>) -> Result<F::Plain, CallResult> {
    let value = value.ok_or(CallResult::Unsupported)?;
    F::of(value).ok_or_else(|| CallResult::Prevented(no_such::<F>(value)))
}

fn no_such<F: Form>(value: &Value) -> String {
    format!("{value} is nothing that a value of the type {} can be", F::NAME)
}

/// As [`meant`], for each of a list.
pub(super) fn all_meant<F: Form>(values: Option<&Value>) -> Result<Vec<F::Plain>, CallResult> {
    let values = values.and_then(Value::as_array).ok_or(CallResult::Unsupported)?;
    values.iter().map(|value| meant::<F>(Some(value))).collect()
}

/// A count among the arguments.
pub(super) fn count(args: &Arguments, name: &str) -> Result<usize, CallResult> {
    let count = args.get(name).and_then(Value::as_u64).and_then(|count| count.try_into().ok());
    count.ok_or(CallResult::Unsupported)
}

/// Which different values there are, as they are told, the smallest first.
pub(super) fn told_once<F: Form>(mut found: Vec<F::Plain>) -> Value {
    found.sort_by(|one, other| one.partial_cmp(other).unwrap_or(std::cmp::Ordering::Equal));
    found.into_iter().map(F::told).collect()
}

/// One thing or the other: what is done, or what comes of it instead.
pub(super) fn either(done: Result<CallResult, CallResult>) -> CallResult {
    done.unwrap_or_else(|other| other)
}

/// Shared numbers of any type, under any lock.
pub(super) trait Typed: Object {
    fn pack(&self, luggage: &mut Luggage) -> Result<(), purlin_shm::Error>;
    fn id(&self) -> TypeId;
}

impl<T: Object + Carry + 'static> Typed for T {
    fn pack(&self, luggage: &mut Luggage) -> Result<(), purlin_shm::Error> {
        Carry::pack(self, luggage)
    }

    fn id(&self) -> TypeId {
        TypeId::of::<T>()
    }
}

/// A handle of shared numbers.
#[derive(Clone)]
pub(super) struct Numbers(Arc<dyn Typed>);

impl Numbers {
    fn of(typed: impl Typed + 'static) -> Self {
        Self(Arc::new(typed))
    }
}

impl Object for Numbers {
    fn call(&self, op: &str, args: &Arguments) -> CallResult {
        self.0.call(op, args)
    }

    fn scope(&self, body: &mut dyn FnMut() -> Flow) -> Flow {
        self.0.scope(body)
    }

    fn handle(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

/// As many nothings are packed before it as types stand before its own.
impl Carry for Numbers {
    fn pack(&self, luggage: &mut Luggage) -> Result<(), purlin_shm::Error> {
        for _ in TYPES.iter().take_while(|(id, _)| id() != self.0.id()) {
            None::<()>.pack(luggage)?;
        }
        Some(()).pack(luggage)?;
        self.0.pack(luggage)
    }

    fn unpack(luggage: &mut Luggage) -> Result<Self, purlin_shm::Error> {
        for (_, unpack) in TYPES {
            if Option::<()>::unpack(luggage)?.is_some() {
                return unpack(luggage);
            }
        }
        Err(purlin_shm::Error::Incompatible)
    }
}

/// Tells a type of handle, and unpacks one.
type Known = (fn() -> TypeId, fn(&mut Luggage) -> Result<Numbers, purlin_shm::Error>);

const fn known<T: Object + Carry + 'static>() -> Known {
    (TypeId::of::<T>, |luggage| Ok(Numbers::of(T::unpack(luggage)?)))
}

/// Makes what a script asks for, of one type.
type Maker = fn(&Asked<'_>) -> Result<Numbers, Refusal>;

macro_rules! forms {
    ($($form:ty)+) => {
        const TYPES: &[Known] = &[$(
            known::<Number<$form, RLock>>(),
            known::<Number<$form, Lock>>(),
            known::<Number<$form, Unlocked>>(),
            known::<Row<$form, RLock>>(),
            known::<Row<$form, Lock>>(),
            known::<Row<$form, Unlocked>>(),
        )+];

        const MAKERS: &[(&str, Maker)] = &[$((<$form as Form>::NAME, made_of::<$form>),)+];
    };
}

forms! { i8 u8 i16 u16 i32 u32 i64 u64 f32 f64 Char }

/// What a script asks for.
struct Asked<'a> {
    is_row: bool,
    args: &'a Arguments,
    lock: Asking,
}

/// What is to guard it.
enum Asking {
    /// A lock of its own.
    Own,
    Nothing,
    /// This one.
    Given(Arc<dyn Object>),
}

/// Makes a value, or an array, of the type that the argument `type` names, under a lock of its own,
/// under the one that was `given`, or under none where `locked` is false. Without arguments it is a
/// zero of 32 bits, or one of them.
pub(super) fn made(
    is_row: bool,
    args: &Arguments,
    given: Option<Arc<dyn Object>>,
) -> Result<Arc<dyn Object>, Refusal> {
    let lock = match (given, args.get("locked")) {
        (Some(lock), _) => Asking::Given(lock),
        (None, Some(Value::Bool(false))) => Asking::Nothing,
        (None, _) => Asking::Own,
    };
    let usual = Arguments::from_iter([("value".into(), 0.into()), ("length".into(), 1.into())]);
    let args = if args.is_empty() { &usual } else { args };
    let name = args.get("type").and_then(Value::as_str).unwrap_or(<i32 as Form>::NAME);
    let maker = MAKERS.iter().find(|(known, _)| *known == name);
    let (_, make) = maker.ok_or_else(|| Refusal::prevented(format!("{name} is no plain type")))?;
    Ok(Arc::new(make(&Asked { is_row, args, lock })?))
}

fn made_of<F: Form>(asked: &Asked<'_>) -> Result<Numbers, Refusal> {
    match &asked.lock {
        Asking::Own => made_by::<F, RLock>(asked, One::new, |row| match row {
            Contents::Zeros(len) => Array::new(len),
            Contents::Are(elements) => Array::new(&elements),
        }),
        Asking::Nothing => made_by::<F, Unlocked>(asked, One::unlocked, |row| match row {
            Contents::Zeros(len) => Array::unlocked(len),
            Contents::Are(elements) => Array::unlocked(&elements),
        }),
        Asking::Given(lock) => {
            let lock = lock.handle();
            if let Some(lock) = lock.and_then(<dyn Any>::downcast_ref::<RLock>) {
                return made_over::<F, _>(asked, lock);
            }
            if let Some(lock) = lock.and_then(<dyn Any>::downcast_ref::<Lock>) {
                return made_over::<F, _>(asked, lock);
            }
            Err(not_a_lock())
        }
    }
}

/// What asks for numbers under a thing that is none.
pub(super) fn not_a_lock() -> Refusal {
    Refusal::prevented("what guards them is of a lock's type")
}

fn made_over<F: Form, R: Rules + Send + Sync + 'static>(
    asked: &Asked<'_>,
    lock: &Exclusive<R>,
) -> Result<Numbers, Refusal> {
    made_by::<F, Exclusive<R>>(
        asked,
        |value| One::over(lock, value),
        |row| match row {
            Contents::Zeros(len) => Array::over(lock, len),
            Contents::Are(elements) => Array::over(lock, &elements),
        },
    )
}

/// What an array is made of.
enum Contents<T> {
    Zeros(usize),
    Are(Vec<T>),
}

fn made_by<F: Form, L: Fence>(
    asked: &Asked<'_>,
    one: impl FnOnce(F::Plain) -> Result<One<F::Plain, L>, Error>,
    row: impl FnOnce(Contents<F::Plain>) -> Result<Array<F::Plain, L>, Error>,
) -> Result<Numbers, Refusal> {
    if asked.is_row {
        let array = row(contents::<F>(asked.args)?).map_err(super::queue::refusal)?;
        let array = Row::<F, L>(array);
        array.begin(asked.args)?;
        return Ok(Numbers::of(array));
    }
    let none = || Refusal::prevented("a value is made of what it is to hold");
    let value = asked.args.get("value").ok_or_else(none)?;
    let value = F::of(value).ok_or_else(|| Refusal::prevented(no_such::<F>(value)))?;
    Ok(Numbers::of(Number::<F, L>(one(value).map_err(super::queue::refusal)?)))
}

fn contents<F: Form>(args: &Arguments) -> Result<Contents<F::Plain>, Refusal> {
    if args.contains_key("uncounted") {
        return Err(Refusal::prevented("an array is made of what has a length"));
    }
    if let Some(values) = args.get("values").and_then(Value::as_array) {
        let one = |value| F::of(value).ok_or_else(|| Refusal::prevented(no_such::<F>(value)));
        return values.iter().map(one).collect::<Result<_, _>>().map(Contents::Are);
    }
    let len = args.get("length").and_then(Value::as_u64);
    let len = len.and_then(|len| usize::try_from(len).ok());
    len.map(Contents::Zeros).ok_or_else(|| Refusal::prevented("a length is a usize"))
}
