//! What an adapter and its actors say, and whether it is their turn.

use super::{Open, Session};
use crate::actor::{Actor, Kind};
use crate::protocol::{Answer, Reply, Started};
use crate::subject::Fault;

impl Session {
    pub(super) fn take(&mut self, reply: Reply) -> Result<(), Fault> {
        let Reply { id, answer } = reply;
        let said = format!("{answer:?} with the id {id}");
        let is_in_turn = match self.open.get_mut(&id) {
            None => return Err(self.adapter.fault(&format!("answers what nobody asked: {said}"))),
            Some(Open::Reply(place)) => {
                let is_first = place.is_none();
                let is_plain = matches!(answer, Answer::Ok { .. } | Answer::Error { .. });
                *place = Some(answer);
                is_first && is_plain
            }
            Some(Open::Call { actor, life }) => {
                let (parent, life) = (actor.clone(), *life);
                if let Answer::Started { name, pid, tid } = answer {
                    return self.take_started((&parent, life), &name, Started { pid, tid });
                }
                self.take_of_call(&parent, life, id, answer)
            }
        };
        if is_in_turn {
            return Ok(());
        }
        Err(self.adapter.fault(&format!("answers out of turn: {said}")))
    }

    fn take_of_call(&mut self, name: &str, life: u64, id: u64, answer: Answer) -> bool {
        let actor = self.actors.get_mut(name);
        // What one that is gone said last is of no interest any more.
        let Some(actor) = actor.filter(|actor| actor.life == life && actor.is_living()) else {
            return true;
        };
        let call = actor.call.as_mut().filter(|call| call.id == id);
        call.is_some_and(|call| call.take(answer, &mut self.history))
    }

    /// An actor that another one started says so, maybe after that one has died.
    fn take_started(
        &mut self,
        (parent, life): (&str, u64),
        name: &str,
        started: Started,
    ) -> Result<(), Fault> {
        if self.parents.get(name).map(String::as_str) != Some(parent) {
            let what = format!("says that {parent} started {name:?}, which is not for it to start");
            return Err(self.adapter.fault(&what));
        }
        let Some(host) = self.actors.get(parent) else { return Ok(()) };
        let is_thread = host.pid == started.pid;
        if host.life != life || (is_thread && !host.is_living()) {
            return Ok(()); // It went, or goes, with what started it.
        }
        if self.actors.get(name).is_some_and(Actor::is_living) {
            return Err(self.adapter.fault(&format!("says twice that it started {name}")));
        }
        let host = host.pid;
        let actor = self.believed(started, host)?;
        debug_assert_eq!(actor.kind == Kind::Thread, is_thread);
        self.coming.remove(name);
        self.actors.insert(name.to_owned(), actor);
        Ok(())
    }

    /// An actor as the system confirms it, which is nobody else's.
    pub(super) fn believed(&mut self, started: Started, host: i32) -> Result<Actor, Fault> {
        let life = self.next_life;
        self.next_life += 1;
        let actor = Actor::new(started, self.adapter.pid(), host, life);
        let actor = actor.map_err(|what| self.adapter.fault(&what))?;
        let mut living = self.actors.iter().filter(|(_, other)| other.is_living());
        let twin = living.find(|(_, other)| match actor.kind {
            Kind::Process => other.pid == actor.pid,
            Kind::Thread => (other.pid, other.tid) == (actor.pid, actor.tid),
        });
        if let Some((twin, _)) = twin {
            let what = format!("names the process {} once more, which is {twin}", actor.pid);
            return Err(self.adapter.fault(&what));
        }
        Ok(actor)
    }
}
