//! Adapters that are wrong in one way each: who checks `check-adapter`.
//!
//! A sound adapter stands behind a relay, which alters what it is asked or what it says.

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use serde_json::{Value, json};

/// The word with which the program is started as one of them.
pub(crate) const ODD: &str = "odd";

/// What a relay does.
enum Twist {
    /// Alters a request, or a statement in one.
    Asks(fn(&mut Value)),
    /// Says these instead of a reply. So it speaks for the actors too.
    Says(fn(Value) -> Vec<Value>),
    /// Asks for something else before it passes a request on, and keeps the answer to itself.
    AsksFirst(fn(&Value) -> Option<Value>),
    /// Writes some lines in two pieces, with another line between them.
    TearsLines,
    /// Says that calls can be interrupted, and has actors that ignore it.
    IgnoresInterrupts,
    /// Ends when it is sent a line like this.
    EndsOn(fn(&str) -> bool),
    /// Passes a request on only when the call before is over.
    OneAtATime,
    /// Lives on after `bye`.
    StaysAfterBye,
    /// Lives on when its standard input has ended.
    StaysAtTheEnd,
    /// Has a helper that keeps the adapter's standard input open.
    KeepsPipes,
}

/// All, by name.
const ALL: &[(&str, Twist)] = &[
    ("has-no-name", Twist::Says(|said| hello(said, |hello| hello["name"] = "".into()))),
    (
        "has-an-odd-capability",
        Twist::Says(|said| {
            hello(said, |hello| hello["capabilities"] = json!(["programs", "flight"]))
        }),
    ),
    (
        "takes-an-odd-side",
        Twist::Says(|said| {
            hello(said, |hello| hello["contracts"] = json!({"lock-release": ["by-nobody"]}))
        }),
    ),
    (
        "misspells-a-field",
        Twist::Says(|said| {
            hello(said, |hello| {
                let contracts = hello["contracts"].take();
                hello["contract"] = contracts;
                hello.as_object_mut().map(|fields| fields.remove("contracts"));
            })
        }),
    ),
    (
        "misspells-an-operation",
        Twist::Says(|said| {
            hello(said, |hello| hello["objects"]["lock"] = json!(["acqire", "try", "release"]))
        }),
    ),
    (
        "misspells-a-kind",
        Twist::Says(|said| {
            hello(said, |hello| {
                let operations = hello["objects"]["condition"].take();
                hello["objects"].as_object_mut().map(|kinds| kinds.remove("condition"));
                hello["objects"]["condtion"] = operations;
            })
        }),
    ),
    (
        "starts-twice-the-same",
        Twist::Says(|said| hello(said, |hello| hello["starts"] = json!(["fork", "fork"]))),
    ),
    (
        "answers-twice",
        Twist::Says(|said| if said["id"] == 2 { vec![said.clone(), said] } else { vec![said] }),
    ),
    (
        "answers-somebody-else",
        Twist::Says(|said| change(said, |said| said["id"] == 2, |said| said["id"] = 77.into())),
    ),
    ("dies-of-empty-lines", Twist::EndsOn(|line| line.trim().is_empty())),
    ("dies-of-unknown-requests", Twist::EndsOn(|line| line.contains("paint"))),
    (
        "makes-anything",
        Twist::Says(|said| {
            let is_it = |said: &Value| said["text"] == "no-such-kind" && said["reply"] == "error";
            change(said, is_it, |said| said["reply"] = "ok".into())
        }),
    ),
    (
        "names-the-first-process",
        Twist::Says(|said| {
            change(said, |said| said["pid"].is_number(), |said| said["pid"] = 1.into())
        }),
    ),
    (
        "names-the-first-thread",
        Twist::Says(|said| {
            change(said, |said| said["tid"].is_number(), |said| said["tid"] = 1.into())
        }),
    ),
    (
        "knows-every-operation",
        Twist::Says(|said| {
            change(
                said,
                |said| said["reply"] == "unsupported",
                |said| {
                    *said = json!({"id": said["id"], "reply": "returned", "at": 1, "value": null});
                },
            )
        }),
    ),
    (
        "never-enters",
        Twist::Says(|said| if said["reply"] == "entered" { Vec::new() } else { vec![said] }),
    ),
    (
        "enters-twice",
        Twist::Says(
            |said| {
                if said["reply"] == "entered" { vec![said.clone(), said] } else { vec![said] }
            },
        ),
    ),
    (
        "has-a-clock-of-its-own",
        Twist::Says(|said| {
            change(
                said,
                |said| said["at"].is_number(),
                |said| {
                    said["at"] = (said["at"].as_u64().unwrap_or(0) / 1000).into();
                },
            )
        }),
    ),
    (
        "returns-before-it-enters",
        Twist::Says(|said| {
            change(said, |said| said["reply"] == "returned", |said| said["at"] = 1.into())
        }),
    ),
    (
        "invents-error-kinds",
        Twist::Says(|said| {
            change(said, |said| said["reply"] == "failed", |said| said["kind"] = "weird".into())
        }),
    ),
    ("does-one-thing-at-a-time", Twist::OneAtATime),
    ("speaks-for-its-actors", Twist::Says(|said| vec![said])),
    (
        "writes-long-lines",
        Twist::Says(|said| {
            change(
                said,
                |said| said["reply"] == "unsupported",
                |said| {
                    said["padding"] = "x".repeat(5000).into();
                },
            )
        }),
    ),
    ("tears-lines", Twist::TearsLines),
    (
        "collects-early",
        // With the first thing that it is asked after a death.
        Twist::AsksFirst(|asked| {
            let is_it = asked["request"] == "drop";
            is_it.then(|| json!({"request": "reap", "actor": "a"}))
        }),
    ),
    (
        "tells-of-another-end",
        Twist::Says(|said| {
            change(said, |said| said["signal"] == 9, |said| said["signal"] = 15.into())
        }),
    ),
    ("stays-after-bye", Twist::StaysAfterBye),
    ("stays-at-the-end-of-input", Twist::StaysAtTheEnd),
    ("keeps-pipes-open", Twist::KeepsPipes),
    (
        "tallies-nothing",
        Twist::Asks(|asked| {
            each(asked, "tally", |tally| tally["count"] = 0.into());
        }),
    ),
    (
        "does-not-say-that-it-waits",
        Twist::Says(|said| if said["reply"] == "waiting" { Vec::new() } else { vec![said] }),
    ),
    ("does-not-wait", Twist::Asks(|asked| each(asked, "wait", nothing))),
    (
        "enters-no-scope",
        Twist::Asks(|asked| {
            each(asked, "with", |with| {
                *with = json!({"do": "loop", "count": 1, "body": with["body"]});
            });
        }),
    ),
    ("does-not-add", Twist::Asks(|asked| call(asked, "add", |call| call["op"] = "get".into()))),
    ("writes-no-log", Twist::Asks(|asked| call(asked, "write", nothing))),
    (
        "makes-one-of-several",
        Twist::Asks(|asked| {
            if let Some(asked) = asked.as_object_mut() {
                asked.remove("count");
            }
        }),
    ),
    (
        "forks-for-threads",
        Twist::Asks(|asked| {
            each(asked, "thread", |thread| thread["do"] = "fork".into());
        }),
    ),
    ("does-not-fork", Twist::Asks(|asked| each(asked, "fork", nothing))),
    (
        "makes-threads-for-forks",
        Twist::Asks(|asked| {
            each(asked, "fork", |fork| fork["do"] = "thread".into());
        }),
    ),
    ("does-not-start", Twist::Asks(|asked| each(asked, "start", nothing))),
    ("does-not-make", Twist::Asks(|asked| each(asked, "make", nothing))),
    ("does-not-drop", Twist::Asks(|asked| each(asked, "drop", nothing))),
    (
        "exits-with-another-status",
        Twist::Asks(|asked| {
            each(asked, "exit", |exit| exit["code"] = 4.into());
        }),
    ),
    ("ends-no-thread", Twist::Asks(|asked| each(asked, "end-thread", nothing))),
    ("does-not-execute", Twist::Asks(|asked| each(asked, "exec", nothing))),
    ("does-not-catch", Twist::Asks(|asked| each(asked, "catch", nothing))),
    ("ignores-interrupts", Twist::IgnoresInterrupts),
    ("dies-of-interrupts", Twist::Says(offers_interrupts)),
];

