//! The interpreter: every kind of step and what can come of it, against subjects that are sound.

use crate::support::scripts::{ends, kept, own, parsed, run_parsed};
use purlin_conformance::run::{CallEnd, Event};
use purlin_conformance::script::{Action, Expected, Script, Step};
use purlin_conformance::verdict::Verdict;

const LOCK: &str = "object lock: lock\nactors a b\n";

fn lock(steps: &str) -> String {
    format!("{LOCK}{steps}")
}

#[test]
fn a_program_starts_waits_and_goes_on() {
    let script = lock(
        "a: with lock { wait; wait } -> waiting
         b: lock.try() -> timed-out
         go a
         a: -> waiting
         b: lock.acquire() -> blocked
         go a
         a: -> ok
         b: -> ok",
    );
    kept(&own("purlin-fork"), &script);
    kept(&own("purlin-threads"), &script);
    kept(&own("honest-server"), &script);
    let mut script = parsed(&lock("a: { wait } -> waiting"));
    if let Action::Run { expected, .. } = &mut script.steps[0].action {
        *expected = Expected::BLOCKED;
    }
    let (outcome, _) = run_parsed(&own("purlin-fork"), &script);
    assert_eq!(outcome.verdict, Verdict::Broken, "{outcome:?}");
    assert_eq!(outcome.stop.unwrap().came, "waiting");
    let script = lock("a: { lock.acquire(); lock.try() } -> waiting");
    let says = &["expected waiting, came: timed-out"];
    ends(
        &own("purlin-fork"),
        &script.replace("lock.try()", "lock.try(); wait"),
        Verdict::Broken,
        3,
        says,
    );
}

#[test]
fn kills_come_at_every_moment() {
    for kill in ["kill a", "kill a when blocked", "kill a after entered", "kill a at random"] {
        let script = lock(&format!(
            "repeat 10 {{
                 b: lock.acquire() -> ok
                 a: lock.acquire() -> blocked
                 {kill}
                 b: lock.release() -> ok
                 fresh a
             }}"
        ));
        kept(&own("purlin-fork"), &script);
        kept(&own("honest-server"), &script);
    }
    let script = lock(
        "repeat 20 {
             a: loop { lock.acquire() or owner-died { lock.recover() }; lock.release() } -> started
             kill a at random
             b: { lock.acquire() or owner-died { lock.recover() }; lock.release() } -> ok
             fresh a
         }",
    );
    kept(&own("purlin-fork"), &script);
    let script = lock(
        "a: lock.acquire() -> ok
         kill a without waiting
         b: lock.acquire() -> owner-died",
    );
    kept(&own("purlin-fork"), &script);
    // Nobody can fork any more where an actor is a thread.
    let script = lock("kill a\nfresh a");
    ends(&own("purlin-threads"), &script, Verdict::Unsupported, 4, &["one thread only"]);
}

#[test]
fn who_died_is_in_the_history() {
    let script = lock(
        "a: lock.acquire() -> ok
         b: lock.acquire() -> blocked
         kill a
         b: -> owner-died
         fresh a
         a: lock.acquire() -> blocked",
    );
    let events = kept(&own("purlin-fork"), &script);
    assert_eq!(events.len(), 4, "{events:#?}");
    let Event::Call(waiter) = &events[1] else { panic!("{events:#?}") };
    let Event::Death { actor, sent_at, gone_at } = &events[2] else { panic!("{events:#?}") };
    let CallEnd::Returned { at, .. } = &waiter.end else { panic!("{events:#?}") };
    assert_eq!(actor, "a");
    assert!(waiter.sent_at <= waiter.entered_at.unwrap());
    assert!(waiter.entered_at.unwrap() <= *sent_at);
    assert!(gone_at.unwrap() >= *sent_at && *at >= *sent_at);
    // Blocked to the end: the end of the script is not its death.
    let Event::Call(last) = &events[3] else { panic!("{events:#?}") };
    assert_eq!(last.end, CallEnd::Open);
}

