//! What is described before a start, and what the parent then knows of the child.

mod bounded;
mod talk;
mod traces;

use std::time::{Duration, Instant};

use bounded::{LIMIT, becomes_ready, check, in_child};
use purlin_process::{
    Builder, Error, ExitCode, ExitStatus, Process, Run, active_children, current, wait_any,
};
use talk::{all, idle, listen, next, say, talk};
use traces::{descriptor_count, has_children};

fn text(error: Error) -> String {
    error.to_string()
}

/// Killed and collected when its test is over, however it ends.
struct Idle(Process);

impl Idle {
    fn start(name: &str) -> Self {
        Self(Process::fork(name, idle).unwrap())
    }
}

impl Drop for Idle {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.join(LIMIT);
    }
}

/// Whether the child takes `expected` for its own name.
fn is_named(described: Builder, expected: &str) -> bool {
    let child = described.fork(|| ExitCode(i32::from(current().name() != expected))).unwrap();
    child.name() == expected && child.join(LIMIT) == Ok(ExitStatus::Code(0))
}

#[test]
fn what_is_described_is_not_started() {
    // shows: process-create-does-not-start, process-children-excludes-not-started
    in_child(|| {
        let (mut reader, said) = talk()?;
        let described = Builder::new().name("later");
        check(!has_children() && active_children().is_empty(), "nothing was started")?;
        drop(described);
        check(!has_children(), "and nothing is")?;
        drop(said);
        check(all(&mut reader, "nobody")?.is_empty(), "nobody else has our pipe")
    });
}

#[test]
fn numbers_are_given_in_the_order_of_the_descriptions() {
    // shows: process-name-default-numbered, process-name-nested-carries-path
    in_child(|| {
        // This is a child itself, and so has a path.
        let own = current().name().to_owned();
        check(own == "body", "its name was given, its path was not")?;
        let [first, second] = [Builder::new(), Builder::new()];
        let names = [first.shown_name().to_owned(), second.shown_name().to_owned()];
        let path = names[0].strip_suffix(":1").ok_or("no first child of a child")?.to_owned();
        check(path.starts_with("Process-"), &path)?;
        check(names[1] == format!("{path}:2"), &names[1])?;
        check(is_named(second, &names[1]), "the second is started first, as the second")?;
        let nested = first.fork(|| {
            let described = Builder::new();
            ExitCode(i32::from(described.shown_name() != format!("{path}:1:1")))
        });
        check(nested.map_err(text)?.join(LIMIT) == Ok(ExitStatus::Code(0)), "a path of three")
    });
}

#[test]
fn a_name_is_kept_whatever_it_is() {
    // shows: process-name-given-is-kept, process-name-long-and-odd-kept
    // shows: process-name-duplicates-allowed, process-name-empty-means-default
    let long: String =
        "spaces, \n newlines, 木, ש, \u{1f980} ".chars().cycle().take(4096).collect();
    for name in ["non-block", "same", "same", "two\nlines", "木", long.as_str()] {
        assert!(is_named(Builder::new().name(name), name), "{name:?}");
    }
    let unnamed = Builder::new().name("given").name("");
    assert!(unnamed.shown_name().starts_with("Process-"), "{unnamed}");
}

#[test]
fn a_value_runs_its_step_in_the_child() {
    // shows: process-subclass-run-is-called, process-subclass-keeps-own-state
    struct Report {
        said: std::io::PipeWriter,
        number: u8,
    }
    impl Run for Report {
        type Outcome = Result<ExitCode, std::io::Error>;

        fn run(self) -> Self::Outcome {
            std::io::Write::write_all(&mut &self.said, &[self.number])?;
            std::io::Write::write_all(&mut &self.said, &std::process::id().to_le_bytes())?;
            Ok(ExitCode(5))
        }
    }
    let (mut reader, said) = talk().unwrap();
    let child = Builder::new().fork_run(Report { said, number: 3 }).unwrap();
    let report: Vec<u8> = (0..5).map(|_| next(&mut reader, "the report").unwrap()).collect();
    assert_eq!((report[0], &report[1..]), (3, &child.pid().to_le_bytes()[..]));
    assert_eq!(child.join(LIMIT), Ok(ExitStatus::Code(5)));
}