/// What none of its actors has a handler for.
fn offers_interrupts(said: Value) -> Vec<Value> {
    hello(said, |hello| {
        if let Some(all) = hello["capabilities"].as_array_mut() {
            all.push("interrupts".into());
        }
    })
}

fn hello(said: Value, alter: fn(&mut Value)) -> Vec<Value> {
    change(said, |said| said["starts"].is_array(), alter)
}

fn change(mut said: Value, is_it: fn(&Value) -> bool, alter: fn(&mut Value)) -> Vec<Value> {
    if is_it(&said) {
        alter(&mut said);
    }
    vec![said]
}

/// Alters each statement of this name in a request, however deep it stands.
fn each(asked: &mut Value, name: &str, alter: fn(&mut Value)) {
    match asked {
        Value::Array(all) => all.iter_mut().for_each(|one| each(one, name, alter)),
        Value::Object(fields) => {
            fields.values_mut().for_each(|field| each(field, name, alter));
            if asked["do"] == name {
                alter(asked);
            }
        }
        _ => {}
    }
}

/// Alters each call of this operation.
fn call(asked: &mut Value, op: &str, alter: fn(&mut Value)) {
    match asked {
        Value::Array(all) => all.iter_mut().for_each(|one| call(one, op, alter)),
        Value::Object(fields) => {
            fields.values_mut().for_each(|field| call(field, op, alter));
            if asked["do"] == "call" && asked["op"] == op {
                alter(asked);
            }
        }
        _ => {}
    }
}

