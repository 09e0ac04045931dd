//! Numbers that come round again: nobody is taken for a process that had the same one before.
//!
//! A number is made to come round in a pid namespace of the test's own, so that the machine's are
//! left alone. That takes a privilege; where it is not there, the test says that it was not made.

mod bounded;
#[expect(dead_code, reason = "what other tests use of it")]
mod talk;

use std::process::{Command, Stdio};
use std::time::Duration;

use bounded::{LIMIT, check, in_child};
use purlin_process::command::Program;
use purlin_process::{Error, ExitCode, ExitStatus, Process, current};
use talk::{idle, listen, next, say, talk};

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// The status of a body that the system did not let be made.
const NOT_MADE: i32 = 77;

/// Whether the processes that the calling one starts from now on are in a namespace of their own.
#[expect(unsafe_code, reason = "rustix has it under a feature")]
fn enter_namespace() -> bool {
    // SAFETY: It takes a number.
    unsafe {
        libc::unshare(libc::CLONE_NEWPID) == 0
            || libc::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWPID) == 0
    }
}

/// Runs `body` as the first process of a namespace.
fn in_namespace(body: impl FnOnce() -> Result<ExitCode, String>) {
    in_child(|| {
        if !enter_namespace() {
            println!("not made: no namespace may be made here");
            return Ok(());
        }
        let first = Process::fork("first", body).map_err(text)?;
        match first.join(LIMIT) {
            Ok(ExitStatus::Code(NOT_MADE)) => {
                println!("not made: no number may be chosen here");
                Ok(())
            }
            status => check(status == Ok(ExitStatus::Code(0)), &format!("{status:?}")),
        }
    });
}

/// A child that idles and has this number, which is free; `None` where that cannot be made.
fn namesake(number: i32) -> Result<Option<Process>, String> {
    let before = (number - 1).to_string();
    if std::fs::write("/proc/sys/kernel/ns_last_pid", before).is_err() {
        return Ok(None);
    }
    let child = Process::fork("namesake", idle).map_err(text)?;
    if child.pid() == number {
        return Ok(Some(child));
    }
    child.kill().map_err(text)?;
    child.join(LIMIT).map_err(text)?;
    Ok(None)
}

/// Whether it goes on as if nothing were; it is ended by this.
fn is_unharmed(child: &Process) -> Result<bool, String> {
    let is_there = child.join(Duration::from_millis(50)) == Err(Error::TimedOut);
    child.signal(libc::SIGUSR1).map_err(text)?;
    Ok(is_there && child.join(LIMIT) == Ok(ExitStatus::Signal(libc::SIGUSR1)))
}

#[test]
fn who_has_the_number_of_an_ended_child_is_not_signalled_for_it() {
    // shows: process-kill-never-hits-reused-id
    in_namespace(|| {
        let child = Process::fork("old", || ()).map_err(text)?;
        check(child.join(LIMIT) == Ok(ExitStatus::Code(0)), "it has ended")?;
        let Some(namesake) = namesake(child.pid())? else { return Ok(ExitCode(NOT_MADE)) };
        let sent = [child.kill(), child.terminate(), child.signal(libc::SIGINT)];
        check(sent == [Ok(()); 3], &format!("nothing is wrong with it: {sent:?}"))?;
        check(child.is_alive() == Ok(false), "and it has ended all the same")?;
        check(is_unharmed(&namesake)?, "the other was not meant")?;
        Ok(ExitCode(0))
    });
}

#[test]
fn nor_is_who_has_the_number_of_an_ended_program() {
    in_namespace(|| {
        let mut command = Command::new("true");
        command.stdin(Stdio::null());
        let program = Program::start(command).map_err(text)?;
        check(program.wait(LIMIT) == Ok(ExitStatus::Code(0)), "it has ended")?;
        let Some(namesake) = namesake(program.pid())? else { return Ok(ExitCode(NOT_MADE)) };
        let sent = [program.kill(), program.terminate()];
        check(sent == [Ok(()); 2], &format!("nothing is wrong with it: {sent:?}"))?;
        check(is_unharmed(&namesake)?, "the other was not meant")?;
        Ok(ExitCode(0))
    });
}

#[test]
fn who_has_the_number_of_an_ended_parent_is_not_taken_for_it() {
    // shows: process-parent-alive-not-fooled-by-reused-id
    in_namespace(|| {
        let (mut reader, said) = talk()?;
        let (until, release) = talk()?;
        let parent = Process::fork("parent", || -> Result<(), Error> {
            Process::fork("child", || {
                say(&said, "b"); // it has its parent's descriptor by now
                listen(&until);
                let lives = current().parent().map(|parent| parent.is_alive());
                say(&said, if lives == Some(Ok(false)) { "g" } else { "?" });
            })?;
            idle();
            Ok(())
        });
        let parent = parent.map_err(text)?;
        next(&mut reader, "the child's first word")?;
        parent.kill().map_err(text)?;
        check(parent.join(LIMIT) == Ok(ExitStatus::Signal(9)), "the parent has ended")?;
        let Some(namesake) = namesake(parent.pid())? else { return Ok(ExitCode(NOT_MADE)) };
        say(&release, "!");
        check(next(&mut reader, "the child's answer")? == b'g', "its parent is gone")?;
        check(is_unharmed(&namesake)?, "the other goes on")?;
        Ok(ExitCode(0))
    });
}
