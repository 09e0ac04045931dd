//! Other programs as the suite asks purlin to run them: a description, a `Program` once it is
//! started, an `Exchange` once that has begun.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use purlin_conformance::serve::{Arguments, CallResult, Functions, Object, Refusal};
use purlin_process::ExitStatus;
use purlin_process::command::{Exchange, Failure, Launch, Output, Program};
use purlin_sync::Deadline;
use serde_json::{Value, json};

use super::lock::deadline;
use super::mains;
use super::process::{refusal, shown};

/// The kind of object.
pub(super) const KIND: &str = "program";

/// What can be asked of it.
pub(super) const OPERATIONS: [&str; 20] = [
    "start",
    "run",
    "check",
    "partial",
    "scope",
    "id",
    "poll",
    "wait",
    "signal",
    "terminate",
    "kill",
    "write",
    "close_input",
    "read",
    "read_count",
    "read_errors",
    "exchange",
    "resume",
    "failed_path",
    "drop",
];

/// A program that the actor that made it describes, and then runs, once or several times.
pub(super) struct Described {
    args: Arguments,
    running: Mutex<Running>,
}

/// The last one that was started.
#[derive(Default)]
struct Running {
    program: Option<Program>,
    stdin: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    exchange: Option<Exchange>,
    /// What the last run that failed had said until then.
    failure: Option<Failure>,
}

/// A call's own failure, or what it came back with.
type Done = Result<Value, CallResult>;

impl Described {
    pub(super) fn new(args: &Arguments) -> Result<Self, Refusal> {
        let known = [
            "sh",
            "words",
            "input",
            "output",
            "errors",
            "environment",
            "directory",
            "session",
            "umask",
            "name",
            "with_caller",
            "pass",
            "long",
            "shell",
            "user",
            "main",
        ];
        if let Some(other) = args.keys().find(|name| !known.contains(&name.as_str())) {
            return Err(Refusal::unsupported(format!("no program has {other} here")));
        }
        Ok(Self { args: args.clone(), running: Mutex::default() })
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.args.get(name).and_then(Value::as_str)
    }

    /// The program and its arguments.
    fn words(&self) -> Result<Command, CallResult> {
        let mut words = match (self.text("sh"), self.args.get("words").and_then(Value::as_array)) {
            (Some(script), _) => vec!["sh".to_owned(), "-c".to_owned(), script.to_owned()],
            (None, Some(words)) => {
                words.iter().filter_map(Value::as_str).map(str::to_owned).collect()
            }
            // A shell is a program as any other, on request.
            (None, None) => {
                let script = self.text("shell").into_iter();
                script.flat_map(|text| ["sh", "-c", text].map(str::to_owned)).collect()
            }
        };
        let mut command = match self.text("main") {
            Some(name) => mains::command(name),
            None if words.is_empty() => {
                let why = "a Command is made with its program";
                return Err(CallResult::Prevented(why.to_owned()));
            }
            None => Command::new(words.remove(0)),
        };
        command.args(words);
        Ok(command)
    }

    fn command(&self, functions: &Functions<'_>) -> Result<Command, CallResult> {
        let mut command = self.words()?;
        let long = self.args.get("long").and_then(Value::as_u64).unwrap_or(0);
        if let Ok(long @ 1..) = usize::try_from(long) {
            command.arg("x".repeat(long));
        }
        if let Some(name) = self.text("name") {
            command.arg0(name);
        }
        if let Some(user) = self.args.get("user").and_then(Value::as_u64) {
            command.uid(u32::try_from(user).unwrap_or(u32::MAX));
        }
        if let Some(variables) = self.args.get("environment").and_then(Value::as_array) {
            command.env_clear();
            for pair in variables {
                command.env(text_at(pair, 0), text_at(pair, 1));
            }
        }
        if let Some(directory) = self.text("directory") {
            command.current_dir(directory);
        }
        command.stdin(stream(self.text("input"), functions)?);
        command.stdout(stream(self.text("output"), functions)?);
        if self.text("errors") != Some("output") {
            command.stderr(stream(self.text("errors"), functions)?);
        }
        Ok(command)
    }

