//! What can be wrong with threads, and with what they share.

use serde_json::json;

use super::bent::Bend;
use super::bent::Wrong::{Answers, Fails, Given, GivesUp, Means, Naps, Skipped, Swallows, Then};

/// All of it.
pub(super) const BENDS: &[Bend] = &[
    (
        "fault-thread-runs-nothing",
        "thread",
        "create",
        Given(|args| args.retain(|name, _| !["function", "echo", "counts"].contains(&&**name))),
    ),
    ("fault-thread-start-joins", "thread", "start", Then("join")),
    ("fault-thread-cannot-start", "thread", "start", Fails("system")),
    ("fault-thread-refusal-is-no-failure", "thread", "start", Swallows("out-of-resources")),
    ("fault-thread-stack-of-any-size", "thread", "start", Swallows("invalid-argument")),
    ("fault-thread-run-does-nothing", "thread", "run", Skipped),
    ("fault-thread-join-comes-early", "thread", "join", Skipped),
    ("fault-thread-limit-is-no-failure", "thread", "join", Swallows("timed-out")),
    ("fault-thread-joins-itself", "current-thread", "join", Swallows("would-deadlock")),
    ("fault-thread-main-join-comes-early", "current-thread", "main_join", Skipped),
    ("fault-thread-lives-for-ever", "thread", "is_alive", Answers(|_| json!(true))),
    ("fault-thread-is-never-alive", "thread", "is_alive", Answers(|_| json!(false))),
    (
        "fault-thread-name-is-lost",
        "thread",
        "create",
        Given(|args| {
            args.remove("name");
        }),
    ),
    ("fault-thread-names-are-alike", "thread", "name", Answers(|_| json!("Thread-1"))),
    ("fault-thread-has-no-name", "thread", "name", Answers(|_| json!(""))),
    ("fault-thread-name-stays", "thread", "set_name", Skipped),
    ("fault-thread-is-called-main", "current-thread", "name", Answers(|_| json!("main"))),
    ("fault-thread-is-main", "current-thread", "main_id", Means("id")),
    ("fault-thread-id-is-zero", "thread", "id", Answers(|_| json!(0))),
    ("fault-thread-ids-are-alike", "thread", "native_id", Answers(|_| json!(std::process::id()))),
    ("fault-thread-list-keeps-all", "current-thread", "lists", Answers(|_| json!(true))),
    ("fault-thread-list-is-empty", "current-thread", "lists", Answers(|_| json!(false))),
    (
        "fault-thread-all-are-daemons",
        "thread",
        "create",
        Given(|args| {
            args.insert("daemon".to_owned(), json!(true));
        }),
    ),
    (
        "fault-thread-daemon-is-waited-for",
        "thread",
        "create",
        Given(|args| {
            args.remove("daemon");
        }),
    ),
    ("fault-thread-mark-set-in-vain", "thread", "set_daemon", Skipped),
    (
        "fault-thread-mark-not-passed-on",
        "current-thread",
        "makes_daemons",
        Answers(|_| json!(false)),
    ),
    ("fault-thread-hook-is-forgotten", "current-thread", "on_error", Skipped),
    ("fault-thread-exit-does-nothing", "current-thread", "exit", Skipped),
    ("fault-thread-child-not-waited-for", "current", "wait", Skipped),
    ("fault-thread-lock-is-open", "lock", "acquire", Skipped),
    ("fault-thread-scope-is-open", "lock", "with", Skipped),
    ("fault-thread-death-is-not-told", "lock", "acquire", Swallows("owner-died")),
    ("fault-thread-rlock-is-open", "rlock", "acquire", Skipped),
    ("fault-thread-rlock-freed-by-anybody", "rlock", "release", Swallows("not-owner")),
    ("fault-thread-condition-does-not-wait", "condition", "wait", Skipped),
    ("fault-thread-notify-wakes-nobody", "condition", "notify", Skipped),
    ("fault-thread-semaphore-is-open", "semaphore", "acquire", Skipped),
    ("fault-thread-bound-is-no-bound", "bounded-semaphore", "release", Swallows("over-released")),
    ("fault-thread-event-is-set", "event", "wait", Skipped),
    ("fault-thread-barrier-is-open", "barrier", "wait", Skipped),
    ("fault-thread-timer-runs-nothing", "timer", "start", Skipped),
    ("fault-thread-local-is-shared", "local", "create", Given(|_| ())),
    ("fault-thread-queue-carries-nothing", "queue", "get", Skipped),
    ("fault-thread-pipe-carries-nothing", "pipe", "recv", Skipped),
    ("fault-thread-pool-answers-nothing", "thread-pool", "map", Answers(|_| json!(null))),
    ("fault-thread-queue-does-not-wait", "queue", "put", Means("try_put")),
    // A wait that comes back after a nap.
    ("fault-thread-join-naps", "thread", "join", GivesUp),
    ("fault-thread-main-join-naps", "current-thread", "main_join", GivesUp),
    ("fault-lock-naps", "lock", "acquire", GivesUp),
    ("fault-rlock-naps", "rlock", "acquire", GivesUp),
    ("fault-condition-naps", "condition", "wait", GivesUp),
    ("fault-semaphore-naps", "semaphore", "acquire", GivesUp),
    ("fault-event-naps", "event", "wait", GivesUp),
    ("fault-barrier-naps", "barrier", "wait", Naps),
    ("fault-queue-get-naps", "queue", "get", GivesUp),
    ("fault-queue-put-naps", "queue", "put", GivesUp),
];