#[test]
fn its_printed_form_tells_name_and_state() {
    // shows: process-description-shows-state
    let described = Builder::new().name("x\ny").daemon(true);
    assert_eq!(described.to_string(), "x\\ny: initial, daemon");
    let child = Idle::start("x");
    let pid = child.0.pid();
    assert_eq!(child.0.to_string(), format!("x (pid {pid}): started"));
    in_child(|| {
        let said = child.0.to_string();
        check(said == format!("x (pid {pid}): of another process"), &said)
    });
    child.0.terminate().unwrap();
    child.0.join(LIMIT).unwrap();
    let said = child.0.to_string();
    assert_eq!(said, format!("x (pid {pid}): stopped, ended by signal 15, SIGTERM"));
    let child = Process::fork("three", || ExitCode(3)).unwrap();
    child.join(LIMIT).unwrap();
    assert!(child.to_string().ends_with("stopped, status 3"), "{child}");
}

#[test]
fn the_status_is_none_until_the_end_and_then_stays() {
    // shows: process-exit-status-none-while-running, process-exit-status-readable-without-join
    let (until, release) = talk().unwrap();
    let child = Process::fork("six", || {
        listen(&until);
        ExitCode(6)
    });
    let child = child.unwrap();
    assert_eq!(child.status(), Ok(None));
    say(&release, "!");
    assert!(becomes_ready(&child, LIMIT));
    assert_eq!(child.status(), Ok(Some(ExitStatus::Code(6))));
    assert_eq!((child.kill(), child.status()), (Ok(()), Ok(Some(ExitStatus::Code(6)))));
}

#[test]
fn a_running_child_is_not_closed() {
    // shows: process-close-running-refused
    let child = Idle::start("runs");
    let refused = child.0.clone().close().unwrap_err();
    assert_eq!((refused.error(), refused.error().kind()), (Error::StillRunning, "still-running"));
    assert_eq!(refused.to_string(), "runs: the child has not ended yet");
    let same = refused.into_process();
    assert!(same == child.0 && same.is_alive() == Ok(true));
    in_child(|| {
        let refused = same.clone().close().map_err(|refused| refused.error());
        check(refused == Err(Error::NotTheParent), "a stranger closes nothing")
    });
}

#[test]
fn closing_an_ended_child_collects_it_and_gives_its_descriptor_back() {
    // shows: process-close-unjoined-collects
    in_child(|| {
        Process::fork("first", || ()).map_err(text)?.join(LIMIT).map_err(text)?;
        let before = descriptor_count();
        let child = Process::fork("closed", || ()).map_err(text)?;
        check(
            becomes_ready(&child, LIMIT) && has_children(),
            "it has ended and nobody has looked",
        )?;
        child.close().map_err(Error::from).map_err(text)?;
        check(!has_children(), "it is collected")?;
        check(descriptor_count() == before, "its descriptor is closed")
    });
}

#[test]
fn one_wait_tells_which_have_ended() {
    // shows: process-sentinel-wait-for-several
    let (until, release) = talk().unwrap();
    let [first, third] = [Idle::start("first"), Idle::start("third")];
    let second = Process::fork("second", || listen(&until)).unwrap();
    let three = [&first.0, &second, &third.0];
    let limit = Duration::from_millis(30);
    let start = Instant::now();
    assert_eq!(wait_any(&three, limit), Err(Error::TimedOut));
    assert!(start.elapsed() >= limit);
    assert_eq!(wait_any(&three, Duration::ZERO), Err(Error::TimedOut));
    say(&release, "!");
    assert_eq!(wait_any(&three, LIMIT), Ok(vec![1]));
    assert_eq!(wait_any(&three, Duration::ZERO), Ok(vec![1]), "it has ended for good");
    assert_eq!((first.0.is_alive(), third.0.is_alive()), (Ok(true), Ok(true)));
    third.0.kill().unwrap();
    third.0.join(LIMIT).unwrap();
    assert_eq!(wait_any(&three, LIMIT), Ok(vec![1, 2]));
    assert_eq!(wait_any(&[], None), Err(Error::InvalidArgument));
    in_child(|| check(wait_any(&three, None) == Err(Error::NotTheParent), "not for strangers"));
}

