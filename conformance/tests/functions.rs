//! Functions as arguments: run by whoever is called, in the thread of the call.

use std::ffi::OsStr;

use crate::support::cpython_by;
use crate::support::scripts::{ends, kept};
use purlin_conformance::AdapterCommand;
use purlin_conformance::verdict::Verdict;

/// Subjects whose objects take functions.
fn each(test: impl Fn(&AdapterCommand)) {
    // Absent otherwise, as the program itself would say.
    for command in ["fork", "spawn"].into_iter().filter_map(cpython_by) {
        test(&AdapterCommand {
            program: command.get_program().to_owned(),
            args: command.get_args().map(OsStr::to_owned).collect(),
            shown: "cpython".to_owned(),
        });
    }
}

fn condition(steps: &str) -> String {
    format!("object n: cell\nobject c: condition\nactors a b\n{steps}")
}

#[test]
fn the_value_of_a_function_is_that_of_its_last_statement() {
    let script = condition(
        "a: c.acquire() -> ok
         a: c.wait_for({ n.add(2); n == 2; n.get() }) -> 2
         a: c.wait_for(timeout=1h, function={ n.add(1); n == 3 }) -> true
         a: c.wait_for({ n == 7 }, timeout=0s) -> timed-out
         a: loop 3 as i { c.wait_for({ loop 2 as i { n.add(1) }; n.get() }) } -> 9",
    );
    each(|subject| drop(kept(subject, &script)));
}

#[test]
fn what_a_function_fails_with_its_call_fails_with() {
    let script = condition(
        "a: c.acquire() -> ok
         a: c.wait_for({ fail }) -> task-failed
         a: c.wait_for({ check n == 1 }) -> task-failed
         b: c.acquire() -> blocked
         a: c.wait_for({ c.release(); c.release() }) -> not-owner
         b: -> ok",
    );
    each(|subject| drop(kept(subject, &script)));
    let script = condition(
        "a: c.acquire() -> ok
         a: { c.wait_for({ fail }) or task-failed { n.add(5) }; n.get() } -> 5
         a: tally 2 { c.wait_for({ loop { fail } }) } -> {task-failed: 2}
         a: { with c { c.wait_for({ with c { fail } }) } } -> task-failed
         b: c.try() -> timed-out
         a: c.release() -> ok
         b: c.try() -> ok",
    );
    each(|subject| drop(kept(subject, &script)));
}

#[test]
fn a_call_stands_at_the_wait_of_its_function() {
    let script = condition(
        "a: c.acquire() -> ok
         a: c.wait_for({ wait; n.get() }) -> waiting
         b: n.set(3) -> ok
         go a
         a: -> 3
         a: { n.set(0); c.wait_for({ wait; n.get() }) } -> waiting
         go a
         a: -> blocked
         b: { c.acquire(); n.set(4); c.notify(); c.release() } -> ok
         a: -> waiting
         go a
         a: -> 4",
    );
    each(|subject| drop(kept(subject, &script)));
}

#[test]
fn a_function_may_end_its_process() {
    let script = condition(
        "a: c.acquire() -> ok
         a: c.wait_for({ n.set(1); exit 3 }) -> gone with 3
         b: n.get() -> 1",
    );
    each(|subject| drop(kept(subject, &script)));
}

#[test]
fn what_a_function_finds_is_what_its_actor_has() {
    let script = condition("a: c.acquire() -> ok\na: c.wait_for({ c.jump() }) -> ok");
    each(|subject| drop(ends(subject, &script, Verdict::Unsupported, 5, &[])));
}

#[test]
fn what_a_function_is_called_with_is_there_up_to_its_first_statement() {
    let script = "object l: log
         object p: pool made by a
         object r: async-result made by a
         actors a
         a: p.start(workers=1) -> ok
         a: p.submit({ l.write(it); l.write(it); l.lines() }, of=7, to=\"r\", \
                     callback={ l.write(it) }) -> ok
         a: r.get() -> [\"7\", \"null\"]
         a: l.lines() -> [\"7\", \"null\", \"[\\\"7\\\",\\\"null\\\"]\"]
         a: { p.close(); p.join() } -> ok";
    each(|subject| drop(kept(subject, script)));
}
