//! `one of b c d: -> ok as w other l`: who of some actors it was, nobody knows beforehand.

use super::cast::{Group, Role, Standing};
use super::words::at;
use super::{ParseError, Parser};
use crate::script::{Action, Expected, Span};

impl Parser<'_> {
    pub(super) fn one_of(&mut self) -> Result<Action, ParseError> {
        self.words.key("of")?;
        let names = self.words.names_until(&[]);
        let actors = self.candidates(&names)?;
        self.words.mark(":")?;
        let (expected, span) = self.expected()?;
        if !matches!(expected, Expected::Outcome { .. } | Expected::Waiting) {
            return Err(at(span, "`one of` waits for an outcome; the others are blocked anyway"));
        }
        let mut group = self.gather(&names)?;
        let place = self.over(&mut group, &expected, span)?;
        let winner = if self.words.try_key("as") { Some(self.alias()?) } else { None };
        let mut loser = None;
        if winner.is_some() && self.words.next_is_key("other") {
            loser = Some(self.loser(&group, winner.as_deref())?);
        }
        group.call(place, winner.clone());
        if loser.is_some() {
            group.call(1 - place, loser.clone());
        }
        self.cast.groups.push(group);
        Ok(Action::OneOf { actors, expected, winner, loser })
    }

    /// The names are declared, differ, and are two at least.
    fn candidates(&self, names: &[(String, Span)]) -> Result<Vec<String>, ParseError> {
        let mut actors: Vec<String> = Vec::new();
        for (name, span) in names {
            if self.cast.is_alias(name) {
                let says = format!("`{name}` is one of those already; list the declared actors");
                return Err(at(*span, says));
            }
            if self.cast.member(name).is_none() {
                return Err(at(*span, format!("there is no actor `{name}`")));
            }
            if actors.contains(name) {
                return Err(at(*span, format!("`{name}` stands here twice")));
            }
            actors.push(name.clone());
        }
        if actors.len() < 2 {
            let span = names.first().map_or(self.words.here(), |(_, span)| *span);
            return Err(at(span, "`one of` needs at least two actors"));
        }
        Ok(actors)
    }

    /// Takes the actors out of where they are, into one group.
    fn gather(&mut self, names: &[(String, Span)]) -> Result<Group, ParseError> {
        let mut group = Group { names: Vec::new(), roles: Vec::new() };
        for (name, span) in names {
            if group.names.contains(name) {
                continue;
            }
            self.cast.settle(name);
            let Some(place) = self.cast.group_of(name) else {
                let state = self.with_call(name, *span)?;
                group.names.push(name.clone());
                group.roles.push(Role { name: None, state });
                continue;
            };
            let earlier = self.cast.groups.swap_remove(place);
            let is_listed = |member: &String| names.iter().any(|(listed, _)| listed == member);
            if let Some(missing) = earlier.names.iter().find(|member| !is_listed(member)) {
                let says = format!("nobody knows whether it is `{missing}`, who is not listed");
                return Err(at(*span, says));
            }
            group.names.extend(earlier.names);
            group.roles.extend(earlier.roles);
        }
        group.level();
        Ok(group)
    }

    /// One call of the group is over; the others are blocked. Returns the one's place.
    fn over(
        &self,
        group: &mut Group,
        expected: &Expected,
        span: Span,
    ) -> Result<usize, ParseError> {
        let is_under_way = |role: &Role| role.state.has_call() && !role.state.is_frozen;
        let Some(place) = group.roles.iter().position(is_under_way) else {
            return Err(at(span, "the calls of all of them are over"));
        };
        self.can_come(expected, &group.roles[place].state.course, span)?;
        for role in group.roles.iter_mut().filter(|role| is_under_way(role)) {
            role.name = None;
            role.state.standing = Standing::Blocked;
        }
        if *expected == Expected::Waiting {
            group.roles[place].state.standing = Standing::Waiting;
        } else {
            group.roles[place].state.rest(Standing::Idle);
        }
        Ok(place)
    }

    /// A new name: no actor's, and no alias of another group.
    fn alias(&mut self) -> Result<String, ParseError> {
        let (name, span) = self.words.word("a name is missing here")?;
        if self.cast.member(&name).is_some() || self.cast.is_alias(&name) {
            return Err(at(span, format!("there is an actor `{name}` already")));
        }
        Ok(name)
    }

    fn loser(&mut self, group: &Group, winner: Option<&str>) -> Result<String, ParseError> {
        let span = self.words.here();
        self.words.key("other")?;
        if group.names.len() != 2 {
            return Err(at(span, "there is one `other` of two actors only"));
        }
        let (span, name) = (self.words.here(), self.alias()?);
        if Some(name.as_str()) == winner {
            return Err(at(span, format!("`{name}` is the one, not the other")));
        }
        Ok(name)
    }
}