#[test]
fn a_wait_sees_a_killed_child_whose_own_child_lives() {
    // shows: process-sentinel-ready-after-kill, process-join-although-descendant-lives
    in_child(|| {
        let (mut reader, said) = talk()?;
        let child = Process::fork("killed", || -> Result<(), Error> {
            let _grandchild = Process::fork("lives", || {
                say(&said, "r");
                idle();
            })?;
            idle();
            Ok(())
        });
        let child = child.map_err(text)?;
        next(&mut reader, "the grandchild's word")?;
        child.kill().map_err(text)?;
        check(wait_any(&[&child], LIMIT) == Ok(vec![0]), "it has ended")
    });
}

#[test]
fn the_list_has_those_that_run_and_collects_the_others() {
    // shows: process-children-empty-at-first, process-children-lists-running
    // shows: process-children-excludes-ended, process-children-collects-ended
    // shows: process-children-own-only, process-children-snapshot, process-children-killed-leaves
    in_child(|| {
        check(active_children().is_empty(), "empty at first")?;
        let [first, second] = [Idle::start("first"), Idle::start("second")];
        let ended = Process::fork("ended", || ExitCode(4)).map_err(text)?;
        check(becomes_ready(&ended, LIMIT), "it ends")?;
        let mut list = active_children();
        check(list == [first.0.clone(), second.0.clone()], "those that run")?;
        check(ended.status() == Ok(Some(ExitStatus::Code(4))), "the other was collected")?;
        let names: Vec<_> = list.iter().map(|child| (child.name(), child.pid())).collect();
        check(names == [("first", first.0.pid()), ("second", second.0.pid())], "as they are")?;
        let lists =
            Process::fork("lists", || ExitCode(active_children().len() as i32)).map_err(text)?;
        check(lists.join(LIMIT) == Ok(ExitStatus::Code(0)), "a child has none at first")?;
        list.clear();
        check(active_children().len() == 2, "a list is a snapshot")?;
        first.0.kill().map_err(text)?;
        check(becomes_ready(&first.0, LIMIT), "it ends")?;
        check(active_children() == [second.0.clone()], "who was killed leaves")
    });
}

#[test]
#[expect(unsafe_code, reason = "a child of foreign code")]
fn children_of_foreign_code_are_neither_listed_nor_collected() {
    // shows: process-foreign-children-left-alone
    in_child(|| {
        // SAFETY: the child makes one system call.
        let foreign = match unsafe { libc::fork() } {
            // SAFETY: it asks for nothing.
            0 => unsafe { libc::_exit(7) },
            pid => rustix::process::Pid::from_raw(pid).ok_or("no fork")?,
        };
        for _ in 0..10 {
            let child = Process::fork("ours", || ExitCode(3)).map_err(text)?;
            check(child.join(LIMIT) == Ok(ExitStatus::Code(3)), "ours ends")?;
            child.close().map_err(Error::from).map_err(text)?;
        }
        check(active_children().is_empty(), "it is not ours")?;
        let options = rustix::process::WaitOptions::empty();
        let end = rustix::process::waitpid(Some(foreign), options);
        let status = end.map_err(|errno| errno.to_string())?.and_then(|(_, end)| end.exit_status());
        check(status == Some(7), "its status is there for who started it")
    });
}
