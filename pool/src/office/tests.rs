//! What an office makes of workers and tasks that no pool has.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use purlin_process::{Builder, ExitStatus, exit};
use purlin_sync::Deadline;

use super::{Answer, Crew, Office, Plan, Starter, Task, by_fork};
use crate::error::Error;

/// Far beyond what any of these needs.
const LIMIT: Duration = Duration::from_secs(60);

fn opened(starter: Starter) -> (Arc<Office>, Crew) {
    let plan = Plan {
        worker_count: 1,
        job_max: None,
        body_max_bytes: 4096,
        starter,
        is_kept_at_once: true,
    };
    let (office, crew) = Office::open(plan).expect("a worker");
    crew.see_to_clerk(&office).expect("a thread");
    (office, crew)
}

fn ended((office, crew): (Arc<Office>, Crew)) {
    office.terminate().expect("the owner");
    office.join(Deadline::never()).expect("it ends");
    crew.join();
}

#[test]
fn who_is_terminated_is_asked_to_end_by_whoever_says_so() {
    let plan = Plan {
        worker_count: 1,
        job_max: None,
        body_max_bytes: 4096,
        starter: by_fork(None),
        is_kept_at_once: false,
    };
    let (office, crew) = Office::open(plan).expect("a worker");
    office.terminate().expect("the owner");
    let process = office.lock().desks[0].worker.as_ref().map(|one| Arc::clone(&one.process));
    // Nobody keeps it.
    assert_eq!(process.expect("it is there").join(LIMIT), Ok(ExitStatus::Signal(15)));
    ended((office, crew));
}

/// Has a task with each of these functions run.
fn told_of(office: &Office, offsets: impl Iterator<Item = u64>) -> Receiver<Result<Answer, Error>> {
    let (tell, told) = channel();
    let task = |offset| -> (Task, crate::engine::Deliver<Answer>) {
        let tell = tell.clone();
        let deliver = move |outcome| tell.send(outcome).expect("somebody listens");
        (Task { offset, input: Vec::new() }, Box::new(deliver))
    };
    office.submit(offsets.map(task)).expect("it is open");
    told
}

#[test]
fn a_worker_is_told_of_as_many_functions_as_there_are() {
    let all = opened(by_fork(None));
    // Where no code is, which the worker says of each.
    let told = told_of(&all.0, (0..1000).map(|n| u64::MAX - n));
    for _ in 0..1000 {
        assert!(told.recv_timeout(LIMIT).is_ok_and(|outcome| outcome.is_ok()));
    }
    let before = all.0.views().unwrap()[0].pid;
    let first = all.0.lock().desks[0].worker.as_ref().map(|worker| worker.process.kill());
    assert_eq!(first, Some(Ok(())));
    let told = told_of(&all.0, (1000..1001).map(|n| u64::MAX - n));
    assert!(told.recv_timeout(LIMIT).is_ok());
    assert!(all.0.views().unwrap().iter().all(|worker| worker.pid != before));
    ended(all);
}

#[test]
fn a_worker_that_begins_two_tasks_costs_both() {
    let starter = Starter::Each(Box::new(|name, worker| {
        let begin = move || -> Result<(), Error> {
            (0..2).for_each(|slot| worker.mailbox.begin_at(slot));
            exit(9)
        };
        Ok(Builder::new().name(name).daemon(true).fork(begin)?)
    }));
    let all = opened(starter);
    let told = told_of(&all.0, [u64::MAX; 2].into_iter());
    for _ in 0..2 {
        let lost = Ok(Err(Error::WorkerLost(ExitStatus::Code(9))));
        assert_eq!(told.recv_timeout(LIMIT), lost);
    }
    ended(all);
}
