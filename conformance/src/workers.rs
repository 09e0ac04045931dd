//! Questions asked side by side: most of a run is waiting.
//!
//! A runner has one session at a time, since it takes every orphan for one of that session's. So
//! each of the side-by-side ones is a process of its own, this program with the word [`WORD`],
//! which is sent questions and sends back what came of them, a line each.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError, mpsc};

use serde::{Deserialize, Serialize};

use crate::run::{Asked, run_case};
use crate::subject::AdapterCommand;
use crate::subject::orphans::adopt_orphans;
use crate::suite::Suite;
use crate::verdict::{Outcome, Stop, Verdict};

/// The word by which this program becomes a worker; behind `--` the adapter's command follows.
pub const WORD: &str = "ask";

/// One question, as a worker reads it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Question {
    pub(crate) group: String,
    pub(crate) case: String,
    pub(crate) form: String,
    pub(crate) seed: u64,
}

/// Asks all questions by so many workers, and tells what came of each as it comes, by its place.
/// `told` names a group of which nothing more is to be asked; what is not asked is told as `None`.
pub(crate) fn ask_all(
    command: &AdapterCommand,
    questions: &[Question],
    jobs: usize,
    told: &mut dyn FnMut(usize, Option<Outcome>) -> Option<String>,
) {
    let next = AtomicUsize::new(0);
    let given_up = Mutex::new(BTreeSet::new());
    let given_up = || given_up.lock().unwrap_or_else(PoisonError::into_inner);
    let (answer, answers) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..jobs.min(questions.len()) {
            let (answer, next, given_up) = (answer.clone(), &next, &given_up);
            scope.spawn(move || {
                let mut worker = None;
                // Relaxed: each number is taken once.
                while let Some(place) = Some(next.fetch_add(1, Relaxed))
                    && let Some(question) = questions.get(place)
                {
                    let is_asked = !given_up().contains(&question.group);
                    let outcome = is_asked.then(|| ask(&mut worker, command, question));
                    let _ = answer.send((place, outcome)); // the receiver outlives this thread
                }
            });
        }
        drop(answer);
        for (place, outcome) in answers {
            if let Some(group) = told(place, outcome) {
                given_up().insert(group);
            }
        }
    });
}

/// Asks one question, by a worker that is started when there is none.
fn ask(worker: &mut Option<Worker>, command: &AdapterCommand, question: &Question) -> Outcome {
    let mut current = match worker.take().map_or_else(|| Worker::start(command), Ok) {
        Ok(current) => current,
        Err(error) => return failed(&format!("no worker could be started: {error}")),
    };
    match current.ask(question) {
        Ok(outcome) => {
            *worker = Some(current);
            outcome
        }
        Err(error) => failed(&format!("the worker that asked it ended: {error}")),
    }
}

/// The suite's own failure.
fn failed(came: &str) -> Outcome {
    let (expected, within) = (String::new(), Vec::new());
    let stop = Stop { span: None, expected, came: came.to_owned(), within };
    let took = std::time::Duration::ZERO;
    Outcome { verdict: Verdict::Error, stop: Some(stop), took, is_scaled: false }
}

/// A process that asks one question at a time. It ends when its standard input does.
struct Worker {
    process: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Worker {
    fn start(command: &AdapterCommand) -> std::io::Result<Self> {
        crate::ending::wait_if_ending();
        let mut process = Command::new("/proc/self/exe")
            .args([WORD, "--"])
            .arg(&command.program)
            .args(&command.args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (questions, answers) = (process.stdin.take(), process.stdout.take());
        let answers = answers.ok_or_else(|| std::io::Error::other("no standard output"))?;
        Ok(Self { process, questions, answers: BufReader::new(answers) })
    }

    fn ask(&mut self, question: &Question) -> std::io::Result<Outcome> {
        let mut line = serde_json::to_string(question)?;
        line.push('\n');
        let questions = self.questions.as_mut();
        let questions = questions.ok_or_else(|| std::io::Error::other("no standard input"))?;
        questions.write_all(line.as_bytes())?;
        let mut answer = String::new();
        let read = self.answers.read_line(&mut answer);
        // A worker that ends with this program says nothing about its subject.
        crate::ending::wait_if_ending();
        if read? == 0 {
            return Err(std::io::Error::other("it said nothing more"));
        }
        Ok(serde_json::from_str(&answer)?)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.questions = None;
        let _ = self.process.wait();
    }
}

/// Is a worker, until its standard input ends: then it ends at once, also amid a case, and what it
/// has started ends with it.
///
/// # Errors
/// * What standard input gave, or a question that is none.
pub fn work(suite: &Suite, command: &AdapterCommand) -> std::io::Result<()> {
    adopt_orphans();
    let (pass, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            let _ = pass.send(line); // who would receive it has failed, and says so
        }
        crate::ending::end_with_all();
    });
    for line in lines {
        let Question { case, form, seed, .. } = serde_json::from_str(&line)?;
        let found = suite.cases.iter().find(|known| known.id == case);
        let found = found.ok_or_else(|| std::io::Error::other(format!("there is no {case}")))?;
        let asked = Asked { form: &form, seed };
        let outcome = run_case(command, found, &asked, &suite.catalogue.error_kinds);
        crate::ending::wait_if_ending(); // nobody reads any more
        println!("{}", serde_json::to_string(&outcome)?);
    }
    Ok(())
}