#[test]
fn a_call_is_cut_off_by_a_kill() {
    let script = lock("a: lock.acquire() -> ok\nb: lock.acquire() -> blocked\nkill b");
    let events = kept(&own("purlin-fork"), &script);
    let Event::Call(cut) = &events[1] else { panic!("{events:#?}") };
    assert_eq!(cut.end, CallEnd::CutOff);
}

#[test]
fn one_of_several_is_found_again_by_its_name() {
    let script = "object lock: lock
        actors a b c d
        a: lock.acquire() -> ok
        b: lock.acquire() -> blocked
        c: lock.acquire() -> blocked
        d: lock.acquire() -> blocked
        a: lock.release() -> ok
        one of b c d: -> ok as first
        kill first
        one of b c d: -> owner-died as second
        second: lock.release() -> ok
        one of b c d: -> owner-died as third
        third: lock.recover() -> ok";
    kept(&own("purlin-fork"), script);
    kept(&own("honest-server"), script);
    let script = lock(
        "processes c
         a: lock.acquire() -> ok
         b: lock.acquire() -> blocked
         c: lock.acquire() -> blocked
         a: lock.release() -> ok
         one of b c: -> ok as w other l
         w: lock.release() -> ok
         l: -> ok",
    );
    kept(&own("purlin-fork"), &script);
}

#[test]
fn the_outcomes_of_several_belong_together() {
    let script = |lists: &str| {
        format!(
            "object lock: lock
             actors a b c
             a: lock.acquire() -> ok
             b: {{ lock.try() or timed-out {{ lock.acquire(); lock.release() }} }} -> blocked
             c: lock.try() -> timed-out
             c: lock.acquire(timeout=1ms) -> started
             a: {{ pause 50ms; lock.release() }} -> started
             each of a b c: -> {lists}"
        )
    };
    kept(&own("purlin-fork"), &script("ok, timed-out, ok"));
    kept(&own("purlin-fork"), &script("ok, ok, ok | timed-out, ok, ok"));
    let came = &["a: ok, b: ok, c: timed-out"];
    ends(&own("purlin-fork"), &script("ok, ok, ok"), Verdict::Broken, 8, came);
    let lists = script("timed-out, timed-out, ok");
    ends(&own("purlin-fork"), &lists, Verdict::Broken, 8, came);
}

#[test]
fn what_is_not_offered_is_no_reason_to_say_that_others_hang() {
    let begin = |second: &str| {
        format!(
            "object bar: barrier(parties=2)
             actors a b
             a: bar.wait() -> started
             b: {second} -> started\n"
        )
    };
    let limited = begin("bar.wait(timeout=1h)");
    let no_call = &["no such call"];
    ends(&own("posix-fork"), &(limited.clone() + "a: -> ok"), Verdict::Unsupported, 5, no_call);
    ends(
        &own("posix-fork"),
        &(limited + "each of a b: -> ok, ok"),
        Verdict::Unsupported,
        5,
        no_call,
    );
    ends(&own("posix-fork"), &(begin("pause 1ms") + "a: -> ok"), Verdict::Hung, 5, &[]);
}

#[test]
fn one_of_several_comes_to_a_wait() {
    let script = "object one: lock
        processes a b c
        a: { one.acquire(); wait; one.release() } -> waiting
        b: { one.acquire(); wait; one.release() } -> blocked
        c: { one.acquire(); wait; one.release() } -> blocked
        go a
        a: -> ok
        one of b c: -> waiting as first other second
        kill first
        second: -> owner-died";
    kept(&own("purlin-fork"), script);
}

