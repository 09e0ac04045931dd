//! What the script so far says of each actor.

use super::flow::{Course, Ends};
use crate::script::Origin;

/// The process of those who act in the adapter's; no actor has such a name.
const ADAPTER: &str = "the adapter";

/// All actors.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Cast {
    pub(super) members: Vec<Member>,
    pub(super) groups: Vec<Group>,
}

/// A declared actor.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) origin: Origin,
    /// The actor that its process was started as.
    pub(super) process: String,
    pub(super) state: State,
}

/// Actors behind a `one of`: who of them is in which state, nobody knows.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Group {
    pub(super) names: Vec<String>,
    pub(super) roles: Vec<Role>,
}

/// One of a group, known by what became of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Role {
    /// `as w`
    pub(super) name: Option<String>,
    pub(super) state: State,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct State {
    pub(super) standing: Standing,
    pub(super) is_frozen: bool,
    /// It has a handler for SIGUSR1.
    pub(super) catches: bool,
    /// Something from outside may end it.
    pub(super) may_end: bool,
    /// What can come of its call.
    pub(super) course: Course,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Another actor has yet to start it.
    Unborn,
    Idle,
    /// Its call was shown to wait.
    Blocked,
    /// Its call has begun, or has gone on.
    Running,
    /// Its program has come to a `wait`.
    Waiting,
    /// It is another program now.
    Executed,
    Gone,
}

/// Why there is no state to tell.
pub(super) enum Unknown {
    Name,
    /// Nobody knows which of a group it is.
    Open,
}

impl State {
    pub(super) fn new(standing: Standing) -> Self {
        let course = Course::default();
        Self { standing, is_frozen: false, catches: false, may_end: false, course }
    }

    pub(super) const fn lives(&self) -> bool {
        !matches!(self.standing, Standing::Unborn | Standing::Gone)
    }

    pub(super) const fn has_call(&self) -> bool {
        matches!(self.standing, Standing::Blocked | Standing::Running)
    }

    fn stands_as(&self, other: &Self) -> bool {
        let stands = |state: &Self| (state.standing, state.is_frozen, state.course);
        stands(self) == stands(other)
    }

    pub(super) fn rest(&mut self, standing: Standing) {
        self.standing = standing;
        self.course = Course::default();
    }
}

impl Group {
    /// Gives a role a name, which no other has from here on.
    pub(super) fn call(&mut self, place: usize, name: Option<String>) {
        for role in self.roles.iter_mut().filter(|role| role.name == name) {
            role.name = None;
        }
        self.roles[place].name = name;
    }

    fn has_alias(&self, name: &str) -> bool {
        self.roles.iter().any(|role| role.name.as_deref() == Some(name))
    }

    /// What one of them has, nobody knows who, is what any of them may have.
    pub(super) fn level(&mut self) {
        let catches = self.roles.iter().all(|role| role.state.catches);
        let may_end = self.roles.iter().any(|role| role.state.may_end);
        for role in &mut self.roles {
            (role.state.catches, role.state.may_end) = (catches, may_end);
        }
    }

    fn is_settled(&self) -> bool {
        self.roles.windows(2).all(|pair| pair[0].state.stands_as(&pair[1].state))
    }
}

impl Cast {
    pub(super) fn declare(&mut self, name: String, origin: Origin) {
        let (process, standing) = match &origin {
            Origin::Adapter => (name.clone(), Standing::Idle),
            Origin::Main => (ADAPTER.to_owned(), Standing::Idle),
            Origin::ThreadOf(parent) => (self.process_of(parent), Standing::Idle),
            Origin::ChildOf(_) => (name.clone(), Standing::Unborn),
        };
        self.members.push(Member { name, origin, process, state: State::new(standing) });
    }