    /// `start` or a run is called with what is launched.
    fn launch<T>(
        &self,
        functions: &Functions<'_>,
        start: impl FnOnce(Launch<'_>) -> Result<T, Failure>,
    ) -> Result<T, CallResult> {
        let passed = self.text("pass").map(|log| functions.object(log)).transpose();
        let passed = passed.map_err(CallResult::Failed)?;
        let passed = passed.as_ref().and_then(|log| log.memory()).map(|(_, memory)| memory);
        let mut launch = Launch::new(self.command(functions)?);
        if let Some(descriptor) = &passed {
            launch = launch.pass(descriptor);
        }
        if self.text("errors") == Some("output") {
            launch = launch.errors_into_output();
        }
        if self.args.get("session") == Some(&Value::Bool(true)) {
            launch = launch.own_session();
        }
        if self.args.get("with_caller") == Some(&Value::Bool(true)) {
            launch = launch.end_with_caller();
        }
        if let Some(mask) = self.args.get("umask").and_then(Value::as_u64) {
            launch = launch.umask(u32::try_from(mask).unwrap_or(u32::MAX));
        }
        start(launch).map_err(|failure| {
            let refused = Refusal::new(failure.kind(), &failure);
            self.running().failure = Some(failure);
            CallResult::Failed(refused)
        })
    }

    fn start(&self, functions: &Functions<'_>) -> Done {
        let program = self.launch(functions, |launch| launch.start())?;
        let mut running = self.running();
        *running = Running { program: Some(program), ..Running::default() };
        Ok(Value::Null)
    }

    /// The whole of it: how it ended, what it wrote, what it complained.
    fn run(&self, args: &Arguments, functions: &Functions<'_>, is_checked: bool) -> Done {
        if args.contains_key("also") {
            let why = "a run makes the pipes that it needs, and nobody else says so";
            return Err(CallResult::Prevented(why.to_owned()));
        }
        let (input, limit) = given(args)?;
        let sent = input.clone();
        let run = |launch: Launch<'_>| {
            let output = launch.run(input, limit)?;
            if is_checked { output.check() } else { Ok(output) }
        };
        self.launch(functions, run).map(|output| said(&output, &sent))
    }

    /// What the last failure carried.
    fn partial(&self) -> Done {
        let running = self.running();
        let output = running.failure.as_ref().and_then(Failure::output);
        Ok(output.map_or(Value::Null, |output| said(output, &[])))
    }

    fn program(&self) -> Result<Program, CallResult> {
        let why = || CallResult::Prevented("what is not started is no Program".to_owned());
        self.running().program.clone().ok_or_else(why)
    }

    /// Leaves a scope in which it was started and nothing done: how it ended.
    fn scope(&self, functions: &Functions<'_>) -> Done {
        self.start(functions)?;
        let program = self.program()?;
        drop(program.clone().scoped(Deadline::never()));
        status(&program)
    }

    fn write(&self, args: &Arguments) -> Done {
        let (input, _) = given(args)?;
        let program = self.program()?;
        let mut running = self.running();
        if running.stdin.is_none() {
            running.stdin = program.take_stdin();
        }
        let stdin = running.stdin.as_mut().ok_or(CallResult::Unsupported)?;
        match stdin.write_all(&input) {
            Ok(()) => Ok(Value::Null),
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                Err(CallResult::failed("broken-pipe", error))
            }
            Err(error) => Err(CallResult::failed("system", error)),
        }
    }

    fn close_input(&self) -> Done {
        let program = self.program()?;
        drop((self.running().stdin.take(), program.take_stdin()));
        Ok(Value::Null)
    }

    /// A line of output or errors; null at the end.
    fn read_line(&self, is_errors: bool) -> Done {
        let mut line = Vec::new();
        self.bytes(is_errors, &mut |byte| {
            line.push(byte);
            byte != b'\n'
        })?;
        if line.is_empty() {
            return Ok(Value::Null);
        }
        Ok(String::from_utf8_lossy(&line).trim_end_matches('\n').into())
    }

    /// How many bytes came, up to so many.
    fn read_count(&self, args: &Arguments) -> Done {
        let most = args.get("count").and_then(Value::as_u64).unwrap_or(u64::MAX);
        let mut count = 0_u64;
        self.bytes(false, &mut |_| {
            count += 1;
            count < most
        })?;
        Ok(count.into())
    }

    /// Takes bytes one by one, up to the end or for as long as `take` says.
    fn bytes(&self, is_errors: bool, take: &mut dyn FnMut(u8) -> bool) -> Result<(), CallResult> {
        let program = self.program()?;
        let mut running = self.running();
        let running = &mut *running;
        let source: &mut dyn Read = if is_errors {
            running.stderr = running.stderr.take().or_else(|| program.take_stderr());
            running.stderr.as_mut().ok_or(CallResult::Unsupported)?
        } else {
            running.stdout = running.stdout.take().or_else(|| program.take_stdout());
            running.stdout.as_mut().ok_or(CallResult::Unsupported)?
        };
        let mut byte = [0];
        loop {
            match source.read(&mut byte) {
                Ok(1) if take(byte[0]) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {} // ends: with its signal
                Err(error) => return Err(CallResult::failed("system", error)),
                Ok(_) => return Ok(()),
            }
        }
    }

    /// Begins an exchange, or takes one up again.
    fn exchange(&self, args: &Arguments, is_new: bool) -> Done {
        let (input, limit) = given(args)?;
        let program = self.program()?;
        // Out of the way, so that others can wait for the program meanwhile.
        let taken = self.running().exchange.take();
        let mut exchange = match taken {
            Some(exchange) if !is_new => exchange,
            Some(exchange) if !input.is_empty() => {
                self.running().exchange = Some(exchange);
                let why = "an exchange that has begun takes no further input";
                return Err(CallResult::Prevented(why.to_owned()));
            }
            _ => program.exchange(input.clone()).map_err(failed)?,
        };
        let done = exchange.finish(limit);
        self.running().exchange = Some(exchange);
        done.map(|output| said(&output, &input)).map_err(failed)
    }

    fn ask(&self, op: &str, args: &Arguments, functions: &Functions<'_>) -> Done {
        match op {
            "start" => self.start(functions),
            "run" => self.run(args, functions, false),
            "check" => self.run(args, functions, true),
            "partial" => self.partial(),
            "failed_path" => {
                let running = self.running();
                let path = running.failure.as_ref().and_then(Failure::path);
                Ok(path.map_or(Value::Null, |path| path.to_string_lossy().into()))
            }
            "scope" => self.scope(functions),
            "id" => Ok(self.program()?.pid().into()),
            "poll" => status(&self.program()?),
            "wait" => {
                let waited = self.program()?.wait(deadline(args)?);
                waited.map(shown).map_err(failed)
            }
            "signal" => match args.get("number").and_then(Value::as_i64).map(i32::try_from) {
                Some(Ok(number)) => self.program()?.signal(number).map_err(failed).map(null),
                _ => Err(CallResult::Prevented("it is a number of 32 bits".to_owned())),
            },
            "terminate" => self.program()?.terminate().map_err(failed).map(null),
            "kill" => self.program()?.kill().map_err(failed).map(null),
            "write" => self.write(args),
            "close_input" => self.close_input(),
            "read" => self.read_line(false),
            "read_errors" => self.read_line(true),
            "read_count" => self.read_count(args),
            "exchange" => self.exchange(args, true),
            "resume" => self.exchange(args, false),
            "drop" => {
                *self.running() = Running::default();
                Ok(Value::Null)
            }
            _ => Err(CallResult::Unsupported),
        }
    }
}

