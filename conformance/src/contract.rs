//! The choices in which implementations may rightly differ, and who takes which side.

use crate::protocol::{Form, Hello};

/// The choices and their sides; the first stands for a subject that declares none.
pub const CONTRACTS: &[(&str, &[&str])] = &[
    ("lock-release", &["by-anyone", "by-holder"]),
    ("lock-again", &["waits", "refused", "deepens"]),
    ("lock-owner", &["known", "unknown"]),
    ("semaphore-death", &["units-stay", "units-return"]),
    ("condition-wakeup", &["exact", "may-be-spurious"]),
    ("condition-notify", &["by-holder", "by-anyone"]),
    ("at-exit", &["waits", "leaves"]),
    ("queue-room", &["grows", "fixed"]),
    ("queue-put", &["background", "direct"]),
    ("pipe-message", &["in-pieces", "whole"]),
    ("pool-workers", &["processes", "threads"]),
];

/// Whether `choice:side` is one of the contracts; with `|` between them there may be several sides.
pub fn is_known(contract: &str) -> bool {
    let Some((choice, side)) = contract.split_once(':') else { return false };
    let has = |sides: &[&str]| side.split('|').all(|side| sides.contains(&side));
    sides_of(choice).is_some_and(has)
}

/// All contracts, as `choice:side`.
pub fn all() -> impl Iterator<Item = String> {
    let of = |(choice, sides): &(&str, &'static [&'static str])| {
        let choice = (*choice).to_owned();
        sides.iter().map(move |side| format!("{choice}:{side}"))
    };
    CONTRACTS.iter().flat_map(of)
}

/// A kind of object that a group's cases are asked of: the group's own, or one that the subject
/// calls a form of it.
#[derive(Debug, Clone, Copy)]
pub struct AskedForm<'a> {
    /// The kind, which is the form's name.
    pub kind: &'a str,
    hello: &'a Hello,
    declared: Option<&'a Form>,
}

/// The forms in which a subject is asked about a group, its own kind first. One that offers other
/// forms only is not asked for what it does not have.
pub fn forms<'a>(hello: &'a Hello, group: &'a str) -> Vec<AskedForm<'a>> {
    let declared = hello.forms.iter().filter(|(kind, form)| form.of == group && *kind != group);
    let mut forms: Vec<AskedForm<'a>> =
        declared.map(|(kind, form)| AskedForm { kind, hello, declared: Some(form) }).collect();
    if forms.is_empty() || hello.objects.contains_key(group) {
        let declared = hello.forms.get(group).filter(|form| form.of == group);
        forms.insert(0, AskedForm { kind: group, hello, declared });
    }
    forms
}

impl AskedForm<'_> {
    /// Whether it takes the side of each of these choices, or one of several: by its own word, else
    /// by the subject's, else by the catalogue's.
    pub fn takes<'c>(&self, contracts: impl IntoIterator<Item = &'c String>) -> bool {
        contracts.into_iter().all(|contract| self.takes_one(contract))
    }

    fn takes_one(&self, contract: &str) -> bool {
        let Some((choice, side)) = contract.split_once(':') else { return false };
        let is_named = |taken: &str| side.split('|').any(|side| side == taken);
        let own = self.declared.and_then(|form| form.contracts.get(choice));
        match own.or_else(|| self.hello.contracts.get(choice)) {
            Some(sides) => sides.iter().any(|taken| is_named(taken)),
            None => sides_of(choice).is_some_and(|sides| is_named(sides[0])),
        }
    }
}

fn sides_of(choice: &str) -> Option<&'static [&'static str]> {
    CONTRACTS.iter().find(|(name, _)| *name == choice).map(|(_, sides)| *sides)
}