fn nothing(statement: &mut Value) {
    *statement = json!({"do": "pause", "seconds": 0.0});
}

/// Is the adapter of this name until its standard input ends.
///
/// # Errors
/// * What the system refused, or that there is none of this name.
pub(crate) fn run(name: &str) -> io::Result<()> {
    let twist = ALL.iter().find(|(known, _)| *known == name).map(|(_, twist)| twist);
    let twist = twist.ok_or_else(|| io::Error::other(format!("there is no odd adapter {name}")))?;
    let mut inner = sound(twist)?.spawn()?;
    let mut requests = inner.stdin.take().ok_or_else(|| io::Error::other("no standard input"))?;
    let helper = if matches!(twist, Twist::KeepsPipes) { Some(helper(&requests)?) } else { None };
    let over = Arc::new(Over::default());
    let replies = inner.stdout.take().map(|said| {
        let over = Arc::clone(&over);
        thread::spawn(move || relay(said, twist, &over))
    });
    let end = pass_on(twist, &mut requests, &over)?;
    if let Some(mut helper) = helper {
        helper.kill()?;
        helper.wait()?;
    }
    if end == End::Died {
        return inner.kill();
    }
    drop(requests);
    inner.wait()?;
    if let Some(replies) = replies {
        let _ = replies.join();
    }
    let stays = match end {
        End::Bye => matches!(twist, Twist::StaysAfterBye),
        _ => matches!(twist, Twist::StaysAtTheEnd),
    };
    if !stays {
        return Ok(());
    }
    loop {
        thread::park();
    }
}