impl Object for Described {
    fn call(&self, _op: &str, _args: &Arguments) -> CallResult {
        CallResult::Unsupported
    }

    fn call_with(&self, op: &str, args: &Arguments, functions: &mut Functions<'_>) -> CallResult {
        match self.ask(op, args, functions) {
            Ok(value) => CallResult::Value(value),
            Err(other) => other,
        }
    }

    /// Another program has not started it.
    fn is_local(&self) -> bool {
        true
    }
}

/// One of the standard streams: a pipe when nothing is said, a log by its name.
fn stream(name: Option<&str>, functions: &Functions<'_>) -> Result<Stdio, CallResult> {
    match name {
        None | Some("pipe") => Ok(Stdio::piped()),
        Some("null") => Ok(Stdio::null()),
        Some("inherit") => Ok(Stdio::inherit()),
        Some("output") => Err(CallResult::Prevented("there is no such stream".to_owned())),
        Some(log) => {
            let log = functions.object(log).map_err(CallResult::Failed)?;
            let (_, file) = log.memory().ok_or(CallResult::Unsupported)?;
            let file = file.try_clone_to_owned();
            file.map(Stdio::from).map_err(|error| CallResult::failed("system", error))
        }
    }
}

/// What is sent, and the limit: `input="text"`, or `input_count=N` bytes that take every value.
fn given(args: &Arguments) -> Result<(Vec<u8>, Deadline), CallResult> {
    let mut limit = args.clone();
    let text = limit.remove("input");
    let count = limit.remove("input_count").and_then(|count| count.as_u64()).unwrap_or(0);
    let input = match text.as_ref().and_then(Value::as_str) {
        Some(text) => text.as_bytes().to_vec(),
        None => (0..count).map(|place| u8::try_from(place % 256).unwrap_or(0)).collect(),
    };
    Ok((input, deadline(&limit)?))
}

fn said(output: &Output, sent: &[u8]) -> Value {
    let each =
        |bytes: &Option<Vec<u8>>| bytes.as_ref().map_or(Value::Null, |said| text(said, sent));
    json!([shown(output.status), each(&output.stdout), each(&output.stderr)])
}

/// Bytes as a script reads them: a text when it is short, else how many, and whether they are what
/// was sent.
fn text(bytes: &[u8], sent: &[u8]) -> Value {
    const SHORT_BYTES: usize = 1000;
    match std::str::from_utf8(bytes) {
        Ok(text) if text.len() <= SHORT_BYTES => text.into(),
        _ if bytes == sent => format!("{} bytes as sent", bytes.len()).into(),
        _ => format!("{} bytes", bytes.len()).into(),
    }
}

fn text_at(pair: &Value, place: usize) -> String {
    pair.get(place).and_then(Value::as_str).unwrap_or("").to_owned()
}

fn status(program: &Program) -> Done {
    let status = program.status().map_err(failed)?;
    Ok(status.map_or(Value::Null, |status: ExitStatus| shown(status)))
}

fn failed(error: purlin_process::Error) -> CallResult {
    CallResult::Failed(refusal(error))
}

const fn null(_: ()) -> Value {
    Value::Null
}
