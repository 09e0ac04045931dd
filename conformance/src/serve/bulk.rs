//! Items of queues and pipes, as a subject that carries bytes has them; and byte strings that no
//! line could hold, which are told by their length and a seed.

use serde_json::{Value, json};

use super::Arguments;

/// The bytes of a byte string go round so many values, beginning with its seed.
pub const SEEDS_COUNT: u8 = 251;

/// The first byte of an item that is no byte string, behind which its JSON stands.
const VALUE: u8 = 255;

/// An item, which the arguments of `put` say: `item=…`, any value; or `bytes=…` with `seed=…`, a
/// byte string of so many bytes, each one more than the one before, modulo [`SEEDS_COUNT`].
#[derive(Debug, Clone, PartialEq)]
pub struct Item(Vec<u8>);

impl Item {
    /// The item that the arguments say; none when they say none.
    pub fn of(args: &Arguments) -> Option<Self> {
        if let Some(item) = args.get("item") {
            return Some(Self::value(item));
        }
        let len = usize::try_from(args.get("bytes")?.as_u64()?).ok()?;
        let seed = args.get("seed").map_or(Some(0), Value::as_u64)?;
        Some(Self::bytes(len, seed))
    }

    /// A value as an item.
    pub fn value(value: &Value) -> Self {
        let mut bytes = vec![VALUE];
        bytes.extend(value.to_string().into_bytes());
        Self(bytes)
    }

    /// A byte string of this length and seed.
    pub fn bytes(len: usize, seed: u64) -> Self {
        let mut bytes = round(seed).repeat(len / usize::from(SEEDS_COUNT) + 1);
        bytes.truncate(len);
        Self(bytes)
    }

    /// What was received.
    pub const fn received(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// What is sent: of a byte string the bytes themselves, of all else one byte more than its
    /// JSON.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The same, to be changed.
    pub fn as_mut_bytes(&mut self) -> &mut [u8] {
        &mut self.0
    }

    /// As a script reads it: a value as it is, a byte string as `{bytes: 100, seed: 7}`; one that
    /// is none of those with the seed `"torn"`.
    pub fn told(&self) -> Value {
        if let [VALUE, json @ ..] = self.0.as_slice() {
            return serde_json::from_slice(json).unwrap_or_else(|_| json!("torn"));
        }
        let seed = u64::from(self.0.first().copied().unwrap_or(0));
        let own = round(seed);
        let is_whole = self.0.chunks(own.len()).all(|chunk| chunk == &own[..chunk.len()]);
        json!({ "bytes": self.0.len(), "seed": if is_whole { json!(seed) } else { json!("torn") } })
    }
}

/// All values once.
fn round(seed: u64) -> Vec<u8> {
    let count = u64::from(SEEDS_COUNT);
    let byte = |place: u64| u8::try_from((seed % count + place) % count).unwrap_or(0);
    (0..count).map(byte).collect()
}

/// By so many bytes each item of a mixture is longer than the one before, up to where it begins
/// anew.
const STEP_BYTES: u64 = 37;

/// What `put_mixed` puts and `get_mixed` is to get: so many byte strings, the i-th of them 37 i
/// bytes long, or another number of times i, modulo one more than the most that there may be, and
/// with the seed i.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mixture {
    count: u64,
    most_bytes: u64,
    step_bytes: u64,
}

impl Mixture {
    /// The mixture that the arguments `count`, `most` and perhaps `step` say; none when they say
    /// none.
    pub fn of(args: &Arguments) -> Option<Self> {
        let number = |name: &str| args.get(name).and_then(Value::as_u64);
        let step_bytes = number("step").unwrap_or(STEP_BYTES);
        Some(Self { count: number("count")?, most_bytes: number("most")?, step_bytes })
    }

    /// Its items, in order.
    pub fn items(self) -> impl Iterator<Item = Item> {
        let len =
            move |i: u64| usize::try_from(self.step_bytes * i % (self.most_bytes + 1)).unwrap_or(0);
        (0..self.count).map(move |i| Item::bytes(len(i), i))
    }

    /// Puts all items, up to the first failure.
    ///
    /// # Errors
    /// * What `put` gives.
    pub fn put<E>(self, put: impl FnMut(Item) -> Result<(), E>) -> Result<(), E> {
        self.items().try_for_each(put)
    }

    /// Gets as many items; how many came as they should, up to the first that did not.
    ///
    /// # Errors
    /// * What `get` gives.
    pub fn get<E>(self, mut get: impl FnMut() -> Result<Item, E>) -> Result<u64, E> {
        let mut right_count = 0;
        for expected in self.items() {
            if get()? != expected {
                break;
            }
            right_count += 1;
        }
        Ok(right_count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(args: Value) -> Item {
        let Value::Object(args) = args else { panic!() };
        Item::of(&args).unwrap()
    }

    #[test]
    fn an_item_is_told_as_it_was_said() {
        for value in [json!(null), json!(""), json!([1, "a"]), json!(5), json!({"bytes": 3})] {
            let item = item(json!({ "item": value }));
            assert_eq!(Item::received(item.as_bytes().to_vec()).told(), value);
        }
        for (bytes, seed) in [(0, 0), (1, 250), (100, 7), (1000, 3)] {
            let item = item(json!({"bytes": bytes, "seed": seed}));
            assert_eq!(item.as_bytes().len(), bytes);
            assert_eq!(item.told(), json!({"bytes": bytes, "seed": seed}));
        }
        assert_eq!(item(json!({"bytes": 3})), item(json!({"bytes": 3, "seed": 251})));
    }

    #[test]
    fn an_item_of_two_pieces_is_torn() {
        let mut bytes = Item::bytes(1000, 3).as_bytes()[..500].to_vec();
        bytes.extend(&Item::bytes(1000, 4).as_bytes()[500..]);
        assert_eq!(Item::received(bytes).told(), json!({"bytes": 1000, "seed": "torn"}));
        assert_eq!(Item::received(vec![VALUE, b'[']).told(), "torn");
    }

    #[test]
    fn a_mixture_is_counted_up_to_the_first_wrong_one() {
        let args = json!({"count": 100, "most": 1000});
        let mixture = Mixture::of(args.as_object().unwrap()).unwrap();
        let items: Vec<Item> = mixture.items().collect();
        assert_eq!(items[99].as_bytes().len(), 37 * 99 % 1001);
        let count = |items: Vec<Item>| {
            let mut items = items.into_iter();
            mixture.get(|| items.next().ok_or(()))
        };
        assert_eq!(count(items.clone()), Ok(100));
        assert_eq!(count(items[..50].to_vec()), Err(()));
        let args = json!({"count": 3, "most": 1000, "step": 600});
        let lens = Mixture::of(args.as_object().unwrap()).unwrap().items();
        assert!(lens.map(|item| item.as_bytes().len()).eq([0, 600, 199]));
        let mut swapped = items;
        swapped.swap(60, 61);
        assert_eq!(count(swapped), Ok(60));
    }
}