    pub(super) fn member(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.name == name)
    }

    fn member_mut(&mut self, name: &str) -> Option<&mut Member> {
        self.members.iter_mut().find(|member| member.name == name)
    }

    pub(super) fn process_of(&self, name: &str) -> String {
        self.member(name).map_or_else(|| name.to_owned(), |member| member.process.clone())
    }

    /// Whether it takes its calls in a thread that is not its process's first.
    pub(super) fn is_thread(&self, name: &str) -> bool {
        self.member(name).is_some_and(|member| member.process != member.name)
    }

    /// Whose group this is, by a member's name or an alias.
    pub(super) fn group_of(&self, name: &str) -> Option<usize> {
        self.groups.iter().position(|group| {
            group.has_alias(name) || group.names.iter().any(|member| member == name)
        })
    }

    pub(super) fn is_alias(&self, name: &str) -> bool {
        self.groups.iter().any(|group| group.has_alias(name))
    }

    /// The declared actors that a name may mean.
    pub(super) fn may_be(&self, name: &str) -> Vec<String> {
        match self.groups.iter().find(|group| group.has_alias(name)) {
            Some(group) => group.names.clone(),
            None => vec![name.to_owned()],
        }
    }

    /// When all of a group are in the same state, each is known again, and by its own name only.
    pub(super) fn settle(&mut self, name: &str) {
        let Some(place) = self.group_of(name).filter(|_| self.member(name).is_some()) else {
            return;
        };
        if !self.groups[place].is_settled() {
            return;
        }
        let mut group = self.groups.swap_remove(place);
        group.level();
        for (name, role) in group.names.iter().zip(group.roles) {
            if let Some(member) = self.member_mut(name) {
                member.state = role.state;
            }
        }
    }

    pub(super) fn state(&self, name: &str) -> Result<&State, Unknown> {
        match self.group_of(name) {
            Some(place) => {
                let roles = &self.groups[place].roles;
                let role = roles.iter().find(|role| role.name.as_deref() == Some(name));
                role.map(|role| &role.state).ok_or(Unknown::Open)
            }
            None => self.member(name).map(|member| &member.state).ok_or(Unknown::Name),
        }
    }

    /// Changes one actor.
    pub(super) fn change(&mut self, name: &str, change: impl Fn(&mut State)) {
        if let Some(place) = self.group_of(name) {
            let roles = self.groups[place].roles.iter_mut();
            for role in roles.filter(|role| role.name.as_deref() == Some(name)) {
                change(&mut role.state);
            }
        } else if let Some(member) = self.member_mut(name) {
            change(&mut member.state);
        }
    }

    /// Changes all living actors of the process that this one belongs to.
    pub(super) fn change_process(&mut self, name: &str, change: impl Fn(&mut State)) {
        for other in self.process_mates(name) {
            self.change(&other, &change);
        }
        self.change(name, &change);
    }

    /// The other living actors in its process.
    fn process_mates(&self, name: &str) -> Vec<String> {
        let process = self.process_of(name);
        let mates = self.members.iter().filter(|member| {
            member.process == process && member.name != name && member.state.lives()
        });
        mates.map(|member| member.name.clone()).collect()
    }

    /// Whether what befalls the process of this name befalls others, nobody knows whom.
    pub(super) fn is_entangled(&self, name: &str) -> bool {
        let is_grouped = |name: &String| self.group_of(name).is_some();
        let of = self.may_be(name);
        let mut mates = of.iter().flat_map(|member| self.process_mates(member));
        if self.is_alias(name) {
            mates.next().is_some()
        } else {
            mates.any(|mate| is_grouped(&mate))
        }
    }

    /// An actor is over, and with it, perhaps, its process.
    pub(super) fn end(&mut self, name: &str, ends: Ends) {
        let gone = |state: &mut State| {
            state.rest(Standing::Gone);
            state.is_frozen = false;
        };
        match ends {
            Ends::Thread => self.change(name, gone),
            Ends::Process => self.change_process(name, gone),
        }
        let children: Vec<String> = self
            .members
            .iter()
            .filter(|member| matches!(&member.origin, Origin::ChildOf(parent) if parent == name))
            .map(|member| member.name.clone())
            .collect();
        for child in children {
            self.change(&child, |state| state.may_end = true);
        }
    }

    /// The actors that a living one of this process brings about, children's children too.
    pub(super) fn kin(&self, name: &str) -> Vec<String> {
        let mut kin = Vec::new();
        for member in &self.members {
            let (Origin::ThreadOf(parent) | Origin::ChildOf(parent)) = &member.origin else {
                continue;
            };
            if parent == name || kin.contains(parent) {
                kin.push(member.name.clone());
            }
        }
        kin
    }

    /// A new actor in the place of one that is gone. What the old one started goes with it; its
    /// threads are there again.
    pub(super) fn renew(&mut self, name: &str) {
        for other in self.kin(name) {
            self.change(&other, |state| *state = State::new(Standing::Gone));
        }
        for member in &mut self.members {
            if matches!(&member.origin, Origin::ThreadOf(parent) if parent == name) {
                member.process = name.to_owned();
                member.state = State::new(Standing::Idle);
            }
        }
        self.change(name, |state| *state = State::new(Standing::Idle));
    }

    /// Whether nobody knows who is replaced together with this one.
    pub(super) fn is_kin_unknown(&self, name: &str) -> bool {
        let of = self.may_be(name);
        let mut kin = of.iter().flat_map(|member| self.kin(member));
        if self.is_alias(name) {
            kin.next().is_some()
        } else {
            kin.any(|member| self.group_of(&member).is_some())
        }
    }

    /// Whether its process is still there, perhaps without it.
    pub(super) fn process_lives(&self, name: &str) -> bool {
        self.state(name).is_ok_and(State::lives) || !self.process_mates(name).is_empty()
    }

    /// `name` starts, in the process of `parent` or in its own.
    pub(super) fn start(&mut self, name: &str, parent: &str, birth: Birth) {
        let process = match birth {
            Birth::Thread => self.process_of(parent),
            Birth::Fork | Birth::Start => name.to_owned(),
        };
        let catches = birth != Birth::Start && self.state(parent).is_ok_and(|state| state.catches);
        if let Some(member) = self.member_mut(name) {
            member.process = process;
            member.state = State { catches, ..State::new(Standing::Idle) };
        }
    }
}

/// How an actor starts another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Birth {
    /// `fork b`
    Fork,
    /// `start b`
    Start,
    /// `thread b`
    Thread,
}