/// The sound adapter behind the relay.
fn sound(twist: &Twist) -> io::Result<Command> {
    let this = std::env::current_exe()?;
    let mut command = match twist {
        // What is ignored stays ignored in what is executed.
        Twist::IgnoresInterrupts => {
            let mut shell = Command::new("sh");
            shell.args(["-c", r#"trap '' INT; exec "$0" "$@""#]).arg(this);
            shell
        }
        _ => Command::new(this),
    };
    command.args(["adapter", "purlin-fork"]).stdin(Stdio::piped());
    let is_relayed = matches!(
        twist,
        Twist::Says(_)
            | Twist::AsksFirst(_)
            | Twist::TearsLines
            | Twist::IgnoresInterrupts
            | Twist::OneAtATime
    );
    if is_relayed {
        command.stdout(Stdio::piped());
    }
    Ok(command)
}

/// What ended the passing on.
#[derive(PartialEq, Eq)]
enum End {
    /// A line that it dies of.
    Died,
    /// The last request.
    Bye,
    /// The end of standard input.
    Input,
}

/// Passes requests on.
fn pass_on(twist: &Twist, requests: &mut ChildStdin, over: &Over) -> io::Result<End> {
    for line in io::stdin().lock().lines() {
        let mut line = line?;
        match twist {
            Twist::EndsOn(is_it) if is_it(&line) => return Ok(End::Died),
            Twist::Asks(alter) => {
                if let Ok(mut asked) = serde_json::from_str(&line) {
                    alter(&mut asked);
                    line = asked.to_string();
                }
            }
            Twist::OneAtATime => over.wait(),
            _ => {}
        }
        let asked: Value = serde_json::from_str(&line).unwrap_or(Value::Null);
        if let Twist::AsksFirst(first) = twist
            && let Some(mut first) = first(&asked)
        {
            first["id"] = HIDDEN_ID.into();
            writeln!(requests, "{first}")?;
        }
        if matches!(asked["request"].as_str(), Some("call" | "run")) {
            over.set(false);
        }
        writeln!(requests, "{line}")?;
        if asked["request"] == "bye" {
            return Ok(End::Bye);
        }
    }
    Ok(End::Input)
}

/// Of what a relay asks for itself. No check comes so far.
const HIDDEN_ID: u64 = 1 << 40;

/// Relays what is said, line by line.
fn relay(said: impl io::Read, twist: &Twist, over: &Over) {
    let mut mouth = Mouth { tears: matches!(twist, Twist::TearsLines), ..Mouth::default() };
    for line in BufReader::new(said).lines().map_while(Result::ok) {
        let Ok(said) = serde_json::from_str::<Value>(&line) else { continue };
        if said["id"] == HIDDEN_ID {
            continue;
        }
        let goes_on = matches!(said["reply"].as_str(), Some("entered" | "started" | "waiting"));
        let says = match twist {
            Twist::Says(says) => says(said),
            Twist::IgnoresInterrupts => offers_interrupts(said),
            _ => vec![said],
        };
        // Before it is said, for whoever hears it may begin the next call at once.
        if !goes_on {
            over.set(true);
        }
        says.iter().for_each(|said| mouth.say(said));
    }
}

/// Writes lines, whole or torn.
#[derive(Default)]
struct Mouth {
    tears: bool,
    unsupported_count: u64,
    /// What is left of a line of which the first half is written.
    rest: Option<String>,
}

impl Mouth {
    fn say(&mut self, said: &Value) {
        let mut line = format!("{said}\n");
        if let Some(rest) = self.rest.take() {
            line += &rest;
        } else if self.tears_at(said) {
            self.rest = Some(line.split_off(line.len() / 2));
        }
        // Nobody listens any more: then the end of standard input comes too.
        let _ = io::stdout().write_all(line.as_bytes());
        let _ = io::stdout().flush();
    }

    /// Four actors are asked for what there is none of, again and again, all at once. So after the
    /// first of the four answers another one comes; and nowhere else are there as many.
    fn tears_at(&mut self, said: &Value) -> bool {
        if said["reply"] == "unsupported" {
            self.unsupported_count += 1;
        }
        self.tears && self.unsupported_count == 5
    }
}

/// A process that does nothing but hold the adapter's standard input open.
fn helper(requests: &ChildStdin) -> io::Result<Child> {
    use std::os::fd::AsFd;
    let copy = requests.as_fd().try_clone_to_owned()?;
    let mut command = Command::new("sleep");
    command.arg("1000").stdin(Stdio::null()).stdout(Stdio::from(copy)).spawn()
}

/// Whether the last call is over.
struct Over {
    is_so: Mutex<bool>,
    changed: Condvar,
}

impl Default for Over {
    fn default() -> Self {
        Self { is_so: Mutex::new(true), changed: Condvar::new() }
    }
}

impl Over {
    fn set(&self, is_so: bool) {
        *self.is_so.lock().unwrap_or_else(PoisonError::into_inner) = is_so;
        self.changed.notify_all();
    }

    fn wait(&self) {
        let is_so = self.is_so.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.changed.wait_while(is_so, |is_so| !*is_so));
    }
}
