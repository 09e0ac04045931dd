//! The objects that an actor has, by name.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::shared::library_object;
use super::{Arguments, Object, Refusal, Subject};

/// One object, or several under one name.
#[derive(Clone)]
pub(super) enum Handles {
    One(Arc<dyn Object>),
    Many(Vec<Arc<dyn Object>>),
}

pub(super) type Handled = BTreeMap<String, Handles>;

/// Tells all of them that the next process that this thread forks is to have them.
pub(super) fn hand_over(handled: &Handled) {
    for handles in handled.values() {
        match handles {
            Handles::One(one) => one.hand_over(),
            Handles::Many(many) => many.iter().for_each(|one| one.hand_over()),
        }
    }
}

/// What an actor has. Whoever is forked off it clears its copy, so that a `drop` there lets go of
/// the last handle. The lock is uncontended: only the owner's thread takes it.
#[derive(Clone, Default)]
pub(super) struct Shelf(Arc<Mutex<Handled>>);

impl Shelf {
    pub(super) fn new(handled: Handled) -> Self {
        Self(Arc::new(Mutex::new(handled)))
    }

    pub(super) fn all(&self) -> Handled {
        self.lock().clone()
    }

    /// Those of these names.
    ///
    /// # Errors
    /// * `no-such-name` when one of them is not there.
    pub(super) fn some(&self, names: &[String]) -> Result<Handled, Refusal> {
        let mine = self.lock();
        let one = |name: &String| {
            let handles = mine.get(name).ok_or_else(|| missing(name))?;
            Ok((name.clone(), handles.clone()))
        };
        names.iter().map(one).collect()
    }

    pub(super) fn put(&self, name: &str, handles: Handles) {
        let before = self.lock().insert(name.to_owned(), handles);
        // Behind the lock: what a subject does when a handle goes is its own affair.
        drop(before);
    }

    /// Lets go of what has this name.
    ///
    /// # Errors
    /// * `no-such-name` when nothing has.
    pub(super) fn remove(&self, name: &str) -> Result<(), Refusal> {
        let before = self.lock().remove(name).ok_or_else(|| missing(name))?;
        drop(before);
        Ok(())
    }

    pub(super) fn clear(&self) {
        let before = std::mem::take(&mut *self.lock());
        drop(before);
    }

    /// The object of this name, or this one of several.
    ///
    /// # Errors
    /// * `no-such-name` when there is none; `out-of-range` when there are not so many;
    ///   `invalid-argument` when it is one of several and not said which, or the other way round.
    pub(super) fn find(&self, name: &str, index: Option<u64>) -> Result<Arc<dyn Object>, Refusal> {
        match (self.lock().get(name), index) {
            (None, _) => Err(missing(name)),
            (Some(Handles::One(object)), None) => Ok(Arc::clone(object)),
            (Some(Handles::Many(objects)), Some(index)) => {
                let place = usize::try_from(index).ok().and_then(|place| objects.get(place));
                let none = || Refusal::new("out-of-range", format!("there is no {name}[{index}]"));
                place.map(Arc::clone).ok_or_else(none)
            }
            (Some(Handles::One(_)), Some(_)) => {
                Err(Refusal::new("invalid-argument", format!("there is one {name} only")))
            }
            (Some(Handles::Many(_)), None) => {
                Err(Refusal::new("invalid-argument", format!("there are several {name}")))
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Handled> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes what a request `create` or a statement `make` asks for.
///
/// # Errors
/// * What the subject answers.
pub(super) fn create(
    subject: &dyn Subject,
    name: &str,
    kind: &str,
    args: &Arguments,
    count: Option<u64>,
) -> Result<Handles, Refusal> {
    let one = |name: &str| match library_object(kind) {
        Some(object) => {
            let object = object.map_err(|error| Refusal::new("out-of-resources", error))?;
            Ok(subject.altered(kind, object))
        }
        None => subject.create(name, kind, args),
    };
    match count {
        None => one(name).map(Handles::One),
        Some(count) => {
            let each = (0..count).map(|place| one(&format!("{name}[{place}]")));
            each.collect::<Result<_, _>>().map(Handles::Many)
        }
    }
}

/// The place among several that a target names, a loop's variable replaced by its value.
///
/// # Errors
/// * `invalid-argument` when it is neither a number nor a variable.
pub(super) fn place(
    index: Option<&Value>,
    variables: &[(String, u64)],
) -> Result<Option<u64>, Refusal> {
    let Some(index) = index else { return Ok(None) };
    let named = |name: &str| {
        let innermost = variables.iter().rev().find(|(known, _)| known == name);
        innermost.map(|(_, value)| *value)
    };
    let found = index.as_u64().or_else(|| index.as_str().and_then(named));
    let none = || Refusal::new("invalid-argument", format!("{index} is no index"));
    found.map(Some).ok_or_else(none)
}

fn missing(name: &str) -> Refusal {
    Refusal::new("no-such-name", format!("there is no object {name} here"))
}
