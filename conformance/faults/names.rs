//! Names of locks, on the server.

use std::collections::BTreeMap;

use super::fault::Fault;

/// What a name leads to.
struct Entry {
    kind: String,
    lock: String,
}

/// The names that there are.
pub(super) struct Names {
    fault: Fault,
    entries: BTreeMap<String, Entry>,
    made_count: u64,
}

impl Names {
    pub(super) const fn new(fault: Fault) -> Self {
        Self { fault, entries: BTreeMap::new(), made_count: 0 }
    }

    /// Answers `name-… NAME KIND`: an error kind, `ok`, or `ok LOCK`.
    pub(super) fn answer(&mut self, word: &str, rest: &str) -> String {
        let (name, kind) = rest.split_once(' ').unwrap_or((rest, "lock"));
        match word {
            "name-make" => self.make(name, kind),
            "name-find" => self.find(name),
            "name-either" if self.entries.contains_key(name) => self.find(name),
            "name-either" => self.make(name, kind),
            _ => {
                let was_there = self.entries.remove(name).is_some();
                if was_there { "ok" } else { "no-such-name" }.to_owned()
            }
        }
    }

    fn make(&mut self, name: &str, kind: &str) -> String {
        if self.entries.contains_key(name) && self.fault != Fault::NameMadeTwice {
            return "already-exists".to_owned();
        }
        let lock = self.new_lock();
        let entry = Entry { kind: kind.to_owned(), lock: lock.clone() };
        self.entries.insert(name.to_owned(), entry);
        format!("ok {lock}")
    }

    fn find(&mut self, name: &str) -> String {
        let found = self.entries.get(name).map(|entry| (entry.lock.clone(), entry.kind.clone()));
        match found {
            None if self.fault == Fault::OpenMakes => self.make(name, "lock"),
            None => "no-such-name".to_owned(),
            Some((_, kind)) if kind != "lock" && self.fault != Fault::KindUnchecked => {
                "incompatible".to_owned()
            }
            Some(_) if self.fault == Fault::NamesApart => format!("ok {}", self.new_lock()),
            Some((lock, _)) => format!("ok {lock}"),
        }
    }

    fn new_lock(&mut self) -> String {
        self.made_count += 1;
        format!("named-{}", self.made_count)
    }
}