#[test]
fn a_frozen_actor_stands_still_and_goes_on() {
    let script = lock(
        "a: lock.acquire() -> ok
         b: lock.acquire() -> blocked
         freeze b when blocked
         a: lock.release() -> ok
         thaw b
         b: -> ok",
    );
    kept(&own("purlin-fork"), &script);
    let script = lock("a: lock.acquire() -> ok\nfreeze a\nb: lock.acquire() -> blocked\nb: -> ok");
    ends(&own("honest-server"), &script, Verdict::Hung, 6, &["nobody is left"]);
    let script = lock("a: lock.acquire() -> ok\nfreeze a\nkill a\nb: lock.acquire() -> owner-died");
    kept(&own("purlin-fork"), &script);
}

#[test]
fn signals_disturb_a_call_until_it_is_over() {
    let script = lock(
        "b: catch -> ok
         a: lock.acquire() -> ok
         b: lock.acquire(timeout=300ms) -> blocked
         signal b every 5ms
         b: -> timed-out after 300ms
         a: lock.release() -> ok
         b: lock.acquire() -> ok",
    );
    kept(&own("purlin-fork"), &script);
    // It truly comes: without its handler the process ends.
    let mut uncaught = parsed(&lock(
        "b: catch -> ok
         a: lock.acquire() -> ok
         b: lock.acquire() -> blocked
         signal b every 5ms
         b: -> ok",
    ));
    uncaught.steps.remove(0);
    let (outcome, _) = run_parsed(&own("purlin-fork"), &uncaught);
    assert_eq!(outcome.verdict, Verdict::Died, "{outcome:?}");
    assert!(outcome.stop.unwrap().came.contains("the process of b ended by itself"));
}

#[test]
fn scripts_that_make_no_sense_are_errors_of_the_suite() {
    let script = parsed(&lock("a: lock.acquire() -> ok\nkill a\nb: lock.acquire() -> owner-died"));
    let step = |place: usize| script.steps[place].clone();
    for (steps, says) in [
        (vec![step(0), step(1), step(1)], "a is gone already"),
        (vec![step(1), step(0)], "a is gone"),
        (vec![Step { action: Action::Fresh { actor: "a".to_owned() }, ..step(0) }], "still there"),
        (vec![Step { action: Action::Thaw { actor: "a".to_owned() }, ..step(0) }], "not frozen"),
        (vec![Step { action: Action::Go { actor: "a".to_owned() }, ..step(0) }], "no program"),
    ] {
        let script = Script { steps, ..script.clone() };
        let (outcome, _) = run_parsed(&own("purlin-fork"), &script);
        assert_eq!(outcome.verdict, Verdict::Error, "{says}: {outcome:?}");
        assert!(outcome.stop.unwrap().came.contains(says), "{says}");
    }
}

#[test]
fn an_interrupt_ends_a_process() {
    let interrupt = "a: lock.acquire() -> ok\nb: lock.acquire() -> blocked\ninterrupt b\n";
    kept(&own("purlin-fork"), &lock(&format!("{interrupt}b: -> gone by 2")));
    // Only those are asked to come back from it who say that they can.
    let script = lock(&format!("{interrupt}b: -> interrupted"));
    ends(&own("purlin-fork"), &script, Verdict::Unsupported, 6, &["needs interrupts"]);
    kept(&own("honest-server"), &script);
}

