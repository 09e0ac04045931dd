//! The adapter: reads requests, makes objects and pipes, has actors started, passes calls on.

use std::collections::BTreeMap;
use std::io::{self, BufRead};
use std::sync::Arc;

use super::actor::{Actor, Greeting, Starter, Work};
use super::estate::Estate;
use super::pipes::Pipes;
use super::replies::say;
use super::requests::{Unread, read};
use super::shared::KINDS;
use super::shelf::{Shelf, create, hand_over};
use super::{Child, Hello, How, Refusal, Subject};
use crate::protocol::{Answer, Ask, Heir, Request};

pub(super) fn serve(subject: Arc<dyn Subject>) -> io::Result<()> {
    let mut adapter = Adapter {
        subject,
        objects: Shelf::default(),
        children: BTreeMap::new(),
        pipes: Pipes::default(),
    };
    for line in io::stdin().lock().lines() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        let request = match read(&line) {
            Ok(request) => request,
            Err(Unread::Nothing) => return Err(io::Error::other("standard input is no protocol")),
            Err(Unread::Request { id, actor }) => {
                adapter.answer_unknown(id, actor.as_deref(), &line);
                continue;
            }
        };
        if request.ask == Ask::Bye {
            say(request.id, Answer::ok(&()));
            break;
        }
        adapter.answer(request);
    }
    Ok(())
}

struct Adapter {
    subject: Arc<dyn Subject>,
    objects: Shelf,
    children: BTreeMap<String, Box<dyn Child>>,
    pipes: Pipes,
}

/// An answer, or none where somebody else gives it.
type Done = Result<Option<Answer>, Refusal>;

impl Adapter {
    fn answer(&mut self, request: Request) {
        let id = request.id;
        let done = match request.ask {
            Ask::Hello { .. } => Ok(Some(Answer::ok(&self.hello()))),
            Ask::Create { object, kind, args, count } => {
                let made = create(&*self.subject, &object, &kind, &args, count);
                made.map_err(Refusal::of_request).map(|handles| {
                    self.objects.put(&object, handles);
                    Some(Answer::ok(&()))
                })
            }
            Ask::Actor { name, how, parent: None, objects, heirs } => {
                self.start(id, &name, how, &objects, &heirs)
            }
            Ask::Actor { .. } => Err(Refusal::unsupported("a parent that is not the adapter")),
            Ask::Reap { actor } => self.reap(&actor),
            Ask::Call { ref actor, .. } | Ask::Run { ref actor, .. } | Ask::Go { ref actor } => {
                self.pass_on(actor, &request)
            }
            Ask::Drop { object } => self.objects.remove(&object).map(|()| Some(Answer::ok(&()))),
            Ask::Bye => Ok(None),
        };
        match done {
            Ok(Some(answer)) => say(id, answer),
            Ok(None) => {}
            Err(Refusal { kind, text }) => say(id, Answer::Error { kind, text }),
        }
    }

    /// A request, or a statement in one, that is not known here. An actor says so itself.
    fn answer_unknown(&self, id: u64, actor: Option<&str>, line: &str) {
        let is_passed_on = actor.and_then(|actor| self.pipes.write(actor, &format!("{line}\n")));
        if is_passed_on.is_none() {
            let (kind, text) = ("unsupported".to_owned(), "an unknown request".to_owned());
            say(id, Answer::Error { kind, text });
        }
    }

    fn hello(&self) -> Hello {
        let mut hello = self.subject.hello();
        for (kind, operations, capability) in KINDS {
            if hello.capabilities.iter().any(|offered| offered == capability) {
                let operations = operations.iter().map(|op| (*op).to_owned());
                hello.objects.insert(kind.to_owned(), operations.collect());
            }
        }
        hello
    }

    /// The actor itself answers, once it can take calls.
    fn start(&mut self, id: u64, name: &str, how: How, objects: &[String], heirs: &[Heir]) -> Done {
        let handled = self.objects.some(objects)?;
        hand_over(&handled);
        let mut writers = BTreeMap::new();
        let estate = Estate::make(name, heirs, &mut writers);
        let estate = estate.map_err(|error| Refusal::new("out-of-resources", error))?;
        let actor = Actor {
            name: name.to_owned(),
            work: Work::Calls(Greeting { id, hatch: None }, estate.commands),
            heirs: estate.heirs,
            objects: handled,
            subject: Arc::clone(&self.subject),
            starter: Starter {
                pipes: self.pipes.clone(),
                shelf: self.objects.clone(),
                descriptors: Vec::new(),
            },
        };
        let names: Vec<String> = writers.keys().cloned().collect();
        self.pipes.add(writers);
        let gate = self.pipes.gate();
        let started = self.subject.start(how, actor);
        drop(gate);
        match started {
            Ok(child) => {
                self.children.insert(name.to_owned(), child);
                Ok(None)
            }
            Err(refusal) => {
                self.pipes.remove(names.iter());
                Err(refusal)
            }
        }
    }

    fn reap(&mut self, name: &str) -> Done {
        let mut child = self.children.remove(name).ok_or_else(|| unknown(name))?;
        self.pipes.remove([name.to_owned()].iter());
        Ok(Some(Answer::ok(&child.reap()?)))
    }

    fn pass_on(&self, actor: &str, request: &Request) -> Done {
        let mut line = serde_json::to_string(request).unwrap_or_default();
        line.push('\n');
        // A dead actor's call is of no interest; the runner knows that it is dead.
        self.pipes.write(actor, &line).map(|_| None).ok_or_else(|| unknown(actor))
    }
}

fn unknown(actor: &str) -> Refusal {
    Refusal::new("no-such-name", format!("there is no actor {actor}"))
}