/// What a shell starts aside finds SIGINT ignored, and so would an adapter.
#[test]
fn that_the_suite_ignores_interrupts_changes_nothing() {
    let tests = std::env::current_exe().unwrap();
    let mut anew = std::process::Command::new("env");
    anew.arg("--ignore-signal=INT")
        .arg(tests)
        .args(["--exact", "steps::an_interrupt_ends_a_process"]);
    let ran = anew.output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
fn whoever_goes_by_itself_is_gone_as_expected() {
    let fork = own("purlin-fork");
    kept(&fork, &lock("a: exit 3 -> gone with 3\nfresh a\na: lock.acquire() -> ok"));
    kept(&fork, &lock("a: end -> gone with 0\nb: lock.acquire() -> ok"));
    kept(
        &fork,
        &lock("a: { lock.acquire(); abort } -> gone by 6\nb: lock.acquire() -> owner-died"),
    );
    kept(&fork, &lock("a: crash -> gone by 11"));
    kept(&fork, &lock("a: end thread -> gone\nb: lock.acquire() -> ok"));
    ends(
        &fork,
        &lock("a: exit 3 -> gone with 4"),
        Verdict::Broken,
        3,
        &["gone with 4", "came: gone with 3"],
    );
    ends(&fork, &lock("a: exit 3 -> gone by 9"), Verdict::Broken, 3, &["came: gone with 3"]);
}

#[test]
fn another_program_takes_the_place_of_an_actor() {
    let script =
        lock("a: lock.acquire() -> ok\na: exec -> ok\nb: lock.acquire() -> ok | owner-died");
    kept(&own("purlin-fork"), &script);
}

#[test]
fn actors_start_actors() {
    let fork = own("purlin-fork");
    let head = "object lock: lock\nactors a\nchildren b of a\nchildren c of b\nthreads t of a\n";
    for steps in [
        "a: fork b -> ok
         b: lock.acquire() -> ok
         a: lock.acquire() -> blocked
         b: lock.release() -> ok
         a: -> ok",
        "a: fork b -> ok
         kill a
         b: lock.acquire() -> ok
         b: fork c -> ok
         kill b
         c: lock.acquire() -> owner-died",
        "t: lock.acquire() -> ok\na: lock.acquire() -> blocked\nt: lock.release() -> ok\na: -> ok",
        "a: start b -> ok\nb: lock.acquire() -> ok",
        "repeat 5 {
         a: fork b -> ok
         b: lock.acquire() -> ok | owner-died
         b: lock.recover() -> ok | not-owner
         kill b
         }",
    ] {
        kept(&fork, &format!("{head}{steps}"));
    }
}

#[test]
fn objects_are_made_by_actors_and_by_the_dozen() {
    let fork = own("purlin-fork");
    kept(
        &fork,
        "object many[20]: lock\nobject made: lock made by a\nactors a b\nchildren c of a
         a: loop 20 as n { many[n].acquire() } -> ok
         b: tally 20 as n { many[n].try() } -> {timed-out: 20}
         a: fork c -> ok
         a: made.acquire() -> ok
         c: made.acquire() -> blocked
         kill a
         c: -> owner-died
         b: tally 20 as n { many[n].try() } -> {owner-died: 20}",
    );
}

#[test]
fn rounds_are_named_where_they_fail() {
    let script = "object n: cell
        actors a
        repeat 5 {
            forall t in 1s, 2s {
                a: n.add(1) -> ok
                a: { check n == 100 } -> ok | task-failed
            }
            a: n.get() -> 2 | 4 | 6
        }";
    let outcome = ends(&own("purlin-fork"), script, Verdict::Broken, 8, &["came: 8"]);
    assert_eq!(outcome.stop.unwrap().within, ["round 4 of 5"]);
    let script = "object lock: lock
        actors a b
        a: lock.acquire() -> ok
        repeat 2 {
            forall t in 10ms, 20ms {
                b: lock.acquire(timeout=$t) -> timed-out after 20ms
            }
        }";
    let outcome = ends(&own("purlin-fork"), script, Verdict::Broken, 6, &["came: timed-out after"]);
    assert_eq!(outcome.stop.unwrap().within.len(), 2);
}

#[test]
fn calls_run_side_by_side() {
    let script = "object lock: lock\nobject n: cell\nactors a b c\nparallel {
            a: loop 200 { lock.acquire(); n.add(1); lock.release() } -> ok
            b: loop 200 { lock.acquire(); n.add(1); lock.release() } -> ok
            c: loop 200 { with lock { n.add(1) } } -> ok
        }
        a: n.get() -> 600";
    kept(&own("purlin-fork"), script);
    kept(&own("honest-server"), script);
}

#[test]
fn a_wait_lasts_and_has_its_price() {
    let script =
        lock("a: lock.acquire() -> ok\nb: lock.acquire() -> blocked for 200ms using 100ms");
    kept(&own("purlin-fork"), &script);
    let script = lock("a: lock.acquire() -> ok\nb: lock.acquire() -> blocked for 1s using 1ms");
    ends(&own("honest-spinner"), &script, Verdict::Broken, 4, &["of processor time used"]);
    let script = lock("a: lock.acquire() -> ok\nb: lock.acquire(timeout=200ms) -> blocked for 1h");
    ends(&own("purlin-fork"), &script, Verdict::Broken, 4, &["came: timed-out"]);
}

#[test]
fn what_is_not_offered_is_said_before_anything_happens() {
    let script = "object lock: lock\nactors a\nchildren b of a\na: fork b -> ok";
    ends(&own("honest-core"), script, Verdict::Unsupported, 4, &["needs programs"]);
    let script = "object lock: pipe\nactors a\na: lock.acquire() -> ok";
    ends(&own("honest-server"), script, Verdict::Unsupported, 1, &["the kind pipe"]);
}

#[test]
fn a_long_program_is_waited_for() {
    let script = lock("a: loop 20 { pause 30ms } -> ok");
    kept(&own("purlin-fork"), &script);
}

#[test]
fn a_call_that_is_prevented_is_good_only_where_a_mistake_is_refused() {
    let sent = |expected: &str| {
        format!(
            "object v: value(type=\"i32\", value=1)
             actors a
             a: v.send_handle(value=2) -> {expected}"
        )
    };
    let ends_so = |expected: &str, verdict, says: &str| {
        ends(&own("purlin-fork"), &sent(expected), verdict, 3, &[says]);
    };
    for mistake in ["not-transferable", "not-transferable | ok", "ok | prevented"] {
        ends_so(mistake, Verdict::Prevented, "a message is bytes");
    }
    for none in ["ok", "2", "timed-out", "blocked", "value as x", "not 2"] {
        ends_so(none, Verdict::Unsupported, "no such call, which is no mistake: a message is");
    }
    let each = "object v: value(type=\"i32\", value=1)
        actors a b
        a: v.send_handle(value=2) -> started
        b: v.send_handle(value=2) -> started
        each of a b: -> ";
    let outcome = |lists: &str| run_of(&format!("{each}{lists}"));
    assert_eq!(outcome("ok, ok"), Verdict::Unsupported);
    assert_eq!(outcome("ok, ok | not-transferable, not-transferable"), Verdict::Prevented);
}

fn run_of(script: &str) -> Verdict {
    run_parsed(&own("purlin-fork"), &parsed(script)).0.verdict
}

#[test]
fn silence_alone_shows_no_wait() {
    let script = lock("a: lock.acquire() -> ok\nb: lock.acquire() -> blocked");
    let freed = format!("{script}\na: lock.release() -> ok\nb: -> ok");
    for script in [script, freed] {
        let (outcome, _) = run_parsed(&own("honest-spinner"), &parsed(&script));
        assert_eq!(outcome.verdict, Verdict::Untested, "{:?}", outcome.stop);
        assert!(outcome.stop.unwrap().came.contains("silence alone"));
        for sleeper in ["purlin-fork", "purlin-threads", "honest-poller", "honest-server"] {
            kept(&own(sleeper), &script);
        }
    }
    // Another that runs all the time does not hide that the caller sleeps.
    let busy = "object lock: lock
        object n: cell
        actors a b c
        a: lock.acquire() -> ok
        c: loop { n.add(1) } -> started
        b: lock.acquire() -> blocked
        kill c";
    kept(&own("purlin-fork"), busy);
    // What is broken is broken, however it waits.
    let script = lock(
        "a: lock.acquire() -> ok
         b: lock.acquire() -> blocked
         a: lock.release() -> ok
         b: -> timed-out",
    );
    ends(&own("honest-spinner"), &script, Verdict::Broken, 6, &["came: ok"]);
}
